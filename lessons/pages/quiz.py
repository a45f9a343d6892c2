"""Quiz pages: before, during, submit, after."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from lessons.grading import services as grading
from lessons.labs.panel import CheckRow, check_rows
from lessons.models import Lesson, Membership, Quiz
from lessons.models.content import in_language
from lessons.pages.lesson import Bench, language
from lessons.permissions import person
from lessons.quizzes import clusters, layout, marking, review, services, terms
from lessons.quizzes.marking import NotProduced
from lessons.quizzes.models import Assignment, QuizAttempt, Response
from lessons.quizzes.terms import Terms


def find_quiz(course: str, chapter: str) -> Quiz:
    """An active chapter's quiz, else 404."""
    rows = Quiz.objects.select_related("version", "chapter__version", "chapter__course__version")
    return get_object_or_404(rows, chapter__course__slug=course, chapter__slug=chapter, active=True, chapter__active=True)


def own_attempt(request: HttpRequest, pk: int) -> QuizAttempt:
    """An attempt of the one who asks; another's is 404."""
    rows = QuizAttempt.objects.select_related(
        *("version", "quiz__version", "quiz__chapter__version", "quiz__chapter__course__version"),
        *("assignment__version", "assignment__cohort", "user"),
    )
    return get_object_or_404(rows, pk=pk, user=person(request))


@dataclass(slots=True)
class Offer:
    """One way to take the quiz, as the first page shows it."""

    terms: Terms
    left: int | None
    now: datetime.datetime

    @property
    def state(self) -> str:
        """`open`, `early`, `over` or `taken`; one without questions is not open yet."""
        if not self.terms.version.data["questions"]:
            return "early"
        if self.terms.closed(self.now):
            return "over"
        if not self.terms.opened(self.now):
            return "early"
        return "taken" if self.left == 0 else "open"

    @property
    def late(self) -> bool:
        """Whether what is handed in now is late."""
        return bool(self.terms.due_at and self.now > self.terms.due_at)

    @property
    def rule(self) -> str:
        """Which attempt counts, in words."""
        return str(Assignment.Counts(self.terms.counts).label)


def own_quiz(request: HttpRequest, pk: int, quiz: int) -> Quiz:
    """A quiz that a cohort's instructors wrote, for its learners; else 404."""
    rows = Quiz.objects.select_related("version", "chapter__version", "chapter__course__version")
    learns = {"cohort__memberships__user": person(request), "cohort__memberships__role": Membership.Role.LEARNER}
    return get_object_or_404(rows, pk=quiz, cohort=pk, **learns)


@require_safe
def quiz_page(request: HttpRequest, course: str, chapter: str) -> HttpResponse:
    """What the quiz is, on which terms, attempts so far, and the way in."""
    return _page(request, find_quiz(course, chapter), reverse("lessons:quiz-start", args=[course, chapter]))


@require_safe
@login_required
def own_quiz_page(request: HttpRequest, pk: int, quiz: int) -> HttpResponse:
    """The same for a quiz of a cohort's own."""
    return _page(request, own_quiz(request, pk, quiz), reverse("lessons:own-quiz-start", args=[pk, quiz]))


def _page(request: HttpRequest, quiz: Quiz, start: str) -> HttpResponse:
    context: dict[str, Any] = {"quiz": quiz, "start_url": start}
    now = timezone.now()
    offers = [Offer(Terms(quiz), None, now)]
    if request.user.is_authenticated:
        user = person(request)
        context["open"] = services.open_attempt(user, quiz)
        offers = [Offer(item, services.attempts_left(user, quiz, item), now) for item in terms.offers(user, quiz, now)]
        done = QuizAttempt.objects.filter(user=user, quiz=quiz, submitted_at__isnull=False).order_by("number")
        rows = list(done.select_related("version", "quiz__version", "assignment"))
        context["attempts"] = [(item, "points" in review.shown(item, now)) for item in rows]
    context["offers"] = offers
    context["questions"], context["points"] = layout.size((offers[0].terms if offers else Terms(quiz)).version.data)
    return render(request, "quizzes/start.html", context)


@require_POST
@login_required
def quiz_start(request: HttpRequest, course: str, chapter: str) -> HttpResponse:
    """Open the attempt that was begun, or a new one."""
    return _start(request, find_quiz(course, chapter))


