"""Certificates: what somebody has done in a course, as it stood when it was issued, with a number that anybody can check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lessons.desk.models import Certificate
from lessons.grading.progress import outline, standings
from lessons.models import Course

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def facts(user: User, course: Course) -> dict[str, Any]:
    """Lessons, exercises and quizzes: done, of how many, with points; and whether the course is passed."""
    plan = outline(course)
    standing = standings([user.pk], course)[user.pk]
    quizzes = [(quiz, standing.quiz(quiz)) for quiz in plan.quizzes]
    good = [
        quiz for quiz, grade in quizzes if grade and grade.points >= grade.max_points * float(quiz.data.get("pass", 60)) / 100
    ]
    read = sum(standing.lesson(row).read for row in plan.lessons)
    passed = sum(item.pk in standing.passes for item in plan.exercises)
    earned = sum(row.points for row in standing.passes.values()) + sum(grade.points for _quiz, grade in quizzes if grade)
    return {
        "lessons": [read, len(plan.lessons)],
        "exercises": [passed, len(plan.exercises)],
        "quizzes": [len(good), len(plan.quizzes)],
        "points": round(earned, 2),
        "complete": bool(plan.lessons) and len(good) == len(plan.quizzes) and passed == len(plan.exercises),
    }


def issue(user: User, course: Course) -> Certificate:
    """The certificate, made at first and brought up to date while the course is not complete; then it stays as it is."""
    row = Certificate.objects.filter(user=user, course=course).first()
    now = facts(user, course)
    name = user.get_full_name() or user.get_username()
    if row is None:
        return Certificate.objects.create(user=user, course=course, name=name, facts=now)
    if not row.facts.get("complete"):
        from django.utils import timezone

        row.facts, row.name, row.issued_at = now, name, timezone.now()
        row.save(update_fields=["facts", "name", "issued_at"])
    return row
