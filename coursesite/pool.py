"""Celery's process pool, mended where it notices a dead process late.

The pool hears of a death by a pipe that the kernel closes, and looks for the dead process at once, but only once (celery 5.7,
`AsynPool._event_process_exit`).  The kernel closes a dying process's files before its parent can wait for it, so that look mostly comes too
early, and the next is that of a timer, up to 5 s later: so long the task that the dead process held stays away from everybody.
Here the look is repeated until the process is found dead.
"""

from __future__ import annotations

from typing import Any

from celery.concurrency import asynpool

#: Seconds between two looks.
AGAIN = 0.02


class AsynPool(asynpool.AsynPool):  # type: ignore[misc]
    """What a worker's processes are kept in."""

    def _event_process_exit(self, hub: Any, proc: Any) -> None:
        """A process has closed its end of the pipe: it is dying."""
        super()._event_process_exit(hub, proc)
        if proc in self._pool:
            hub.call_later(AGAIN, self._event_process_exit, hub, proc)


def install() -> None:
    """Have the workers that are started from now on use it."""
    from celery.concurrency import prefork

    prefork.TaskPool.Pool = AsynPool
