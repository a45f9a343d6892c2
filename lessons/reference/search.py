"""Search over the course: every word of the query must be in an entry; titles and whole words weigh most.

The database finds the entries (`LIKE`, the same on SQLite and PostgreSQL), this module orders them.  When nothing is found, the
nearest known word by its bigrams is offered instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from lessons.reference import words
from lessons.reference.models import SearchEntry
from lessons.rendering.korean import has_hangul

LIMIT = 30
#: More rows than this are not ordered: what was found first stands in the course's order.
CANDIDATES = 400
NEAR_ENOUGH = 0.45
AROUND = 80
_WEIGHTS = {SearchEntry.Kind.TERM: 8, SearchEntry.Kind.LESSON: 5, SearchEntry.Kind.EXERCISE: 3, SearchEntry.Kind.COMMAND: 2}


@dataclass(slots=True)
class Hit:
    """An entry as a result shows it; `title` and `snippet` are escaped and mark what was found."""

    entry: SearchEntry
    title: SafeString
    snippet: SafeString
    score: float

    @property
    def href(self) -> str:
        """Its address on this site."""
        return f"/{self.entry.language}/{self.entry.address}"


@dataclass(slots=True)
class Results:
    """What a query found, how much there is in all, and a word that was perhaps meant."""

    query: str
    hits: list[Hit] = field(default_factory=list)
    total: int = 0
    meant: str = ""


def _holds(word: str) -> Q:
    found = Q()
    for variant in words.variants(word):
        found |= Q(packed__contains=words.pack(variant)) if has_hangul(variant) else Q(folded__contains=variant)
    return found


def search(query: str, language: str, *, course: int | None = None, closed: Callable[[int], bool] | None = None) -> Results:
    """Entries in a language that hold every word; `closed(chapter)` says which chapters are not to be seen."""
    asked = words.split(query)
    results = Results(" ".join(asked))
    if not asked:
        return results
    rows = SearchEntry.objects.filter(language=language, course__active=True)
    if course is not None:
        rows = rows.filter(course=course)
    for word in asked:
        rows = rows.filter(_holds(word))
    found = [row for row in rows[:CANDIDATES] if not (closed and row.chapter_id and closed(row.chapter_id))]
    ranked = sorted(found, key=lambda row: (-_score(row, asked), row.position))
    results.total = len(ranked)
    needles = [variant for word in asked for variant in words.variants(word)]
    for row in ranked[:LIMIT]:
        results.hits.append(Hit(row, _marked(row.title, needles), snippet(row.text, needles), _score(row, asked)))
    if not found:
        results.meant = _meant(asked, language)
    return results


def _score(row: SearchEntry, asked: list[str]) -> float:
    title = words.fold(row.title)
    packed, text = words.pack(title), row.folded
    score = float(_WEIGHTS[SearchEntry.Kind(row.kind)])
    whole = [words.pack(variant) for variant in words.variants(" ".join(asked))]
    if packed in whole or set(whole) & set(row.names.split("\n")):
        score += 200
    # a command names files and other tools as well: its words count fully only for somebody who types the command
    share = 0.4 if row.kind == SearchEntry.Kind.COMMAND and not title.startswith(words.fold(" ".join(asked))) else 1.0
    for word in asked:
        best = 0.0
        for step, variant in enumerate(words.variants(word)):
            plain = words.pack(variant) if has_hangul(variant) else variant
            held = packed if has_hangul(variant) else title
            here = 0.0
            if held == plain:
                here = 100
            elif held.startswith(plain):
                here = 40
            elif re.search(rf"(?<!\w){re.escape(plain)}", title):
                here = 25
            elif plain in held:
                here = 15
            here += 2.0 * min(5, text.count(variant))
            best = max(best, here - 3 * step)
        score += share * best
    return score


def _spots(text: str, needles: list[str]) -> list[tuple[int, int]]:
    """Where needles stand in a text, longest first, without overlap; spaces inside Korean words do not count."""
    spans: list[tuple[int, int]] = []
    for needle in sorted(set(needles), key=len, reverse=True):
        letters = r"\s*".join(map(re.escape, needle)) if has_hangul(needle) else re.escape(needle)
        for match in re.finditer(letters, text, re.IGNORECASE):
            if all(match.end() <= start or match.start() >= end for start, end in spans):
                spans.append(match.span())
    return sorted(spans)


def _marked(text: str, needles: list[str]) -> SafeString:
    out, done = "", 0
    for start, end in _spots(text, needles):
        out += f"{escape(text[done:start])}<mark>{escape(text[start:end])}</mark>"
        done = end
    return mark_safe(out + escape(text[done:]))


def snippet(text: str, needles: list[str]) -> SafeString:
    """The part of a text around the first thing found, with marks."""
    spots = _spots(text, needles)
    first = spots[0][0] if spots else 0
    start = max(0, first - AROUND)
    if start:
        start = text.find(" ", start, first) + 1 or start
    end = min(len(text), max(first, start) + 2 * AROUND)
    if end < len(text):
        end = max(text.rfind(" ", first, end), first + 1) if " " in text[first:end] else end
    shown = _marked(text[start:end], needles)
    return mark_safe(f"{'… ' if start else ''}{shown}{' …' if end < len(text) else ''}")


def _meant(asked: list[str], language: str) -> str:
    """The query with its unknown words replaced by the nearest known ones, or nothing."""
    titles = SearchEntry.objects.filter(language=language, kind__in=[SearchEntry.Kind.TERM, SearchEntry.Kind.LESSON, "command"])
    known: set[str] = set()
    for title in titles.values_list("title", flat=True)[:3000]:
        known |= {word.strip(".,:;?!()[]{}'\"`") for word in words.fold(title).split()}
    known = {word for word in known if 2 < len(word) < 30}
    out, changed = [], False
    for word in asked:
        nearest = max(known, key=lambda other: (words.likeness(word, other), other), default="")
        if word not in known and nearest and words.likeness(word, nearest) >= NEAR_ENOUGH:
            out.append(nearest)
            changed = True
        else:
            out.append(word)
    return " ".join(out) if changed else ""
