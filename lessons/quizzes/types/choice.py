"""Single and multiple choice.  An answer is the list of chosen indices of the spec's `choices`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lessons.quizzes.types.base import FieldPath, Form, Mark, QuestionType, Spec, shuffled, text

CHOICES = {
    "type": "array",
    "minItems": 2,
    "maxItems": 20,
    "items": {
        "type": "object",
        "properties": {
            "text": {"$ref": "#/$defs/either"},
            "correct": {"type": "boolean"},
            "credit": {"type": "number", "minimum": -1, "maximum": 1},
            "why": {"$ref": "#/$defs/text"},
        },
        "required": ["text"],
        "additionalProperties": False,
    },
}


def chosen(spec: Spec, response: Any) -> list[int]:
    """The valid indices in an answer, sorted, each once."""
    if not isinstance(response, list):
        return []
    top = len(spec["choices"])
    return sorted({item for item in response if type(item) is int and 0 <= item < top})


def correct(spec: Spec) -> list[int]:
    """The indices of the right choices."""
    return [index for index, choice in enumerate(spec["choices"]) if choice.get("correct")]


def credited(spec: Spec, picked: list[int]) -> float | None:
    """The share that choices with a credit of their own earn together, 0 to 1; None where no choice has one."""
    if not any("credit" in choice for choice in spec["choices"]):
        return None
    shares = [float(choice.get("credit", 1.0 if choice.get("correct") else 0.0)) for choice in spec["choices"]]
    total = sum(shares[index] for index in picked)
    return 1.0 if total > 0.99999 else max(0.0, total)


class _Choice(QuestionType):
    template = "quizzes/types/choice.html"
    several = False
    anchors = ("choices",)

    def present(self, spec: Spec, language: str, seed: str, response: Any) -> dict[str, Any]:
        count = len(spec["choices"])
        order = shuffled(count, seed) if spec.get("shuffle", True) else list(range(count))
        picked = chosen(spec, response)
        options = [
            {"value": index, "text": text(spec["choices"][index]["text"], language), "checked": index in picked}
            for index in order
        ]
        return {"options": options, "kind": "checkbox" if self.several else "radio"}

    def parse(self, form: Form, name: str, spec: Spec) -> Any:
        numbers = [int(value) for value in form.getlist(name) if value.isdecimal() and len(value) < 3]
        return chosen(spec, numbers) or None

    def key(self, spec: Spec, language: str) -> list[str]:
        return [text(spec["choices"][index]["text"], language) for index in correct(spec)]

    def said(self, spec: Spec, response: Any, language: str) -> list[str]:
        return [text(spec["choices"][index]["text"], language) for index in chosen(spec, response)]

    def why(self, spec: Spec, response: Any, language: str) -> list[str]:
        found = (spec["choices"][index].get("why") for index in chosen(spec, response))
        return [text(remark, language) for remark in found if remark]


class Single(_Choice):
    """One choice is right; all or nothing."""

    name = "single"
    properties = {"choices": CHOICES, "shuffle": {"type": "boolean"}}
    required = ("choices",)

    def problems(self, spec: Spec) -> Iterator[tuple[FieldPath, str]]:
        if len(correct(spec)) != 1:
            yield ("choices",), f"exactly one choice has `correct: true`; here {len(correct(spec))} have"

    def grade(self, spec: Spec, response: Any) -> Mark:
        picked = chosen(spec, response)
        detail = {"chosen": picked, "correct": correct(spec)}
        if (share := credited(spec, picked[:1])) is not None:
            return Mark(share, detail)
        return Mark(1.0 if picked == correct(spec) else 0.0, detail)


class Multiple(_Choice):
    """Several choices may be right; a wrong one takes away what a right one gives."""

    name = "multiple"
    several = True
    properties = {"choices": CHOICES, "shuffle": {"type": "boolean"}, "partial": {"type": "boolean"}}
    required = ("choices",)

    def problems(self, spec: Spec) -> Iterator[tuple[FieldPath, str]]:
        if not correct(spec):
            yield ("choices",), "at least one choice has `correct: true`; here none has"

    def hits(self, spec: Spec, response: Any) -> list[bool]:
        right = correct(spec)
        return [index in right for index in chosen(spec, response)]

    def grade(self, spec: Spec, response: Any) -> Mark:
        picked, right = chosen(spec, response), correct(spec)
        hits = len(set(picked) & set(right))
        misses = len(picked) - hits
        detail = {"chosen": picked, "correct": right}
        if (share := credited(spec, picked)) is not None:
            return Mark(share, detail)
        if not spec.get("partial", True):
            return Mark(1.0 if picked == right else 0.0, detail)
        return Mark(max(0, hits - misses) / len(right), detail)
