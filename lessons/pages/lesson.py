"""The lesson page and what happens on it: reading, questions in passing, exercises."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from lessons import reading
from lessons.desk.dates import opens_later
from lessons.grading import services as grading
from lessons.labs import services as labs
from lessons.labs.panel import Panel, panel
from lessons.models import Exercise, Figure, Lesson, LessonProgress, Question
from lessons.pages.kept import for_strangers
from lessons.pages.plans import Plan, exercises_of, find_lesson, plan_of, questions_of
from lessons.permissions import person
from lessons.quizzes import services as quizzes
from simulator import selectors as clusters
from simulator.models import ClusterSession
from simulator.services import BadScenario

logger = logging.getLogger(__name__)

_FIGURE_TYPES = {"svg": "image/svg+xml", "png": "image/png", "webp": "image/webp"}


def language() -> str:
    """`ko` or `en`: the language of the page."""
    return (get_language() or "en").split("-")[0]


@dataclass(slots=True)
class Bench:
    """What the terminal and map beside the text connect to."""

    session: ClusterSession | None
    hosts: list[str]
    why_not: str = ""

    @property
    def ws(self) -> str:
        """The WebSocket's path."""
        return clusters.websocket_path(self.session) if self.session else ""

    @property
    def reset(self) -> str:
        """Where a reset is posted."""
        return reverse("simulator:reset", args=[self.session.pk]) if self.session else ""


def _bench(request: HttpRequest, lesson: Lesson) -> Bench:
    hosts = list(lesson.data["hosts"])
    if not request.user.is_authenticated:
        return Bench(None, hosts)
    try:
        return Bench(labs.lesson_session(person(request), lesson), hosts)
    except BadScenario as error:
        logger.error("lesson %s: %s", lesson, error)
        return Bench(None, hosts, _("The cluster of this lesson cannot be started: %(why)s") % {"why": error})


def parts_of(request: HttpRequest, lesson: Lesson, plan: Plan | None = None) -> list[dict[str, Any]]:
    """The text with live questions and exercises between its HTML."""
    questions = {item.slug: item for item in (plan.questions if plan else questions_of(lesson))}
    exercises = {item.slug: item for item in (plan.exercises if plan else exercises_of(lesson))}
    answers = quizzes.kept_answers(request.user, questions.values())
    parts: list[dict[str, Any]] = []
    for part in (lesson.version.body or {}).get(language(), []):
        if "html" in part:
            parts.append({"html": part["html"]})
        elif "question" in part and part["question"] in questions:
            question = questions[part["question"]]
            parts.append({"ask": quizzes.inline(question, language(), answer=answers.get(question.pk))})
        elif "try" in part and part["try"] in exercises:
            exercise = exercises[part["try"]]
            exercise.lesson = lesson
            parts.append({"panel": panel(request.user, exercise)})
    return parts


def _remember(request: HttpRequest, lesson: Lesson) -> LessonProgress | None:
    return reading.visit(person(request), lesson) if request.user.is_authenticated else None


@require_safe
@for_strangers
def lesson_page(request: HttpRequest, course: str, chapter: str, lesson: str) -> HttpResponse:
    """Text on the left, the cluster on the right."""
    plan = plan_of(course, chapter, lesson)
    found, after = plan.lesson, plan.after
    opens = opens_later(request.user, found.chapter, timezone.now())
    if opens is not None:
        return render(request, "pages/not_open.html", {"lesson": found, "opens": opens}, status=403)
    parts = parts_of(request, found, plan)
    first_try = next((part["panel"].exercise.slug for part in parts if "panel" in part), None)
    return render(
        request,
        "pages/lesson.html",
        {
            "lesson": found,
            "parts": parts,
            "progress": _remember(request, found),
            "bench": _bench(request, found),
            "before": plan.before,
            "after": after,
            "last_of_chapter": after is None or after.chapter_id != found.chapter_id,
            "review": plan.review,
            "count": plan.count,
            "quiz": plan.quiz,
            "anchor": f"#try-{first_try}" if first_try else "#text",
        },
    )


