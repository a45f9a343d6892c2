"""True or false.  An answer is a boolean."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext, override

from lessons.quizzes.types.base import Form, Mark, QuestionType, Spec, text


def _word(value: bool, language: str) -> str:
    with override(language):
        return gettext("True") if value else gettext("False")


class TrueFalse(QuestionType):
    """A statement that holds or does not."""

    name = "truefalse"
    template = "quizzes/types/choice.html"
    properties = {"answer": {"type": "boolean"}, "why": {"$ref": "#/$defs/text"}}
    required = ("answer",)

    def present(self, spec: Spec, language: str, seed: str, response: Any) -> dict[str, Any]:
        options = [
            {"value": "true", "text": _word(True, language), "checked": response is True},
            {"value": "false", "text": _word(False, language), "checked": response is False},
        ]
        return {"options": options, "kind": "radio"}

    def parse(self, form: Form, name: str, spec: Spec) -> Any:
        return {"true": True, "false": False}.get(form.get(name, ""))

    def grade(self, spec: Spec, response: Any) -> Mark:
        return Mark(1.0 if response is spec["answer"] else 0.0, {"answer": spec["answer"], "given": response})

    def key(self, spec: Spec, language: str) -> list[str]:
        return [_word(spec["answer"], language)]

    def said(self, spec: Spec, response: Any, language: str) -> list[str]:
        return [_word(response, language)] if isinstance(response, bool) else []

    def why(self, spec: Spec, response: Any, language: str) -> list[str]:
        return [text(spec["why"], language)] if "why" in spec else []