@require_POST
@login_required
def own_quiz_start(request: HttpRequest, pk: int, quiz: int) -> HttpResponse:
    """The same for a quiz of a cohort's own."""
    return _start(request, own_quiz(request, pk, quiz))


def _start(request: HttpRequest, quiz: Quiz) -> HttpResponse:
    user = person(request)
    wanted = request.POST.get("assignment", "")
    given = next((item for item in terms.assignments_of(user, quiz) if str(item.pk) == wanted), None)
    try:
        attempt = services.start(user, quiz, given, request.POST.get("code", "")[:80])
    except services.NoMoreAttempts:
        messages.error(request, _("All attempts at this quiz were taken."))
    except services.NotNow:
        messages.error(request, _("This quiz cannot be started now."))
    except services.WrongCode:
        messages.error(request, _("That is not the access code of this quiz."))
    except NotProduced:
        messages.error(request, _("The clusters that this quiz shows are not ready. Nothing was started; try again in a moment."))
    else:
        return redirect("lessons:quiz-attempt", attempt.pk)
    return redirect(quiz)


#: The word above a question for each type.
KINDS = {
    "single": lambda: _("One choice"),
    "multiple": lambda: _("Several choices"),
    "truefalse": lambda: _("True or false"),
    "short": lambda: _("Short answer"),
    "numeric": lambda: _("A number"),
    "matching": lambda: _("Matching"),
    "ordering": lambda: _("Ordering"),
    "fillin": lambda: _("Fill in"),
    "component": lambda: _("Point at it"),
    "output": lambda: _("Read the output"),
    "command": lambda: _("Give the command"),
    "state": lambda: _("Bring it about"),
    "freetext": lambda: _("In your own words"),
}


@dataclass(slots=True)
class Sheet:
    """One question on the attempt's page."""

    item: services.Asked
    shown: dict[str, Any]
    attempt: QuizAttempt
    #: whether it is the first of its section
    first: bool = False

    @property
    def answered(self) -> bool:
        """Whether an answer is kept, or the question's cluster opened."""
        if self.item.kind.own_cluster:
            return clusters.position(self.attempt, self.item) is not None
        return self.item.answer is not None

    @property
    def revision(self) -> int:
        """Which answer the page shows; sent back with it (`lessons.quizzes.services.save`)."""
        return self.item.response.revision if self.item.response else 0

    @property
    def world_url(self) -> str:
        """The page with the question's cluster."""
        if not self.item.kind.own_cluster:
            return ""
        return reverse("lessons:quiz-world", args=[self.attempt.pk, self.item.spec["id"]])

    @property
    def opens_section(self) -> dict[str, Any] | None:
        """The section that begins with this question, when it has words to show."""
        data = self.attempt.version.data
        if not self.first or "sections" not in data:
            return None
        section: dict[str, Any] = data["sections"][self.item.section]
        return section if "title" in section else None

    @property
    def flagged(self) -> bool:
        """Whether the learner marked it to review."""
        return bool(self.item.response and self.item.response.flagged)

    @property
    def kind_word(self) -> str:
        """The type in words."""
        return KINDS[self.item.kind.name]()

    @property
    def help(self) -> str:
        """How it is marked, for types that give part marks."""
        kind = self.item.kind.name
        if kind == "multiple" and self.item.spec.get("partial", True):
            return _("Part marks; a wrong choice takes away what a right one gives.")
        return {
            "matching": _("Part marks for each right pair."),
            "ordering": _("Part marks for each right neighbour."),
            "fillin": _("Part marks for each right gap."),
            "freetext": _("A person reads and marks it."),
        }.get(kind, "")


def sheets(attempt: QuizAttempt) -> list[Sheet]:
    """The questions of an attempt as the page shows them."""
    out: list[Sheet] = []
    for item in services.asked(attempt):
        shown = item.kind.present(item.spec, language(), item.seed, item.answer)
        out.append(Sheet(item, shown, attempt, first=not out or out[-1].item.section != item.section))
    return out


def _time(attempt: QuizAttempt) -> dict[str, Any]:
    """The deadline by the server's clock, and what is left of it."""
    end = terms.of_attempt(attempt).deadline(attempt)
    left = None if end is None else max(0, int((end - timezone.now()).total_seconds()))
    return {"deadline": end, "left": left}


