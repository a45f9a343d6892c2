"""Regrades: begin one, look at who would change by how much, publish."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from lessons.assessment.forms import RegradeForm
from lessons.assessment.views import manages, quiz_of, text_of
from lessons.grading import regrades
from lessons.grading.models import Regrade
from lessons.models import Cohort, Quiz
from lessons.permissions import managed_cohort, person, staffed_cohort


def _regrade(cohort: Cohort, quiz: Quiz, pk: int) -> Regrade:
    rows = Regrade.objects.select_related("version", "by", "quiz__version", "cohort__course")
    return get_object_or_404(rows, pk=pk, cohort=cohort, quiz=quiz)


@require_POST
@login_required
def begin(request: HttpRequest, pk: int, quiz: int) -> HttpResponse:
    """Mark everything, or one question, again by the text and the code of now, for a preview."""
    cohort = managed_cohort(person(request), pk)
    found = quiz_of(cohort, quiz)
    version = text_of(cohort, found)
    form = RegradeForm(request.POST, questions=[spec["id"] for spec in version.data.get("questions", [])])
    if "question" in form.errors:
        messages.error(request, _("This question is not there any more. Choose again."))
        return redirect("lessons:assignment", cohort.pk, found.pk)
    if not form.is_valid():
        messages.error(request, _("Say why: the learners read the reason."))
        return redirect("lessons:assignment", cohort.pk, found.pk)
    made = regrades.begin(cohort, found, version, by=person(request), **form.cleaned_data)
    return redirect("lessons:regrade", cohort.pk, found.pk, made.pk)


@require_safe
@login_required
def preview(request: HttpRequest, pk: int, quiz: int, regrade: int) -> HttpResponse:
    """Who would change by how much; after publishing, who did."""
    cohort = staffed_cohort(person(request), pk)
    found = quiz_of(cohort, quiz)
    row = _regrade(cohort, found, regrade)
    people = regrades.people(row) if row.prepared_at else []
    context = {"cohort": cohort, "quiz": found, "regrade": row, "people": people, "manages": manages(request, cohort)}
    return render(request, "assessment/regrade.html", context)


@require_POST
@login_required
def publish(request: HttpRequest, pk: int, quiz: int, regrade: int) -> HttpResponse:
    """Make the previewed marks the marks."""
    cohort = managed_cohort(person(request), pk)
    found = quiz_of(cohort, quiz)
    row = _regrade(cohort, found, regrade)
    try:
        regrades.publish(row, by=person(request))
    except regrades.Stale:
        messages.error(request, _("Work or marks have changed since this preview. Nothing was published; make a new one."))
    else:
        messages.success(request, _("Published. Every learner concerned sees the change with its reason."))
    return redirect("lessons:regrade", cohort.pk, found.pk, row.pk)
