"""What a question type is: rules for its fields, what a learner is shown, what an answer looks like, how it is marked.

A type knows nothing of the database or of a page.  An answer (`Response`) is JSON-shaped; a mark is a fraction of the
points with the evidence for it.  Everything random comes from the `seed` that the attempt keeps.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Spec = Mapping[str, Any]
FieldPath = tuple[str | int, ...]


class Form(Protocol):
    """What a browser sent: the two calls of `django.http.QueryDict` that types use."""

    def get(self, key: str, default: str, /) -> Any:
        """The last value of a field."""

    def getlist(self, key: str, /) -> list[Any]:
        """All values of a field."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How good an answer is: 0 to 1, with the parts that make it up (kept as evidence)."""

    fraction: float
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def right(self) -> bool:
        """Whether the answer earns everything."""
        return self.fraction >= 1.0


def text(value: Any, language: str) -> str:
    """A text of a spec in one language; a plain string is the same in both."""
    if isinstance(value, Mapping):
        return str(value[language])
    return str(value)


def shuffled(count: int, seed: str) -> list[int]:
    """The numbers below `count` in an order that `seed` decides."""
    order = list(range(count))
    random.Random(seed).shuffle(order)
    return order


class QuestionType(ABC):
    """One kind of question.  Instances are stateless; see `lessons/quizzes/types/__init__.py` for the table of all."""

    #: the word in a file's `type:`
    name: str = ""
    #: the template of its controls, under templates/quizzes/types/
    template: str = ""
    #: JSON Schema of the fields that this type adds to every question's
    properties: Mapping[str, Any] = {}
    required: tuple[str, ...] = ()

    def problems(self, spec: Spec) -> Iterator[tuple[FieldPath, str]]:
        """What a schema cannot say about the spec: (field path, reason)."""
        yield from ()

    @abstractmethod
    def present(self, spec: Spec, language: str, seed: str, response: Any) -> dict[str, Any]:
        """What the template shows: never the key, always in an order that `seed` decides."""

    @abstractmethod
    def parse(self, form: Form, name: str, spec: Spec) -> Any:
        """The answer in a browser's form under fields that start with `name`; None for no answer."""

    def untouched(self, spec: Spec, answer: Any, seed: str) -> bool:
        """Whether a parsed answer is only what the page started with."""
        return False

    @abstractmethod
    def grade(self, spec: Spec, response: Any) -> Mark:
        """Mark an answer.  Never raises for an answer of a wrong shape: that earns nothing."""

    @abstractmethod
    def key(self, spec: Spec, language: str) -> list[str]:
        """The right answer in words, a line each, for feedback after the attempt."""

    @abstractmethod
    def said(self, spec: Spec, response: Any, language: str) -> list[str]:
        """The learner's answer in words, a line each, for feedback and evidence."""

    def why(self, spec: Spec, response: Any, language: str) -> list[str]:
        """Remarks on what was chosen."""
        return []
