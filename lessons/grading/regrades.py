"""Regrading: mark what was handed in again by a mended text, see who would change by how much, then publish.

A learner's attempt keeps the text that it saw; only what decides the marks is taken from the mended one, and only where an answer to the
old text can be read by the new one (`QuestionType.same_answers`).  Answers about worlds are replayed: commands run again in a fresh world,
clusters are brought back to the row of their journal at which they were handed in.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from lessons.grading.models import Grade, GradeEvent, Regrade
from lessons.grading.services import counted, record_quiz
from lessons.models import Cohort, Membership, Quiz, Version
from lessons.quizzes import expressions, layout, marking, terms
from lessons.quizzes.models import Assignment, QuizAttempt, Response
from lessons.quizzes.sheet import Asked, asked
from lessons.quizzes.types import TYPES
from simulator.tasks import BROKER_AWAY

if TYPE_CHECKING:
    from django.contrib.auth.models import User

logger = logging.getLogger(__name__)


class Stale(Exception):
    """The work or its marks have changed since the preview; nothing was published."""


def attempts_of(cohort: Cohort, quiz: Quiz) -> list[QuizAttempt]:
    """The submitted attempts that count in a cohort: of its assignment, else those that its learners took freely."""
    assignment = Assignment.objects.filter(cohort=cohort, quiz=quiz).first()
    rows = QuizAttempt.objects.filter(quiz=quiz, assignment=assignment, submitted_at__isnull=False)
    learners = cohort.memberships.filter(role=Membership.Role.LEARNER).values("user")
    rows = rows.filter(user__in=learners).select_related("version", "quiz__version", "assignment__version", "user")
    return list(rows.order_by("user__username", "number"))


def mended(item: Asked, version: Version) -> dict[str, Any] | None:
    """The question as the mended text has it, with the attempt's own drawn values; None when it is not there any more."""
    raw = next((spec for spec in version.data["questions"] if spec["id"] == item.spec["id"]), None)
    if raw is None:
        return None
    values = {name: value for name, value in item.values.items() if name in raw.get("values", {})}
    for name, source in raw.get("let", {}).items():
        values[name] = expressions.value(source, values)
    spec: dict[str, Any] = layout.fill(raw, values)
    if "world" in item.spec:
        spec["world"] = item.spec["world"]
    return spec


def begin(cohort: Cohort, quiz: Quiz, version: Version, *, by: User, reason: str) -> Regrade:
    """A regrade by `version`, prepared at once when no world must be asked (else a worker does: `prepare`)."""
    regrade = Regrade.objects.create(cohort=cohort, quiz=quiz, version=version, by=by, reason=reason)
    if any(_asks_world(attempt, version) for attempt in attempts_of(cohort, quiz)):
        transaction.on_commit(lambda: _schedule(regrade.pk))
    else:
        prepare(regrade)
    return regrade


def _asks_world(attempt: QuizAttempt, version: Version) -> bool:
    for item in asked(attempt):
        new = mended(item, version)
        if new is not None and item.kind.marked_by == "world" and item.answer is not None and _differs(item.spec, new):
            return True
        if new is not None and item.spec["type"] == "output" and new["answer"] != item.spec["answer"]:
            return True
    return False


def _schedule(pk: int) -> None:
    from lessons.grading import tasks

    try:
        tasks.send(pk)
    except BROKER_AWAY as error:  # `tasks.prepare_late` comes round
        logger.warning("regrade %s: the broker cannot be reached: %s", pk, error)


