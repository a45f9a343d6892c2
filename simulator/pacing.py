"""When a watched cluster's time moves: a consumer's estimate of virtual now, and when it is worth a task to move the world.

Everything here takes the real time as an argument (seconds of a monotonic clock), so it is tested without waiting.

* The clock runs from the last known virtual time by the speed.  It never runs back, and not far ahead of a slow worker.
* Time is moved at most four times a second, only when a timer of the world is due or a program waits in a terminal.  What
  the timers of a quiet cluster do (leases, heartbeats) nobody sees, so each look that showed nothing doubles the pause; who only
  looks around in it (`kubectl get`) is answered, and does not make its time be looked at more often.
* Workers that answer late are asked more rarely: a pause is at least `SPARE` times as long as the last answer took.  So a crowd
  of clusters that only stand there slows its own clocks before it slows anybody's typing (which also goes first in the queue).
"""

from __future__ import annotations

from dataclasses import dataclass

SECOND = 1_000_000_000
#: Real seconds between two ticks: at least, and at most (at speed 1, and faster).
TICK = 0.25
IDLE = 4.0
IDLE_FAST = 0.5
#: Pause after an answer, in units of the time that the answer took; and the longest pause that follows from it.
SPARE = 20.0
SPARE_MOST = 8.0
#: Real seconds that the estimate may run ahead of what the worker says.
AHEAD = 10.0
#: Real seconds after which an unanswered request is repeated, doubling up to the last.
PATIENCE = 2.0
PATIENCE_MOST = 16.0


@dataclass(slots=True)
class Clock:
    """An estimate of a cluster's virtual now."""

    speed: int = 1
    base: int = 0
    since: float = 0.0

    def now(self, real: float) -> int:
        """Virtual nanoseconds."""
        return self.base + int((real - self.since) * self.speed * SECOND)

    def learn(self, actual: int, real: float) -> None:
        """The world stands at `actual`."""
        estimate = self.now(real)
        if actual > estimate or estimate - actual > AHEAD * max(self.speed, 1) * SECOND:
            self.base, self.since = actual, real

    def set_speed(self, speed: int, real: float) -> None:
        """Go on from here at another speed."""
        self.base, self.since, self.speed = self.now(real), real, speed


@dataclass(slots=True)
class Pace:
    """Decides whether to ask the worker now."""

    next_due: int | None = 0
    #: A program waits in the foreground of a terminal, or inputs have not taken effect yet.
    busy: bool = False
    pending: bool = False
    pause: float = TICK
    last: float = float("-inf")
    asked: float | None = None
    patience: float = PATIENCE
    #: Real seconds that the last answer took.
    took: float = 0.0

    def wanted(self, clock: Clock, real: float) -> bool:
        """Is it time to ask the worker to move on?"""
        if self.asked is not None:
            return real - self.asked >= self.patience
        if clock.speed == 0 or real - self.last < self._rest():
            return self.pending and real - self.last >= PATIENCE
        return self.busy or (self.next_due is not None and clock.now(real) >= self.next_due)

    def _rest(self) -> float:
        return max(TICK if self.busy else self.pause, min(self.took * SPARE, SPARE_MOST))

    @property
    def eager(self) -> bool:
        """Does somebody wait, or was something going on when we last looked?"""
        return self.busy or self.pending or self.pause <= IDLE_FAST

    def ask(self, real: float) -> None:
        """The worker was asked."""
        if self.asked is not None:
            self.patience = min(self.patience * 2, PATIENCE_MOST)
        self.asked = self.last = real

    def input(self, real: float) -> None:
        """An input was written; the worker has been rung for it."""
        self.pending = True
        self.asked = real

    def answer(
        self, *, next_due: int | None, busy: bool, pending: bool, visible: bool, lively: bool, speed: int, real: float
    ) -> None:
        """The worker said where the world stands; `visible`: there was something to see, `lively`: and more of it may come by itself."""
        self.next_due, self.busy, self.pending = next_due, busy, pending
        if self.asked is not None:
            self.took = max(0.0, real - self.asked)
        self.last, self.asked, self.patience = real, (self.asked if pending else None), PATIENCE
        if lively:
            self.pause = TICK
        elif not visible:
            self.pause = min(self.pause * 2, IDLE if speed <= 1 else IDLE_FAST)


@dataclass(slots=True)
class Bucket:
    """A token bucket: `rate` a second, `burst` at once."""

    rate: float
    burst: float
    level: float = -1.0
    since: float = 0.0

    def take(self, real: float) -> bool:
        """One token, if there is one."""
        if self.level < 0:
            self.level, self.since = self.burst, real
        self.level = min(self.burst, self.level + (real - self.since) * self.rate)
        self.since = real
        if self.level < 1:
            return False
        self.level -= 1
        return True
