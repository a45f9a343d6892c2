"""How many WebSockets one account may hold in one web process: a bound for runaway scripts, far above what people open."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.conf import settings

_open: Counter[Any] = Counter()


def enter(account: Any) -> bool:
    """Count a connection of an account in, unless it has as many as it may (`SLIPWAY_SOCKETS`)."""
    if _open[account] >= settings.SLIPWAY_SOCKETS:
        return False
    _open[account] += 1
    return True


def leave(account: Any) -> None:
    """Count one out that was let in."""
    _open[account] -= 1
    if _open[account] <= 0:
        del _open[account]


def held(account: Any) -> int:
    """How many it has."""
    return _open.get(account, 0)
