"""The standard functions of CEL and its strings, lists, sets, regex and optional extensions (`apiserver/pkg/cel/library`)."""

from __future__ import annotations

import base64
import binascii
import itertools
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from ...kernel import clock
from ..api import regexp
from .functions import define
from .syntax import UInt
from .values import (
    INT_HIGH,
    INT_LOW,
    Duration,
    EvalError,
    Optional,
    Timestamp,
    TypeValue,
    checked,
    compare,
    contains,
    equal,
    no_overload,
    parse_duration,
    parse_timestamp,
    show_double,
    show_duration,
    type_name,
)

Impl = Callable[..., Any]
MAX_TEXT = 1_000_000


def matches(text: str, pattern: str) -> bool:
    """RE2 search."""
    return compiled(pattern).search(text)


def compiled(pattern: str) -> regexp.Pattern:
    """A pattern; raises EvalError."""
    try:
        return regexp.compile(pattern)
    except regexp.BadPattern as error:
        raise EvalError(f"error parsing regexp: {error}") from None


def find_all(text: str, pattern: str, limit: int = -1) -> list[Any]:
    """Every match, at most `limit` when that is not negative."""
    found: list[Any] = []
    at = 0
    while limit < 0 or len(found) < limit:
        span = compiled(pattern).find(text, at)
        if span is None:
            break
        found.append(text[span[0] : span[1]])
        at = span[1] if span[1] > span[0] else span[1] + 1
        if at > len(text):
            break
    return found


