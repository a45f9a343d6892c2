"""What commands cost in virtual time, and the bounds of one line."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ..host.program import Wait
from ..kernel.clock import MS, US

Code = Generator[Wait, Any, int]
BUILTIN_COST = 100 * US
PROCESS_COST = MS
DEBT = 10 * MS
MAX_STEPS = 100_000
MAX_FORKS = 20_000
MAX_CALLS = 50


class Ledger:
    """What a line and all its subshells have used together: processes started, and whether they must stop."""

    def __init__(self) -> None:
        self.forks = 0
        self.stopped = False
