"""Values of CEL: what JSON does not have, equality, order, and the names of types.

JSON values are themselves: None, bool, int, float, str, list, dict.  `bytes` are bytes.  The rest are the classes here.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from ...kernel import clock
from .syntax import UInt

INT_LOW, INT_HIGH, UINT_HIGH = -(1 << 63), (1 << 63) - 1, (1 << 64) - 1


class EvalError(Exception):
    """Evaluation failed; the message is cel-go's."""


class Exhausted(EvalError):
    """The budget is used up."""


def no_overload() -> EvalError:
    """The operator or function does not take such values."""
    return EvalError("no such overload")


class Duration(msgspec.Struct, frozen=True, order=True):
    """A length of time in ns."""

    ns: int


class Timestamp(msgspec.Struct, frozen=True, order=True):
    """A point in time in Unix ns."""

    ns: int


class TypeValue(msgspec.Struct, frozen=True):
    """A type as a value: `type(1) == int`."""

    name: str


class Optional(msgspec.Struct, frozen=True):
    """`optional.of(x)` and `optional.none()`."""

    value: Any = None
    present: bool = False


class SetList(list[Any]):
    """A list that its schema calls a set: equal whatever the order."""


class MapList(list[Any]):
    """A list that its schema calls a map; `keys` name its items."""

    keys: tuple[str, ...] = ()


class Extension:
    """A value of a library's type: quantities, addresses, URLs, …  Subclasses are structs with `type_name`."""

    type_name = "extension"


def type_name(value: Any) -> str:
    """The name of a value's type."""
    if value is None:
        return "null_type"
    kind = value.__class__
    simple = {bool: "bool", int: "int", UInt: "uint", float: "double", str: "string", bytes: "bytes"}.get(kind)
    if simple is not None:
        return simple
    if isinstance(value, list):
        return "list"
    if isinstance(value, dict):
        return "map"
    if isinstance(value, Extension):
        return value.type_name
    return {
        Duration: "google.protobuf.Duration", Timestamp: "google.protobuf.Timestamp", TypeValue: "type", Optional: "optional_type",
    }.get(kind, "dyn")  # fmt: skip


def is_number(value: Any) -> bool:
    """An int, uint or double."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def equal(left: Any, right: Any) -> bool:
    """`==`: numbers by value whatever their type, other types never equal one another."""
    if is_number(left) and is_number(right):
        return bool(left == right)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return _equal_lists(left, right)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(value, right[key]) for key, value in left.items())
    if isinstance(left, Optional) and isinstance(right, Optional):
        return left.present == right.present and equal(left.value, right.value)
    return type(left) is type(right) and bool(left == right)


def _equal_lists(left: list[Any], right: list[Any]) -> bool:
    if len(left) != len(right):
        return False
    if isinstance(left, SetList) or isinstance(right, SetList):
        return all(contains(right, item) for item in left) and all(contains(left, item) for item in right)
    if isinstance(left, MapList):
        found = {map_key(left.keys, item): item for item in right}
        return all(equal(item, found.get(map_key(left.keys, item), _ABSENT)) for item in left)
    return all(equal(a, b) for a, b in zip(left, right, strict=True))


_ABSENT = object()


def map_key(keys: tuple[str, ...], item: Any) -> tuple[str, ...]:
    """What names an item of a map list."""
    return tuple(repr(item.get(key)) if isinstance(item, dict) else "" for key in keys)


def contains(items: Any, wanted: Any) -> bool:
    """`in` for lists."""
    return any(equal(item, wanted) for item in items)


def compare(left: Any, right: Any) -> int:
    """-1, 0 or 1; raises EvalError for what has no order."""
    if is_number(left) and is_number(right):
        if (isinstance(left, float) and math.isnan(left)) or (isinstance(right, float) and math.isnan(right)):
            raise EvalError("NaN values cannot be ordered")
    elif type(left) is not type(right) or not isinstance(left, str | bytes | bool | Duration | Timestamp):
        raise no_overload()
    return int(left > right) - int(left < right)


def checked(value: int, kind: type = int) -> int:
    """An integer in its range; raises EvalError."""
    if kind is UInt:
        if not 0 <= value <= UINT_HIGH:
            raise EvalError("unsigned integer overflow")
        return UInt(value)
    if not INT_LOW <= value <= INT_HIGH:
        raise EvalError("integer overflow")
    return int(value)


_UNITS = {"h": 3_600_000_000_000, "m": 60_000_000_000, "s": 1_000_000_000, "ms": 1_000_000, "us": 1000, "µs": 1000, "ns": 1}


def parse_duration(text: str) -> Duration:
    """Go's `1h30m`; raises EvalError."""
    import re

    sign = -1 if text.startswith("-") else 1
    rest = text.lstrip("+-") if text[:1] in ("+", "-") else text
    parts = re.findall(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)", rest)
    if rest == "0":
        return Duration(0)
    if not parts or "".join(a + b for a, b in parts) != rest:
        raise EvalError(f'time: invalid duration "{text}"')
    total = 0
    for number, unit in parts:
        whole, _, fraction = number.partition(".")
        total += int(whole or "0") * _UNITS[unit]
        if fraction:
            total += int(fraction[:18]) * _UNITS[unit] // 10 ** len(fraction[:18])
    return Duration(sign * total)


def show_duration(value: Duration) -> str:
    """A duration as CEL's string(): seconds."""
    seconds, rest = divmod(abs(value.ns), 1_000_000_000)
    text = f"{seconds}.{rest:09}".rstrip("0").rstrip(".")
    return ("-" if value.ns < 0 else "") + text + "s"


def parse_timestamp(text: str) -> Timestamp:
    """RFC 3339; raises EvalError."""
    try:
        return Timestamp(clock.parse_rfc3339(text))
    except (ValueError, OverflowError):
        raise EvalError(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "{text}" as "2006"') from None


def show_double(value: float) -> str:
    """A double as Go's %g prints it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return repr(value)
