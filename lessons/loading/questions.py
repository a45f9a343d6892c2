"""Questions of a quiz or of a chapter: the common fields, those of each question's type, drawn values, sections and banks.

A question with drawn values is checked as learners get it: with the first and the last of its values and some between.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lessons.loading import exercises, validate
from lessons.loading.marked import Marked
from lessons.loading.marked import Path as FieldPath
from lessons.loading.problems import Problem
from lessons.quizzes import layout
from lessons.quizzes.expressions import BadExpression
from lessons.quizzes.types import TYPES, QuestionType, schema

#: Words of Go templates, which stand in double braces too.
GO_TEMPLATE = {"end", "else", "range", "break", "continue"}


def problems(marked: Marked, lessons: set[str]) -> Iterator[Problem]:
    """Everything wrong with `questions` (and `sections`) of a file that has passed its own schema."""
    seen: set[str] = set()
    whole = True
    for index, question in enumerate(marked.data["questions"]):
        here = ("questions", index)
        found = list(one(marked, here, question, lessons))
        yield from found
        whole = whole and not found
        slug = question.get("id")
        if isinstance(slug, str):
            if slug in seen:
                yield marked.problem((*here, "id"), f"another question is already called `{slug}`")
            seen.add(slug)
    if whole and "sections" in marked.data:
        yield from _sections(marked)


def one(marked: Marked, here: FieldPath, question: Any, lessons: set[str] | None) -> Iterator[Problem]:
    """Everything wrong with the question at `here`; `lessons` None leaves its lesson unchecked."""
    kind = TYPES.get(question.get("type")) if isinstance(question.get("type"), str) else None
    if kind is None:
        said = "is missing" if "type" not in question else f"there is no type {question['type']!r}"
        yield marked.problem((*here, "type"), f"{said}; there are {', '.join(TYPES)}")
        return
    if "values" in question or "let" in question:
        found = list(_drawn(marked, here, kind, question))
    else:
        found = list(_as_it_is(marked, here, kind))
    yield from found
    if not found and lessons is not None and question.get("lesson") is not None and question["lesson"] not in lessons:
        yield marked.problem((*here, "lesson"), f"there is no lesson `{question['lesson']}` in this course")


def _as_it_is(marked: Marked, here: FieldPath, kind: QuestionType) -> Iterator[Problem]:
    question: Any = marked.data
    for part in here:
        question = question[part]
    own = list(validate.problems(marked, schema(validate.schema("question"), kind), here))
    yield from own
    if own:
        return
    for path, reason in kind.problems(question):
        yield marked.problem((*here, *path), reason)
    if "checks" in question:
        rules = validate.schema("exercise")
        checks = {"type": "array", "items": rules["$defs"]["check"], "$defs": rules["$defs"]}
        wrong = list(validate.problems(marked, checks, (*here, "checks")))
        yield from wrong or exercises.checks_problems(marked, (*here, "checks"), question["checks"])


def _drawn(marked: Marked, here: FieldPath, kind: QuestionType, question: dict[str, Any]) -> Iterator[Problem]:
    for name, given in question.get("values", {}).items():
        at = (*here, "values", name)
        if not isinstance(given, dict) or ("choose" in given) == ("from" in given or "to" in given):
            yield marked.problem(at, "has either `choose: [...]` or `from` and `to`")
            return
        if "choose" not in given and not (
            all(type(given.get(end)) is int for end in ("from", "to"))
            and given["from"] < given["to"]
            and type(given.get("step", 1)) is int
            and given.get("step", 1) > 0
        ):
            yield marked.problem(at, "`from` and `to` are whole numbers, the second the larger")
            return
    known = {*question.get("values", {}), *question.get("let", {})}
    for name in sorted(layout.holes(question) - known - GO_TEMPLATE):
        yield marked.problem(here, f"`{{{{ {name} }}}}` is neither in `values` nor in `let`")
    try:
        for values in layout.extremes(question):
            data = copy.deepcopy(marked.data)
            place: Any = data
            for part in here[:-1]:
                place = place[part]
            place[here[-1]] = layout.fill(question, values)
            found = list(_as_it_is(replace(marked, data=data), here, kind))
            if found:
                said = ", ".join(f"{name} = {value}" for name, value in values.items())
                yield from (replace(item, reason=f"{item.reason} (with {said})") for item in found)
                return
    except BadExpression as error:
        yield marked.problem((*here, "let"), str(error))


def _sections(marked: Marked) -> Iterator[Problem]:
    """Sections that ask for what is not there, ask twice, or are not worth the same for everybody."""
    by_id = {item["id"]: item for item in marked.data["questions"]}
    asked: dict[str, int] = {}
    drawn: set[str] = set()
    for index, section in enumerate(marked.data["sections"]):
        here = ("sections", index)
        if ("pick" in section) == ("draw" in section):
            yield marked.problem(here, "has either `pick` or `draw`")
            continue
        for place, slug in enumerate(section.get("pick", [])):
            if slug not in by_id:
                yield marked.problem((*here, "pick", place), f"there is no question `{slug}`")
            elif slug in asked:
                yield marked.problem((*here, "pick", place), f"`{slug}` is asked in another section already")
            asked[slug] = index
        if "draw" in section:
            yield from _draw(marked, here, section["draw"], drawn)
    for slug, item in by_id.items():
        if slug not in asked and item.get("bank") not in drawn:
            yield marked.problem(
                ("questions", list(by_id).index(slug)), f"`{slug}` is never asked: no section picks it or its bank"
            )
        if slug in asked and item.get("bank") in drawn:
            yield marked.problem(
                ("sections", asked[slug]), f"`{slug}` is in the bank `{item['bank']}` too, so it might be asked twice"
            )


def _draw(marked: Marked, here: FieldPath, draw: dict[str, Any], drawn: set[str]) -> Iterator[Problem]:
    pool = [item for item in marked.data["questions"] if item.get("bank") == draw["bank"]]
    if draw["bank"] in drawn:
        yield marked.problem((*here, "draw", "bank"), f"another section draws from `{draw['bank']}` already")
    drawn.add(draw["bank"])
    if len(pool) < draw["count"]:
        yield marked.problem(
            (*here, "draw", "count"), f"the bank `{draw['bank']}` has {len(pool)} questions, not {draw['count']}"
        )
    worth = sorted({layout.points_of(item) for item in pool})
    if len(worth) > 1:
        said = ", ".join(f"{points:g}" for points in worth)
        yield marked.problem((*here, "draw", "bank"), f"questions of one bank give the same points, not {said}")
