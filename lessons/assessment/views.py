"""Quizzes of a cohort: on which terms, who stands where, what one learner is granted, how grades count."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError, transaction
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lessons.assessment.forms import AdjustForm, AssignmentForm, ExtensionForm, GroupForm, QuizForm
from lessons.desk.gradebook import from_elsewhere, heads
from lessons.grading import adjusting
from lessons.grading.models import GradeEvent, GradeGroup, GradeItem, Regrade
from lessons.grading.selectors import Cell, grade_sheet, items_of, total
from lessons.loading.publish import digest
from lessons.models import Cohort, Exercise, Membership, Quiz, Version
from lessons.permissions import learner_of, managed_cohort, person, role_in, staffed_cohort
from lessons.quizzes import terms
from lessons.quizzes.models import Assignment, Extension, QuizAttempt, Response


def manages(request: HttpRequest, cohort: Cohort) -> bool:
    """Whether the page shows what only owners and instructors may do."""
    return role_in(person(request), cohort) in Membership.MANAGERS


def quiz_of(cohort: Cohort, pk: int) -> Quiz:
    """A quiz of the cohort's course or its own, else 404."""
    rows = Quiz.of_cohort(cohort).select_related("version", "chapter__version", "chapter__course__version")
    return get_object_or_404(rows, pk=pk)


def assignment_of(cohort: Cohort, quiz: Quiz) -> Assignment | None:
    """How the quiz was given to the cohort."""
    found = Assignment.objects.filter(cohort=cohort, quiz=quiz).select_related("version").first()
    if found is not None:
        found.quiz, found.cohort = quiz, cohort
    return found


def text_of(cohort: Cohort, quiz: Quiz) -> Version:
    """What the cohort is asked now."""
    given = assignment_of(cohort, quiz)
    return (given.version if given else None) or quiz.version


@dataclass(slots=True)
class QuizRow:
    """One quiz of the course as the cohort's list shows it."""

    quiz: Quiz
    assignment: Assignment | None
    submitted: int
    open: int
    by_hand: int

    @property
    def state(self) -> str:
        """`free`, `empty` (no question yet), `early`, `open` or `closed`."""
        if self.assignment is None:
            return "free"
        if not (self.assignment.version or self.quiz.version).data["questions"]:
            return "empty"
        now, offer = timezone.now(), terms.Terms(self.quiz, self.assignment)
        return "closed" if offer.closed(now) else "open" if offer.opened(now) else "early"


def _rows(cohort: Cohort) -> list[QuizRow]:
    """Every quiz with how far the learners are; a fixed number of queries."""
    given = {row.quiz_id: row for row in Assignment.objects.filter(cohort=cohort).select_related("version")}
    learners = cohort.memberships.filter(role=Membership.Role.LEARNER).values("user")
    mine = Q(assignment__cohort=cohort) | (Q(assignment=None) & ~Q(quiz__in=list(given)))
    attempts = QuizAttempt.objects.filter(mine, quiz__chapter__course=cohort.course, user__in=learners)
    done = dict(attempts.filter(submitted_at__isnull=False).values_list("quiz").annotate(Count("user", distinct=True)))
    begun = dict(attempts.filter(submitted_at=None).values_list("quiz").annotate(Count("pk")))
    waiting = Response.objects.filter(attempt__in=attempts, state=Response.State.HAND)
    by_hand = dict(waiting.values_list("attempt__quiz").annotate(Count("pk")))
    return [
        QuizRow(item.thing, given.get(item.pk), done.get(item.pk, 0), begun.get(item.pk, 0), by_hand.get(item.pk, 0))
        for item in items_of(cohort)
        if isinstance(item.thing, Quiz)
    ]


@require_safe
@login_required
def assignments(request: HttpRequest, pk: int) -> HttpResponse:
    """Every quiz of the course and of the cohort's own: given to this cohort or not, and how far its learners are."""
    cohort = staffed_cohort(person(request), pk)
    return _list(request, cohort, QuizForm(cohort=cohort))


def _list(request: HttpRequest, cohort: Cohort, form: QuizForm, status: int = 200) -> HttpResponse:
    learners = cohort.memberships.filter(role=Membership.Role.LEARNER).count()
    context = {"cohort": cohort, "rows": _rows(cohort), "learners": learners, "manages": manages(request, cohort), "form": form}
    return render(request, "assessment/list.html", context, status=status)


