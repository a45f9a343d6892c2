"""Marking by hand: the answers of a quiz that wait for a person, one after another, without names until they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from lessons.assessment.views import assignment_of, quiz_of
from lessons.grading import adjusting
from lessons.models import Cohort, Membership, Quiz
from lessons.pages.lesson import language
from lessons.permissions import person, staffed_cohort
from lessons.quizzes.models import Response
from lessons.quizzes.sheet import Asked, asked


@dataclass(slots=True)
class Waiting:
    """One answer with the question that it answers."""

    response: Response
    item: Asked
    said: list[str]
    key: list[str]

    @property
    def rubric(self) -> list[dict[str, Any]]:
        """The criteria with what was given for them, or one for the whole question."""
        given = (self.response.mark or {}).get("rubric", {})
        rows = self.item.spec.get("rubric")
        if rows is None:
            return [{"id": "points", "text": _("Points"), "points": self.item.points, "given": self.response.points}]
        return [{**row, "given": given.get(row["id"])} for row in rows]


def _responses(cohort: Cohort, quiz: Quiz) -> Any:
    learners = cohort.memberships.filter(role=Membership.Role.LEARNER).values("user")
    rows = Response.objects.filter(
        attempt__quiz=quiz, attempt__assignment=assignment_of(cohort, quiz), attempt__user__in=learners
    )
    return rows.select_related("attempt__version", "attempt__quiz", "attempt__user", "question")


@require_safe
@login_required
def by_hand(request: HttpRequest, pk: int, quiz: int) -> HttpResponse:
    """What waits for a person; with `?done=1` also what a person has marked."""
    cohort = staffed_cohort(person(request), pk)
    found = quiz_of(cohort, quiz)
    rows = _responses(cohort, found)
    done = request.GET.get("done") == "1"
    wanted = rows.filter(state=Response.State.MARKED, mark__has_key="by") if done else rows.filter(state=Response.State.HAND)
    waiting = []
    # one question after another: whoever marks holds one rubric in mind
    for response in wanted.order_by("question__slug", "pk")[:50]:
        item = next(item for item in asked(response.attempt) if item.question_id == response.question_id)
        said = item.kind.said(item.spec, response.answer, language())
        waiting.append(Waiting(response, item, said, item.kind.key(item.spec, language())))
    context = {"cohort": cohort, "quiz": found, "waiting": waiting, "done": done, "names": request.GET.get("names") == "1"}
    return render(request, "assessment/marking.html", context)


@require_POST
@login_required
def mark(request: HttpRequest, pk: int, quiz: int, response: int) -> HttpResponse:
    """Give points by the rubric, with a remark that the learner reads."""
    cohort = staffed_cohort(person(request), pk)
    found = quiz_of(cohort, quiz)
    rows = _responses(cohort, found).filter(attempt__submitted_at__isnull=False)
    row = get_object_or_404(rows, pk=response, state__in=(Response.State.HAND, Response.State.MARKED))
    given = {}
    try:
        for name in request.POST:
            value = request.POST.get(name, "")
            if name.startswith("points.") and value.strip():
                given[name.removeprefix("points.")] = float(value.replace(",", "."))
        adjusting.mark_by_hand(row, by=person(request), given=given, comment=request.POST.get("comment", "")[:2000])
    except ValueError:
        messages.error(request, _("Points are numbers from 0 to what the criterion gives. Nothing was saved."))
    else:
        messages.success(request, _("Marked."))
    return redirect("lessons:by-hand", cohort.pk, found.pk)
