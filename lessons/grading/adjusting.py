"""What people change about grades: set by hand, excused, marked by rubric, granted more.  Every change is an event with its reason."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from lessons.grading.models import Adjustment, Grade, GradeEvent
from lessons.grading.services import record_quiz
from lessons.models import Cohort, Exercise, Quiz
from lessons.quizzes import marking, terms
from lessons.quizzes.models import Assignment, Extension, QuizAttempt, Response
from lessons.quizzes.sheet import asked
from lessons.quizzes.types.freetext import by_rubric

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Thing = Quiz | Exercise


def _of(thing: Thing) -> dict[str, Any]:
    return {"quiz": thing} if isinstance(thing, Quiz) else {"exercise": thing}


def _said(found: Adjustment | None) -> dict[str, Any]:
    return {"kind": found.kind, "points": found.points, "reason": found.reason} if found else {}


@transaction.atomic
def adjust(
    cohort: Cohort, user: User, thing: Thing, *, by: User, reason: str, points: float | None = None, kind: str = ""
) -> Adjustment | None:
    """Set a grade by hand (`override` with `points`), excuse it (`excused`), or let the computed one count again (no kind)."""
    found = Adjustment.objects.select_for_update().filter(cohort=cohort, user=user, **_of(thing)).first()
    before = _said(found)
    if kind:
        values = {"kind": kind, "points": points, "reason": reason, "by": by, "at": timezone.now()}
        found = Adjustment.objects.update_or_create(cohort=cohort, user=user, **_of(thing), defaults=values)[0]
    elif found is not None:
        found.delete()
        found = None
    event = {"override": "override", "excused": "excuse"}.get(kind, "clear")
    GradeEvent.objects.create(
        cohort=cohort, user=user, **_of(thing), kind=event, before=before, after=_said(found), reason=reason, by=by
    )
    return found


@transaction.atomic
def mark_by_hand(response: Response, *, by: User, given: dict[str, float], comment: str = "") -> Response:
    """Mark a free text by its rubric, or an answer that no world could mark by points; raises ValueError for points out of range."""
    attempt = (
        QuizAttempt.objects.select_for_update(of=("self",))
        .select_related("version", "quiz", "assignment", "user")
        .get(pk=response.attempt_id)
    )
    item = next(item for item in asked(attempt) if item.question_id == response.question_id)
    before = {"points": response.points, "mark": response.mark}
    if "rubric" in item.spec:
        mark = by_rubric(item.spec, given)
        fraction, detail = mark.fraction, mark.detail
    else:
        points = float(given.get("points", -1))
        if not 0 <= points <= item.points:
            raise ValueError("points")
        fraction, detail = points / item.points, {"set": points}
    said = {"fraction": fraction, **detail, "comment": comment, "by": by.pk, "at": timezone.now().isoformat()}
    said["question"] = marking.digest_of(item.spec)
    response.points, response.max_points, response.mark = round(item.points * fraction, 4), item.points, said
    response.state = Response.State.MARKED
    response.save(update_fields=["points", "max_points", "mark", "state"])
    marking.add_up(attempt)
    GradeEvent.objects.create(
        cohort=attempt.assignment.cohort if attempt.assignment else None,
        user=attempt.user,
        quiz=attempt.quiz,
        kind="hand",
        before=before,
        after={"points": response.points, "question": item.spec["id"]},
        reason=comment[:500],
        by=by,
    )
    return response


_FIELDS = ("opens_at", "due_at", "closes_at", "extra_minutes", "extra_attempts")


@transaction.atomic
def grant(assignment: Assignment, user: User, *, by: User, reason: str, **given: Any) -> Extension:
    """Give one learner other terms, at once.  An attempt that only the clock had closed goes on when there is time again."""
    old = Extension.objects.filter(assignment=assignment, user=user).first()
    before = _terms(old)
    found = Extension.objects.update_or_create(
        assignment=assignment, user=user, defaults={**given, "reason": reason, "by": by, "at": timezone.now()}
    )[0]
    GradeEvent.objects.create(
        cohort=assignment.cohort, user=user, quiz=assignment.quiz, kind="extension", before=before, after=_terms(found),
        reason=reason, by=by,
    )  # fmt: skip
    reopen(assignment, user)
    recount(assignment, user)
    return found


def _terms(found: Extension | None) -> dict[str, Any]:
    if found is None:
        return {}
    values = {name: getattr(found, name) for name in _FIELDS}
    return {name: value.isoformat() if isinstance(value, datetime.datetime) else value for name, value in values.items() if value}


def reopen(assignment: Assignment, user: User) -> QuizAttempt | None:
    """Let the last attempt go on if the clock closed it and it has time again.  Its marks go; its answers stay."""
    rows = QuizAttempt.objects.select_for_update(of=("self",)).select_related("version", "quiz__version", "assignment__version")
    attempt = rows.filter(assignment=assignment, user=user).order_by("-number").first()
    if attempt is None or attempt.closed_by != QuizAttempt.Closed.CLOCK:
        return None
    end = terms.terms_of(assignment.quiz, assignment, user).deadline(attempt)
    elsewhere = QuizAttempt.objects.filter(user=user, quiz_id=attempt.quiz_id, submitted_at=None).exists()
    if elsewhere or (end is not None and end <= timezone.now()):
        return None
    attempt.responses.update(points=None, mark=None, state=Response.State.OPEN)
    attempt.submitted_at, attempt.closed_by, attempt.points, attempt.max_points = None, "", None, None
    attempt.save(update_fields=["submitted_at", "closed_by", "points", "max_points"])
    return attempt


def recount(assignment: Assignment, user: User | None = None) -> None:
    """Compute the grades of an assignment again: its rule, dates or somebody's terms have changed."""
    rows = QuizAttempt.objects.filter(assignment=assignment)
    people = {row.user_id: row.user for row in rows.select_related("user")}
    for person in [user] if user else people.values():
        if record_quiz(person, assignment.quiz, assignment) is None:
            Grade.objects.filter(user=person, assignment=assignment).delete()
