"""Questions in the browser: a cohort's own text of a quiz, a question at a time, in YAML as in the files and checked by the same rules.

Saving makes a new version for this cohort's assignment; the course's files and other cohorts are untouched, attempts that were begun
keep the text they saw, and a regrade can take the mended key to what was handed in.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import yaml
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lessons.assessment import templates
from lessons.assessment.views import assignment_of, quiz_of, text_of
from lessons.loading import questions, validate
from lessons.loading.marked import Marked, parse
from lessons.loading.problems import Problem
from lessons.loading.publish import digest
from lessons.models import Cohort, Lesson, Question, Quiz, Version
from lessons.pages.lesson import language
from lessons.pages.quiz import KINDS
from lessons.permissions import managed_cohort, person
from lessons.quizzes import layout, marking, proof
from lessons.quizzes.models import Assignment
from lessons.quizzes.types import TYPES
from lessons.reasons import said
from simulator import services as simulator
from simulator import trials
from simulator.core.kernel.errors import BadInput

NEW = "new-question"
#: Seconds for which the worlds of one question are played before the page gives up.
MOST_SECONDS = 60.0


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks; nothing is aliased."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def as_yaml(spec: Any) -> str:
    """A question as an author writes it."""
    return str(yaml.dump(spec, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110))


def mark_of(spec: Any) -> str:
    """By which a form knows the text that it was begun from; nothing for a question that is not there."""
    return digest(spec) if spec else ""


@dataclass(slots=True)
class Draft:
    """One question's text as typed: what is wrong with it, or what it says."""

    source: str
    spec: dict[str, Any] | None
    problems: list[Problem]
    #: what playing it in a world has found wrong, in the page's language; None before it is played
    played: list[str] | None = None
    #: what the world of a question that shows outputs printed
    world: dict[str, Any] | None = None
    #: which text of the question this one was begun from (`mark_of`); nothing for a new one, None for whoever does not say
    seen: str | None = ""
    #: somebody else's text, kept since this one was begun; empty when they took the question out, None when nobody did anything
    theirs: str | None = None

    @property
    def complaints(self) -> list[tuple[Problem, str]]:
        """What is wrong, each with its reason in the page's language."""
        return [(item, said(item.reason)) for item in self.problems]

    @property
    def plays(self) -> bool:
        """Whether a world answers it, so that it can be played."""
        return self.spec is not None and not self.problems and self.spec["type"] in proof.PLAYED

    @property
    def shown(self) -> dict[str, Any] | None:
        """What a learner would see, with values of one drawing; nothing for a broken text."""
        if self.spec is None or self.problems:
            return None
        spec: dict[str, Any] = layout.fill(self.spec, layout.values_of(self.spec, "preview"))
        if self.world is not None:
            spec["world"] = self.world
        kind = TYPES[spec["type"]]
        marked = kind.present(spec, language(), "preview", None)
        return {"spec": spec, "kind": kind, "shown": marked, "key": kind.key(spec, language()), "name": "preview"}


def draft(cohort: Cohort, quiz: Quiz, source: str, slug: str) -> Draft:
    """Read and check one question in its place among the quiz's others."""
    marked = parse(source, slug)
    if marked.problems or not isinstance(marked.data, dict):
        found = marked.problems or [Problem(slug, 1, "", "a question is a group of fields")]
        return Draft(source, None, list(found))
    data = dict(text_of(cohort, quiz).data)
    others = [spec for spec in data["questions"] if spec["id"] != slug]
    lessons = set(Lesson.objects.filter(chapter__course=cohort.course, active=True).values_list("slug", flat=True))
    alone = Marked(slug, {"questions": [marked.data]}, {("questions", 0, *path): line for path, line in marked.lines.items()})
    problems = list(questions.one(alone, ("questions", 0), marked.data, lessons))
    if not problems and any(spec["id"] == marked.data["id"] for spec in others):
        problems.append(alone.problem(("questions", 0, "id"), f"another question is already called `{marked.data['id']}`"))
    short = [replace(item, field=item.field.removeprefix("questions[0]").lstrip(".")) for item in problems]
    return Draft(source, marked.data, short)


