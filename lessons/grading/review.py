"""What is worth another look: lessons behind missed quiz questions, and exercises that were passed with help."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from lessons.grading.progress import Outline, Standing
from lessons.quizzes.models import Response

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: At most this many are named.
MOST = 5
#: An exercise passed after so many hints is worth doing again.
MANY_HINTS = 2


@dataclass(slots=True)
class Review:
    """One suggestion."""

    label: str
    title: str
    href: str
    reason: str


def review(user: User, plan: Outline, standing: Standing) -> list[Review]:
    """Suggestions in the order of the course: the graded attempts of quizzes first, then exercises."""
    attempts = [grade.evidence.get("attempt") for (kind, _pk), grade in standing.grades.items() if kind == "quiz"]
    missed: Counter[str] = Counter()
    rows = Response.objects.filter(attempt__in=attempts, attempt__user=user, points__lt=F("max_points"))
    for data in rows.values_list("question__version__data", flat=True):
        missed[str(data.get("lesson", ""))] += 1
    out = []
    for row in plan.lessons:
        lesson = row.lesson
        if count := missed[lesson.slug]:
            reason = ngettext("%(count)s quiz question missed", "%(count)s quiz questions missed", count) % {"count": count}
            out.append(Review(lesson.label, lesson.title, lesson.get_absolute_url(), reason))
        for exercise in row.exercises:
            attempt = standing.attempts.get(exercise.pk)
            if exercise.pk not in standing.passes or attempt is None:
                continue
            if attempt.gave_up_at:
                out.append(Review(lesson.label, exercise.title, exercise.get_absolute_url(), _("passed after the solution")))
            elif attempt.hints_shown >= MANY_HINTS:
                said = _("passed with %(count)s hints") % {"count": attempt.hints_shown}
                out.append(Review(lesson.label, exercise.title, exercise.get_absolute_url(), said))
    return out[:MOST]
