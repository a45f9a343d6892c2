"""Fill-in.  The text holds gaps `[[name]]`; an answer is what was written in each gap, by name.

A gap takes words as short text does (`accept`, `patterns`, `case`), a number (`answer`, `tolerance`), or one of `choices`, of
which the first is right.  Every gap is worth the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lessons.quizzes.types.base import FieldPath, Form, Mark, QuestionType, Spec, shuffled, text
from lessons.quizzes.types.numeric import Numeric
from lessons.quizzes.types.short import MAX_ANSWER, Short, squeeze

GAP = re.compile(r"\[\[([a-z0-9]+(?:-[a-z0-9]+)*)\]\]")
_SHORT, _NUMBER = Short(), Numeric()


def given(spec: Spec, response: Any) -> dict[str, str]:
    """What was written in the gaps that there are."""
    if not isinstance(response, Mapping):
        return {}
    return {name: response[name] for name in spec["gaps"] if isinstance(response.get(name), str) and response[name]}


def choices(gap: Spec, language: str) -> list[str]:
    """The words of a gap that offers some, the right one first."""
    return [text(item, language) for item in gap["choices"]]


class FillIn(QuestionType):
    """A text with gaps."""

    name = "fillin"
    template = "quizzes/types/fillin.html"
    anchors = ("gaps",)
    properties = {
        "fill": {"$ref": "#/$defs/text"},
        "gaps": {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 12,
            "additionalProperties": {
                "type": "object",
                "properties": {
                    **Short.properties,
                    **Numeric.properties,
                    "choices": {"type": "array", "minItems": 2, "maxItems": 8, "items": {"$ref": "#/$defs/either"}},
                },
                "additionalProperties": False,
            },
        },
    }
    required = ("fill", "gaps")

    def problems(self, spec: Spec) -> Iterator[tuple[FieldPath, str]]:
        for language in ("ko", "en"):
            found = GAP.findall(text(spec["fill"], language))
            for name in sorted(set(found) - set(spec["gaps"])):
                yield ("fill", language), f"there is no gap `{name}` under `gaps`"
            for name in sorted(set(spec["gaps"]) - set(found)):
                yield ("gaps", name), f"is not in the text ({language})"
            for name in sorted({item for item in found if found.count(item) > 1}):
                yield ("fill", language), f"the gap `{name}` is there twice"
        for name, gap in spec["gaps"].items():
            ways = [key for key in ("accept", "answer", "choices") if key in gap]
            if len(ways) != 1:
                yield ("gaps", name), f"needs one of accept, answer, choices; there is {' and '.join(ways) or 'none'}"
            elif ways == ["accept"]:
                for path, reason in _SHORT.problems(gap):
                    yield ("gaps", name, *path), reason

    def present(self, spec: Spec, language: str, seed: str, response: Any) -> dict[str, Any]:
        parts: list[dict[str, Any]] = []
        kept = given(spec, response)
        for index, part in enumerate(GAP.split(text(spec["fill"], language))):
            if index % 2 == 0:
                parts.append({"text": part})
                continue
            gap = spec["gaps"].get(part, {})
            shown: dict[str, Any] = {"gap": part, "number": index // 2 + 1, "value": kept.get(part, ""), "max": MAX_ANSWER}
            if "choices" in gap:
                words = choices(gap, language)
                picked = kept.get(part, "")
                order = shuffled(len(words), f"{seed}/{part}")
                shown["options"] = [{"value": place, "text": words[place], "chosen": str(place) == picked} for place in order]
            shown["numeric"] = "answer" in gap
            parts.append(shown)
        return {"parts": parts}

    def parse(self, form: Form, name: str, spec: Spec) -> Any:
        found = {gap: squeeze(form.get(f"{name}.{gap}", "")[:MAX_ANSWER]) for gap in spec["gaps"]}
        return {gap: word for gap, word in found.items() if word} or None

    def grade(self, spec: Spec, response: Any) -> Mark:
        kept = given(spec, response)
        right = {name: name in kept and self._right(gap, kept[name]) for name, gap in spec["gaps"].items()}
        return Mark(sum(right.values()) / len(right), {"given": kept, "right": right})

    def hits(self, spec: Spec, response: Any) -> list[bool]:
        return [self._right(spec["gaps"][name], word) for name, word in given(spec, response).items()]

    @staticmethod
    def _right(gap: Spec, word: str) -> bool:
        if "choices" in gap:
            if not word.isdecimal() or int(word[:3]) >= len(gap["choices"]):
                return False
            return bool(gap["choices"][int(word[:3])] == gap["choices"][0])
        return (_NUMBER if "answer" in gap else _SHORT).grade(gap, word).right

    def key(self, spec: Spec, language: str) -> list[str]:
        out = []
        for name, gap in spec["gaps"].items():
            if "choices" in gap:
                out.append(f"{name}: {choices(gap, language)[0]}")
            else:
                out += [f"{name}: {line}" for line in (_NUMBER if "answer" in gap else _SHORT).key(gap, language)]
        return out

    def said(self, spec: Spec, response: Any, language: str) -> list[str]:
        out = []
        for name, word in given(spec, response).items():
            gap = spec["gaps"][name]
            if "choices" in gap:
                words = choices(gap, language)
                word = words[int(word[:3])] if word.isdecimal() and int(word[:3]) < len(words) else word
            out.append(f"{name}: {word}")
        return out
