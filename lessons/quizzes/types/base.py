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
    #: who marks it: `text` the answer alone, `world` a simulated cluster (`asks`, `judged`), `hand` a person
    marked_by: str = "text"
    #: whether the answer is a cluster of the attempt's own, which the page does not send
    own_cluster: bool = False
    #: the fields that an answer refers to by position or name; a mended text may not change their number or names
    anchors: tuple[str, ...] = ()

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

    def hits(self, spec: Spec, response: Any) -> list[bool]:
        """Whether each line of `said` is right; empty for a type whose lines are not right or wrong by themselves."""
        return []

    def why(self, spec: Spec, response: Any, language: str) -> list[str]:
        """Remarks on what was chosen."""
        return []

    # -- questions about a world ------------------------------------------------------------------------------------------

    def produces(self, spec: Spec) -> dict[str, Any] | None:
        """The trial (`simulator.trials`) whose outputs the question shows; None for a question that shows none."""
        return None

    def asks(self, spec: Spec, response: Any) -> dict[str, Any]:
        """What marks the answer: a trial, or `{session, seq, program}` for a learner's own cluster."""
        raise NotImplementedError

    def judged(self, spec: Spec, response: Any, found: Mapping[str, Any]) -> Mark:
        """The mark, from what the world said."""
        raise NotImplementedError

    def same_answers(self, old: Spec, new: Spec) -> str:
        """Why an answer to `old` cannot be marked by `new`, or nothing."""
        if old["type"] != new["type"]:
            return "the type is another"
        for name in self.anchors:
            if shape(old.get(name)) != shape(new.get(name)):
                return f"{name}: there are more, fewer or others than the learner saw"
        return ""


def shape(value: Any) -> Any:
    """What an answer refers to: how many in a list, which names in a map."""
    if isinstance(value, Mapping):
        return sorted(value)
    return len(value) if isinstance(value, list) else None
