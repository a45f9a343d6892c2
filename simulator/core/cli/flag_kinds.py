"""The types of value a flag may have, and how pflag and Go read and print them (`pflag/*.go`, `time/format.go`, `strconv`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec


class Kind(msgspec.Struct, frozen=True):
    """A type of value: the name that help texts show, how one text is read, and whether repeats accumulate."""

    name: str
    read: Callable[[str], Any]
    accumulates: bool = False


_DURATION_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|)")
_BOOLS = dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True) | dict.fromkeys(
    ("0", "f", "F", "false", "FALSE", "False"), False
)


def quote(text: str) -> str:
    """The text as Go's %q prints it (ASCII control characters, quotes and backslashes are escaped)."""
    out = ['"']
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif char in _ESCAPES:
            out.append(_ESCAPES[char])
        elif char < " " or char == "\x7f":
            out.append(f"\\x{ord(char):02x}")
        else:
            out.append(char)
    out.append('"')
    return "".join(out)


_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\v": "\\v"}


def parse_duration(text: str) -> int:
    """A Go duration (`1h30m`, `500ms`, `0`) in nanoseconds; raises ValueError with Go's message."""
    body, sign = (text[1:], -1 if text[0] == "-" else 1) if text[:1] in ("-", "+") else (text, 1)
    if body == "0":
        return 0
    total, at = 0, 0
    while at < len(body):
        match = _DURATION_PART.match(body, at)
        if match is None:
            break
        if not match[2]:
            unknown = re.compile(r"[^\d.]+").match(body, match.end())
            if unknown is not None:
                raise ValueError(f"time: unknown unit {quote(unknown[0])} in duration {quote(text)}")
            raise ValueError(f"time: missing unit in duration {quote(text)}")
        total += round(float(match[1]) * _DURATION_UNITS[match[2]])
        at = match.end()
    if not body or at < len(body):
        raise ValueError(f"time: invalid duration {quote(text)}")
    return sign * total


def format_duration(nanos: int) -> str:
    """Nanoseconds as Go's `Duration.String` prints them: `1h2m3s`, `1.5s`, `250ms`, `0s`."""
    if nanos == 0:
        return "0s"
    sign, left = ("-", -nanos) if nanos < 0 else ("", nanos)
    if left < 10**9:
        for unit, size in (("ms", 10**6), ("µs", 10**3), ("ns", 1)):
            if left >= size:
                return sign + _decimal(left, size) + unit
    hours, left = divmod(left, 3600 * 10**9)
    minutes, left = divmod(left, 60 * 10**9)
    seconds = _decimal(left, 10**9) + "s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else sign + seconds


def _decimal(value: int, size: int) -> str:
    whole, part = divmod(value, size)
    digits = str(part).rjust(len(str(size)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}" if part else str(whole)


def _integer(bits: int, *, unsigned: bool = False) -> Callable[[str], int]:
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    call = "strconv.ParseUint" if unsigned else "strconv.ParseInt"

    def read(text: str) -> int:
        try:
            octal = re.fullmatch(r"([-+]?)0([0-7]+)", text)
            value = int(octal[1] + octal[2], 8) if octal else int(text, 0)
        except ValueError:
            raise ValueError(f"{call}: parsing {quote(text)}: invalid syntax") from None
        if text != text.strip() or (unsigned and text[0] in "+-"):
            raise ValueError(f"{call}: parsing {quote(text)}: invalid syntax")
        if not low <= value <= high:
            raise ValueError(f"{call}: parsing {quote(text)}: value out of range")
        return value

    return read


def parse_bool(text: str) -> bool:
    """Go's `strconv.ParseBool`; raises ValueError with its words."""
    if text not in _BOOLS:
        raise ValueError(f"strconv.ParseBool: parsing {quote(text)}: invalid syntax")
    return _BOOLS[text]


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"strconv.ParseFloat: parsing {quote(text)}: invalid syntax") from None


def read_csv(text: str) -> list[str]:
    """One record of comma-separated values, as `stringSlice` flags read them."""
    if not text:
        return []
    fields, current, at, quoted = [], "", 0, False
    while at < len(text):
        char = text[at]
        if quoted:
            if char == '"' and text[at + 1 : at + 2] == '"':
                current, at = current + '"', at + 1
            elif char == '"':
                quoted = False
            else:
                current += char
        elif char == '"':
            if current:
                raise ValueError("parse error on line 1, column " + str(at + 1) + ': bare " in non-quoted field')
            quoted = True
        elif char == ",":
            fields.append(current)
            current = ""
        else:
            current += char
        at += 1
    return [*fields, current]


def _string_to_string(text: str) -> dict[str, str]:
    out: dict[str, str] = {}
    for pair in read_csv(text):
        key, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"{pair} must be formatted as key=value")
        out[key] = value
    return out


def _pairs(text: str) -> dict[str, str]:
    """`k8s.io/component-base/cli/flag`: MapStringString."""
    out: dict[str, str] = {}
    for pair in filter(None, text.split(",")):
        key, equals, value = pair.partition("=")
        if not equals:
            raise ValueError("malformed pair, expect string=string")
        out[key.strip()] = value.strip()
    return out


#: Every type of value a flag may have, by the name it is declared with.
KINDS: dict[str, Kind] = {
    "string": Kind("string", str),
    "bool": Kind("bool", parse_bool),
    "int": Kind("int", _integer(64)),
    "int32": Kind("int32", _integer(32)),
    "int64": Kind("int", _integer(64)),
    "uint": Kind("uint", _integer(64, unsigned=True)),
    "uint64": Kind("uint", _integer(64, unsigned=True)),
    "float": Kind("float32", _float),
    "duration": Kind("duration", parse_duration),
    "strings": Kind("strings", read_csv, True),
    "array": Kind("stringArray", lambda text: [text], True),
    "map": Kind("stringToString", _string_to_string, True),
    "pairs": Kind("mapStringString", _pairs, True),
    "count": Kind("count", lambda text: 1 if text == "+1" else int(text), True),
    "level": Kind("Level", _integer(32)),
}
