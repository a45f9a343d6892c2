"""Quiz pages: before, during, submit, after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from lessons.grading import services as grading
from lessons.models import Lesson, Quiz
from lessons.models.content import in_language
from lessons.pages.lesson import language
from lessons.permissions import person
from lessons.quizzes import services
from lessons.quizzes.models import QuizAttempt


def find_quiz(course: str, chapter: str) -> Quiz:
    """An active chapter's quiz, else 404."""
    rows = Quiz.objects.select_related("version", "chapter__version", "chapter__course__version")
    return get_object_or_404(rows, chapter__course__slug=course, chapter__slug=chapter, active=True, chapter__active=True)


def own_attempt(request: HttpRequest, pk: int) -> QuizAttempt:
    """An attempt of the one who asks; another's is 404."""
    rows = QuizAttempt.objects.select_related(
        "version", "quiz__version", "quiz__chapter__version", "quiz__chapter__course__version"
    )
    return get_object_or_404(rows, pk=pk, user=person(request))


@require_safe
def quiz_page(request: HttpRequest, course: str, chapter: str) -> HttpResponse:
    """What the quiz is, attempts so far, and the way in."""
    quiz = find_quiz(course, chapter)
    context: dict[str, Any] = {"quiz": quiz, "questions": len(quiz.data["questions"])}
    context["points"] = sum(float(item.get("points", 1)) for item in quiz.data["questions"])
    if request.user.is_authenticated:
        user = person(request)
        context["open"] = services.open_attempt(user, quiz)
        context["left"] = services.attempts_left(user, quiz)
        context["attempts"] = QuizAttempt.objects.filter(user=user, quiz=quiz, submitted_at__isnull=False).order_by("number")
    return render(request, "quizzes/start.html", context)


@require_POST
@login_required
def quiz_start(request: HttpRequest, course: str, chapter: str) -> HttpResponse:
    """Open the attempt that was begun, or a new one."""
    quiz = find_quiz(course, chapter)
    try:
        attempt = services.start(person(request), quiz)
    except services.NoMoreAttempts:
        messages.error(request, _("All attempts at this quiz were taken."))
        return redirect(quiz)
    return redirect("lessons:quiz-attempt", attempt.pk)


#: The word above a question for each type.
KINDS = {
    "single": lambda: _("One choice"),
    "multiple": lambda: _("Several choices"),
    "truefalse": lambda: _("True or false"),
    "short": lambda: _("Short answer"),
    "numeric": lambda: _("A number"),
    "matching": lambda: _("Matching"),
    "ordering": lambda: _("Ordering"),
}


@dataclass(slots=True)
class Sheet:
    """One question on the attempt's page."""

    item: services.Asked
    shown: dict[str, Any]

    @property
    def answered(self) -> bool:
        """Whether an answer is kept."""
        return self.item.answer is not None

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
        }.get(kind, "")


def sheets(attempt: QuizAttempt) -> list[Sheet]:
    """The questions of an attempt as the page shows them."""
    found = services.asked(attempt)
    return [Sheet(item, item.kind.present(item.spec, language(), item.seed, item.answer)) for item in found]


@require_GET
@login_required
def attempt_page(request: HttpRequest, pk: int) -> HttpResponse:
    """All questions on one page; saved as they are answered."""
    attempt = own_attempt(request, pk)
    if attempt.submitted_at:
        return redirect("lessons:quiz-result", attempt.pk)
    rows = sheets(attempt)
    context = {"attempt": attempt, "quiz": attempt.quiz, "sheets": rows, "answered": sum(row.answered for row in rows)}
    return render(request, "quizzes/attempt.html", context)


@require_POST
@login_required
def attempt_save(request: HttpRequest, pk: int) -> HttpResponse:
    """Save the page.  From the autosave: 200, or 409 with a reason; from a plain form: on to the confirmation or back."""
    attempt = own_attempt(request, pk)
    automatic = request.headers.get("X-Autosave") == "1"
    try:
        services.save(attempt, request.POST)
    except services.Closed:
        if automatic:
            return HttpResponse(
                _("This attempt was submitted; the answer was not added."), status=409, content_type="text/plain; charset=utf-8"
            )
        messages.error(request, _("This attempt was submitted; nothing was added."))
        return redirect("lessons:quiz-result", attempt.pk)
    if automatic:
        return HttpResponse(status=204)
    if request.POST.get("then") == "submit":
        return redirect("lessons:quiz-submit", attempt.pk)
    messages.success(request, _("Your answers are saved."))
    return redirect("lessons:quiz-attempt", attempt.pk)


@login_required
def attempt_submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask once more, then mark it."""
    attempt = own_attempt(request, pk)
    if request.method == "POST" or attempt.submitted_at:
        if request.method == "POST" and not attempt.submitted_at:
            attempt = services.submit(attempt)
            grading.record_quiz(person(request), attempt.quiz)
        return redirect("lessons:quiz-result", attempt.pk)
    rows = sheets(attempt)
    context = {"attempt": attempt, "quiz": attempt.quiz, "sheets": rows, "blank": [row for row in rows if not row.answered]}
    return render(request, "quizzes/submit.html", context)


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
    def shape(self) -> str:
        """The class of its state word."""
        response = self.item.response
        got = response.points or 0 if response else 0
        return "ok" if got >= self.item.points else "wait" if got > 0 else "bad"

    @property
    def word(self) -> str:
        """Right, part, wrong or nothing given."""
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
        mark = item.kind.grade(item.spec, item.answer)
        feedback = item.spec.get("feedback", {}).get("right" if mark.right else "wrong")
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
    """Points, and for each question what was right and why."""
    attempt = own_attempt(request, pk)
    if not attempt.submitted_at:
        return redirect("lessons:quiz-attempt", attempt.pk)
    passing = attempt.version.data.get("pass", 60)
    context = {
        "attempt": attempt,
        "quiz": attempt.quiz,
        "results": results(attempt),
        "feedback": attempt.version.data.get("feedback", "after") == "after",
        "passing": passing,
        "passed": grading.share(attempt) * 100 >= passing,
        "percent": round(grading.share(attempt) * 100),
        "left": services.attempts_left(person(request), attempt.quiz),
    }
    return render(request, "quizzes/result.html", context)
