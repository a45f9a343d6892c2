"""Questions as formats exchange them: between GIFT, QTI and Slipway's own question types.

An `Item` holds everything that any of the formats can say, so that reading and writing the same format loses nothing;
what another format cannot say is told in a `Note`.  Items are plain data (msgspec Structs), kept as JSON in a set.
Fractions are shares of a question's points, -1 to 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What is asked."""

    DESCRIPTION = "description"
    ESSAY = "essay"
    TRUEFALSE = "truefalse"
    SINGLE = "single"
    MULTIPLE = "multiple"
    SHORT = "short"
    MATCHING = "matching"
    NUMERICAL = "numerical"
    ORDERING = "ordering"


#: Moodle's text formats, as GIFT writes them; `moodle` is text in which line breaks count.
FORMATS = ("moodle", "html", "plain", "markdown")


class Text(msgspec.Struct, frozen=True, omit_defaults=True):
    """A text in one of Moodle's formats."""

    text: str = ""
    format: str = "moodle"

    def __bool__(self) -> bool:
        return bool(self.text)


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A choice or an accepted answer: what it says, what it is worth, what is said to whoever gives it."""

    text: Text
    fraction: float = 0.0
    feedback: Text = Text()


class Number(msgspec.Struct, frozen=True, omit_defaults=True):
    """An accepted number: a value with a tolerance, a range, or `*` for any other.  Numbers are decimal texts."""

    value: str = ""
    tolerance: str = "0"
    low: str = ""
    high: str = ""
    fraction: float = 1.0
    feedback: Text = Text()

    def bounds(self) -> tuple[Decimal, Decimal] | None:
        """The least and the most that is accepted, both inclusive; None for any number."""
        if self.value == "*":
            return None
        if self.low:
            return Decimal(self.low), Decimal(self.high)
        return Decimal(self.value) - Decimal(self.tolerance), Decimal(self.value) + Decimal(self.tolerance)


class Pair(msgspec.Struct, frozen=True, omit_defaults=True):
    """A left side and the right side that belongs to it; an empty left side makes an extra right side."""

    left: Text
    right: str


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """One question."""

    kind: Kind
    text: Text
    name: str = ""
    answers: tuple[Answer, ...] = ()
    numbers: tuple[Number, ...] = ()
    pairs: tuple[Pair, ...] = ()
    #: items of an ordering question, in the right order
    order: tuple[Text, ...] = ()
    #: of a true/false question: the answer, and what is said to the right and the wrong one
    truth: bool = False
    right: Text = Text()
    wrong: Text = Text()
    #: said to everybody after the question
    feedback: Text = Text()
    #: the answers stand where `_____` is in the text
    blank: bool = False
    #: whether capitals count in a short answer
    case: bool = False
    shuffle: bool = True
    #: only all right choices together earn anything
    together: bool = False
    points: float = 1.0
    category: str = ""
    id: str = ""
    tags: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    #: where it was read
    line: int = 0


#: The mark in a text where the answers of a missing-word question stand.
BLANK = "_____"


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """Something that did not carry over as it was.  `line` is 0 where there is no file to point at."""

    line: int
    question: str
    reason: str

    def shown(self, file: str = "") -> str:
        """`file:line: question: reason`, without the parts that are empty."""
        where = f"{file}:{self.line}" if file and self.line else file
        return ": ".join(part for part in (where, self.question, self.reason) if part)


def label(item: Item) -> str:
    """How a report calls a question: its name, or the beginning of its text."""
    words = item.name or " ".join(item.text.text.split())
    return words if len(words) <= 60 else words[:59] + "…"


def to_json(items: Iterable[Item]) -> list[dict[str, object]]:
    """Items as they are kept."""
    plain: list[dict[str, object]] = msgspec.to_builtins(list(items))
    return plain


def from_json(data: object) -> list[Item]:
    """The reverse of `to_json`.  Raises `msgspec.ValidationError`."""
    return msgspec.convert(data, list[Item])
