"""Virtual time: integer nanoseconds since the world's boot, and its printed forms.

`World.now` counts nanoseconds from boot.  `World.epoch` is the Unix time, in nanoseconds, of boot, so wall time is
`epoch + now`.  Nothing in the core reads a real clock.
"""

from __future__ import annotations

import datetime as _dt
from functools import lru_cache

NS = 1
US = 1_000
MS = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

#: Boot of a scenario that names no other date: 2026-11-02T09:00:00Z.
DEFAULT_EPOCH = 1_793_610_000 * SECOND

_EPOCH = _dt.datetime(1970, 1, 1, tzinfo=_dt.UTC)


def to_datetime(wall_ns: int) -> _dt.datetime:
    """The UTC datetime (microsecond precision) of a Unix time in nanoseconds."""
    return _EPOCH + _dt.timedelta(microseconds=wall_ns // 1000)


@lru_cache(maxsize=256)
def _second(seconds: int) -> str:
    """A Unix second up to its seconds; much happens in one."""
    return to_datetime(seconds * SECOND).strftime("%Y-%m-%dT%H:%M:%S")


def rfc3339(wall_ns: int) -> str:
    """Seconds precision, as `metav1.Time` prints: `2026-11-02T09:00:00Z`."""
    return _second(wall_ns // SECOND) + "Z"


def rfc3339_micro(wall_ns: int) -> str:
    """Microsecond precision, as `metav1.MicroTime` prints: `2026-11-02T09:00:00.000000Z`."""
    return f"{_second(wall_ns // SECOND)}.{wall_ns % SECOND // US:06d}Z"


def parse_rfc3339(text: str) -> int:
    """Unix time in nanoseconds of an RFC 3339 text; raises ValueError when it is not one."""
    parsed = _dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=_dt.UTC)
    delta = parsed - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds * US
