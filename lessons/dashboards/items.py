"""Item analysis: the course's quizzes and exercises with their figures, and one of them in full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from lessons.desk.analysis import WHICH, Analysis, analyse
from lessons.desk.commandlines import wrong_commands
from lessons.desk.counting import learner_ids
from lessons.desk.exercises import ExerciseFigures, one, overview
from lessons.desk.report import rows, scores
from lessons.desk.table import csv_text
from lessons.grading.progress import outline
from lessons.models import Cohort, Exercise, Quiz
from lessons.permissions import person, readable_cohort


@dataclass(slots=True)
class Bar:
    """A bar of a histogram: how high (0 to 1), and what it says."""

    count: int
    share: float
    x: float
    y: float
    height: float
    label: str
    edge: str


def bars(counts: list[int], most: float) -> list[Bar]:
    """Bars of a histogram in a picture of 100 × 40 units."""
    highest = max(counts, default=0) or 1
    width = 100 / len(counts) if counts else 0
    step = most / len(counts) if counts else 0
    out = []
    for place, count in enumerate(counts):
        height = 34 * count / highest
        label = f"{place * step:g}–{(place + 1) * step:g}"
        out.append(
            Bar(
                count,
                count / highest,
                round(place * width, 2),
                round(36 - height, 2),
                round(height, 2),
                label,
                f"{place * step:g}",
            )
        )
    return out


def flag_words(flags: list[str]) -> list[str]:
    """Flags as sentences."""
    said = {
        "hard": _("hard: fewer than a quarter of the points are earned"),
        "easy": _("easy: nearly everybody earns all of it"),
        "negative": _("who does well elsewhere does badly here: look at the key"),
        "weak": _("hardly tells those who know from those who do not"),
        "key": _("the best learners prefer a wrong choice: look at the key"),
        "unused": _("a wrong choice is taken by nobody, or nearly"),
    }
    return [said[flag] for flag in flags]


def _which(request: HttpRequest) -> str:
    given = request.GET.get("attempts", "first")
    return given if given in WHICH else "first"


def _quiz(cohort: Cohort, pk: int) -> Quiz:
    rows = Quiz.of_cohort(cohort).select_related("version", "chapter__version", "chapter__course__version")
    return get_object_or_404(rows, pk=pk)


def _names(ids: set[int]) -> dict[int, str]:
    return dict(get_user_model().objects.filter(pk__in=ids).values_list("pk", "username"))


@require_safe
@login_required
def items(request: HttpRequest, pk: int) -> HttpResponse:
    """Every quiz and exercise with its most telling figures."""
    cohort = readable_cohort(person(request), pk)
    plan = outline(cohort.course, cohort)
    quizzes = [analyse(quiz, cohort=cohort) for quiz in plan.quizzes]
    exercises = overview(cohort, plan)
    return render(
        request, "dashboards/items.html", {"cohort": cohort, "quizzes": quizzes, "exercises": exercises, "tab": "items"}
    )


@require_safe
@login_required
def quiz_items(request: HttpRequest, pk: int, quiz: int) -> HttpResponse:
    """One quiz: reliability, histogram, and every question with its answers."""
    cohort = readable_cohort(person(request), pk)
    found: Analysis = analyse(_quiz(cohort, quiz), cohort=cohort, which=_which(request))
    people = {who for item in found.items for answer in item.answers for who in answer.people}
    names = _names(people)
    listed = [
        (
            item,
            flag_words(item.flags),
            [(answer, [(who, names[who]) for who in dict.fromkeys(answer.people) if who in names]) for answer in item.answers],
        )
        for item in found.items
    ]
    context: dict[str, Any] = {
        "cohort": cohort,
        "found": found,
        "items": listed,
        "bars": bars(found.histogram, found.most),
        "which": [(name, name == found.which, _attempts_word(name)) for name in WHICH],
        "tab": "items",
    }
    return render(request, "dashboards/items_quiz.html", context)


def _attempts_word(name: str) -> str:
    return {"first": _("first attempts"), "last": _("last attempts"), "best": _("best attempts"), "all": _("all attempts")}[name]


@require_safe
@login_required
def quiz_items_csv(request: HttpRequest, pk: int, quiz: int) -> HttpResponse:
    """The same figures as a table, or with `of=points` the points they are made of, without names; `manage.py itemanalysis` prints both."""
    cohort = readable_cohort(person(request), pk)
    found = _quiz(cohort, quiz)
    what, table = ("points", scores) if request.GET.get("of") == "points" else ("items", rows)
    text = csv_text(table(analyse(found, cohort=cohort, which=_which(request))))
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    name = found.slug if found.cohort_id else found.chapter.slug
    response["Content-Disposition"] = f'attachment; filename="{what}-{name}.csv"'
    return response


@require_safe
@login_required
def exercise_items(request: HttpRequest, pk: int, exercise: int) -> HttpResponse:
    """One exercise: who passed with how much help, which checks fail, and the most frequent wrong commands."""
    cohort = readable_cohort(person(request), pk)
    rows = Exercise.objects.select_related("version", "lesson__version", "lesson__chapter__course")
    found = get_object_or_404(rows, pk=exercise, course=cohort.course)
    people = learner_ids(cohort)
    figures: ExerciseFigures = one(cohort, found)
    wrong = wrong_commands(found, people)
    names = _names({who for line in wrong for who in line.people} | {who for check in figures.checks for who in check.people})
    context = {
        "cohort": cohort,
        "exercise": found,
        "figures": figures,
        "checks": [(check, [(who, names[who]) for who in check.people if who in names]) for check in figures.checks],
        "wrong": [(line, sorted((names[who], who) for who in line.people if who in names)) for line in wrong],
        "tab": "items",
    }
    return render(request, "dashboards/items_exercise.html", context)
