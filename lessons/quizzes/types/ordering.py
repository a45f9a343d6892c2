"""Ordering.  An answer is a list: the indices of the spec's `items` in the learner's order.

The page sends a position for each item (`name.<index>`).  Where two items ask for one position, the one that was moved
gets it: choosing "2" for the fifth item moves it above the second, as a drag would.
"""

from __future__ import annotations

import itertools
from typing import Any

from lessons.quizzes.types.base import Form, Mark, QuestionType, Spec, shuffled, text


def order(spec: Spec, response: Any) -> list[int] | None:
    """The answer when it is an order of all items, else nothing."""
    whole = isinstance(response, list) and all(type(item) is int for item in response)
    return list(response) if whole and sorted(response) == list(range(len(spec["items"]))) else None


def start(spec: Spec, seed: str) -> list[int]:
    """The order that a learner is given first: never the right one."""
    shown = shuffled(len(spec["items"]), seed)
    return shown if shown != sorted(shown) else shown[1:] + shown[:1]


class Ordering(QuestionType):
    """Put the items in order; each right neighbour counts."""

    name = "ordering"
    anchors = ("items",)
    template = "quizzes/types/ordering.html"
    properties = {"items": {"type": "array", "minItems": 3, "maxItems": 8, "items": {"$ref": "#/$defs/either"}}}
    required = ("items",)

    def present(self, spec: Spec, language: str, seed: str, response: Any) -> dict[str, Any]:
        shown = order(spec, response) or start(spec, seed)
        positions = range(1, len(shown) + 1)
        rows = [
            {"index": index, "position": place, "text": text(spec["items"][index], language)}
            for place, index in enumerate(shown, 1)
        ]
        return {"rows": rows, "positions": list(positions), "last": len(shown)}

    def parse(self, form: Form, name: str, spec: Spec) -> Any:
        count = len(spec["items"])
        shown = [int(value) for value in form.getlist(f"{name}.shown") if value.isdecimal() and len(value) < 3]
        if sorted(shown) != list(range(count)):
            return None
        places: dict[int, float] = {}
        for before, index in enumerate(shown, 1):
            value = form.get(f"{name}.{index}", "")
            if not value.isdecimal() or not 1 <= int(value[:3]) <= count:
                return None
            after = int(value[:3])
            places[index] = after + (0.5 if after > before else -0.5 if after < before else 0.0)
        return sorted(shown, key=lambda index: (places[index], shown.index(index)))

    def untouched(self, spec: Spec, answer: Any, seed: str) -> bool:
        return bool(answer == start(spec, seed))

    def grade(self, spec: Spec, response: Any) -> Mark:
        given = order(spec, response)
        if given is None:
            return Mark(0.0, {"order": None})
        neighbours = sum(b == a + 1 for a, b in itertools.pairwise(given))
        return Mark(neighbours / (len(given) - 1), {"order": given, "neighbours": neighbours})

    def key(self, spec: Spec, language: str) -> list[str]:
        return [f"{place}. {text(item, language)}" for place, item in enumerate(spec["items"], 1)]

    def said(self, spec: Spec, response: Any, language: str) -> list[str]:
        given = order(spec, response)
        if given is None:
            return []
        return [f"{place}. {text(spec['items'][index], language)}" for place, index in enumerate(given, 1)]
