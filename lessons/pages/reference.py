"""Pages to look things up: the search, the glossary, the commands of a chapter, and a whole chapter for paper."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from lessons.desk.dates import opens_later
from lessons.models import Chapter, Course, Lesson
from lessons.models.content import in_language
from lessons.pages.lesson import Bench, language, parts_of
from lessons.permissions import person
from lessons.reference import glossary
from lessons.reference import search as searching
from lessons.reference.models import ChapterReview
from simulator import services as simulator
from simulator import typed

logger = logging.getLogger(__name__)


# -- search ---------------------------------------------------------------------------------------------------------------------


@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    """What a query finds; for htmx the first few alone."""
    chapters = {row.pk: row for row in Chapter.objects.filter(active=True)} if request.user.is_authenticated else {}
    now = timezone.now()

    @cache
    def closed(pk: int) -> bool:
        return pk in chapters and opens_later(request.user, chapters[pk], now) is not None

    results = searching.search(request.GET.get("q", ""), language(), closed=closed)
    live = bool(request.htmx)  # type: ignore[attr-defined]
    context = {"results": results, "hits": results.hits[:8] if live else results.hits, "typed": request.GET.get("q", "")[:100]}
    return render(request, "pages/_found.html" if live else "pages/search.html", context)


# -- glossary -------------------------------------------------------------------------------------------------------------------


@require_safe
def glossary_page(request: HttpRequest, course: str) -> HttpResponse:
    """All terms of a course with their meanings."""
    found = get_object_or_404(Course.objects.select_related("version"), slug=course, active=True)
    groups = glossary.groups(found, language())
    return render(request, "pages/glossary.html", {"course": found, "groups": groups, "count": sum(len(g) for _l, g in groups)})


# -- the commands of a chapter ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Row:
    """A command with where it was taught."""

    number: int
    data: dict[str, Any]
    lesson: Lesson | None
    runs: bool

    @property
    def href(self) -> str:
        """The section that shows it."""
        section = f"#s{self.data['section']}" if self.data["section"] else ""
        return f"{self.lesson.get_absolute_url()}{section}" if self.lesson else ""


@dataclass(slots=True)
class Group:
    """The commands of one tool: those with a line about each, then the others that the lessons show."""

    tool: str
    rows: list[Row]
    others: list[Row]


def _chapter(course: str, chapter: str) -> Chapter:
    rows = Chapter.objects.select_related("version", "course__version")
    return get_object_or_404(rows, slug=chapter, course__slug=course, active=True, course__active=True)


def _lessons(chapter: Chapter) -> list[Lesson]:
    return list(
        Lesson.objects.filter(chapter=chapter, active=True).select_related(
            "version", "chapter__version", "chapter__course__version"
        )
    )


def _not_open(request: HttpRequest, chapter: Chapter, lessons: list[Lesson]) -> HttpResponse | None:
    opens = opens_later(request.user, chapter, timezone.now())
    if opens is None or not lessons:
        return None
    return render(request, "pages/not_open.html", {"lesson": lessons[0], "opens": opens}, status=403)


def _groups(review: dict[str, Any], lessons: dict[str, Lesson], scenario: str, hosts: list[str]) -> list[Group]:
    def rows(items: list[dict[str, Any]], first: int) -> list[Row]:
        made = []
        for number, item in enumerate(items, first):
            runs = item["runs"] and item["host"] in hosts and item.get("scenario") == scenario
            made.append(Row(number, item, lessons.get(item["lesson"]), runs))
        return made

    told, others = rows(review["commands"], 1), rows(review["others"], 1)
    order = {row.data["tool"]: None for row in [*told, *others]}
    tools = sorted(order, key=lambda tool: (tool == "shell", -sum(row.data["tool"] == tool for row in told)))
    return [
        Group(tool, [row for row in told if row.data["tool"] == tool], [row for row in others if row.data["tool"] == tool])
        for tool in tools
    ]


def _bench(request: HttpRequest, chapter: Chapter, review: dict[str, Any], scenario: str, hosts: list[str]) -> Bench:
    if not request.user.is_authenticated:
        return Bench(None, hosts)
    try:
        session = simulator.session_for(person(request), scenario, f"{chapter.course.slug}/{chapter.slug}/commands")
    except simulator.BadScenario as error:
        logger.error("commands of %s: %s", chapter, error)
        return Bench(None, hosts, _("The cluster of this page cannot be started: %(why)s") % {"why": error})
    if session.last_seq == 0 and review.get("setup"):
        typed.set_up(session, review["setup"])
    return Bench(session, hosts)


@require_safe
def commands_page(request: HttpRequest, course: str, chapter: str) -> HttpResponse:
    """What to remember of a chapter, and its commands beside a cluster on which to run them."""
    found = _chapter(course, chapter)
    review: dict[str, Any] = get_object_or_404(ChapterReview, chapter=found).data
    lessons = _lessons(found)
    if (answer := _not_open(request, found, lessons)) is not None:
        return answer
    scenario = review.get("scenario") or found.course.data["scenario"]
    hosts = list(review.get("hosts") or found.course.data["hosts"])
    return render(
        request,
        "pages/commands.html",
        {
            "chapter": found,
            "course": found.course,
            "review": review,
            "groups": _groups(review, {lesson.slug: lesson for lesson in lessons}, scenario, hosts),
            "bench": _bench(request, found, review, scenario, hosts),
            "anchor": "#text",
            "quiz": found.quizzes.filter(active=True).select_related("version", "chapter__course").first(),
        },
    )


# -- on paper -------------------------------------------------------------------------------------------------------------------

_TIP = re.compile(r'<span class="tip"[^>]*>.*?</span>', re.DOTALL)
_SECTION = re.compile(r'<h2 id="(s\d+)"')
_PART = re.compile(r'<h3 id="[^"]*"')
_DESCRIBED = re.compile(r' aria-describedby="tip-[^"]*"')
_HREF = re.compile(r'href="((?:\.\./)+|#)([^"]*)"')
_PICTURE = re.compile(r'src="\.\./figures/')
_BUTTONS = re.compile(r'<div class="do">.*?</div>', re.DOTALL)


def on_paper(html: str, lesson: Lesson, base: str) -> str:
    """A lesson's HTML for the print view: ids of its own, whole addresses, no buttons and no meanings beside words."""
    own = lesson.get_absolute_url()

    def whole(match: re.Match[str]) -> str:
        up, rest = match.groups()
        if up == "#":
            return f'href="{base}{own}#{rest}"'
        kept = own.rstrip("/").split("/")[: -up.count("../")]
        return f'href="{base}{"/".join(kept)}/{rest}"'

    html = _BUTTONS.sub("", _DESCRIBED.sub("", _TIP.sub("", html)))
    html = _PART.sub("<h3", _SECTION.sub(rf'<h2 id="{lesson.slug}-\1"', html))
    return _PICTURE.sub('src="../figures/', _HREF.sub(whole, html)).replace('loading="lazy"', "")


