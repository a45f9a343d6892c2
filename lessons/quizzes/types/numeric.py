"""A number with a tolerance.  An answer is the text as typed (so that a learner sees what they wrote)."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Any

from lessons.quizzes.types.base import Form, Mark, QuestionType, Spec, text

#: Thousands in groups of three; `0,125` is a decimal comma.
_GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]+)?")


def number(answer: Any) -> Decimal | None:
    """The number that a learner typed: full-width digits, thin spaces, `10,250` as Korean and English group thousands, and a decimal
    comma are understood; nothing else is guessed."""
    if not isinstance(answer, str) or len(answer) > 40:
        return None
    plain = unicodedata.normalize("NFKC", answer).replace(" ", "").replace("\u2212", "-")
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    elif plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    try:
        value = Decimal(plain)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _within(wanted: Spec, value: Decimal | None) -> bool:
    """Whether a number is the wanted one within its tolerance."""
    room = Decimal(str(wanted.get("tolerance", 0)))
    return value is not None and abs(value - Decimal(str(wanted["answer"]))) <= room


class Numeric(QuestionType):
    """A number, right within an absolute tolerance."""

    name = "numeric"
    template = "quizzes/types/text.html"
    properties = {
        "answer": {"type": "number"},
        "tolerance": {"type": "number", "minimum": 0},
        "unit": {"$ref": "#/$defs/either"},
        "partial": {
            "type": "array",
            "maxItems": 20,
            "items": {
                "type": "object",
                "properties": {
                    "answer": {"type": "number"},
                    "tolerance": {"type": "number", "minimum": 0},
                    "credit": {"type": "number", "minimum": 0, "maximum": 1},
                    "why": {"$ref": "#/$defs/text"},
                },
                "required": ["answer", "credit"],
                "additionalProperties": False,
            },
        },
    }
    required = ("answer",)

    def present(self, spec: Spec, language: str, seed: str, response: Any) -> dict[str, Any]:
        unit = text(spec["unit"], language) if "unit" in spec else ""
        return {"value": response if isinstance(response, str) else "", "numeric": True, "unit": unit, "max": 40}

    def parse(self, form: Form, name: str, spec: Spec) -> Any:
        return form.get(name, "").strip()[:40] or None

    def grade(self, spec: Spec, response: Any) -> Mark:
        value = number(response)
        part = self._part(spec, value)
        share = 1.0 if _within(spec, value) else float(part["credit"]) if part else 0.0
        return Mark(share, {"given": response, "read_as": None if value is None else str(value)})

    def _part(self, spec: Spec, value: Decimal | None) -> Spec | None:
        """Another answer that is worth something."""
        return next((item for item in spec.get("partial", []) if _within(item, value)), None)

    def why(self, spec: Spec, response: Any, language: str) -> list[str]:
        value = number(response)
        part = None if _within(spec, value) else self._part(spec, value)
        return [text(part["why"], language)] if part and "why" in part else []

    def key(self, spec: Spec, language: str) -> list[str]:
        unit = f" {text(spec['unit'], language)}" if "unit" in spec else ""
        room = f" ± {spec['tolerance']}" if spec.get("tolerance") else ""
        return [f"{spec['answer']}{room}{unit}"]

    def said(self, spec: Spec, response: Any, language: str) -> list[str]:
        return [response] if isinstance(response, str) and response else []
