"""A bound in real time on what one cluster may take of its worker: a world that runs on and on is stopped, whatever it does.

The simulator has budgets of its own (steps, timers, output), which end a learner's loop in a way that replays.  This is the net below
them: an alarm of the process that raises in the middle of the work.  `TooLong` is no `Exception`, so that nothing on the way takes it
for an error of a simulated program.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class TooLong(BaseException):
    """The work took longer than it may; the world it was done on is in no known state."""


def _ring(_number: int, _frame: FrameType | None) -> None:
    raise TooLong


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise `TooLong` in the block after so many real seconds; only in a process's main thread, elsewhere there is no alarm."""
    if seconds <= 0 or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
