"""What about an item deserves a look.  Limits after Ebel and Frisbie, "Essentials of Educational Measurement" (1991)."""

from __future__ import annotations

from dataclasses import dataclass

#: With fewer people than this nothing is said: chance would say it.
ENOUGH = 10
HARD, EASY = 0.25, 0.95
WEAK = 0.2
#: A wrong choice that fewer than this share take does not distract.
UNUSED = 0.03


@dataclass(frozen=True, slots=True)
class Choice:
    """A possible answer: how many gave it, in all and in the upper and lower group; whether it is right."""

    right: bool
    count: int
    upper: int
    lower: int


def flags(
    people: int, facility: float | None, discrimination: float | None, choices: list[Choice], *, single: bool = False
) -> list[str]:
    """Words for what is remarkable: `hard`, `easy`, `negative`, `weak`, `key`, `unused`."""
    if people < ENOUGH or facility is None:
        return []
    found = []
    if facility < HARD:
        found.append("hard")
    if facility > EASY:
        found.append("easy")
    if discrimination is not None and discrimination < 0:
        found.append("negative")
    elif discrimination is not None and discrimination < WEAK:
        found.append("weak")
    right = max((choice.upper for choice in choices if choice.right), default=0)
    if single and any(not choice.right and choice.upper > right for choice in choices):
        found.append("key")
    if any(not choice.right and choice.count < UNUSED * people for choice in choices):
        found.append("unused")
    return found
