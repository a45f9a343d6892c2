"""Taking quizzes: start, save, submit.  The attempt's version and layout are the text that counts, whatever is loaded later.

Saving is a three-way merge for each question.  A page says by `<name>.seen` which revision of an answer it shows and by
`<name>.age` how long ago (milliseconds) its reader changed it.  What the reader did not change is left alone; where two devices
changed one answer the later change wins, and the other one stays in `SavedAnswer`.  Sending the same page twice changes nothing.

An age counts from the moment of sending, so a request that was held up on its way looks younger than it is.  That is no matter between
two devices, and would be between two requests of one: there `device` (an id that the browser drew) and `<name>.at` (milliseconds of its
own clock) say which change was the later one, whenever either arrives.
"""

from __future__ import annotations

import datetime
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from lessons.models import Question, Quiz
from lessons.models.content import in_language
from lessons.quizzes import layout, marking, terms
from lessons.quizzes.models import Assignment, InlineAnswer, QuizAttempt, Response, SavedAnswer
from lessons.quizzes.sheet import Asked, asked
from lessons.quizzes.types import TYPES, Mark, QuestionType
from lessons.quizzes.types.base import Form

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

logger = logging.getLogger(__name__)

#: What a browser calls itself.
DEVICE = re.compile("[0-9a-f]{32}")

__all__ = [
    "Asked",
    "Closed",
    "NoMoreAttempts",
    "NotNow",
    "WrongCode",
    "answer_inline",
    "asked",
    "inline",
    "save",
    "start",
    "submit",
]


class Closed(Exception):
    """The attempt was submitted or its time is over; nothing can be added."""

    def __init__(self, attempt: QuizAttempt | None = None) -> None:
        super().__init__()
        self.attempt = attempt


class NoMoreAttempts(Exception):
    """All attempts that the quiz allows were taken."""


class NotNow(Exception):
    """It is not open yet, or no longer."""


class WrongCode(Exception):
    """The access code is missing or wrong."""


def open_attempt(user: User, quiz: Quiz) -> QuizAttempt | None:
    """The attempt that was started and not submitted; one whose time is over is submitted here and now."""
    found = (
        QuizAttempt.objects.filter(user=user, quiz=quiz, submitted_at=None)
        .select_related("version", "quiz__version", "assignment__version")
        .first()
    )
    return None if found is not None and close_if_over(found) else found


def attempts_left(user: User, quiz: Quiz, offer: terms.Terms | None = None) -> int | None:
    """How many more attempts may be started; None when there is no limit."""
    offer = offer or terms.Terms(quiz)
    if not offer.attempts:
        return None
    taken = QuizAttempt.objects.filter(user=user, quiz=quiz, assignment=offer.assignment).count()
    return max(0, offer.attempts - taken)


def start(user: User, quiz: Quiz, assignment: Assignment | None = None, code: str = "", seed: str = "") -> QuizAttempt:
    """The open attempt, or a new one on the terms of `assignment` (without it: the first offer that is not over).

    Raises `NotNow`, `WrongCode`, `NoMoreAttempts`, or `marking.NotProduced` when a world could not be asked.
    """
    found = open_attempt(user, quiz)
    if found is not None:
        return found
    now = timezone.now()
    offers = terms.offers(user, quiz, now)
    chosen = [item for item in offers if item.assignment == assignment] if assignment else offers
    offer = next((item for item in chosen if not item.closed(now)), None)
    if offer is None or not offer.opened(now) or not offer.version.data["questions"]:
        raise NotNow
    if attempts_left(user, quiz, offer) == 0:
        raise NoMoreAttempts
    wanted = offer.assignment.access_code if offer.assignment else ""
    if wanted and " ".join(code.split()).casefold() != " ".join(wanted.split()).casefold():
        raise WrongCode
    attempt = QuizAttempt(user=user, quiz=quiz, version=offer.version, assignment=offer.assignment)
    attempt.seed = seed or attempt.seed
    attempt.layout = marking.with_worlds(offer.version.data, layout.draw(offer.version.data, attempt.seed), attempt.seed)
    last = QuizAttempt.objects.filter(user=user, quiz=quiz).aggregate(Max("number"))["number__max"] or 0
    attempt.number, attempt.started_at = last + 1, timezone.now()
    try:
        with transaction.atomic():
            attempt.save(force_insert=True)
    except IntegrityError:  # two clicks at once: the other one started it
        return QuizAttempt.objects.get(user=user, quiz=quiz, submitted_at=None)
    return attempt


@dataclass(slots=True)
class Saved:
    """What a save did: the revision of every answer now, and the questions that another device answered later."""

    revisions: dict[str, int] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)


