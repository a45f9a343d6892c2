"""Short text.  An answer is the text as typed; spaces at the ends and runs of spaces never count.

Patterns are matched whole, in the language that authors may use for checks as well (Go's RE2: no look-around, no back-references), at most
200 characters, in time linear in the answer, which is at most 200 itself.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from lessons.quizzes.types.base import FieldPath, Form, Mark, QuestionType, Spec, text
from simulator.core.kube.api import regexp

MAX_ANSWER = 200


def pattern_problem(pattern: str) -> str:
    """Why a pattern may not be used, or nothing."""
    try:
        regexp.compile(pattern)
    except regexp.BadPattern as error:
        return f"not a regular expression: {error}"
    return ""


def _compiled(pattern: str, *, case: bool) -> regexp.Pattern:
    return regexp.compile(rf"{'' if case else '(?i)'}\A(?:{pattern})\z")


def squeeze(answer: str) -> str:
    """The answer without spaces that do not count, its letters composed as a keyboard types them: Hangul that came as jamo, full-width Latin."""
    return " ".join(unicodedata.normalize("NFKC", answer).split())


def _says(accepted: Any, given: str, case: bool) -> bool:
    """Whether an answer is an accepted one, in any of its languages."""
    words = [squeeze(word) for word in (accepted.values() if isinstance(accepted, Mapping) else [accepted])]
    return given in words if case else given.casefold() in [word.casefold() for word in words]


class Short(QuestionType):
    """A word or a short line that is compared with accepted ones."""

    name = "short"
    template = "quizzes/types/text.html"
    properties = {
        "accept": {"type": "array", "minItems": 1, "maxItems": 20, "items": {"$ref": "#/$defs/either"}},
        "patterns": {"type": "array", "maxItems": 10, "items": {"type": "string", "minLength": 1, "maxLength": 200}},
        "case": {"type": "boolean"},
        "partial": {
            "type": "array",
            "maxItems": 20,
            "items": {
                "type": "object",
                "properties": {
                    "text": {"$ref": "#/$defs/either"},
                    "credit": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
                    "why": {"$ref": "#/$defs/text"},
                },
                "required": ["text", "credit"],
                "additionalProperties": False,
            },
        },
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
        equal = any(_says(item, given, case) for item in spec["accept"])
        hit = next((pattern for pattern in spec.get("patterns", []) if _compiled(pattern, case=case).search(given)), None)
        part = self._part(spec, given)
        share = 1.0 if equal or hit else float(part["credit"]) if part else 0.0
        return Mark(share, {"given": given, "equal": equal, "pattern": hit})

    def _part(self, spec: Spec, given: str) -> Spec | None:
        """The answer worth a part of the points that was given."""
        case = bool(spec.get("case"))
        return next((item for item in spec.get("partial", []) if _says(item["text"], given, case)), None)

    def why(self, spec: Spec, response: Any, language: str) -> list[str]:
        if not isinstance(response, str) or self.grade(spec, response).right:
            return []
        part = self._part(spec, squeeze(response[:MAX_ANSWER]))
        return [text(part["why"], language)] if part and "why" in part else []

    def key(self, spec: Spec, language: str) -> list[str]:
        return [text(spec["accept"][0], language)]

    def said(self, spec: Spec, response: Any, language: str) -> list[str]:
        return [response] if isinstance(response, str) and response else []