def to_string(value: Any) -> str:
    """string(x)"""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return show_double(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise EvalError("invalid UTF-8 in bytes, cannot convert to string") from None
    if isinstance(value, Timestamp):
        return clock.rfc3339_nano(value.ns) if hasattr(clock, "rfc3339_nano") else clock.rfc3339(value.ns)
    if isinstance(value, Duration):
        return show_duration(value)
    raise no_overload()


def to_int(value: Any) -> int:
    """int(x)"""
    if isinstance(value, bool):
        raise no_overload()
    if isinstance(value, Timestamp):
        return value.ns // 1_000_000_000
    if isinstance(value, Duration):
        return value.ns
    if isinstance(value, float):
        if not math.isfinite(value) or not INT_LOW < value < INT_HIGH:
            raise EvalError("integer overflow")
        return int(value)
    if isinstance(value, str):
        try:
            return checked(int(value, 10))
        except ValueError:
            raise EvalError(f'strconv.ParseInt: parsing "{value}": invalid syntax') from None
    return checked(int(value))


def to_uint(value: Any) -> UInt:
    """uint(x)"""
    if isinstance(value, str):
        if not value.isdigit():
            raise EvalError(f'strconv.ParseUint: parsing "{value}": invalid syntax')
        value = int(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise EvalError("unsigned integer overflow")
    return UInt(checked(int(value), UInt))


def to_double(value: Any) -> float:
    """double(x)"""
    try:
        return float(value)
    except ValueError:
        raise EvalError(f'strconv.ParseFloat: parsing "{value}": invalid syntax') from None


def to_bool(value: str) -> bool:
    """bool("true")"""
    if value in ("1", "t", "T", "TRUE", "true", "True"):
        return True
    if value in ("0", "f", "F", "FALSE", "false", "False"):
        return False
    raise EvalError(f'strconv.ParseBool: parsing "{value}": invalid syntax')


# -- strings ------------------------------------------------------------------------------------------------------------


def char_at(text: str, at: int) -> str:
    """The character, "" at the very end."""
    if not 0 <= at <= len(text):
        raise EvalError(f"index out of range: {at}")
    return text[at : at + 1]


def substring(text: str, start: int, end: int | None = None) -> str:
    """A part of a text."""
    stop = len(text) if end is None else end
    if not 0 <= start <= len(text) or stop > len(text):
        raise EvalError(f"index out of range: {start if not 0 <= start <= len(text) else stop}")
    if start > stop:
        raise EvalError(f"invalid substring range. start: {start}, end: {stop}")
    return text[start:stop]


def replace(text: str, old: str, new: str, count: int = -1) -> str:
    """Replace occurrences."""
    out = text.replace(old, new, count) if count >= 0 else text.replace(old, new)
    if len(out) > MAX_TEXT:
        raise EvalError("result is too large")
    return out


def split(text: str, separator: str, limit: int = -1) -> list[Any]:
    """Split as Go's SplitN."""
    if limit == 0:
        return []
    if limit == 1:
        return [text]
    if not separator:
        parts = list(text)
        return parts if limit < 0 else [*parts[: limit - 1], "".join(parts[limit - 1 :])]
    return list(text.split(separator, limit - 1 if limit > 0 else -1))


def join(items: list[Any], separator: str = "") -> str:
    """Join strings."""
    if not all(isinstance(item, str) for item in items):
        raise no_overload()
    return separator.join(items)


def quote(text: str) -> str:
    """strings.quote"""
    table = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\", '"': '\\"'}
    return '"' + "".join(table.get(c, c) for c in text) + '"'


def lower(text: str) -> str:
    """ASCII letters in lower case."""
    return "".join(c.lower() if c.isascii() else c for c in text)


def upper(text: str) -> str:
    """ASCII letters in upper case."""
    return "".join(c.upper() if c.isascii() else c for c in text)


def show(value: Any, *, inner: bool = False) -> str:
    """%s of format()."""
    if isinstance(value, str):
        return f'"{value}"' if inner else value
    if value is None:
        return "null"
    if isinstance(value, list):
        return "[" + ", ".join(show(item, inner=True) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{show(k, inner=True)}: {show(v, inner=True)}" for k, v in sorted(value.items(), key=str)) + "}"
    if isinstance(value, TypeValue):
        return value.name
    if isinstance(value, Timestamp | Duration):
        text = to_string(value)
        kind = "timestamp" if isinstance(value, Timestamp) else "duration"
        return f'{kind}("{text}")' if inner else text
    return to_string(value)


def format_text(pattern: str, args: list[Any]) -> str:
    """`"%s is %d".format([…])`."""
    out: list[str] = []
    at = used = 0
    while at < len(pattern):
        c = pattern[at]
        at += 1
        if c != "%":
            out.append(c)
            continue
        if pattern[at : at + 1] == "%":
            out.append("%")
            at += 1
            continue
        precision = -1
        if pattern[at : at + 1] == ".":
            end = at + 1
            while pattern[end : end + 1].isdigit():
                end += 1
            precision, at = int(pattern[at + 1 : end] or 0), end
        verb = pattern[at : at + 1]
        at += 1
        if used >= len(args):
            raise EvalError(f"index {used} out of range")
        out.append(_formatted(verb, precision, args[used]))
        used += 1
    return "".join(out)


def _formatted(verb: str, precision: int, value: Any) -> str:
    if verb == "s":
        return show(value)
    if verb in ("d", "b", "o", "x", "X") and isinstance(value, int) and not (isinstance(value, bool) and verb != "b"):
        return f"{int(value):{verb}}"
    if verb in ("x", "X") and isinstance(value, str | bytes):
        text = (value.encode() if isinstance(value, str) else value).hex()
        return text.upper() if verb == "X" else text
    if verb == "d" and isinstance(value, float) and not math.isfinite(value):
        return show_double(value)
    if verb in ("f", "e") and isinstance(value, int | float) and not isinstance(value, bool):
        return f"{float(value):.{6 if precision < 0 else min(precision, 100)}{verb}}"
    if verb not in "sdboxXfe":
        raise EvalError(f'could not parse formatting clause: unrecognized formatting clause "{verb}"')
    raise EvalError(f"error during formatting: {verb} clause cannot be used with {type_name(value)}")


# -- lists --------------------------------------------------------------------------------------------------------------


def is_sorted(items: list[Any]) -> bool:
    """Ascending."""
    return all(compare(a, b) <= 0 for a, b in itertools.pairwise(items))


def total(items: list[Any]) -> Any:
    """The sum; 0 of nothing."""
    if not items:
        return 0
    if all(isinstance(item, Duration) for item in items):
        return Duration(sum(item.ns for item in items))
    if not all(isinstance(item, int | float) and not isinstance(item, bool) for item in items):
        raise no_overload()
    out = sum(items)
    return out if isinstance(out, float) else checked(out, UInt if isinstance(items[0], UInt) else int)


def extreme(items: list[Any], sign: int, name: str) -> Any:
    """The smallest or largest item."""
    if not items:
        raise EvalError(f"{name} called on empty list")
    best = items[0]
    for item in items[1:]:
        if compare(item, best) * sign > 0:
            best = item
    return best


def index_of(items: list[Any], wanted: Any, last: bool = False) -> int:
    """Where an item is, -1 when nowhere."""
    order = range(len(items) - 1, -1, -1) if last else range(len(items))
    return next((i for i in order if equal(items[i], wanted)), -1)


def flatten(items: list[Any], depth: int = 1) -> list[Any]:
    """Lists in lists opened."""
    if depth < 0:
        raise EvalError("level must be non-negative")
    out: list[Any] = []
    for item in items:
        if isinstance(item, list) and depth:
            out += flatten(item, depth - 1)
        else:
            out.append(item)
    return out


def distinct(items: list[Any]) -> list[Any]:
    """Each item once."""
    out: list[Any] = []
    for item in items:
        if not contains(out, item):
            out.append(item)
    return out


def sliced(items: list[Any], start: int, end: int) -> list[Any]:
    """A part of a list."""
    if start < 0 or end < 0 or start > end or end > len(items):
        raise EvalError(
            f"cannot slice({start}, {end}), {'negative indexes not supported' if min(start, end) < 0 else 'list is length ' + str(len(items))}"
        )
    return items[start:end]


def ordered(items: list[Any]) -> list[Any]:
    """Sorted ascending."""
    import functools

    return sorted(items, key=functools.cmp_to_key(compare))


# -- time ---------------------------------------------------------------------------------------------------------------


def _when(value: Timestamp, zone: str = "UTC") -> datetime:
    base = datetime.fromtimestamp(value.ns // 1_000_000_000, UTC)
    if zone in ("UTC", ""):
        return base
    if zone[0] in "+-" or zone[:1].isdigit():
        hours, _, minutes = zone.lstrip("+-").partition(":")
        if hours.isdigit() and minutes.isdigit():
            shift = timedelta(hours=int(hours), minutes=int(minutes))
            return base.astimezone(timezone(-shift if zone[0] == "-" else shift))
    raise EvalError(f"unknown time zone {zone}: not simulated in Slipway yet")  # the core reads no time zone files


def _part(read: Callable[[datetime], int]) -> tuple[Impl, Impl]:
    def plain(value: Timestamp) -> int:
        return read(_when(value))

    def zoned(value: Timestamp, zone: str) -> int:
        return read(_when(value, zone))

    return plain, zoned


_PARTS: dict[str, Callable[[datetime], int]] = {
    "getFullYear": lambda d: d.year, "getMonth": lambda d: d.month - 1, "getDate": lambda d: d.day,
    "getDayOfMonth": lambda d: d.day - 1, "getDayOfWeek": lambda d: d.isoweekday() % 7,
    "getDayOfYear": lambda d: d.timetuple().tm_yday - 1, "getHours": lambda d: d.hour, "getMinutes": lambda d: d.minute,
    "getSeconds": lambda d: d.second, "getMilliseconds": lambda d: d.microsecond // 1000,
}  # fmt: skip

_SECOND = 1_000_000_000


def _decode64(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise EvalError("illegal base64 data at input byte 0") from None


def _identity(value: Any) -> Any:
    return value


def _size(value: Any) -> int:
    return len(value)


def optional_value(value: Optional) -> Any:
    """What is in an optional; raises EvalError when nothing is."""
    if not value.present:
        raise EvalError("optional.none() dereference")
    return value.value


def of_non_zero(value: Any) -> Optional:
    """none() for zero values."""
    zero = value is None or value is False or value in (0, "", b"") or value in ([], {})
    return Optional() if zero else Optional(value, True)


define(
    (
        *((f"{kind}.size() int", _size) for kind in ("string", "bytes", "list(A)", "map(A,B)")),
        *((f"size({kind}) int", _size) for kind in ("string", "bytes", "list(A)", "map(A,B)")),
        ("string.contains(string) bool", lambda a, b: b in a),
        ("string.startsWith(string) bool", str.startswith),
        ("string.endsWith(string) bool", str.endswith),
        ("string.matches(string) bool", matches),
        ("matches(string, string) bool", matches),
        ("type(A) type", lambda a: TypeValue(type_name(a))),
        ("dyn(A) dyn", _identity),
        *((f"string({kind}) string", to_string) for kind in ("string", "int", "uint", "double", "bool", "bytes", "timestamp", "duration")),
        *((f"int({kind}) int", to_int) for kind in ("int", "uint", "double", "string", "timestamp", "duration")),
        *((f"uint({kind}) uint", to_uint) for kind in ("uint", "int", "double", "string")),
        *((f"double({kind}) double", to_double) for kind in ("double", "int", "uint", "string")),
        ("bool(bool) bool", _identity),
        ("bool(string) bool", to_bool),
        ("bytes(bytes) bytes", _identity),
        ("bytes(string) bytes", str.encode),
        ("duration(string) duration", parse_duration),
        ("duration(duration) duration", _identity),
        ("timestamp(string) timestamp", parse_timestamp),
        ("timestamp(timestamp) timestamp", _identity),
        ("timestamp(int) timestamp", lambda a: Timestamp(a * _SECOND)),
        *((f"timestamp.{name}() int", _part(read)[0]) for name, read in _PARTS.items()),
        *((f"timestamp.{name}(string) int", _part(read)[1]) for name, read in _PARTS.items()),
        ("duration.getHours() int", lambda a: int(a.ns / (3600 * _SECOND))),
        ("duration.getMinutes() int", lambda a: int(a.ns / (60 * _SECOND))),
        ("duration.getSeconds() int", lambda a: int(a.ns / _SECOND)),
        ("duration.getMilliseconds() int", lambda a: int(a.ns / 1_000_000)),
        ("string.charAt(int) string", char_at),
        ("string.indexOf(string) int", str.find),
        ("string.indexOf(string, int) int", str.find),
        ("string.lastIndexOf(string) int", str.rfind),
        ("string.lastIndexOf(string, int) int", lambda a, b, n: a.rfind(b, 0, n + len(b))),
        ("string.lowerAscii() string", lower),
        ("string.upperAscii() string", upper),
        ("string.replace(string, string) string", replace),
        ("string.replace(string, string, int) string", replace),
        ("string.split(string) list(string)", split),
        ("string.split(string, int) list(string)", split),
        ("string.substring(int) string", substring),
        ("string.substring(int, int) string", substring),
        ("string.trim() string", str.strip),
        ("string.reverse() string", lambda a: a[::-1]),
        ("string.format(list(dyn)) string", format_text),
        ("strings.quote(string) string", quote),
        ("string.find(string) string", lambda a, p: (find_all(a, p, 1) or [""])[0]),
        ("string.findAll(string) list(string)", find_all),
        ("string.findAll(string, int) list(string)", find_all),
        ("list(string).join() string", join),
        ("list(string).join(string) string", join),
        ("list(A).isSorted() bool", is_sorted),
        ("list(A).sum() A", total),
        ("list(A).min() A", lambda a: extreme(a, -1, "min")),
        ("list(A).max() A", lambda a: extreme(a, 1, "max")),
        ("list(A).indexOf(A) int", index_of),
        ("list(A).lastIndexOf(A) int", lambda a, b: index_of(a, b, True)),
        ("list(A).reverse() list(A)", lambda a: a[::-1]),
        ("list(A).distinct() list(A)", distinct),
        ("list(A).sort() list(A)", ordered),
        ("list(dyn).flatten() list(dyn)", flatten),
        ("list(dyn).flatten(int) list(dyn)", flatten),
        ("list(A).slice(int, int) list(A)", sliced),
        ("list(A).first() optional_type(A)", lambda a: Optional(a[0], True) if a else Optional()),
        ("list(A).last() optional_type(A)", lambda a: Optional(a[-1], True) if a else Optional()),
        ("sets.contains(list(A), list(A)) bool", lambda a, b: all(contains(a, item) for item in b)),
        ("sets.equivalent(list(A), list(A)) bool",
         lambda a, b: all(contains(a, item) for item in b) and all(contains(b, item) for item in a)),
        ("sets.intersects(list(A), list(A)) bool", lambda a, b: any(contains(b, item) for item in a)),
        ("base64.encode(bytes) string", lambda a: base64.b64encode(a).decode()),
        ("base64.decode(string) bytes", _decode64),
        ("optional.of(A) optional_type(A)", lambda a: Optional(a, True)),
        ("optional.ofNonZeroValue(A) optional_type(A)", of_non_zero),
        ("optional.none() optional_type(A)", lambda: Optional()),
        ("optional_type(A).hasValue() bool", lambda a: a.present),
        ("optional_type(A).value() A", optional_value),
        ("optional_type(A).orValue(A) A", lambda a, b: a.value if a.present else b),
        ("optional_type(A).or(optional_type(A)) optional_type(A)", lambda a, b: a if a.present else b),
    )
)  # fmt: skip
