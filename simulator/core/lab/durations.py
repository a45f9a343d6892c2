"""Durations as authors write them."""

from __future__ import annotations

from ..kernel import clock
from ..kernel.errors import BadInput

_UNITS = {"ms": clock.MS, "s": clock.SECOND, "m": clock.MINUTE, "h": clock.HOUR}


def duration(text: str) -> int:
    """`20s`, `5m`, `1h`, `250ms` in nanoseconds; raises BadInput."""
    for unit in ("ms", "s", "m", "h"):
        number = text.removesuffix(unit)
        if number != text and number.replace(".", "", 1).isdigit():
            return int(float(number) * _UNITS[unit])
    raise BadInput(f"duration {text!r}: write 20s, 5m or 1h")
