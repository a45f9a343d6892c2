"""Cohorts, their invites, the dashboard and the evidence behind its cells.  All need a log-in; strangers get 404."""

from __future__ import annotations

import datetime
import re
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import F, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from lessons.dashboards import heat as heats
from lessons.dashboards import selectors
from lessons.desk import pages as desk_pages
from lessons.grading.models import Adjustment, Grade
from lessons.grading.progress import outline, standings
from lessons.labs.models import CheckRun, ExerciseAttempt
from lessons.labs.panel import rows_of
from lessons.labs.services import lesson_slot
from lessons.models import Cohort, Course, Enrollment, Invite, Membership, Quiz
from lessons.pages.quiz import results
from lessons.permissions import learner_of, managed_cohort, person, readable_cohort, role_in, staffed_cohort
from lessons.quizzes.models import QuizAttempt
from simulator import selectors as clusters
from simulator.history import SET_UP
from simulator.models import ClusterSession

#: A host name with at least one dot.
_DOMAIN = re.compile(r"(?=.{3,120}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")


class CohortForm(forms.Form):
    """A new cohort."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=80, widget=forms.TextInput(attrs={"class": "field", "autocomplete": "off"})
    )
    course = forms.ModelChoiceField(
        label=gettext_lazy("Course"),
        queryset=Course.objects.none(),
        empty_label=None,
        widget=forms.Select(attrs={"class": "field"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["course"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Course.objects.filter(active=True).select_related("version").order_by("pk")
        field.label_from_instance = lambda course: course.title  # type: ignore[method-assign,assignment]


@require_safe
@login_required
def cohorts(request: HttpRequest) -> HttpResponse:
    """The cohorts that one teaches, and those that one learns in; who is on a roster is taken in."""
    desk_pages.admit(request)
    rows = (
        Membership.objects.filter(user=person(request))
        .select_related("cohort__course__version")
        .order_by("-cohort__created_at", "-cohort_id")
    )
    taught = [row for row in rows if row.role in Membership.READERS]
    joined = [row for row in rows if row.role == Membership.Role.LEARNER]
    return render(request, "dashboards/cohorts.html", {"taught": taught, "joined": joined, "form": CohortForm()})


@require_POST
@login_required
def cohort_new(request: HttpRequest) -> HttpResponse:
    """Make a cohort; whoever makes it owns it.  It has an invite link at once."""
    form = CohortForm(request.POST)
    if not form.is_valid():
        rows = Membership.objects.filter(user=person(request)).select_related("cohort__course__version")
        taught = [row for row in rows if row.role in Membership.READERS]
        joined = [row for row in rows if row.role == Membership.Role.LEARNER]
        return render(request, "dashboards/cohorts.html", {"taught": taught, "joined": joined, "form": form}, status=422)
    with transaction.atomic():
        cohort = Cohort.objects.create(name=form.cleaned_data["name"], course=form.cleaned_data["course"])
        Membership.objects.create(cohort=cohort, user=person(request), role=Membership.Role.OWNER)
        Invite.objects.create(cohort=cohort, created_by=person(request))
    return redirect("lessons:members", cohort.pk)


@require_safe
@login_required
def dashboard(request: HttpRequest, pk: int) -> HttpResponse:
    """Learners by lessons, exercises and quizzes."""
    cohort = readable_cohort(person(request), pk)
    found = selectors.board(cohort)
    given = {name: request.GET.get(name, "")[:80] for name in ("by", "sort", "who", "page")}
    page = int(given["page"][:6]) if given["page"].isascii() and given["page"].isdecimal() else 1
    by = given["by"] if given["by"] in heats.BY else "lessons"
    changed = request.headers.get("X-Changed", "")
    ids = (
        {int(text) for text in changed.split(",") if text.isascii() and text.isdecimal() and len(text) < 19} if changed else None
    )
    context = {
        "cohort": cohort,
        "board": found,
        "heat": heats.heat(found, by=by, sort=given["sort"], who=given["who"], page=page, changed=ids),
        "by": by,
        "given": given,
        "helps": role_in(person(request), cohort) in Membership.STAFF,
        "announcements": cohort.announcements.filter(at__lte=timezone.now())[:3],
        "tab": "dashboard",
    }
    # the page asks for the part alone when something has changed
    template = "dashboards/_board.html" if request.headers.get("X-Part") == "board" else "dashboards/dashboard.html"
    return render(request, template, context)


@require_safe
@login_required
def members(request: HttpRequest, pk: int) -> HttpResponse:
    """Who is in the cohort, and the links that let people in."""
    cohort = staffed_cohort(person(request), pk)
    rows = cohort.memberships.select_related("user").order_by("role", "user__username")
    me = next(row for row in rows if row.user_id == person(request).pk)
    invites = [(invite, _link(request, invite)) for invite in cohort.invites.filter(revoked_at=None) if invite.is_open]
    context = {
        "cohort": cohort,
        "members": rows,
        "invites": invites,
        "manages": me.role in Membership.MANAGERS,
        "owns": me.role == Membership.Role.OWNER,
        "roster": cohort.roster.filter(joined=None)[:200],
        "roles": Membership.Role.choices,
        "tab": "members",
    }
    return render(request, "dashboards/members.html", context)


def _link(request: HttpRequest, invite: Invite) -> str:
    """The address to send: without a language, so that it opens in that of whoever follows it."""
    return request.build_absolute_uri(invite.get_absolute_url().removeprefix(f"/{get_language()}"))


@require_POST
@login_required
def invite_new(request: HttpRequest, pk: int) -> HttpResponse:
    """A new link, for learners or for assistants."""
    cohort = managed_cohort(person(request), pk)
    role = request.POST.get("role", Membership.Role.LEARNER)
    if role not in (Membership.Role.LEARNER, Membership.Role.OBSERVER, Membership.Role.ASSISTANT, Membership.Role.INSTRUCTOR):
        raise Http404
    domain = request.POST.get("domain", "").strip().lstrip("@").casefold()
    if domain and not _DOMAIN.fullmatch(domain):
        messages.error(request, _("%(domain)s is no domain of e-mail addresses.") % {"domain": domain[:80]})
        return redirect("lessons:members", cohort.pk)
    days = request.POST.get("days", "")
    expires = timezone.now() + datetime.timedelta(days=int(days)) if days in ("1", "7", "30") else None
    Invite.objects.create(cohort=cohort, role=role, created_by=person(request), email_domain=domain, expires_at=expires)
    return redirect("lessons:members", cohort.pk)


@require_POST
@login_required
def invite_revoke(request: HttpRequest, pk: int, invite: int) -> HttpResponse:
    """Let nobody else in by this link."""
    cohort = managed_cohort(person(request), pk)
    found = get_object_or_404(Invite, pk=invite, cohort=cohort)
    Invite.objects.filter(pk=found.pk, revoked_at=None).update(revoked_at=timezone.now())
    messages.success(request, _("The link is closed. Who came by it stays."))
    return redirect("lessons:members", cohort.pk)


def join(request: HttpRequest, token: str) -> HttpResponse:
    """Show the cohort of a link; join it on POST.  Somebody without an account signs up first and comes back."""
    rows = Invite.objects.select_related("cohort__course__version")
    invite = rows.filter(token=token).first()
    if invite is None or not invite.is_open:
        return render(request, "dashboards/join.html", {"invite": None}, status=404 if invite is None else 410)
    if request.method == "POST":
        if not request.user.is_authenticated:
            return redirect(f"{reverse('account_login')}?next={request.path}")
        cohort = invite.cohort
        user = person(request)
        if not invite.admits(user.email):
            context = {"invite": invite, "refused": True}
            return render(request, "dashboards/join.html", context, status=403)
        with transaction.atomic():
            Membership.objects.get_or_create(cohort=cohort, user=user, defaults={"role": invite.role})
            Enrollment.objects.get_or_create(user=user, course=cohort.course)
        staff = cohort.memberships.filter(user=user, role__in=Membership.READERS).exists()
        return redirect(cohort if staff else cohort.course)
    member = None
    if request.user.is_authenticated:
        member = invite.cohort.memberships.filter(user=person(request)).first()
    return render(request, "dashboards/join.html", {"invite": invite, "member": member})


# -- evidence -----------------------------------------------------------------------------------------------------------------


@require_safe
@login_required
def learner(request: HttpRequest, pk: int, user: int) -> HttpResponse:
    """One learner: every lesson, exercise and quiz."""
    cohort = readable_cohort(person(request), pk)
    who = learner_of(cohort, user)
    board = selectors.board(cohort, only=[who])
    row = board.rows[0]
    context = {"cohort": cohort, "who": who, "row": row, "board": board, "role": role_in(person(request), cohort)}
    return render(request, "dashboards/learner.html", context)


@require_safe
@login_required
def learner_lesson(request: HttpRequest, pk: int, user: int, lesson: int) -> HttpResponse:
    """The evidence of one cell: reading, every run of the checks, and the last commands."""
    cohort = readable_cohort(person(request), pk)
    who = learner_of(cohort, user)
    plan = outline(cohort.course)
    row = selectors.lesson_row(plan, lesson)
    if row is None:
        raise Http404
    standing = standings([who.pk], cohort.course)[who.pk]
    exercises = []
    for exercise in row.exercises:
        attempts = ExerciseAttempt.objects.filter(user=who, exercise=exercise).select_related("version").order_by("-number")
        runs = [
            (run, rows_of(attempt.version.data, run))
            for attempt in attempts
            for run in CheckRun.objects.filter(attempt=attempt).order_by("-at", "-id")[:50]
        ]
        exercises.append((exercise, standing.passes.get(exercise.pk), list(attempts), runs))
    slot = lesson_slot(row.lesson)
    sessions = ClusterSession.objects.filter(owner=who, slot__in=[slot, *[f"{slot}/{item.slug}" for item in row.exercises]])
    # what set a cluster up is none of the learner's commands
    histories = [
        (session, {name: lines for name, lines in clusters.history(session.pk).items() if name != SET_UP})
        for session in sessions.order_by("-created_at")[:6]
    ]
    role = role_in(person(request), cohort)
    context = {
        "cohort": cohort,
        "who": who,
        "row": row,
        "state": standing.lesson(row),
        "progress": standing.progress.get(row.lesson.pk),
        "exercises": exercises,
        "histories": histories,
        "helps": role in Membership.STAFF,
        "manages": role in Membership.MANAGERS,
    }
    return render(request, "dashboards/learner_lesson.html", context)


@require_safe
@login_required
def learner_quiz(request: HttpRequest, pk: int, user: int, quiz: int) -> HttpResponse:
    """The evidence of a quiz grade: every submitted attempt with its answers."""
    cohort = readable_cohort(person(request), pk)
    who = learner_of(cohort, user)
    found = get_object_or_404(
        Quiz.of_cohort(cohort).select_related("version", "chapter__version", "chapter__course__version"), pk=quiz
    )
    rows = QuizAttempt.objects.filter(user=who, quiz=found, submitted_at__isnull=False)
    attempts = [
        (attempt, results(attempt)) for attempt in rows.select_related("version", "quiz__chapter__course").order_by("-number")
    ]
    grades = Grade.objects.filter(Q(assignment=None) | Q(assignment__cohort=cohort), user=who, quiz=found)
    grade = grades.order_by(
        F("assignment").desc(nulls_last=True)
    ).first()  # what was given to the cohort before what was taken freely
    begun = QuizAttempt.objects.filter(user=who, quiz=found, submitted_at=None).exists()
    role = role_in(person(request), cohort)
    context = {"cohort": cohort, "who": who, "quiz": found, "attempts": attempts, "grade": grade, "begun": begun}
    context |= {"helps": role in Membership.STAFF, "manages": role in Membership.MANAGERS}
    context["adjustment"] = Adjustment.objects.filter(cohort=cohort, user=who, quiz=found).first()
    return render(request, "dashboards/learner_quiz.html", context)
