"""Compute grades from the evidence.  Level-triggered: computing again gives the same grade, so it can always be done again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lessons.grading.models import Grade
from lessons.labs.models import ExercisePass
from lessons.models import Exercise, Quiz
from lessons.quizzes import terms
from lessons.quizzes.models import Assignment, QuizAttempt, Response

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


def record_quiz(user: User, quiz: Quiz, assignment: Assignment | None = None) -> Grade | None:
    """The grade of a quiz by its assignment's rule (taken freely: the best attempt); of equal attempts the earlier.

    Lateness is taken from each attempt by itself, before the rule chooses.
    """
    done = QuizAttempt.objects.filter(
        user=user, quiz=quiz, assignment=assignment, submitted_at__isnull=False, points__isnull=False
    )
    attempts = list(done.order_by("number"))
    if not attempts:
        return None
    offer = terms.terms_of(quiz, assignment, user)
    values = counted(attempts, offer)
    values["complete"] = not Response.objects.filter(
        attempt__in=values["evidence"]["attempts"], state__in=(Response.State.WORLD, Response.State.HAND)
    ).exists()
    values["course_id"] = quiz.chapter.course_id
    return Grade.objects.update_or_create(user=user, quiz=quiz, assignment=assignment, defaults=values)[0]


def counted(attempts: list[QuizAttempt], offer: terms.Terms) -> dict[str, Any]:
    """Points, their maximum and the evidence of a quiz grade from its submitted attempts in order."""
    late = {item.pk: offer.lateness(item.submitted_at) if item.submitted_at else 0.0 for item in attempts}
    earned = {item.pk: share(item) * (1 - late[item.pk]) for item in attempts}
    rule = offer.counts
    if rule == Assignment.Counts.AVERAGE:
        chosen, last = attempts, attempts[-1]
        fraction = sum(earned.values()) / len(attempts)
        taken = sum(late.values()) / len(attempts)
    else:
        last = {
            Assignment.Counts.FIRST.value: attempts[0],
            Assignment.Counts.LAST.value: attempts[-1],
        }.get(rule, max(attempts, key=lambda item: (earned[item.pk], -item.number)))
        chosen, fraction, taken = [last], earned[last.pk], late[last.pk]
    most = last.max_points or 0.0
    evidence = {
        "kind": "quiz-attempt",
        "attempt": last.pk,
        "number": last.number,
        "rule": rule,
        "attempts": [item.pk for item in chosen],
        "late": taken,
    }
    return {"points": round(fraction * most, 2), "max_points": most, "evidence": evidence}


def share(attempt: QuizAttempt) -> float:
    """Points as a share of what there was."""
    return (attempt.points or 0.0) / attempt.max_points if attempt.max_points else 0.0


def on_marked(sender: Any, attempt: QuizAttempt, **_kwargs: Any) -> None:
    """An attempt has new marks: its grade follows in the same transaction."""
    if attempt.submitted_at is not None:
        record_quiz(attempt.user, attempt.quiz, attempt.assignment)
