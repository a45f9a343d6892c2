"""Patterns that learners write and Python's engine runs: what could backtrack for exponential time is refused before it runs."""

from __future__ import annotations

import re

from .errors import BadInput

MAX_PATTERN = 4000


class BadPattern(BadInput):
    """The pattern is wrong or refused; the message is what the tool prints."""


def guard(pattern: str) -> None:
    """Refuse patterns that could run for exponential time: an unbounded repetition of a group that repeats or alternates."""
    if len(pattern) > MAX_PATTERN:
        raise BadPattern("Regular expression too big")
    try:
        import re._parser as parser  # type: ignore[import-not-found]

        tree = parser.parse(pattern)
    except re.error as failed:
        raise BadPattern(python_error(failed)) from None
    except (RecursionError, OverflowError):
        raise BadPattern("Regular expression too big") from None
    if _dangerous(tree, 0):
        raise BadPattern("Regular expression too complex for Slipway (nested repetition)")


def python_error(failed: re.error) -> str:
    """What GNU tools say of a pattern that cannot be compiled."""
    text = str(failed)
    if "nothing to repeat" in text or "multiple repeat" in text:
        return "Invalid preceding regular expression"
    if "invalid group reference" in text:
        return "Invalid back reference"
    if "bad character range" in text:
        return "Invalid range end"
    if "min repeat" in text:
        return "Invalid content of \\{\\}"
    return "Invalid regular expression"


def _dangerous(tree: object, loops: int) -> bool:
    for op, args in tree:  # type: ignore[attr-defined]
        name = str(op)
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            _, high, body = args
            many = int(high) > 16
            if many and loops and not _fixed(body):
                return True
            if many and loops:
                return True
            if _dangerous(body, loops + many if not _single(body) else 0):
                return True
        elif name == "SUBPATTERN":
            if _dangerous(args[3], loops):
                return True
        elif name == "BRANCH":
            if loops and _overlapping(args[1]):
                return True
            if any(_dangerous(branch, loops) for branch in args[1]):
                return True
    return False


def _single(body: object) -> bool:
    items = list(body)  # type: ignore[call-overload]
    return len(items) == 1 and str(items[0][0]) in ("LITERAL", "ANY", "IN", "NOT_LITERAL")


def _fixed(body: object) -> bool:
    return body.getwidth()[0] == body.getwidth()[1]  # type: ignore[attr-defined,no-any-return]


def _overlapping(branches: list[object]) -> bool:
    """Whether two alternatives under a repetition may begin alike (first literals decide; anything else may)."""
    seen: set[int] = set()
    for branch in branches:
        items = list(branch)  # type: ignore[call-overload]
        if not items or str(items[0][0]) != "LITERAL" or items[0][1] in seen:
            return True
        seen.add(items[0][1])
    return False