@require_GET
@login_required
def attempt_page(request: HttpRequest, pk: int) -> HttpResponse:
    """All questions on one page; saved as they are answered."""
    attempt = own_attempt(request, pk)
    if services.close_if_over(attempt):
        return redirect("lessons:quiz-result", attempt.pk)
    rows = sheets(attempt)
    context = {"attempt": attempt, "quiz": attempt.quiz, "sheets": rows, "answered": sum(row.answered for row in rows)}
    return render(request, "quizzes/attempt.html", context | _time(attempt))


@require_GET
@login_required
def attempt_time(request: HttpRequest, pk: int) -> HttpResponse:
    """Seconds that are left, as JSON: an instructor may have granted more."""
    attempt = own_attempt(request, pk)
    closed = services.close_if_over(attempt)
    return JsonResponse({"closed": closed, "left": None if closed else _time(attempt)["left"]})


@require_POST
@login_required
def attempt_save(request: HttpRequest, pk: int) -> HttpResponse:
    """Save the page.  From the autosave: JSON, or 409 with a reason; from a plain form: on to the confirmation or back."""
    attempt = own_attempt(request, pk)
    automatic = request.headers.get("X-Autosave") == "1"
    try:
        saved = services.save(attempt, request.POST)
    except services.Closed:
        if automatic:
            return HttpResponse(
                _("This attempt was submitted; the answer was not added."), status=409, content_type="text/plain; charset=utf-8"
            )
        messages.error(request, _("This attempt was submitted; nothing was added."))
        return redirect("lessons:quiz-result", attempt.pk)
    if automatic:
        left = _time(attempt)["left"]
        rows = sheets(attempt)
        marked = {
            "answered": [row.item.name for row in rows if row.answered],
            "flagged": [row.item.name for row in rows if row.flagged],
        }
        return JsonResponse({"revisions": saved.revisions, "elsewhere": saved.elsewhere, "left": left, **marked})
    for name in saved.elsewhere:
        slug = name.removeprefix("q.")
        messages.warning(request, _("%(question)s was answered later on another device; that answer stays.") % {"question": slug})
    if request.POST.get("then") == "submit":
        QuizAttempt.objects.filter(pk=attempt.pk).update(done_at=timezone.now())
        return redirect("lessons:quiz-submit", attempt.pk)
    messages.success(request, _("Your answers are saved."))
    return redirect("lessons:quiz-attempt", attempt.pk)


