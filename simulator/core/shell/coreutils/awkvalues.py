"""Values of awk, their conversions, and how control leaves a block."""

from __future__ import annotations

import math
import re
from typing import Any


class _Next(Exception):
    pass


class _Exit(Exception):
    pass


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class _Return(Exception):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class AwkError(Exception):
    """A failure at run time."""


class StrNum(str):
    """Input text that looks like a number and compares as one."""


def number(value: Any) -> float:
    """The numeric value of anything."""
    if isinstance(value, float):
        return value
    if value is None:
        return 0.0
    if isinstance(value, dict):
        raise AwkError("attempt to use an array in a scalar context")
    match = re.match(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", value)
    return float(match.group()) if match else 0.0


def integer(value: float) -> int:
    """A number cut to an integer; what is infinite or no number is the largest, as C's conversion gives it."""
    return int(value) if math.isfinite(value) else -(1 << 63)


def looks_numeric(text: str) -> bool:
    """Whether a field is a number."""
    return re.fullmatch(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*", text) is not None


def text(value: Any, form: str = "%.6g") -> str:
    """The text of anything."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, dict):
        raise AwkError("attempt to use an array in a scalar context")
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if value == int(value) and abs(value) < 1e16:
        return str(int(value))
    if re.search(r"\d{5}", form):
        raise AwkError("stopped by Slipway: width too large")
    try:
        return str(form % value)
    except (TypeError, ValueError, KeyError):
        return f"{value:g}"


def truth(value: Any) -> bool:
    """The truth of anything."""
    if isinstance(value, float):
        return value != 0
    if value is None:
        return False
    if isinstance(value, StrNum):
        return number(value) != 0
    return bool(value != "")


#: Steps that one program may take.
MAX_STEPS = 3_000_000


def plain_split(pattern: re.Pattern[str], line: str) -> list[str]:
    out, at = [], 0
    for match in pattern.finditer(line):
        if match.end() > match.start():
            out.append(line[at : match.start()])
            at = match.end()
    return [*out, line[at:]]
