"""What commands cost in virtual time, and the bounds of one line."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ..host.program import Wait
from ..kernel.clock import MS, US
from ..kernel.errors import BudgetExceeded
from .state import ShellState

Code = Generator[Wait, Any, int]
BUILTIN_COST = 100 * US
PROCESS_COST = MS
DEBT = 10 * MS
MAX_STEPS = 100_000
MAX_FORKS = 20_000
MAX_CALLS = 50
#: What all variables of a shell may hold in all (characters); looked at each time that as much has been assigned.
MAX_HELD = 32 * 1024 * 1024


class Ledger:
    """What a line and all its subshells have used together: processes started, and whether they must stop."""

    def __init__(self) -> None:
        self.forks = 0
        self.stopped = False
        self.assigned = 0

    def hold(self, state: ShellState, size: int) -> None:
        """Account for a value that is assigned; raises BudgetExceeded when all variables together have grown too large."""
        self.assigned += size
        if self.assigned <= MAX_HELD:
            return
        self.assigned = 0
        held = sum(len(var.value or "") + sum(map(len, var.items.values())) for var in state.vars.values())
        if held > MAX_HELD:
            raise BudgetExceeded(f"xrealloc: cannot allocate more: variables may hold {MAX_HELD >> 20} MiB here")
