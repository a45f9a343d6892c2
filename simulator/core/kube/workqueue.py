"""Work queues of controllers as plain data (`client-go/util/workqueue`): keys with due times and per-key back-off.

A key is in the queue at most once.  `due(now)` takes out what may be worked on; the worker then calls `forget(key)` after
success or `retry(key, now)` after a failure, which puts it back 5 ms × 2^failures later, at most 1000 s.
"""

from __future__ import annotations

import msgspec

from ..kernel.clock import MS, SECOND

BASE_DELAY = 5 * MS
MAX_DELAY = 1000 * SECOND


class WorkQueue(msgspec.Struct):
    """Keys and when each is due (virtual ns), in the order in which they were added, and failures by key."""

    keys: dict[str, int] = {}
    failures: dict[str, int] = {}

    def add(self, key: str, now: int = 0) -> None:
        """Make a key due now (or keep it at an earlier time)."""
        held = self.keys.get(key)
        if held is None or held > now:
            self.keys[key] = now

    def add_after(self, key: str, delay: int, now: int) -> None:
        """Make a key due after `delay` ns unless it is due earlier already."""
        self.add(key, now + max(0, delay))

    def retry(self, key: str, now: int) -> int:
        """Put a failed key back with exponential back-off; returns the delay in ns (`AddRateLimited`)."""
        count = self.failures.get(key, 0)
        self.failures[key] = count + 1
        delay = min(BASE_DELAY << min(count, 40), MAX_DELAY)
        self.add(key, now + delay)
        return delay

    def forget(self, key: str) -> None:
        """The key was handled: reset its back-off."""
        self.failures.pop(key, None)

    def done(self, key: str) -> None:
        """Processing ended; kept for the shape of client-go (a synchronous worker needs no processing set)."""

    def requeues(self, key: str) -> int:
        """How often the key has failed since it was last forgotten (`NumRequeues`)."""
        return self.failures.get(key, 0)

    def due(self, now: int) -> list[str]:
        """Take out every key that is due, earliest first, ties in the order added."""
        found = [key for key, at in self.keys.items() if at <= now]
        if len(found) > 1:
            found.sort(key=lambda key: self.keys[key])
        for key in found:
            del self.keys[key]
        return found

    def next_due(self) -> int | None:
        """When the earliest key is due, or None."""
        return min(self.keys.values()) if self.keys else None