@login_required
def attempt_submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask once more, then mark it.  With blank questions the learner must say that they are meant to be blank."""
    attempt = own_attempt(request, pk)
    if services.close_if_over(attempt):
        return redirect("lessons:quiz-result", attempt.pk)
    rows = sheets(attempt)
    blank = [row for row in rows if not row.answered]
    flagged = [row for row in rows if row.flagged]
    unsure = bool(blank) and request.method == "POST" and request.POST.get("blank") != "on"
    if request.method == "POST" and not unsure:
        services.submit(attempt)
        return redirect("lessons:quiz-result", attempt.pk)
    context = {"attempt": attempt, "quiz": attempt.quiz, "blank": blank, "flagged": flagged, "unsure": unsure}
    return render(request, "quizzes/submit.html", context | _time(attempt), status=422 if unsure else 200)


@require_GET
@login_required
def attempt_world(request: HttpRequest, pk: int, question: str) -> HttpResponse:
    """The cluster of a question that asks for a state, beside its text."""
    attempt = own_attempt(request, pk)
    if services.close_if_over(attempt):
        return redirect("lessons:quiz-result", attempt.pk)
    item = next((item for item in services.asked(attempt) if item.spec["id"] == question and item.kind.own_cluster), None)
    if item is None:
        raise Http404
    bench = Bench(clusters.cluster(person(request), attempt, item), list(item.spec.get("hosts", ["controlplane"])))
    context = {"attempt": attempt, "quiz": attempt.quiz, "item": item, "bench": bench}
    return render(request, "quizzes/world.html", context | _time(attempt))


@dataclass(slots=True)
class Result:
    """One marked question."""

    item: services.Asked
    said: list[str]
    key: list[str]
    why: list[str]
    feedback: str
    lesson: Lesson | None

    @property
    def lines(self) -> list[tuple[str, str]]:
        """What was answered, a line each, with the class of its state word where a line is right or wrong by itself."""
        hits = self.item.kind.hits(self.item.spec, self.item.answer)
        shapes = ["ok" if hit else "bad" for hit in hits] or [""] * len(self.said)
        return list(zip(self.said, shapes, strict=True))

    @property
    def verdicts(self) -> list[CheckRow]:
        """What checks said of an answer that was run in a world."""
        mark = self.item.response.mark if self.item.response else None
        if not mark or not mark.get("verdicts") or "checks" not in self.item.spec:
            return []
        return check_rows(self.item.spec["checks"], mark["verdicts"])

    @property
    def rubric(self) -> list[dict[str, Any]]:
        """The points that a person gave for each criterion."""
        mark = self.item.response.mark if self.item.response else None
        given = (mark or {}).get("rubric")
        if not given:
            return []
        rows = self.item.spec.get("rubric", [])
        return [{"text": row["text"], "points": given.get(row["id"], 0), "most": row["points"]} for row in rows]

    @property
    def comment(self) -> str:
        """What the person who marked it wrote."""
        mark = self.item.response.mark if self.item.response else None
        return str((mark or {}).get("comment", ""))

    @property
    def evidence(self) -> list[tuple[str, str]]:
        """What its mark rests on, for staff: the question's text (by hash), engine, scenario, seed, journal row, digest of the world."""
        mark = (self.item.response.mark if self.item.response else None) or {}
        said = {name: mark.get(name) for name in ("question", "engine")} | dict(mark.get("world") or {})
        return [(name, str(value)) for name, value in said.items() if value not in (None, "")]

    @property
    def session(self) -> str:
        """The cluster that the answer is, to be replayed; nothing for other answers."""
        answer = self.item.answer
        return str(answer.get("session", "")) if self.item.kind.own_cluster and isinstance(answer, dict) else ""

    @property
    def shape(self) -> str:
        """The class of its state word."""
        response = self.item.response
        if response is not None and response.state in (response.State.WORLD, response.State.HAND):
            return "wait"
        got = response.points or 0 if response else 0
        return "ok" if got >= self.item.points else "wait" if got > 0 else "bad"

    @property
    def word(self) -> str:
        """Right, part, wrong or nothing given."""
        response = self.item.response
        if response is not None and response.state in (response.State.WORLD, response.State.HAND):
            return str(response.State(response.state).label)
        if not self.said:
            return _("no answer")
        return {"ok": _("right"), "wait": _("partly right"), "bad": _("wrong")}[self.shape]


def results(attempt: QuizAttempt) -> list[Result]:
    """Every question of a submitted attempt, with what may be said about it."""
    names = {item.get("lesson") for item in attempt.version.data["questions"]} - {None}
    rows = (
        Lesson.objects.filter(chapter__course=attempt.quiz.chapter.course, slug__in=names, active=True)
        .defer("version__body")
        .select_related("version", "chapter__course")
    )
    lessons = {row.slug: row for row in rows}
    out = []
    for item in services.asked(attempt):
        got = item.response.points or 0.0 if item.response else 0.0
        feedback = item.spec.get("feedback", {}).get("right" if got >= item.points else "wrong")
        out.append(
            Result(
                item,
                item.kind.said(item.spec, item.answer, language()),
                item.kind.key(item.spec, language()),
                item.kind.why(item.spec, item.answer, language()),
                in_language(feedback) if feedback else "",
                lessons.get(item.spec.get("lesson", "")),
            )
        )
    return out


@require_GET
@login_required
def attempt_result(request: HttpRequest, pk: int) -> HttpResponse:
    """Points, and for each question what may be seen of it now."""
    attempt = own_attempt(request, pk)
    if not services.close_if_over(attempt):
        return redirect("lessons:quiz-attempt", attempt.pk)
    attempt.refresh_from_db()
    waits = marking.waiting(attempt)
    if Response.State.WORLD in waits:
        marking.schedule(attempt.pk)
    passing = attempt.version.data.get("pass", 60)
    context = {
        "attempt": attempt,
        "quiz": attempt.quiz,
        "results": results(attempt),
        "show": review.shown(attempt),
        "waits": waits,
        "passing": passing,
        "passed": grading.share(attempt) * 100 >= passing,
        "percent": round(grading.share(attempt) * 100),
        "late": round(100 * terms.of_attempt(attempt).lateness(attempt.submitted_at or timezone.now())),
        "left": services.attempts_left(person(request), attempt.quiz, terms.of_attempt(attempt)),
    }
    return render(request, "quizzes/result.html", context)
