"""Dates of chapters in a cohort, and the course as its learners see it at a moment."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from lessons.desk.models import Announcement, ChapterDates
from lessons.grading.progress import ChapterRow, outline
from lessons.models import Cohort, Membership, Quiz
from lessons.quizzes.models import Assignment
from lessons.quizzes.terms import Terms


@dataclass(slots=True)
class Dated:
    """A chapter at a moment."""

    row: ChapterRow
    opens_at: datetime.datetime | None
    due_at: datetime.datetime | None
    open: bool
    overdue: bool
    quizzes: list[DatedQuiz]


@dataclass(slots=True)
class DatedQuiz:
    """A quiz at a moment.  `state`: `free` to practise, `early`, `open`, `late` (due and still open), or `closed`."""

    label: str
    quiz: Quiz
    terms: Terms
    state: str


def as_learner_at(cohort: Cohort, at: datetime.datetime) -> list[Dated]:
    """Every chapter with its dates, whether it is open and overdue at that moment, and how its quizzes stand then."""
    given = {row.quiz_id: row for row in Assignment.objects.filter(cohort=cohort).select_related("version")}
    dates = {row.chapter_id: row for row in ChapterDates.objects.filter(cohort=cohort)}
    out = []
    for row in outline(cohort.course, cohort).chapters:
        own = dates.get(row.chapter.pk)
        opens, due = (own.opens_at, own.due_at) if own else (None, None)
        out.append(Dated(row, opens, due, opens is None or opens <= at, due is not None and due < at, []))
        for label, quiz in row.quizzes:
            offer = Terms(quiz, given.get(quiz.pk))
            if offer.version.data["questions"]:
                out[-1].quizzes.append(DatedQuiz(label, quiz, offer, _state(offer, at)))
    return out


def _state(offer: Terms, at: datetime.datetime) -> str:
    if offer.assignment is None:
        return "free"
    if offer.closed(at):
        return "closed"
    if not offer.opened(at):
        return "early"
    return "late" if offer.due_at and offer.due_at < at else "open"


def opens_later(user: Any, chapter: Any, now: datetime.datetime) -> datetime.datetime | None:
    """When a chapter opens for somebody, if it has not yet: only for learners, by the earliest of their cohorts; staff read ahead."""
    if not user.is_authenticated:
        return None
    rows = Membership.objects.filter(user=user, cohort__course=chapter.course_id)
    roles = dict(rows.values_list("cohort_id", "role"))
    if not roles or any(role != Membership.Role.LEARNER for role in roles.values()):
        return None
    own = {row.cohort_id: row.opens_at for row in ChapterDates.objects.filter(cohort__in=list(roles), chapter=chapter)}
    times = [own.get(cohort) for cohort in roles]
    if any(at is None or at <= now for at in times):
        return None
    return min(at for at in times if at is not None)


def announcements(cohort: Cohort, at: datetime.datetime) -> list[Announcement]:
    """What was said to the cohort until then."""
    return list(Announcement.objects.filter(cohort=cohort, at__lte=at).select_related("author")[:20])