def save(attempt: QuizAttempt, form: Form) -> Saved:
    """Keep what the page holds.  Raises `Closed` once submitted or too late; what was changed is on record even then."""
    now = timezone.now()
    with transaction.atomic():
        locked = QuizAttempt.objects.select_for_update().get(pk=attempt.pk)
        attempt.submitted_at = locked.submitted_at
        end = terms.of_attempt(attempt).deadline(attempt)
        over = locked.submitted_at is not None or (end is not None and now > end + terms.GRACE)
        done = _Merge(attempt, form, now, over).run()
        if not over:
            QuizAttempt.objects.filter(pk=attempt.pk).update(saved_at=now)
            attempt.saved_at = now
    if over:
        close_if_over(attempt)
        raise Closed(attempt)
    return done


class _Merge:
    """One page's answers against what is kept."""

    def __init__(self, attempt: QuizAttempt, form: Form, now: datetime.datetime, over: bool) -> None:
        self.attempt, self.form, self.now, self.over = attempt, form, now, over
        self.items = asked(attempt)
        self.seen = {item.name: _number(form.get(f"{item.name}.seen", "")) for item in self.items}
        #: a form without any `.seen` is the whole page as it should be
        self.whole = all(value is None for value in self.seen.values())
        self.device = form.get("device", "") if DEVICE.fullmatch(form.get("device", "")) else ""
        self.done = Saved()

    def run(self) -> Saved:
        """Write what was changed on this page."""
        for item in self.items:
            seen = self.seen[item.name]
            if self.whole or seen is not None:
                self.one(item, seen)
            if item.response is not None:
                self.done.revisions[item.name] = item.response.revision
        return self.done

    def one(self, item: Asked, seen: int | None) -> None:
        """One question."""
        answer = item.answer if item.kind.own_cluster else item.kind.parse(self.form, item.name, item.spec)
        kept = item.response
        revision = kept.revision if kept else 0
        base = self.base(item, revision if seen is None else min(seen, revision))
        if answer is not None and base is None and item.kind.untouched(item.spec, answer, item.seed):
            answer = None
        flagged = self.form.get(f"{item.name}.flag", "") == "on"
        stale = seen is not None and seen < revision
        if answer == base or answer == item.answer:
            if not stale and not self.over and flagged != bool(kept and kept.flagged):
                item.response = self.write(item, {"flagged": flagged})
            return
        age = datetime.timedelta(milliseconds=min(_number(self.form.get(f"{item.name}.age", "")) or 0, 10**9))
        edited = max(self.now - age, self.attempt.started_at)
        overtaken = stale and kept is not None and self.earlier(item, kept, edited)
        log = SavedAnswer(
            attempt=self.attempt,
            question_id=item.question_id,
            answer=answer,
            edited_at=edited,
            at=self.now,
            revision=revision + 1,
            device=self.device,
            device_at=self.changed_at(item),
        )
        if self.over or overtaken:
            log.kept, log.why, log.revision = False, "late" if self.over else "overtaken", revision
            log.save()
            self.done.elsewhere += [] if self.over else [item.name]
            return
        log.save()
        values = {"answer": answer, "flagged": flagged, "revision": revision + 1, "saved_at": self.now, "edited_at": edited}
        item.response = self.write(item, values)

    def changed_at(self, item: Asked) -> int | None:
        """When the browser says that its reader changed this answer: milliseconds of the browser's clock."""
        return _number(self.form.get(f"{item.name}.at", ""), digits=15) if self.device else None

    def earlier(self, item: Asked, kept: Response, edited: datetime.datetime) -> bool:
        """Was this answer changed before the one that is kept?"""
        at = self.changed_at(item)
        if at is not None:
            rows = SavedAnswer.objects.filter(
                attempt=self.attempt, question_id=item.question_id, revision=kept.revision, kept=True
            )
            other = rows.filter(device=self.device).values_list("device_at", flat=True).first()
            if other is not None:
                return at < other
        return edited < kept.edited_at

    def base(self, item: Asked, seen: int) -> Any:
        """The answer that the page showed."""
        if seen == 0:
            return None
        if item.response is not None and item.response.revision == seen:
            return item.response.answer
        rows = SavedAnswer.objects.filter(attempt=self.attempt, question_id=item.question_id, revision=seen, kept=True)
        return rows.values_list("answer", flat=True).first()

    def write(self, item: Asked, values: dict[str, Any]) -> Response:
        """Put a response right."""
        return Response.objects.update_or_create(attempt=self.attempt, question_id=item.question_id, defaults=values)[0]


def _number(text: Any, digits: int = 11) -> int | None:
    return int(text) if isinstance(text, str) and text.isdecimal() and len(text) <= digits else None


