"""Free text.  An answer is the text; a person marks it by the question's rubric.

A rubric is a list of criteria with points of their own; a mark is the points given for each as a share of all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lessons.quizzes.types.base import FieldPath, Form, Mark, QuestionType, Spec, text

MAX_TEXT = 10_000


def most(spec: Spec) -> float:
    """The points of all criteria."""
    return float(sum(item["points"] for item in spec["rubric"]))


def by_rubric(spec: Spec, given: Mapping[str, float]) -> Mark:
    """The mark for points by criterion; raises ValueError for points that a criterion does not have."""
    earned = {}
    for item in spec["rubric"]:
        points = float(given.get(item["id"], 0))
        if not 0 <= points <= item["points"]:
            raise ValueError(item["id"])
        earned[item["id"]] = points
    return Mark(sum(earned.values()) / most(spec), {"rubric": earned})


class FreeText(QuestionType):
    """A text that a person reads."""

    name = "freetext"
    template = "quizzes/types/freetext.html"
    marked_by = "hand"
    anchors = ("rubric",)
    properties = {
        "rubric": {
            "type": "array",
            "minItems": 1,
            "maxItems": 10,
            "items": {
                "type": "object",
                "properties": {
                    "id": {"$ref": "#/$defs/slug"},
                    "text": {"$ref": "#/$defs/text"},
                    "points": {"type": "number", "minimum": 0.5, "maximum": 100},
                },
                "required": ["id", "text", "points"],
                "additionalProperties": False,
            },
        },
        "model": {"$ref": "#/$defs/text"},
        "words": {"type": "integer", "minimum": 10, "maximum": 1500},
    }
    required = ("rubric",)

    def problems(self, spec: Spec) -> Iterator[tuple[FieldPath, str]]:
        seen: set[str] = set()
        for index, item in enumerate(spec["rubric"]):
            if item["id"] in seen:
                yield ("rubric", index, "id"), f"another criterion is already called `{item['id']}`"
            seen.add(item["id"])

    def present(self, spec: Spec, language: str, seed: str, response: Any) -> dict[str, Any]:
        rubric = [{"text": text(item["text"], language), "points": item["points"]} for item in spec["rubric"]]
        value = response if isinstance(response, str) else ""
        return {"value": value, "max": MAX_TEXT, "rubric": rubric, "words": spec.get("words")}

    def parse(self, form: Form, name: str, spec: Spec) -> Any:
        return form.get(name, "").replace("\r\n", "\n").strip()[:MAX_TEXT] or None

    def grade(self, spec: Spec, response: Any) -> Mark:
        return Mark(0.0, {"given": response if isinstance(response, str) else None})

    def key(self, spec: Spec, language: str) -> list[str]:
        return [text(spec["model"], language)] if "model" in spec else []

    def said(self, spec: Spec, response: Any, language: str) -> list[str]:
        return [response] if isinstance(response, str) and response else []
