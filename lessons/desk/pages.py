"""The learner's side of the desk: signals, messages, who watches, one's certificate and one's data."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.core.serializers.json import DjangoJSONEncoder
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from lessons.desk import bells, live, privacy, roster
from lessons.desk.certificates import issue
from lessons.desk.models import Announcement, Certificate, Message, Signal, Watching
from lessons.desk.qr import qr
from lessons.models import Cohort, Course, Enrollment, Invite, Lesson, Membership
from lessons.permissions import person


def cohorts_of(user: Any, course: Course) -> list[int]:
    """The cohorts of a course in which somebody learns."""
    rows = Membership.objects.filter(user=user, cohort__course=course, role=Membership.Role.LEARNER)
    return list(rows.values_list("cohort_id", flat=True))


@require_POST
@login_required
def signal(request: HttpRequest, lesson: int) -> HttpResponse:
    """Say "help me" or "I am done", or take it back; the staff of one's cohorts see it."""
    user = person(request)
    rows = Lesson.objects.select_related("chapter__course", "version").defer("version__body")
    found = get_object_or_404(rows, pk=lesson, active=True)
    course = found.chapter.course
    if not cohorts_of(user, course):
        raise Http404
    kind = request.POST.get("kind", "")
    Signal.objects.filter(user=user, course=course, cleared_at=None).update(cleared_at=timezone.now(), cleared_by=user)
    if kind in Signal.Kind.values:
        note = " ".join(request.POST.get("note", "").replace("\0", "").split())[:300]
        Signal.objects.create(user=user, course=course, lesson=found, kind=kind, note=note)
    elif kind:
        raise Http404
    else:
        bells.ring(user.pk, course.pk)
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "desk/signals.html", signals_context(user, found))
    return redirect(f"{found.get_absolute_url()}#signals")


def signals_context(user: Any, lesson: Lesson) -> dict[str, Any]:
    """What the box of signals on a lesson's page shows."""
    course = lesson.chapter.course
    cohorts = cohorts_of(user, course) if user.is_authenticated else []
    if not cohorts:
        return {"lesson": lesson, "in_cohort": False}
    return {
        "lesson": lesson,
        "in_cohort": True,
        "standing": Signal.objects.filter(user=user, course=course, cleared_at=None).first(),
        "mail": Message.objects.filter(learner=user, cohort__in=cohorts, read_at=None).select_related("sender")[:10],
        "announcements": Announcement.objects.filter(cohort__in=cohorts, at__lte=timezone.now()).select_related("cohort")[:3],
    }


@require_POST
@login_required
def message_read(request: HttpRequest, pk: int) -> HttpResponse:
    """A message was read."""
    row = get_object_or_404(Message, pk=pk, learner=person(request))
    Message.objects.filter(pk=row.pk, read_at=None).update(read_at=timezone.now())
    back = request.POST.get("lesson", "")
    lesson = (
        Lesson.objects.filter(pk=int(back) if back.isascii() and back.isdecimal() else 0)
        .select_related("chapter__course")
        .first()
    )
    if request.htmx and lesson is not None:  # type: ignore[attr-defined]
        return render(request, "desk/signals.html", signals_context(person(request), lesson))
    return redirect(f"{lesson.get_absolute_url()}#signals" if lesson else "lessons:progress")


@require_POST
@login_required
def watching(request: HttpRequest, pk: int) -> HttpResponse:
    """Let somebody who looks at one's cluster type along, or no longer."""
    row = get_object_or_404(Watching.objects.select_related("session"), pk=pk, session__owner=person(request))
    live.decide(row, grant=request.POST.get("grant") == "yes")
    return HttpResponse(status=204)


# -- joining by code --------------------------------------------------------------------------------------------------------


@require_POST
@login_required
def join_by_code(request: HttpRequest) -> HttpResponse:
    """A code from a blackboard opens the page of its invite."""
    code = "".join(request.POST.get("code", "").split()).replace("-", "").upper()[:16]
    invite = Invite.objects.filter(code=code).first() if code else None
    if invite is None or not invite.is_open:
        messages.error(request, _("This code lets nobody in. Ask whoever gave it for another."))
        return redirect("lessons:cohorts")
    return redirect(invite)


# -- certificate and data -----------------------------------------------------------------------------------------------------


@require_safe
@login_required
def certificate(request: HttpRequest, course: str) -> HttpResponse:
    """One's certificate in a course, to print."""
    found = get_object_or_404(Course.objects.select_related("version"), slug=course)
    user = person(request)
    if not Enrollment.objects.filter(user=user, course=found).exists():
        raise Http404
    row = issue(user, found)
    return _certificate(request, row, found, own=True)


@require_safe
def certificate_check(request: HttpRequest, number: str) -> HttpResponse:
    """Anybody who has the number sees what it was issued for."""
    row = get_object_or_404(Certificate.objects.select_related("course__version"), number=number.upper())
    return _certificate(request, row, row.course, own=False)


def _certificate(request: HttpRequest, row: Certificate, course: Course, *, own: bool) -> HttpResponse:
    """The page for paper: it carries the address where it is checked, in letters and as a QR code."""
    address = request.build_absolute_uri(reverse("lessons:certificate-check", args=[row.number]))
    context = {"certificate": row, "course": course, "own": own, "address": address, "code": qr(address)}
    return render(request, "desk/certificate.html", context)


@require_safe
@login_required
def my_data(request: HttpRequest) -> HttpResponse:
    """What is kept about oneself, and the way to have it deleted."""
    return render(request, "desk/my_data.html", {"staff": Membership.objects.filter(user=person(request), role="owner").exists()})


@require_safe
@login_required
def my_data_file(request: HttpRequest) -> JsonResponse:
    """All that is kept about oneself."""
    options = {"ensure_ascii": False, "indent": 1}
    response = JsonResponse(privacy.everything(person(request)), encoder=DjangoJSONEncoder, json_dumps_params=options)
    response["Content-Disposition"] = 'attachment; filename="slipway-data.json"'
    return response


@require_POST
@login_required
def my_data_delete(request: HttpRequest) -> HttpResponse:
    """Delete oneself; one's user name is typed once more."""
    user = person(request)
    if request.POST.get("name", "") != user.get_username():
        messages.error(request, _("Nothing was deleted: the name is not yours."))
        return redirect("lessons:my-data")
    try:
        privacy.forget(user)
    except privacy.Staff as error:
        messages.error(request, _("You are the only owner of %(name)s. Make somebody else owner first.") % {"name": error})
        return redirect("lessons:my-data")
    logout(request)
    messages.success(request, _("Your account and everything that was kept with it are deleted."))
    return redirect("lessons:landing")


def admit(request: HttpRequest) -> None:
    """Take somebody into the cohorts whose rosters name them; the page of cohorts calls it."""
    for row in roster.admit(person(request)):
        cohort: Cohort = row.cohort
        messages.success(request, _("You are in %(name)s now.") % {"name": cohort.name})
