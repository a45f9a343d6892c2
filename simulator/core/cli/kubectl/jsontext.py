"""JSON as Go's `encoding/json` prints it: `<`, `>` and `&` escaped, two or four blanks a level, map keys sorted."""

from __future__ import annotations

import math
import re
from typing import Any

import msgspec

_RAW = re.compile(rb"[<>&\x7f]|\xe2\x80[\xa8\xa9]")
_ESCAPED = {
    b"<": b"\\u003c",
    b">": b"\\u003e",
    b"&": b"\\u0026",
    b"\xe2\x80\xa8": b"\\u2028",
    b"\xe2\x80\xa9": b"\\u2029",
    b"\x7f": b"\x7f",
}


def _go_numbers(value: Any) -> Any:
    """Whole floats as integers, as Go prints them."""
    if isinstance(value, dict):
        return {key: _go_numbers(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_go_numbers(item) for item in value]
    if isinstance(value, float) and math.isfinite(value) and value == int(value) and abs(value) < 1e21:
        return int(value)
    return value


def _encode(value: Any, sort: bool) -> bytes:
    raw = msgspec.json.encode(value, order="sorted" if sort else None)
    if b".0" in raw:
        raw = msgspec.json.encode(_go_numbers(value), order="sorted" if sort else None)
    return raw


def compact(value: Any, *, sort: bool = True, html: bool = True) -> str:
    """`json.Marshal`."""
    raw = _encode(value, sort)
    return (_RAW.sub(lambda match: _ESCAPED[match[0]], raw) if html else raw).decode()


def indented(value: Any, width: int = 4, *, sort: bool = True) -> str:
    """`json.MarshalIndent` without a final newline."""
    raw = msgspec.json.format(_encode(value, sort), indent=width)
    return _RAW.sub(lambda match: _ESCAPED[match[0]], raw).decode()