@require_POST
@login_required
def lesson_read(request: HttpRequest, course: str, chapter: str, lesson: str) -> HttpResponse:
    """Mark the lesson as read, or as not read after all (`undo`)."""
    found = find_lesson(course, chapter, lesson)
    progress = reading.mark_read(person(request), found, undo=bool(request.POST.get("undo")))
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "pages/_read.html", {"lesson": found, "progress": progress})
    return redirect(f"{found.get_absolute_url()}#read")


@require_safe
def figure(request: HttpRequest, course: str, chapter: str, name: str) -> HttpResponse:
    """A picture of a chapter.  An SVG may hold anything, so it is served as a picture that can do nothing."""
    row = get_object_or_404(Figure, name=name, chapter__slug=chapter, chapter__course__slug=course)
    response = HttpResponse(bytes(row.content), content_type=_FIGURE_TYPES[name.rsplit(".", 1)[1]])
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    response["ETag"] = f'"{row.digest[:32]}"'
    response["Cache-Control"] = "public, max-age=3600"
    return response


# -- exercises ----------------------------------------------------------------------------------------------------------------


def _exercise(pk: int) -> Exercise:
    rows = Exercise.objects.select_related("version", "lesson__version", "lesson__chapter__course")
    return get_object_or_404(rows, pk=pk, active=True)


def _answer(request: HttpRequest, shown: Panel) -> HttpResponse:
    """The exercise's box alone for htmx, else back to it in the page."""
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "labs/panel.html", {"panel": shown})
    return redirect(shown.exercise.get_absolute_url())


@require_POST
@login_required
def exercise_check(request: HttpRequest, pk: int) -> HttpResponse:
    """Run the checks on the learner's cluster."""
    user, exercise = person(request), _exercise(pk)
    _remember(request, exercise.lesson)
    trouble = ""
    try:
        labs.check(user, exercise)
    except labs.CheckFailed as error:
        logger.warning("checks of %s for user %s: %s", exercise, user.pk, error)
        trouble = _("The checks did not come to an end. Nothing was decided; your cluster is as it was. Check again in a moment.")
    except BadScenario as error:
        trouble = str(error)
    grading.record_exercise(user, exercise)
    return _answer(request, panel(user, exercise, trouble=trouble))


@require_POST
@login_required
def exercise_hint(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one hint more."""
    user, exercise = person(request), _exercise(pk)
    labs.show_hint(user, exercise)
    return _answer(request, panel(user, exercise))


@require_POST
@login_required
def exercise_solution(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the solution."""
    user, exercise = person(request), _exercise(pk)
    labs.show_solution(user, exercise)
    return _answer(request, panel(user, exercise, solution=True))


@require_POST
@login_required
def exercise_cluster(request: HttpRequest, pk: int) -> HttpResponse:
    """Start an exercise's own cluster (its scenario differs from the lesson's)."""
    user, exercise = person(request), _exercise(pk)
    labs.exercise_session(user, exercise)
    return _answer(request, panel(user, exercise))


# -- questions in passing -----------------------------------------------------------------------------------------------------


@require_POST
def question_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer a question in a lesson's text; without an account the answer is marked and forgotten."""
    rows = Question.objects.select_related("version", "chapter__course")
    question = get_object_or_404(rows, pk=pk, active=True, quiz=None)
    answer = quizzes.answer_inline(request.user, question, request.POST)
    if request.htmx:  # type: ignore[attr-defined]
        known = answer if answer is not None else quizzes.kept_answers(request.user, [question]).get(question.pk)
        ask = quizzes.inline(question, language(), answer=known)
        return render(request, "quizzes/inline.html", {"ask": ask, "empty": answer is None})
    back = request.POST.get("lesson", "")
    lesson = (
        Lesson.objects.filter(pk=int(back) if back.isdecimal() else 0, chapter=question.chapter)
        .select_related("chapter__course")
        .first()
    )
    if lesson is None:
        raise Http404
    return redirect(f"{lesson.get_absolute_url()}#q-{question.slug}")
