"""What a learner may see of a submitted attempt, and when.

Phases: `submitted` from handing in, `due` from the learner's own due date, `closed` from their closing time.  An assignment says for
each phase what is shown; where it says nothing for a phase, the phase before holds, and at last the quiz's file (`feedback`).
"""

from __future__ import annotations

import datetime

from django.utils import timezone

from lessons.quizzes import terms
from lessons.quizzes.models import QuizAttempt

PHASES = ("submitted", "due", "closed")
#: points: the sum and those of each question; answers: what was answered; marks: right or wrong; key: the right answers; feedback.
PARTS = ("points", "answers", "marks", "key", "feedback")


def phase(offer: terms.Terms, now: datetime.datetime) -> str:
    """Where a quiz stands for a learner."""
    if offer.closed(now):
        return "closed"
    return "due" if offer.due_at and now >= offer.due_at else "submitted"


def shown(attempt: QuizAttempt, now: datetime.datetime | None = None) -> set[str]:
    """The parts of a submitted attempt that its learner may see now."""
    now = now or timezone.now()
    by_file = set(PARTS) if attempt.version.data.get("feedback", "after") == "after" else {"points"}
    if attempt.assignment is None:
        return by_file
    given = attempt.assignment.review
    found = by_file
    for name in PHASES[: PHASES.index(phase(terms.of_attempt(attempt), now)) + 1]:
        if name in given:
            found = set(given[name]) & set(PARTS)
    return found
