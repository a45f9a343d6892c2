"""Conditions of a check: one operator on the value at a path, in the vocabulary of docs/authoring.md."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ..kernel.errors import BadInput
from ..kube.api import regexp
from . import expressions, paths

MAX_PATTERN = 200
MAX_TEXT = 200_000


def pattern(text: str) -> regexp.Pattern:
    """A regular expression, `^` and `$` at lines; matched in linear time, so no author's pattern blows up on what a learner prints."""
    if len(text) > MAX_PATTERN:
        raise BadInput(f"matches: longer than {MAX_PATTERN} characters")
    try:
        return regexp.compile(f"(?m){text}")
    except regexp.BadPattern as error:
        raise BadInput(f"matches: {error}") from None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _contains(value: Any, want: Any) -> bool:
    if isinstance(value, str):
        return str(want) in value
    return isinstance(value, (list, dict)) and want in value


def _equals(value: Any, want: Any) -> bool:
    return type(value) is type(want) and bool(value == want)


def _compare(value: Any, want: Any, low: bool) -> bool:
    number, bound = _number(value), _number(want)
    return number is not None and bound is not None and (number >= bound if low else number <= bound)


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "equals": _equals,
    "not_equals": lambda value, want: not _equals(value, want),
    "contains": _contains,
    "not_contains": lambda value, want: isinstance(value, (str, list, dict)) and not _contains(value, want),
    "matches": lambda value, want: isinstance(value, str) and pattern(str(want)).search(value[:MAX_TEXT]),
    "at_least": lambda value, want: _compare(value, want, True),
    "at_most": lambda value, want: _compare(value, want, False),
    "exists": lambda value, want: (value is not None) == bool(want),
    "one_of": lambda value, want: any(_equals(value, w) for w in want),
    "length": lambda value, want: isinstance(value, (str, list)) and len(value) == want,
    "cel": lambda value, want: expressions.truth(str(want), {"value": value}),
}

#: Short forms for `run` probes: name → (field, operator).
SHORT: dict[str, tuple[str, str]] = {
    "stdout_contains": ("stdout", "contains"),
    "stdout_not_contains": ("stdout", "not_contains"),
    "stdout_equals": ("stdout", "equals"),
    "stdout_matches": ("stdout", "matches"),
    "stderr_contains": ("stderr", "contains"),
    "stderr_matches": ("stderr", "matches"),
    "code": ("code", "equals"),
}


def expand(condition: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """One condition as (path, operator, wanted) triples; short forms may stand together.  Raises BadInput."""
    out = [(SHORT[k][0], SHORT[k][1], v) for k, v in condition.items() if k in SHORT]
    path = str(condition.get("path", ""))
    for key, value in condition.items():
        if key in OPERATORS or key == "same":
            out.append((path, key, value))
        elif key != "path" and key not in SHORT:
            raise BadInput(f"expect: unknown operator {key!r}")
    if not out:
        raise BadInput("expect: a condition needs an operator")
    return out


def holds(value: Any, path: str, operator: str, want: Any) -> tuple[bool, Any]:
    """Whether the operator holds at the path, and the value to show as found."""
    found, every = paths.values(value, path)
    test = OPERATORS[operator]
    if every:
        bad = [v for v in found if not test(v, want)]
        return bool(found) and not bad, (bad or found)
    return test(found[0], want), found[0]


_WORDS = {
    "equals": "{path} {want}",
    "not_equals": "{path} ≠ {want}",
    "contains": "{path} ∋ {want}",
    "not_contains": "{path} ∌ {want}",
    "matches": "{path} ~ {want}",
    "at_least": "{path} ≥ {want}",
    "at_most": "{path} ≤ {want}",
    "one_of": "{path} ∈ {want}",
    "length": "length({path}) = {want}",
    "cel": "{want}",
}


def describe(path: str, operator: str, want: Any) -> str:
    """A condition in symbols that need no translation."""
    shown = show(want)
    if operator == "exists":
        return f"{path or 'object'}: {'✓' if want else '∅'}"
    return _WORDS.get(operator, "{path} {want}").format(path=path, want=shown).strip()


def show(value: Any, limit: int = 300) -> str:
    """A value as text for people, shortened."""
    if value is None:
        return "∅"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = text.strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"