def _differs(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether anything but words that decide nothing is other."""
    silent = ("text", "lesson", "feedback", "world", "solution", "wrong", "alternative", "why", "model")
    return {k: v for k, v in old.items() if k not in silent} != {k: v for k, v in new.items() if k not in silent}


@dataclass(slots=True)
class _Found:
    changes: list[dict[str, Any]] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


def prepare(regrade: Regrade) -> Regrade:
    """Mark everything again and keep what would change.  Changes no mark."""
    found = _Found()
    for attempt in attempts_of(regrade.cohort, regrade.quiz):
        for item in asked(attempt):
            _one(regrade.version, attempt, item, found)
    regrade.changes = found.changes
    regrade.skipped = [{"question": slug, "why": why} for slug, why in sorted(found.skipped.items())]
    regrade.prepared_at = timezone.now()
    regrade.save(update_fields=["changes", "skipped", "prepared_at"])
    return regrade


def _one(version: Version, attempt: QuizAttempt, item: Asked, found: _Found) -> None:
    response, slug = item.response, item.spec["id"]
    if response is None or response.state not in (Response.State.MARKED, ""):
        return
    new = mended(item, version)
    if new is None:
        found.skipped[slug] = "the question is not in the mended text"
        return
    if not _differs(item.spec, new):
        return
    reason = item.kind.same_answers(item.spec, new)
    if reason:
        found.skipped[slug] = reason
        return
    again = Asked(item.number, new, TYPES[new["type"]], item.question_id, item.seed, response, item.values, item.section)
    try:
        mark = _mark(again, item)
    except Exception as error:  # one answer that cannot be replayed must not hide the others
        found.skipped[slug] = f"{type(error).__name__}: {error}"[:200]
        return
    points, most = mark["points"], layout.points_of(new)
    if points == response.points and most == response.max_points:
        return
    found.changes.append(
        {
            "attempt": attempt.pk,
            "number": attempt.number,
            "response": response.pk,
            "user": attempt.user_id,
            "username": attempt.user.get_username(),
            "question": slug,
            "before": response.points or 0.0,
            "after": points,
            "max_before": response.max_points,
            "max_after": most,
            "mark": mark["mark"],
        }
    )


def _mark(item: Asked, old: Asked) -> dict[str, Any]:
    kind = item.kind
    evidence: dict[str, Any] = {}
    if item.spec.get("credit") == "all":
        mark = kind.grade(item.spec, item.answer)
    elif kind.marked_by == "hand":
        raise ValueError("marked by a person")
    elif kind.marked_by == "world" and item.answer is not None:
        mark, evidence = marking.run(item)
    else:
        if item.spec["type"] == "output" and item.spec["answer"] != old.spec["answer"]:
            trial = kind.produces(item.spec)
            assert trial is not None
            item.spec["world"] = marking.produced({**trial, "seed": item.spec["world"]["evidence"]["seed"]})
        mark = kind.grade(item.spec, item.answer)
    return marking.marked(item, mark, **evidence)


@dataclass(slots=True)
class Person:
    """One learner in a preview."""

    user_id: int
    username: str
    changes: list[dict[str, Any]]
    before: float | None
    after: float | None

    @property
    def delta(self) -> float:
        """By how much the grade changes."""
        return round((self.after or 0.0) - (self.before or 0.0), 4)


def people(regrade: Regrade) -> list[Person]:
    """Who changes by how much: the grades before and after, computed as publishing will."""
    assignment = Assignment.objects.filter(cohort=regrade.cohort, quiz=regrade.quiz).first()
    attempts: dict[int, list[QuizAttempt]] = {}
    for attempt in attempts_of(regrade.cohort, regrade.quiz):
        attempts.setdefault(attempt.user_id, []).append(attempt)
    rows: dict[int, list[dict[str, Any]]] = {}
    for change in regrade.changes:
        rows.setdefault(change["user"], []).append(change)
    grades = {
        row.user_id: row.points for row in Grade.objects.filter(quiz=regrade.quiz, assignment=assignment, user__in=list(rows))
    }
    out = []
    for user_id, changes in rows.items():
        own = attempts.get(user_id, [])
        for attempt in own:
            for change in changes:
                if change["attempt"] == attempt.pk and regrade.published_at is None:
                    attempt.points = round((attempt.points or 0.0) + change["after"] - change["before"], 2)
                    attempt.max_points = (attempt.max_points or 0.0) + change["max_after"] - change["max_before"]
        offer = terms.terms_of(regrade.quiz, assignment, user_id)
        after = counted(own, offer)["points"] if own else None
        before = grades.get(user_id)
        if regrade.published_at is not None:
            event = GradeEvent.objects.filter(user_id=user_id, kind="regrade", after__regrade=regrade.pk).first()
            before = event.before.get("points") if event else before
        out.append(Person(user_id, changes[0]["username"], changes, before, after))
    return sorted(out, key=lambda item: (-abs(item.delta), item.username))


@transaction.atomic
def publish(regrade: Regrade, *, by: User) -> Regrade:
    """Make the previewed marks the marks, and say so in every learner's record.  Raises `Stale`; a second call changes nothing."""
    locked = Regrade.objects.select_for_update().get(pk=regrade.pk)
    if locked.published_at is not None:
        return locked
    if locked.prepared_at is None:
        raise Stale
    ids = sorted({change["attempt"] for change in locked.changes})
    rows = QuizAttempt.objects.select_for_update(of=("self",)).select_related("user", "quiz", "assignment", "version")
    attempts = {row.pk: row for row in rows.filter(pk__in=ids).order_by("pk")}
    before: dict[int, float | None] = {}
    for attempt in attempts.values():
        old = Grade.objects.filter(user=attempt.user, quiz=locked.quiz, assignment=attempt.assignment).first()
        before.setdefault(attempt.user_id, old.points if old else None)
    for change in locked.changes:
        mark = {**change["mark"], "regrade": locked.pk, "version": locked.version.digest[:16]}
        values = {"points": change["after"], "max_points": change["max_after"], "mark": mark}
        current = Response.objects.filter(pk=change["response"], points=change["before"], max_points=change["max_before"])
        if change["attempt"] not in attempts or attempts[change["attempt"]].submitted_at is None or not current.update(**values):
            raise Stale
    for attempt in attempts.values():
        marking.add_up(attempt)
    for user_id, points in before.items():
        attempt = next(row for row in attempts.values() if row.user_id == user_id)
        grade = record_quiz(attempt.user, locked.quiz, attempt.assignment)
        GradeEvent.objects.create(
            cohort=locked.cohort,
            user=attempt.user,
            quiz=locked.quiz,
            kind="regrade",
            before={"points": points},
            after={"points": grade.points if grade else None, "regrade": locked.pk},
            reason=locked.reason,
            by=by,
        )
    locked.published_at = timezone.now()
    locked.save(update_fields=["published_at"])
    return locked