def submit(attempt: QuizAttempt, by: str = QuizAttempt.Closed.LEARNER) -> QuizAttempt:
    """Close the attempt and mark what can be marked at once; a world's or a person's part follows.  A second call changes nothing."""
    now = timezone.now()
    with transaction.atomic():
        locked = (
            QuizAttempt.objects.select_for_update(of=("self",)).select_related("version", "quiz", "assignment").get(pk=attempt.pk)
        )
        if locked.submitted_at is not None:
            return locked
        end = terms.of_attempt(locked).deadline(locked)
        if end is not None and now > end + terms.GRACE:
            by = QuizAttempt.Closed.CLOCK
        locked.submitted_at = min(now, end) if end is not None and by == QuizAttempt.Closed.CLOCK else now
        locked.closed_by = by
        locked.save(update_fields=["submitted_at", "closed_by"])
        marking.begin(locked)
    return locked


def close_if_over(attempt: QuizAttempt) -> bool:
    """Submit an attempt whose time is over; whether it is closed."""
    if attempt.submitted_at is not None:
        return True
    end = terms.of_attempt(attempt).deadline(attempt)
    if end is None or timezone.now() <= end + terms.GRACE:
        return False
    done = submit(attempt, QuizAttempt.Closed.CLOCK)
    attempt.submitted_at, attempt.closed_by = done.submitted_at, done.closed_by
    return True


def close_expired(assignments: list[Assignment] | None = None) -> int:
    """Submit every open attempt (of these assignments) whose time is over; how many.

    Whoever reads grades calls this first, and the task `quizzes.close_over` calls it for all, again and again.  Each attempt is closed in a
    transaction of its own, so that a crash loses nothing and two that close at once close it once; one that cannot be closed does not keep
    the others open.
    """
    rows = QuizAttempt.objects.filter(submitted_at=None).select_related("version", "quiz__version", "assignment__version")
    rows = rows.filter(assignment__isnull=False) if assignments is None else rows.filter(assignment__in=assignments)
    done, now = 0, timezone.now()
    for attempt, offer in terms.of_attempts(rows):
        end = offer.deadline(attempt)
        if end is None or now <= end + terms.GRACE:
            continue
        try:
            done += close_if_over(attempt)
        except Exception:
            logger.exception("attempt %s could not be closed", attempt.pk)
    return done


# -- questions asked in lessons ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Inline:
    """A question in a lesson's text, with the last answer and what to say about it."""

    question: Question
    spec: dict[str, Any]
    kind: QuestionType
    shown: dict[str, Any]
    answer: Any = None
    mark: Mark | None = None
    #: why the answer is right or wrong: of the choice, then of the question
    remarks: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The prefix of its form fields."""
        return f"q.{self.spec['id']}"


def kept_answers(user: User | AnonymousUser, questions: Iterable[Question]) -> dict[int, Any]:
    """The answers that a reader gave to questions in lessons, as these stand now: by the question's key."""
    versions = {question.pk: question.version_id for question in questions}
    if not user.is_authenticated or not versions:
        return {}
    rows = InlineAnswer.objects.filter(user=user, question__in=versions).values_list("question_id", "version_id", "answer")
    return {pk: answer for pk, version, answer in rows if versions[pk] == version}


def inline(question: Question, language: str, *, answer: Any = None) -> Inline:
    """The question as one reader sees it who gave this answer, or none."""
    spec = question.data
    kind = TYPES[spec["type"]]
    shown = kind.present(spec, language, f"inline/{question.pk}", answer)
    if answer is None:
        return Inline(question, spec, kind, shown)
    mark = kind.grade(spec, answer)
    feedback = spec.get("feedback", {}).get("right" if mark.right else "wrong")
    remarks = [*kind.why(spec, answer, language), *([in_language(feedback)] if feedback else [])]
    return Inline(question, spec, kind, shown, answer, mark, remarks)


def answer_inline(user: User | AnonymousUser, question: Question, form: Form) -> Any:
    """Take an answer; of somebody who is logged in it is kept."""
    spec = question.data
    kind = TYPES[spec["type"]]
    answer = kind.parse(form, f"q.{spec['id']}", spec)
    if answer is not None and user.is_authenticated:
        tries = InlineAnswer.objects.filter(user=user, question=question).values_list("tries", flat=True).first() or 0
        values = {
            "version_id": question.version_id,
            "answer": answer,
            "fraction": kind.grade(spec, answer).fraction,
            "tries": tries + 1,
            "at": timezone.now(),
        }
        InlineAnswer.objects.update_or_create(user=user, question=question, defaults=values)
    return answer
