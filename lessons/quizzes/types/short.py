"""Short text.  An answer is the text as typed; spaces at the ends and runs of spaces never count.

Patterns are matched whole, in the small language that authors may use for checks as well: no look-around, no
back-references, at most 200 characters, and the answer itself is at most 200, so that matching is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lessons.quizzes.types.base import FieldPath, Form, Mark, QuestionType, Spec, text

MAX_ANSWER = 200
_FORBIDDEN = re.compile(r"\(\?(?!:)|\\[1-9]|[*+}]\)?[*+{]|\((?:[^()]*[*+}][^()]*)\)[*+{]")


def pattern_problem(pattern: str) -> str:
    """Why a pattern may not be used, or nothing."""
    if _FORBIDDEN.search(pattern):
        return "look-around, back-references and a repetition inside a repetition are not allowed"
    try:
        re.compile(pattern)
    except re.error as error:
        return f"not a regular expression: {error}"
    return ""


def squeeze(answer: str) -> str:
    """The answer without spaces that do not count."""
    return " ".join(answer.split())


class Short(QuestionType):
    """A word or a short line that is compared with accepted ones."""

    name = "short"
    template = "quizzes/types/text.html"
    properties = {
        "accept": {"type": "array", "minItems": 1, "maxItems": 20, "items": {"$ref": "#/$defs/either"}},
        "patterns": {"type": "array", "maxItems": 10, "items": {"type": "string", "minLength": 1, "maxLength": 200}},
        "case": {"type": "boolean"},
    }
    required = ("accept",)

    def problems(self, spec: Spec) -> Iterator[tuple[FieldPath, str]]:
        for index, pattern in enumerate(spec.get("patterns", [])):
            if reason := pattern_problem(pattern):
                yield ("patterns", index), reason

    def present(self, spec: Spec, language: str, seed: str, response: Any) -> dict[str, Any]:
        return {"value": response if isinstance(response, str) else "", "numeric": False, "max": MAX_ANSWER}

    def parse(self, form: Form, name: str, spec: Spec) -> Any:
        return squeeze(form.get(name, "")[:MAX_ANSWER]) or None

    def grade(self, spec: Spec, response: Any) -> Mark:
        if not isinstance(response, str) or not response:
            return Mark(0.0, {"given": response})
        case = bool(spec.get("case"))
        given = squeeze(response[:MAX_ANSWER])
        accepted = [squeeze(word) for item in spec["accept"] for word in (item.values() if isinstance(item, dict) else [item])]
        if not case:
            folded = [word.casefold() for word in accepted]
            equal = given.casefold() in folded
        else:
            equal = given in accepted
        flags = 0 if case else re.IGNORECASE
        hit = next((pattern for pattern in spec.get("patterns", []) if re.fullmatch(pattern, given, flags)), None)
        return Mark(1.0 if equal or hit else 0.0, {"given": given, "equal": equal, "pattern": hit})

    def key(self, spec: Spec, language: str) -> list[str]:
        return [text(spec["accept"][0], language)]

    def said(self, spec: Spec, response: Any, language: str) -> list[str]:
        return [response] if isinstance(response, str) and response else []
