"""Matching.  An answer is a list as long as the left sides: the index of the chosen right side, or null.

The right sides are numbered: those of the pairs in order, then the extra ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lessons.quizzes.types.base import FieldPath, Form, Mark, QuestionType, Spec, shuffled, text


def rights(spec: Spec) -> list[Any]:
    """Every right side, pairs first."""
    return [pair["right"] for pair in spec["pairs"]] + list(spec.get("extra", []))


def picks(spec: Spec, response: Any) -> list[int | None]:
    """The answer with everything that cannot be a choice made null."""
    given = response if isinstance(response, list) else []
    top = len(rights(spec))
    padded = [*given, *[None] * len(spec["pairs"])][: len(spec["pairs"])]
    return [item if type(item) is int and 0 <= item < top else None for item in padded]


class Matching(QuestionType):
    """Each left side belongs to one right side."""

    name = "matching"
    anchors = ("pairs", "extra")
    template = "quizzes/types/matching.html"
    properties = {
        "pairs": {
            "type": "array",
            "minItems": 2,
            "maxItems": 20,
            "items": {
                "type": "object",
                "properties": {"left": {"$ref": "#/$defs/either"}, "right": {"$ref": "#/$defs/either"}},
                "required": ["left", "right"],
                "additionalProperties": False,
            },
        },
        "extra": {"type": "array", "maxItems": 20, "items": {"$ref": "#/$defs/either"}},
    }
    required = ("pairs",)

    def problems(self, spec: Spec) -> Iterator[tuple[FieldPath, str]]:
        for language in ("ko", "en"):
            lefts = [text(pair["left"], language) for pair in spec["pairs"]]
            if len(set(lefts)) != len(lefts):
                yield ("pairs",), f"two left sides are the same ({language})"

    def present(self, spec: Spec, language: str, seed: str, response: Any) -> dict[str, Any]:
        sides = [text(side, language) for side in rights(spec)]
        first = {side: index for index, side in reversed(list(enumerate(sides)))}  # equal right sides are shown once
        order = [index for index in shuffled(len(sides), seed) if first[sides[index]] == index]
        chosen = picks(spec, response)
        rows = []
        for index in shuffled(len(spec["pairs"]), seed + "/left"):
            pick = chosen[index]
            shown = None if pick is None else first[sides[pick]]
            options = [{"value": side, "text": sides[side], "chosen": side == shown} for side in order]
            rows.append({"index": index, "left": text(spec["pairs"][index]["left"], language), "options": options})
        return {"rows": rows}

    def parse(self, form: Form, name: str, spec: Spec) -> Any:
        given = [form.get(f"{name}.{index}", "") for index in range(len(spec["pairs"]))]
        numbers = picks(spec, [int(value) if value.isdecimal() and len(value) < 3 else None for value in given])
        return numbers if any(item is not None for item in numbers) else None

    def grade(self, spec: Spec, response: Any) -> Mark:
        sides = rights(spec)
        chosen = picks(spec, response)
        ok = [pick is not None and sides[pick] == pair["right"] for pick, pair in zip(chosen, spec["pairs"], strict=True)]
        return Mark(sum(ok) / len(ok), {"chosen": chosen, "right": ok})

    def hits(self, spec: Spec, response: Any) -> list[bool]:
        sides = rights(spec)
        rows = zip(spec["pairs"], picks(spec, response), strict=True)
        return [sides[pick] == pair["right"] for pair, pick in rows if pick is not None]

    def key(self, spec: Spec, language: str) -> list[str]:
        return [f"{text(pair['left'], language)} → {text(pair['right'], language)}" for pair in spec["pairs"]]

    def said(self, spec: Spec, response: Any, language: str) -> list[str]:
        sides = rights(spec)
        rows = zip(spec["pairs"], picks(spec, response), strict=True)
        return [f"{text(pair['left'], language)} → {text(sides[pick], language)}" for pair, pick in rows if pick is not None]