@require_POST
@login_required
def quiz_new(request: HttpRequest, pk: int) -> HttpResponse:
    """A quiz of the cohort's own, given to it at once; its questions are written next, and until there is one nobody can start it."""
    user = person(request)
    cohort = managed_cohort(user, pk)
    form = QuizForm(request.POST, cohort=cohort)
    if not form.is_valid():
        return _list(request, cohort, form, status=422)
    data = {"title": form.title, "minutes": form.cleaned_data["minutes"], "attempts": 0, "pass": 60}
    data |= {"shuffle": True, "feedback": "after", "questions": []}
    with transaction.atomic():
        version = Version.objects.get_or_create(kind="quiz", digest=digest(data), defaults={"data": data})[0]
        slug = f"own-{cohort.pk}-{secrets.token_hex(4)}"
        made = Quiz.objects.create(chapter=form.cleaned_data["chapter"], cohort=cohort, slug=slug, version=version, active=False)
        Assignment.objects.create(cohort=cohort, quiz=made, created_by=user)
    messages.success(request, _("The quiz is made. Write its first question; until there is one nobody can start it."))
    return redirect("lessons:questions", cohort.pk, made.pk)


@require_POST
@login_required
def quiz_remove(request: HttpRequest, pk: int, quiz: int) -> HttpResponse:
    """Take a quiz of the cohort's own away; one that somebody has begun stays."""
    cohort = managed_cohort(person(request), pk)
    found = get_object_or_404(Quiz, pk=quiz, cohort=cohort)
    if QuizAttempt.objects.filter(quiz=found).exists():
        messages.error(request, _("Somebody has begun this quiz: it stays. Close it by its terms, or let it weigh 0."))
        return redirect("lessons:assignment", cohort.pk, found.pk)
    found.delete()
    messages.success(request, _("The quiz is gone."))
    return redirect("lessons:assignments", cohort.pk)


