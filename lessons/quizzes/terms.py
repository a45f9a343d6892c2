"""The terms on which a learner takes a quiz: the assignment of their cohort with their own extension, or the file's.

All times are the server's.  `Terms` is computed anew at every request, so what an instructor changes holds at once, also in
the middle of an attempt.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone

from lessons.models import Membership, Quiz, Version
from lessons.quizzes.models import Assignment, Extension, QuizAttempt

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: An answer that arrives so long after the deadline still counts: it was on its way.
GRACE = datetime.timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Terms:
    """When, how long, how often."""

    quiz: Quiz
    assignment: Assignment | None = None
    extension: Extension | None = None

    @property
    def version(self) -> Version:
        """The text that a new attempt asks."""
        return (self.assignment and self.assignment.version) or self.quiz.version

    def _moment(self, name: str) -> datetime.datetime | None:
        own: datetime.datetime | None = getattr(self.extension, name, None)
        return own or getattr(self.assignment, name, None)

    @property
    def opens_at(self) -> datetime.datetime | None:
        """From when attempts may be started."""
        return self._moment("opens_at")

    @property
    def due_at(self) -> datetime.datetime | None:
        """From when work is late."""
        return self._moment("due_at")

    @property
    def closes_at(self) -> datetime.datetime | None:
        """When everything ends; with late work refused that is the due date."""
        closes = self._moment("closes_at")
        if self.assignment and self.assignment.late == Assignment.Late.REFUSE and self.due_at:
            return min(closes, self.due_at) if closes else self.due_at
        return closes

    @property
    def minutes(self) -> int | None:
        """Minutes for one attempt, with what was granted."""
        limit = self.assignment.minutes if self.assignment else None
        return None if limit is None else limit + (self.extension.extra_minutes if self.extension else 0)

    @property
    def attempts(self) -> int:
        """How many attempts there are; 0 for any number."""
        own = self.assignment.attempts if self.assignment else None
        allowed = int(self.version.data.get("attempts", 0)) if own is None else own
        return allowed + (self.extension.extra_attempts if self.extension and allowed else 0)

    @property
    def counts(self) -> str:
        """Which attempt counts."""
        return self.assignment.counts if self.assignment else Assignment.Counts.BEST.value

    def opened(self, now: datetime.datetime) -> bool:
        """Whether it is not too early."""
        return self.opens_at is None or now >= self.opens_at

    def closed(self, now: datetime.datetime) -> bool:
        """Whether it is over."""
        return self.closes_at is not None and now >= self.closes_at

    def deadline(self, attempt: QuizAttempt) -> datetime.datetime | None:
        """When an attempt ends: its time is up, or everything closes."""
        ends = [self.closes_at] if self.closes_at else []
        if self.minutes is not None:
            ends.append(attempt.started_at + datetime.timedelta(minutes=self.minutes))
        return min(ends, default=None)

    def lateness(self, submitted_at: datetime.datetime) -> float:
        """The share of the points that submitting then costs: 0 to 1."""
        found = self.assignment
        if found is None or found.late != Assignment.Late.PERCENT or not self.due_at or submitted_at <= self.due_at + GRACE:
            return 0.0
        days = -(-(submitted_at - self.due_at) // datetime.timedelta(days=1))
        return min(days * found.late_percent, found.late_most, 100) / 100


def assignments_of(user: User, quiz: Quiz) -> list[Assignment]:
    """The assignments of a quiz to cohorts in which the user learns."""
    rows = Assignment.objects.filter(quiz=quiz, cohort__memberships__user=user, cohort__memberships__role=Membership.Role.LEARNER)
    return list(rows.select_related("version", "cohort").order_by("pk"))


def terms_of(quiz: Quiz, assignment: Assignment | None, user: User | int) -> Terms:
    """The terms of one learner."""
    if assignment is None:
        return Terms(quiz)
    user_id = user if isinstance(user, int) else user.pk
    return Terms(quiz, assignment, Extension.objects.filter(assignment=assignment, user_id=user_id).first())


def of_attempt(attempt: QuizAttempt) -> Terms:
    """The terms under which an attempt runs."""
    return terms_of(attempt.quiz, attempt.assignment, attempt.user_id)


def of_attempts(attempts: Iterable[QuizAttempt]) -> list[tuple[QuizAttempt, Terms]]:
    """Attempts with the terms under which they run; one query for all extensions."""
    rows = list(attempts)
    given = Extension.objects.filter(
        assignment__in={row.assignment_id for row in rows if row.assignment_id}, user__in={row.user_id for row in rows}
    )
    own = {(item.assignment_id, item.user_id): item for item in given}
    return [(row, Terms(row.quiz, row.assignment, own.get((row.assignment_id or 0, row.user_id)))) for row in rows]


def offers(user: User, quiz: Quiz, now: datetime.datetime | None = None) -> list[Terms]:
    """The ways in which a learner may take a quiz: each assignment of it; freely only when none of them is still to end."""
    now = now or timezone.now()
    found = [terms_of(quiz, item, user) for item in assignments_of(user, quiz)]
    if quiz.cohort_id is None and all(item.closes_at and item.closed(now) for item in found):
        found.append(Terms(quiz))
    return found