def play(made: Draft) -> None:
    """Play a question that a world answers through the workers: is its solution right, and what should be wrong wrong?"""
    if made.spec is None or not made.plays:
        return
    until = time.monotonic() + MOST_SECONDS

    def run(trial: dict[str, Any]) -> dict[str, Any]:
        if time.monotonic() > until:
            raise simulator.EvaluationTimeout
        return simulator.trial(trial)

    try:
        made.played = [
            _(text) % about + (f" ({', '.join(f'{name} = {value}' for name, value in values.items())})" if values else "")
            for (text, about), values in proof.shortcomings(made.spec, run)
        ]
        shows = TYPES[made.spec["type"]].produces(layout.fill(made.spec, layout.values_of(made.spec, "preview")))
        made.world = marking.produced({**shows, "seed": 1}) if shows else None
    except (simulator.EvaluationTimeout, marking.NotProduced):
        made.played = [_("No cluster answered in time. Nothing was decided; try again.")]
    except (BadInput, trials.Unavailable) as error:
        made.played = [str(error)]


def put(data: dict[str, Any], slug: str, spec: dict[str, Any] | None) -> dict[str, Any]:
    """A quiz's data with one question changed, added (an unknown slug) or taken out (no spec)."""
    rows = []
    for item in data["questions"]:
        if item["id"] != slug:
            rows.append(item)
        elif spec is not None:
            rows.append(spec)
    if spec is not None and all(item["id"] != slug for item in data["questions"]):
        rows.append(spec)
    out = {**data, "questions": rows}
    if "sections" in data and spec is not None and slug not in {item["id"] for item in data["questions"]} and "bank" not in spec:
        out["sections"] = [*data["sections"], {"pick": [spec["id"]]}]
    elif "sections" in data:
        renamed = {slug: spec["id"] if spec else None}
        sections = []
        for section in data["sections"]:
            if "pick" in section:
                pick = [renamed.get(item, item) for item in section["pick"]]
                section = {**section, "pick": [item for item in pick if item]}
            if section.get("pick") != []:
                sections.append(section)
        out["sections"] = sections
    return out


def keep(assignment: Assignment, data: dict[str, Any]) -> Version:
    """Make `data` what the cohort is asked from now on; questions that are new get their identity."""
    version, _made = Version.objects.get_or_create(kind="quiz", digest=digest(data), defaults={"data": data})
    quiz = assignment.quiz
    for position, spec in enumerate(data["questions"], 1):
        own = Version.objects.get_or_create(kind="question", digest=digest(spec), defaults={"data": spec})[0]
        place = {"chapter": quiz.chapter, "position": position, "version": own, "active": False}
        if quiz.cohort_id is None:  # the course's questions keep the course's text
            Question.objects.get_or_create(quiz=quiz, slug=spec["id"], defaults=place)
        else:
            Question.objects.update_or_create(quiz=quiz, slug=spec["id"], defaults=place)
    if quiz.cohort_id is None:
        Assignment.objects.filter(pk=assignment.pk).update(version=version)
    else:
        Quiz.objects.filter(pk=quiz.pk).update(version=version)
    return version


