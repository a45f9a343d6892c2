"""Questions of a quiz or of a chapter: the common fields, and those of each question's type."""

from __future__ import annotations

from collections.abc import Iterator

from lessons.loading import validate
from lessons.loading.marked import Marked
from lessons.loading.problems import Problem
from lessons.quizzes.types import TYPES, schema


def problems(marked: Marked, lessons: set[str]) -> Iterator[Problem]:
    """Everything wrong with `questions` of a file that has passed its own schema."""
    base = validate.schema("question")
    seen: set[str] = set()
    for index, question in enumerate(marked.data["questions"]):
        here = ("questions", index)
        kind = TYPES.get(question.get("type")) if isinstance(question.get("type"), str) else None
        if kind is None:
            said = "is missing" if "type" not in question else f"there is no type {question['type']!r}"
            yield marked.problem((*here, "type"), f"{said}; there are {', '.join(TYPES)}")
            continue
        own = list(validate.problems(marked, schema(base, kind), here))
        yield from own
        if own:
            continue
        for path, reason in kind.problems(question):
            yield marked.problem((*here, *path), reason)
        if question["id"] in seen:
            yield marked.problem((*here, "id"), f"another question is already called `{question['id']}`")
        seen.add(question["id"])
        if question.get("lesson") is not None and question["lesson"] not in lessons:
            yield marked.problem((*here, "lesson"), f"there is no lesson `{question['lesson']}` in this course")
