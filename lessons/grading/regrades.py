"""Regrading: mark what was handed in again by the text and the code of today, see who would change by how much, then publish.

A learner's attempt keeps the text that it saw; only what decides the marks is taken from the new one, and only where an answer to the
old text can be read by the new one (`QuestionType.same_answers`).  Every answer that says everything by itself is marked again, whether
its question changed or not: the code that reads answers may have been mended.  Answers about worlds cost time, so they are replayed when
their mark names another question or another engine than today's, or when all of them are asked for (`Regrade.everything`): commands
run again in a fresh world, clusters are brought back to the row of their journal at which they were handed in.  What a person marked
stays as long as its question does.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from lessons.grading.models import Grade, GradeEvent, Regrade
from lessons.grading.services import counted, record_quiz
from lessons.models import Cohort, Membership, Quiz, Version
from lessons.quizzes import expressions, layout, marking, terms
from lessons.quizzes.models import Assignment, QuizAttempt, Response
from lessons.quizzes.sheet import Asked, asked
from lessons.quizzes.types import TYPES
from simulator import trials
from simulator.tasks import BROKER_AWAY

if TYPE_CHECKING:
    from django.contrib.auth.models import User

logger = logging.getLogger(__name__)


#: What a mark can be replaced of; rows from before marks had states have none.
_MARKED = (Response.State.MARKED, Response.State.OPEN)
#: How an answer is marked again: not at all, by its text, in a world.
Way = Literal["", "text", "world"]


class _Skip(Exception):
    """Why an answer cannot be marked again."""


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


def begin(
    cohort: Cohort, quiz: Quiz, version: Version, *, by: User, reason: str, question: str = "", everything: bool = False
) -> Regrade:
    """A regrade by `version`, prepared at once when no world must be asked (else a worker does: `prepare`).

    With `question` only answers to that one; with `everything` answers about worlds are replayed whatever their marks name.
    """
    scope = {"question": question, "everything": everything}
    regrade = Regrade.objects.create(cohort=cohort, quiz=quiz, version=version, by=by, reason=reason, **scope)
    if any(_asks_world(regrade, item) for attempt in attempts_of(cohort, quiz) for item in asked(attempt)):
        transaction.on_commit(lambda: _schedule(regrade.pk))
    else:
        prepare(regrade)
    return regrade


def _asks_world(regrade: Regrade, item: Asked) -> bool:
    try:
        return _plan(regrade, item)[1] == "world"
    except _Skip:
        return False


def _plan(regrade: Regrade, item: Asked) -> tuple[dict[str, Any], Way]:
    """The text by which an answer is marked again, and how.  Raises `_Skip`."""
    if regrade.question and item.spec["id"] != regrade.question:
        return {}, ""
    if item.response is None or item.response.state not in _MARKED:
        return {}, ""
    try:
        new = mended(item, regrade.version)
    except expressions.BadExpression as error:
        raise _Skip(f"let: {error}"[:200]) from error
    if new is None:
        raise _Skip(gettext_noop("the question is not in the mended text"))
    reason = item.kind.same_answers(item.spec, new)
    if reason:
        raise _Skip(reason)
    return new, _way(item, new, everything=regrade.everything)


def _way(item: Asked, new: dict[str, Any], *, everything: bool) -> Way:
    mark = (item.response.mark if item.response else None) or {}
    changed = _changed(item, new, mark)
    if not changed and "by" in mark:
        return ""
    if new.get("credit") == "all":
        return "text"
    if item.kind.marked_by == "hand":
        if changed:
            raise _Skip(gettext_noop("marked by a person"))
        return ""
    if item.kind.marked_by == "world" and item.answer is not None:
        return "world" if changed or everything or mark.get("engine") != trials.version() else ""
    # what a learner read off a world stays what the answer is compared with, unless another answer is asked for
    return "world" if _other_output(item, new) else "text"


def _other_output(old: Asked, new: dict[str, Any]) -> bool:
    return old.spec["type"] == "output" and bool(new["answer"] != old.spec["answer"])


def _changed(item: Asked, new: dict[str, Any], mark: dict[str, Any]) -> bool:
    """Whether the stored mark was given by another question: by the attempt's own text, or by that of an earlier regrade."""
    by = mark.get("question")
    if by is None or by == marking.digest_of(item.spec):
        return _differs(item.spec, new)
    return bool(by != marking.digest_of(new))


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
    ways: list[Way] = field(default_factory=list)


def prepare(regrade: Regrade) -> Regrade:
    """Mark everything again and keep what would change.  Changes no mark."""
    found = _Found()
    for attempt in attempts_of(regrade.cohort, regrade.quiz):
        for item in asked(attempt):
            try:
                _one(regrade, attempt, item, found)
            except _Skip as skip:
                found.skipped[item.spec["id"]] = str(skip)
    regrade.changes = found.changes
    regrade.skipped = [{"question": slug, "why": why} for slug, why in sorted(found.skipped.items())]
    regrade.marked, regrade.replayed = len(found.ways), found.ways.count("world")
    regrade.prepared_at = timezone.now()
    regrade.save(update_fields=["changes", "skipped", "marked", "replayed", "prepared_at"])
    return regrade


def _one(regrade: Regrade, attempt: QuizAttempt, item: Asked, found: _Found) -> None:
    new, way = _plan(regrade, item)
    response, slug = item.response, item.spec["id"]
    if response is None or not way:
        return
    again = Asked(item.number, new, TYPES[new["type"]], item.question_id, item.seed, response, item.values, item.section)
    try:
        mark = _mark(again, item)
    except Exception as error:  # one answer that cannot be replayed must not hide the others
        raise _Skip(f"{type(error).__name__}: {error}"[:200]) from error
    found.ways.append(way)
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
    elif kind.marked_by == "world" and item.answer is not None:
        mark, evidence = marking.run(item)
    else:
        if _other_output(old, item.spec):
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
        same = Q(points=change["before"]) if change["before"] else Q(points=0) | Q(points=None)
        found = Response.objects.filter(same, pk=change["response"], state__in=_MARKED)
        current = found.filter(max_points=change["max_before"])
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
