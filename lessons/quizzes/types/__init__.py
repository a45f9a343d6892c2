"""The question types, one file each.  A new type is a file here and a row in `TYPES`."""

from __future__ import annotations

from typing import Any

from lessons.quizzes.types.base import Mark, QuestionType
from lessons.quizzes.types.choice import Multiple, Single
from lessons.quizzes.types.component import Component
from lessons.quizzes.types.fillin import FillIn
from lessons.quizzes.types.freetext import FreeText
from lessons.quizzes.types.matching import Matching
from lessons.quizzes.types.numeric import Numeric
from lessons.quizzes.types.ordering import Ordering
from lessons.quizzes.types.short import Short
from lessons.quizzes.types.truefalse import TrueFalse
from lessons.quizzes.types.world import Command, Output, State

TYPES: dict[str, QuestionType] = {
    kind.name: kind
    for kind in (
        *(Single(), Multiple(), TrueFalse(), Short(), Numeric(), Matching(), Ordering()),
        *(FillIn(), Component(), Output(), Command(), State(), FreeText()),
    )
}


def schema(base: dict[str, Any], kind: QuestionType) -> dict[str, Any]:
    """The schema of a question of `kind`: every question's fields and its own, and no others."""
    return {
        **base,
        "properties": {**base["properties"], **kind.properties},
        "required": [*base["required"], *kind.required],
        "additionalProperties": False,
    }


__all__ = ["TYPES", "Mark", "QuestionType", "schema"]
