"""A worker that no longer takes what waits for it ends itself, so that whoever started it starts it anew.

The broker's client and the process pool have had defects after which a worker lives, answers signals and takes nothing.  Messages are
acknowledged late, so ending costs no more than the start of a new worker.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Watchdog:
    """Looks at how many tasks wait and how many were taken; `patience` is in seconds, longer than any one task may run."""

    patience: float
    _taken: int = -1
    _since: float = 0.0
    _looked: float = 0.0

    def stuck(self, now: float, waiting: int, taken: int) -> bool:
        """Have tasks waited for longer than `patience` while none was taken?  `now` in seconds, `taken` counts up."""
        blind, self._looked = now - self._looked > self.patience / 3, now  # the broker was away: nothing could be taken
        if blind or not waiting or taken != self._taken:
            self._taken, self._since = taken, now
            return False
        return now - self._since > self.patience
