"""Who is in a cohort and how they come in: roles, roster, announcements, dates, a learner's data, the view of a learner at a date."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from lessons.desk import privacy
from lessons.desk.columns import BadFile
from lessons.desk.dates import Dated, announcements, as_learner_at
from lessons.desk.models import Announcement, ChapterDates
from lessons.desk.roster import ROLES, upload
from lessons.models import Chapter, Cohort, Membership
from lessons.permissions import learner_of, managed_cohort, person, readable_cohort, role_in


def _when(text: str) -> datetime.datetime | None:
    """What a field `datetime-local` holds, in the site's time zone; None for nothing.  Raises ValueError for what is no time."""
    if not text:
        return None
    found = parse_datetime(text[:40])
    if found is None:
        raise ValueError(text)
    return timezone.make_aware(found) if timezone.is_naive(found) else found


@require_safe
@login_required
def plan(request: HttpRequest, pk: int) -> HttpResponse:
    """Announcements, and the chapters with their dates."""
    cohort = readable_cohort(person(request), pk)
    dates = {row.chapter_id: row for row in cohort.dates.all()}
    chapters = cohort.course.chapters.filter(active=True).select_related("version").order_by("number")
    context = {
        "cohort": cohort,
        "chapters": [(chapter, dates.get(chapter.pk)) for chapter in chapters],
        "announcements": cohort.announcements.select_related("author")[:50],
        "manages": role_in(person(request), cohort) in Membership.MANAGERS,
        "now": timezone.now(),
        "zone": timezone.get_current_timezone_name(),
        "tab": "plan",
    }
    return render(request, "dashboards/plan.html", context)


@require_POST
@login_required
def dates_save(request: HttpRequest, pk: int) -> HttpResponse:
    """The dates of all chapters; nothing is kept when one of them is no time, or due before it opens."""
    cohort = managed_cohort(person(request), pk)
    wanted: list[tuple[Chapter, datetime.datetime | None, datetime.datetime | None]] = []
    for chapter in cohort.course.chapters.filter(active=True):
        try:
            opens, due = (_when(request.POST.get(f"{name}-{chapter.pk}", "")) for name in ("opens", "due"))
        except (ValueError, OverflowError):
            messages.error(request, _("Chapter %(n)s: not a date and time.") % {"n": chapter.number})
            return redirect("lessons:plan", cohort.pk)
        if opens and due and due <= opens:
            messages.error(request, _("Chapter %(n)s is due before it opens.") % {"n": chapter.number})
            return redirect("lessons:plan", cohort.pk)
        wanted.append((chapter, opens, due))
    with transaction.atomic():
        for chapter, opens, due in wanted:
            if opens or due:
                ChapterDates.objects.update_or_create(cohort=cohort, chapter=chapter, defaults={"opens_at": opens, "due_at": due})
            else:
                ChapterDates.objects.filter(cohort=cohort, chapter=chapter).delete()
    messages.success(request, _("The dates are saved."))
    return redirect("lessons:plan", cohort.pk)


@require_POST
@login_required
def announce(request: HttpRequest, pk: int) -> HttpResponse:
    """Say something to everybody in the cohort, now or from a time on."""
    cohort = managed_cohort(person(request), pk)
    text = request.POST.get("text", "").replace("\0", "").strip()[:2000]
    try:
        at = _when(request.POST.get("at", "")) or timezone.now()
    except (ValueError, OverflowError):
        messages.error(request, _("Not a date and time."))
        return redirect("lessons:plan", cohort.pk)
    if text:
        Announcement.objects.create(cohort=cohort, author=person(request), text=text, at=at)
        messages.success(request, _("Everybody in the cohort sees it."))
    else:
        messages.error(request, _("An announcement needs words."))
    return redirect("lessons:plan", cohort.pk)


@require_POST
@login_required
def announcement_remove(request: HttpRequest, pk: int, announcement: int) -> HttpResponse:
    """Take an announcement back."""
    cohort = managed_cohort(person(request), pk)
    get_object_or_404(cohort.announcements, pk=announcement).delete()
    return redirect("lessons:plan", cohort.pk)


@require_safe
@login_required
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """The course as a learner of the cohort sees it at a date."""
    cohort = readable_cohort(person(request), pk)
    try:
        at = _when(request.GET.get("at", "")) or timezone.now()
    except (ValueError, OverflowError):
        at = timezone.now()
    shown: list[Dated] = as_learner_at(cohort, at)
    said = announcements(cohort, at)
    context = {"cohort": cohort, "chapters": shown, "announcements": said, "at": at, "tab": "plan"}
    return render(request, "dashboards/preview.html", context)