def paper_options(spec: dict[str, Any]) -> list[str]:
    """What a question offers, in an order that does not give the answer away."""
    given = (
        [choice["text"] for choice in spec.get("choices", [])]
        or spec.get("items", [])
        or [p["right"] for p in spec.get("pairs", [])]
    )
    given = [*given, *spec.get("extra", [])]
    return sorted(map(in_language, given)) if spec.get("shuffle", True) else [in_language(item) for item in given]


@require_safe
def print_page(request: HttpRequest, course: str, chapter: str) -> HttpResponse:
    """All lessons of a chapter one after another, with questions and tasks and without terminals."""
    found = _chapter(course, chapter)
    lessons = _lessons(found)
    if (answer := _not_open(request, found, lessons)) is not None:
        return answer
    base = request.build_absolute_uri("/").rstrip("/")
    pages = []
    for lesson in lessons:
        parts = parts_of(request, lesson)
        for part in parts:
            if "html" in part:
                part["html"] = on_paper(part["html"], lesson, base)
            elif "ask" in part:
                spec = part["ask"].spec
                part["lefts"] = [in_language(pair["left"]) for pair in spec.get("pairs", [])]
                part["options"] = paper_options(spec)
        pages.append((lesson, parts))
    review = ChapterReview.objects.filter(chapter=found).first()
    return render(
        request,
        "pages/print.html",
        {"chapter": found, "course": found.course, "pages": pages, "review": review, "base": base, "today": timezone.now()},
    )