@dataclass(slots=True)
class LearnerRow:
    """One learner and one quiz."""

    cell: Cell
    user: Any
    attempts: list[QuizAttempt]
    extension: Extension | None

    @property
    def state(self) -> str:
        """In words."""
        last = self.attempts[-1] if self.attempts else None
        if last is None:
            return _("not yet")
        if last.submitted_at is None:
            return _("says: done") if last.done_at else _("at it")
        return _("handed in by the clock") if last.closed_by == QuizAttempt.Closed.CLOCK else _("handed in")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def assignment(request: HttpRequest, pk: int, quiz: int) -> HttpResponse:
    """The terms of a quiz for this cohort, and where its learners stand.  Managers may change the terms."""
    user = person(request)
    cohort = managed_cohort(user, pk) if request.method == "POST" else staffed_cohort(user, pk)
    found = quiz_of(cohort, quiz)
    given = assignment_of(cohort, found)
    form = AssignmentForm(request.POST or None, instance=given or Assignment(cohort=cohort, quiz=found, created_by=user))
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                saved = form.save()
                adjusting.recount(saved)
        except IntegrityError:  # somebody else gave it out a moment ago: their form is the one to change
            messages.error(request, _("Somebody else has just given this quiz to the cohort. Look at their terms first."))
        else:
            messages.success(request, _("The terms are saved and hold from now on."))
        return redirect("lessons:assignment", cohort.pk, found.pk)
    sheet = grade_sheet(cohort)
    attempts: dict[int, list[QuizAttempt]] = {}
    for attempt in QuizAttempt.objects.filter(quiz=found, assignment=given, user__in=sheet.users).order_by("number"):
        attempts.setdefault(attempt.user_id, []).append(attempt)
    granted = {row.user_id: row for row in Extension.objects.filter(assignment=given)} if given else {}
    rows = [
        LearnerRow(sheet.cell(item.pk, "quiz", found.pk), item, attempts.get(item.pk, []), granted.get(item.pk))
        for item in sheet.users
    ]
    context = {
        "cohort": cohort,
        "quiz": found,
        "assignment": given,
        "form": form,
        "zone": timezone.get_current_timezone_name(),
        "rows": rows,
        "manages": manages(request, cohort),
        "by_hand": Response.objects.filter(attempt__quiz=found, attempt__assignment=given, attempt__user__in=sheet.users,
                                           state=Response.State.HAND).count(),
        "questions": text_of(cohort, found).data.get("questions", []),
        "regrades": Regrade.objects.filter(cohort=cohort, quiz=found).select_related("by")[:10],
        "mended": bool(given and given.version_id and given.version_id != found.version_id),
    }  # fmt: skip
    return render(request, "assessment/quiz.html", context, status=422 if request.method == "POST" else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def extension(request: HttpRequest, pk: int, quiz: int, user: int) -> HttpResponse:
    """What one learner is granted beyond the terms; it holds at once."""
    cohort = managed_cohort(person(request), pk)
    found, who = quiz_of(cohort, quiz), learner_of(cohort, user)
    given = assignment_of(cohort, found)
    if given is None:
        raise Http404
    old = Extension.objects.filter(assignment=given, user=who).first()
    form = ExtensionForm(request.POST or None, instance=old, initial={"reason": ""})
    if request.method == "POST" and form.is_valid():
        adjusting.grant(given, who, by=person(request), **form.cleaned_data)
        messages.success(request, _("Granted. It holds at once, also in an attempt that is under way."))
        return redirect("lessons:assignment", cohort.pk, found.pk)
    events = GradeEvent.objects.filter(cohort=cohort, user=who, quiz=found).select_related("by")
    context = {"cohort": cohort, "quiz": found, "who": who, "form": form, "assignment": given, "events": events}
    return render(request, "assessment/extension.html", context, status=422 if request.method == "POST" else 200)


def thing_of(cohort: Cohort, kind: str, pk: int) -> Quiz | Exercise:
    """A quiz or exercise of the cohort's course, else 404."""
    if kind == "quiz":
        return quiz_of(cohort, pk)
    if kind != "exercise":
        raise Http404
    rows = Exercise.objects.select_related("version", "lesson__chapter__course")
    return get_object_or_404(rows, pk=pk, course=cohort.course, active=True)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def grade(request: HttpRequest, pk: int, user: int, kind: str, item: int) -> HttpResponse:
    """One learner's grade of one thing: how it came about, and what a manager decides about it."""
    asks = person(request)
    cohort = managed_cohort(asks, pk) if request.method == "POST" else staffed_cohort(asks, pk)
    who, thing = learner_of(cohort, user), thing_of(cohort, kind, item)
    cell = grade_sheet(cohort, [who]).cell(who.pk, kind, thing.pk)
    old = cell.adjustment
    initial = {"kind": old.kind, "points": old.points} if old else {}
    form = AdjustForm(request.POST or None, initial=initial, most=cell.max_points)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        adjusting.adjust(cohort, who, thing, by=asks, reason=data["reason"], points=data["points"], kind=data["kind"])
        messages.success(request, _("The grade is changed; the learner sees it with the reason."))
        return redirect("lessons:grade", cohort.pk, who.pk, kind, thing.pk)
    events = GradeEvent.objects.filter(cohort=cohort, user=who, **{kind: thing}).select_related("by")
    context = {"cohort": cohort, "who": who, "cell": cell, "form": form, "events": events, "kind": kind}
    context |= {"title": thing.title, "manages": manages(request, cohort)}
    return render(request, "assessment/grade.html", context, status=422 if request.method == "POST" else 200)


@require_safe
@login_required
def my_grades(request: HttpRequest, pk: int) -> HttpResponse:
    """A learner's own grades in a cohort, each explained."""
    user = person(request)
    rows = Cohort.objects.select_related("course__version")
    cohort = get_object_or_404(rows, pk=pk, memberships__user=user, memberships__role=Membership.Role.LEARNER)
    sheet = grade_sheet(cohort, [user])
    events = list(GradeEvent.objects.filter(cohort=cohort, user=user).exclude(kind="hand"))
    attempts = {row.pk: row for row in QuizAttempt.objects.filter(user=user, quiz__chapter__course=cohort.course)}
    elsewhere = from_elsewhere(cohort, [user]).get(user.pk, [])
    cells = [*sheet.row(user.pk), *elsewhere]
    lines = [Explained(cell, events, attempts) for cell in cells]
    sum_ = total(cells) if elsewhere else sheet.totals[user.pk]
    context = {"cohort": cohort, "lines": lines, "total": sum_, "groups": sheet.groups}
    return render(request, "assessment/mine.html", context)


@dataclass(slots=True)
class Explained:
    """A grade in sentences, for the learner whose it is."""

    cell: Cell
    all_events: list[GradeEvent]
    attempts: dict[int, QuizAttempt]

    @property
    def hidden(self) -> bool:
        """Whether the quiz's terms do not show points yet."""
        from lessons.quizzes import review

        attempt = self.attempts.get(self.cell.evidence.get("attempt", 0))
        return attempt is not None and self.cell.adjustment is None and "points" not in review.shown(attempt)

    @property
    def attempt(self) -> QuizAttempt | None:
        """The attempt that the grade rests on."""
        return self.attempts.get(self.cell.evidence.get("attempt", 0))

    @property
    def events(self) -> list[GradeEvent]:
        """What was changed about it."""
        if self.cell.item.kind == "column":
            return []
        name = "quiz_id" if self.cell.item.kind == "quiz" else "exercise_id"
        return [event for event in self.all_events if getattr(event, name) == self.cell.item.pk]

    @property
    def sentences(self) -> list[str]:
        """How it came about."""
        cell, out = self.cell, []
        said = cell.evidence
        if cell.state == "begun":
            out.append(_("An attempt is open; it counts as 0 until it is handed in."))
        if cell.state == "pending":
            out.append(_("Part of it is still to be marked."))
        if said.get("kind") == "quiz-attempt":
            rule = Assignment.Counts(said.get("rule", "best"))
            about = {"rule": rule.label, "number": said["number"]}
            average = rule == Assignment.Counts.AVERAGE
            out.append((_("What counts: %(rule)s.") if average else _("What counts: %(rule)s (attempt %(number)s).")) % about)
        if cell.item.kind == "column":
            out.append(_("It was marked elsewhere and brought in by the instructors."))
        if said.get("kind") == "check-run":
            out.append(_("All checks passed; hints and the solution cost as the exercise says."))
        if cell.late:
            out.append(_("Handed in late: %(percent)s%% less.") % {"percent": round(100 * cell.late)})
        if cell.state == "excused":
            out.append(_("You are excused from it; it does not count."))
        if cell.state == "override":
            was = "" if cell.computed is None else f"{cell.computed:g}"
            out.append(_("The points were set by hand (computed: %(was)s).") % {"was": was or "–"})
        if cell.reason:
            out.append(_("Reason: %(reason)s") % {"reason": cell.reason})
        if cell.dropped:
            out.append(_("It is among the lowest of its group, which are left out."))
        if cell.item.weight != 1:
            out.append(_("It weighs %(weight)s.") % {"weight": f"{cell.item.weight:g}"})
        return out


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def weights(request: HttpRequest, pk: int) -> HttpResponse:
    """Groups, weights and drops of a cohort's items."""
    cohort = managed_cohort(person(request), pk)
    form = GroupForm(request.POST if request.POST.get("what") == "group" else None)
    if request.method == "POST":
        if request.POST.get("what") == "items":
            _save_items(request, cohort)
            messages.success(request, _("The weights are saved."))
            return redirect("lessons:weights", cohort.pk)
        form.instance.cohort = cohort
        if form.is_valid():
            values = {key: form.cleaned_data[key] for key in ("weight", "drop_lowest")}
            GradeGroup.objects.update_or_create(cohort=cohort, name=form.cleaned_data["name"], defaults=values)
            messages.success(request, _("The group is saved."))
            return redirect("lessons:weights", cohort.pk)
    items = items_of(cohort)
    labelled = list(zip(items, [head.label for head in heads(items)], strict=True))
    context = {"cohort": cohort, "items": labelled, "groups": GradeGroup.objects.filter(cohort=cohort), "form": form}
    return render(request, "assessment/weights.html", context, status=422 if request.method == "POST" else 200)


def _save_items(request: HttpRequest, cohort: Cohort) -> None:
    groups = {str(group.pk): group for group in GradeGroup.objects.filter(cohort=cohort)}
    with transaction.atomic():
        for item in items_of(cohort):
            name = f"{item.kind}-{item.pk}"
            try:
                weight = min(max(float(request.POST.get(f"{name}.weight", item.weight)), 0.0), 1000.0)
            except ValueError:
                weight = item.weight
            if weight != weight:  # not a number
                weight = item.weight
            values = {"weight": weight, "group": groups.get(request.POST.get(f"{name}.group", ""))}
            which = {"quiz": item.thing} if isinstance(item.thing, Quiz) else {"exercise": item.thing}
            GradeItem.objects.update_or_create(defaults=values, cohort=cohort, **which)


@require_POST
@login_required
def group_delete(request: HttpRequest, pk: int, group: int) -> HttpResponse:
    """Take a group away; its items count outside groups again."""
    cohort = managed_cohort(person(request), pk)
    get_object_or_404(GradeGroup, pk=group, cohort=cohort).delete()
    return redirect("lessons:weights", cohort.pk)