@require_safe
@login_required
def question_list(request: HttpRequest, pk: int, quiz: int) -> HttpResponse:
    """The questions that this cohort is asked."""
    cohort = managed_cohort(person(request), pk)
    found = quiz_of(cohort, quiz)
    given = assignment_of(cohort, found)
    version = text_of(cohort, found)
    own = bool(given and given.version_id and given.version_id != found.version_id)
    kinds = [(name, KINDS[name]()) for name in templates.kinds()]
    context = {"cohort": cohort, "quiz": found, "assignment": given, "questions": version.data["questions"], "own": own}
    context["kinds"] = kinds
    return render(request, "assessment/questions.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def question(request: HttpRequest, pk: int, quiz: int, slug: str) -> HttpResponse:
    """One question's text with a live preview.  `do=look` only checks, `do=play` plays it in a world, `do=save`
    keeps it, `do=remove` takes it out."""
    cohort = managed_cohort(person(request), pk)
    found = quiz_of(cohort, quiz)
    given = assignment_of(cohort, found)
    spec = next((item for item in text_of(cohort, found).data["questions"] if item["id"] == slug), None)
    if given is None or (spec is None and slug != NEW and request.method != "POST"):
        return redirect("lessons:questions", cohort.pk, found.pk)
    source = (
        request.POST.get("source", "").replace("\r\n", "\n")
        if request.method == "POST"
        else as_yaml(spec)
        if spec
        else templates.of(request.GET.get("type", ""))
    )
    do = request.POST.get("do", "look")
    if request.method == "POST" and do == "remove":
        return _remove(request, cohort, found, given, slug)
    made = draft(cohort, found, source, slug)
    if request.method == "POST" and do == "play":
        play(made)
    made.seen = request.POST.get("seen") if request.method == "POST" else mark_of(spec)
    wanted = request.method == "POST" and do == "save" and not made.problems
    if wanted and _save(given, slug, made):
        messages.success(request, _("Saved. New attempts ask it; what was handed in changes by a regrade only."))
        return redirect("lessons:questions", cohort.pk, found.pk)
    context = {"cohort": cohort, "quiz": found, "slug": slug, "draft": made, "new": spec is None}
    if request.headers.get("HX-Request"):
        return render(request, "assessment/_draft.html", context)
    return render(
        request, "assessment/question.html", context, status=422 if made.problems else 409 if made.theirs is not None else 200
    )


def _save(given: Assignment, slug: str, made: Draft) -> bool:
    """Keep a question that is right by itself; false, with the reason in the draft, when the quiz as a whole is not, or when somebody else
    has kept another text of it since this one was begun."""
    assert made.spec is not None
    with transaction.atomic():
        locked = (
            Assignment.objects.select_for_update(of=("self",))
            .select_related("version", "quiz__version", "quiz__chapter")
            .get(pk=given.pk)
        )
        kept = (locked.version or locked.quiz.version).data
        now = next((item for item in kept["questions"] if item["id"] == slug), None)
        if made.seen is not None and made.seen != mark_of(now):
            made.theirs, made.seen = as_yaml(now) if now else "", mark_of(now)
            return False
        data = put(kept, slug, made.spec)
        whole = Marked(slug, data)
        made.problems += [*validate.problems(whole, validate.schema("quiz")), *questions.problems(whole, _lessons(given))]
        if made.problems:
            return False
        keep(locked, data)
    return True


def _lessons(given: Assignment) -> set[str]:
    return set(Lesson.objects.filter(chapter__course=given.quiz.chapter.course, active=True).values_list("slug", flat=True))


def _remove(request: HttpRequest, cohort: Cohort, quiz: Quiz, given: Assignment, slug: str) -> HttpResponse:
    with transaction.atomic():
        locked = (
            Assignment.objects.select_for_update(of=("self",))
            .select_related("version", "quiz__version", "quiz__chapter")
            .get(pk=given.pk)
        )
        data = put((locked.version or quiz.version).data, slug, None)
        whole = Marked(slug, data)
        problems = [*validate.problems(whole, validate.schema("quiz"))] or [*questions.problems(whole, _lessons(given))]
        if not problems:
            keep(locked, data)
    if problems:
        messages.error(request, _("It cannot be taken out: %(why)s") % {"why": said(problems[0].reason)})
    return redirect("lessons:questions", cohort.pk, quiz.pk)


@require_POST
@login_required
def take_over(request: HttpRequest, pk: int, quiz: int) -> HttpResponse:
    """Ask the course's own text again; the cohort's stays among the versions."""
    cohort = managed_cohort(person(request), pk)
    found = quiz_of(cohort, quiz)
    Assignment.objects.filter(cohort=cohort, quiz=found).update(version=None)
    messages.success(request, _("The cohort is asked the course's own text again."))
    return redirect("lessons:questions", cohort.pk, found.pk)


@require_safe
@login_required
def download(request: HttpRequest, pk: int, quiz: int) -> HttpResponse:
    """The quiz as a file for the course's folder."""
    cohort = managed_cohort(person(request), pk)
    found = quiz_of(cohort, quiz)
    answer = HttpResponse(as_yaml(text_of(cohort, found).data), content_type="application/yaml; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="quiz.yaml"'
    return answer