# -- members ------------------------------------------------------------------------------------------------------------------


@require_POST
@login_required
def roster_upload(request: HttpRequest, pk: int) -> HttpResponse:
    """A CSV file of who is expected."""
    cohort = managed_cohort(person(request), pk)
    file = request.FILES.get("file")
    if file is None:
        messages.error(request, _("Choose a file."))
        return redirect("lessons:members", cohort.pk)
    allowed = ROLES if role_in(person(request), cohort) == Membership.Role.OWNER else ROLES[:-1]
    try:
        done = upload(cohort, file.read(600_000), roles=tuple(allowed))
    except BadFile as error:
        return render(request, "dashboards/roster_bad.html", {"cohort": cohort, "problems": error.problems}, status=422)
    said = _("%(new)s expected, %(changed)s changed, %(joined)s are members already.")
    messages.success(request, said % {"new": done.new, "changed": done.changed, "joined": done.joined})
    return redirect("lessons:members", cohort.pk)


@require_POST
@login_required
def roster_remove(request: HttpRequest, pk: int, entry: int) -> HttpResponse:
    """Somebody is not expected after all; who has joined stays."""
    cohort = managed_cohort(person(request), pk)
    get_object_or_404(cohort.roster, pk=entry, joined=None).delete()
    return redirect("lessons:members", cohort.pk)


@require_POST
@login_required
def member_role(request: HttpRequest, pk: int, member: int) -> HttpResponse:
    """Another role, or none any more.  Only owners make and unmake owners and instructors, and one owner stays."""
    cohort = managed_cohort(person(request), pk)
    row = get_object_or_404(cohort.memberships.select_related("user"), pk=member)
    role = request.POST.get("role", "")
    if role not in (*Membership.Role.values, "remove"):
        raise Http404
    high = (Membership.Role.OWNER, Membership.Role.INSTRUCTOR)
    if role_in(person(request), cohort) != Membership.Role.OWNER and (row.role in high or role in high):
        messages.error(request, _("Only an owner makes and unmakes owners and instructors."))
        return redirect("lessons:members", cohort.pk)
    with transaction.atomic():
        owners = cohort.memberships.select_for_update().filter(role=Membership.Role.OWNER)
        if row.role == Membership.Role.OWNER and role != Membership.Role.OWNER and len(owners) < 2:
            messages.error(request, _("A cohort keeps at least one owner."))
            return redirect("lessons:members", cohort.pk)
        if role == "remove":
            row.delete()
            messages.success(request, _("%(who)s is no longer in the cohort. Their work stays theirs.") % {"who": row.user})
        else:
            Membership.objects.filter(pk=row.pk).update(role=role)
            messages.success(request, _("The role is changed."))
    return redirect("lessons:members", cohort.pk)


# -- a learner's data -----------------------------------------------------------------------------------------------------------


@require_safe
@login_required
def learner_data(request: HttpRequest, pk: int, user: int) -> JsonResponse:
    """All that is kept about a learner, for the owner to hand to them."""
    cohort = managed_cohort(person(request), pk)
    who = learner_of(cohort, user)
    if role_in(person(request), cohort) != Membership.Role.OWNER:
        raise Http404
    options = {"ensure_ascii": False, "indent": 1}
    response = JsonResponse(privacy.in_course(who, cohort.course), encoder=DjangoJSONEncoder, json_dumps_params=options)
    response["Content-Disposition"] = f'attachment; filename="learner-{who.pk}.json"'
    return response


@require_POST
@login_required
def learner_delete(request: HttpRequest, pk: int, user: int) -> HttpResponse:
    """Delete a learner's work in the course and their place in the cohort; their name is typed once more."""
    cohort: Cohort = managed_cohort(person(request), pk)
    who: Any = learner_of(cohort, user)
    if role_in(person(request), cohort) != Membership.Role.OWNER:
        raise Http404
    if request.POST.get("name", "") != who.get_username():
        messages.error(request, _("Nothing was deleted: the name is not the learner’s."))
        return redirect("lessons:learner", cohort.pk, who.pk)
    privacy.forget_in_course(who, cohort.course)
    messages.success(request, _("Everything of %(who)s in this course is deleted.") % {"who": who})
    return redirect("lessons:dashboard", cohort.pk)
