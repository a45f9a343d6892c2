"""The glossary as a page shows it: in the order of the page's language, under initials."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from lessons.models import Course, Lesson
from lessons.models.content import in_language
from lessons.reference.models import Term

_INITIALS = "ㄱㄱㄴㄷㄷㄹㅁㅂㅂㅅㅅㅇㅈㅈㅊㅋㅌㅍㅎ"


@dataclass(slots=True)
class Entry:
    """A term with what stands around it."""

    slug: str
    title: str
    other: str
    other_language: str
    also: list[str]
    text: dict[str, str]
    lesson: Lesson | None
    see: list[tuple[str, str]]


def initial(title: str) -> str:
    """The heading a term stands under: a Korean initial consonant (doubled ones with the plain), a Latin capital, or #."""
    first = title[:1]
    if "가" <= first <= "힣":
        return _INITIALS[(ord(first) - ord("가")) // 588]
    return first.upper() if first.isalpha() else "#"


def groups(course: Course, language: str) -> list[tuple[str, list[Entry]]]:
    """(initial, entries) in order: in Korean the Korean words first, then the Latin ones."""
    terms = list(Term.objects.filter(course=course))
    titles = {term.slug: term.data["term"][language] for term in terms}
    lessons = {
        lesson.slug: lesson
        for lesson in Lesson.objects.filter(chapter__course=course, active=True, chapter__active=True)
        .select_related("version", "chapter__course")
        .defer("version__body")
    }
    other = "en" if language == "ko" else "ko"
    entries = [_entry(term.data, titles, lessons, language, other) for term in terms]
    entries.sort(key=lambda entry: (initial(entry.title) < "ㄱ" if language == "ko" else False, entry.title.casefold()))
    return [(letter, list(found)) for letter, found in groupby(entries, key=lambda entry: initial(entry.title))]


def _entry(data: dict[str, Any], titles: dict[str, str], lessons: dict[str, Lesson], language: str, other: str) -> Entry:
    title, foreign = in_language(data["term"]), data["term"][other]
    return Entry(
        slug=data["id"],
        title=title,
        other=foreign if foreign != title else "",
        other_language=other,
        also=list(data.get("also", {}).get(language, [])),
        text=data["text"],
        lesson=lessons.get(data.get("lesson", "")),
        see=[(slug, titles[slug]) for slug in data.get("see", []) if slug in titles],
    )
