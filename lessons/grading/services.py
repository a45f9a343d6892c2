"""Compute grades from the evidence.  Level-triggered: computing again gives the same grade, so it can always be done again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lessons.grading.models import Grade
from lessons.labs.models import ExercisePass
from lessons.models import Exercise, Quiz
from lessons.quizzes.models import QuizAttempt

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def record_exercise(user: User, exercise: Exercise) -> Grade | None:
    """The grade of an exercise: what the best pass earned."""
    found = ExercisePass.objects.filter(user=user, exercise=exercise).first()
    if found is None:
        return None
    evidence = {"kind": "check-run", "run": found.run_id, "pass": found.pk}
    values = {"course_id": exercise.course_id, "points": found.points, "max_points": found.max_points, "evidence": evidence}
    return Grade.objects.update_or_create(user=user, exercise=exercise, defaults=values)[0]


def record_quiz(user: User, quiz: Quiz) -> Grade | None:
    """The grade of a quiz: the attempt with the best share of its points; of equal ones the earlier."""
    done = QuizAttempt.objects.filter(user=user, quiz=quiz, submitted_at__isnull=False).order_by("number")
    best = max(done, key=lambda item: (share(item), -item.number), default=None)
    if best is None or best.points is None or best.max_points is None:
        return None
    evidence = {"kind": "quiz-attempt", "attempt": best.pk, "number": best.number}
    values = {"course": quiz.chapter.course, "points": best.points, "max_points": best.max_points, "evidence": evidence}
    return Grade.objects.update_or_create(user=user, quiz=quiz, defaults=values)[0]


def share(attempt: QuizAttempt) -> float:
    """Points as a share of what there was."""
    return (attempt.points or 0.0) / attempt.max_points if attempt.max_points else 0.0
