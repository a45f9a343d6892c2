"""One simulated world: its clock, timers, random streams, trace, doorbells and the sections that other layers keep in it.

Everything reachable from a `World` except `warm`, `tables` and `shared` is plain data and goes into snapshots.  Rules:

* time moves only in `run_until`; a handler runs at one instant and schedules what comes later;
* timers fire in the order (at, priority, seq), so a replay fires them alike;
* a handler inherits the cause of whatever scheduled it, so traces chain without anybody passing causes around;
* `warm` holds caches that can be rebuilt from state at any time, `tables` the literal behaviour tables that the façade
  (`simulator.core.sandbox`) installs, `shared` what other worlds hold as well.  None of them is state.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from . import clock
from .errors import BudgetExceeded, SimulatorError
from .rng import Stream
from .shared import Shared
from .trace import KEEP, TraceEvent

S = TypeVar("S")


class Timer(msgspec.Struct, array_like=True):
    """Queued future work.  `target` is `kind:rest` (see `World.tables['dispatch']`), `payload` plain data."""

    at: int
    priority: int
    seq: int
    target: str
    payload: Any
    cause: int


#: The `low` of a subscription that is only marked when its topic rings: nobody is woken (see `World.marked`).
MARK = -1


class Subscription(msgspec.Struct, array_like=True):
    """Who is woken when a topic rings: a timer target, its payload, and the delay in nanoseconds (drawn in [low, high])."""

    target: str
    payload: Any
    low: int
    high: int


class World:
    """The simulated world.  Build with `World(seed=…)`; use `section` for a layer's own data."""

    def __init__(self, *, seed: int = 1, epoch: int = clock.DEFAULT_EPOCH) -> None:
        self.seed = seed
        self.epoch = epoch
        self.now = 0
        self.timer_seq = 0
        self.timers: dict[int, Timer] = {}
        self.heap: list[tuple[int, int, int]] = []
        self.rng_state: dict[str, int] = {}
        self.trace_seq = 0
        self.trace: list[TraceEvent] = []
        self.digest = b"\0" * 16
        self.cause = 0
        self.subscriptions: dict[str, dict[str, Subscription]] = {}
        self.pending: dict[str, int] = {}
        self.sections: dict[str, Any] = {}
        self.warm: dict[str, Any] = {}
        self.tables: dict[str, Any] = {}
        #: What this world holds in common with others of its process; empty when it is alone.
        self.shared = Shared()

    # -- time -----------------------------------------------------------------------------------------------------------
    @property
    def wall(self) -> int:
        """Unix time in nanoseconds."""
        return self.epoch + self.now

    def timestamp(self) -> str:
        """Now as `metav1.Time` prints it."""
        return clock.rfc3339(self.wall)

    def at(self, when: int, target: str, payload: Any = None, *, priority: int = 0) -> int:
        """Schedule work at a virtual time (not before now); returns the timer's seq, for `cancel`."""
        self.timer_seq += 1
        seq = self.timer_seq
        timer = Timer(max(when, self.now), priority, seq, target, payload, self.cause)
        self.timers[seq] = timer
        heapq.heappush(self.heap, (timer.at, priority, seq))
        return seq

    def after(self, delay: int, target: str, payload: Any = None, *, priority: int = 0) -> int:
        """Schedule work `delay` nanoseconds from now."""
        return self.at(self.now + delay, target, payload, priority=priority)

    def cancel(self, seq: int) -> bool:
        """Forget a timer; False when it has fired or never was."""
        return self.timers.pop(seq, None) is not None

    def next_due(self) -> int | None:
        """The virtual time of the next timer, or None."""
        heap = self.heap
        while heap:
            if heap[0][2] in self.timers:
                return heap[0][0]
            heapq.heappop(heap)
        return None

    def step(self) -> bool:
        """Fire the next timer, moving time to it; False when there is none."""
        due = self.next_due()
        if due is None:
            return False
        seq = heapq.heappop(self.heap)[2]
        timer = self.timers.pop(seq)
        self.now = timer.at
        kind, _, rest = timer.target.partition(":")
        handler = self.tables["dispatch"].get(kind)
        if handler is None:
            raise SimulatorError(f"no dispatch for timer target {timer.target!r}")
        before, self.cause = self.cause, timer.cause
        try:
            handler(self, rest, timer.payload)
        finally:
            self.cause = before
        return True

    def run_until(self, until: int, *, max_steps: int = 2_000_000) -> int:
        """Fire everything due up to and including `until`, then stand at `until`; returns the number of timers fired."""
        steps = 0
        while True:
            due = self.next_due()
            if due is None or due > until:
                break
            if steps >= max_steps:
                raise BudgetExceeded(f"{max_steps} timers fired before virtual time {until}")
            self.step()
            steps += 1
        self.now = max(self.now, until)
        return steps

    # -- randomness -----------------------------------------------------------------------------------------------------
    def rng(self, name: str) -> Stream:
        """The random stream of that name."""
        return Stream(self.rng_state, name, self.seed)

    # -- trace ----------------------------------------------------------------------------------------------------------
    def emit(
        self, actor: str, action: str, ref: str = "", detail: dict[str, Any] | None = None, *, cause: int | None = None
    ) -> int:
        """Record a cause or effect; returns its seq.  `cause` defaults to what is being handled now."""
        self.trace_seq += 1
        event = TraceEvent(self.trace_seq, self.now, actor, action, ref, self.cause if cause is None else cause, detail)
        self.trace.append(event)
        if len(self.trace) > KEEP + KEEP // 4:
            del self.trace[: len(self.trace) - KEEP]
        self.digest = hashlib.blake2b(
            msgspec.msgpack.encode(event, order="deterministic"), key=self.digest, digest_size=16
        ).digest()
        return event.seq

    def trace_after(self, seq: int) -> list[TraceEvent]:
        """Events later than `seq`, in order; what is older than the kept ones is missing."""
        wanted = self.trace_seq - seq  # events are numbered without gaps
        return self.trace[-wanted:] if wanted > 0 else []

    def because(self, seq: int, work: Callable[[], S]) -> S:
        """Run `work` with trace event `seq` as the cause of all that it emits and schedules."""
        before, self.cause = self.cause, seq
        try:
            return work()
        finally:
            self.cause = before

    # -- doorbells ------------------------------------------------------------------------------------------------------
    def subscribe(self, topic: str, target: str, payload: Any = None, *, low: int = clock.MS, high: int = 4 * clock.MS) -> None:
        """Wake `target` with `payload` each time `topic` rings; one subscription a (topic, target, payload)."""
        key = f"{target}|{payload!r}"
        self.subscriptions.setdefault(topic, {})[key] = Subscription(target, payload, low, high)

    def unsubscribe(self, target: str) -> None:
        """Forget every subscription of a timer target (its process has gone)."""
        for topic in list(self.subscriptions):
            subs = self.subscriptions[topic]
            for key in [k for k, s in subs.items() if s.target == target]:
                del subs[key]
                if self.pending.get(key) == 0:
                    del self.pending[key]
            if not subs:
                del self.subscriptions[topic]

    def ring(self, topic: str) -> None:
        """Something happened on `topic`: schedule each subscriber's wake unless one is already under way."""
        subs = self.subscriptions.get(topic)
        if subs:
            for key, sub in subs.items():
                if sub.low == MARK:
                    self.pending.setdefault(key, 0)
                    continue
                waiting = self.timers.get(self.pending.get(key, 0))
                if waiting is not None:
                    waiting.cause = self.cause  # what happened last is what the wake will find
                    continue
                delay = sub.low if sub.high <= sub.low else self.rng("doorbell").between(sub.low, sub.high)
                self.pending[key] = self.after(delay, "wake:" + key, [sub.target, sub.payload])
        hook = self.warm.get("on_ring")
        if hook is not None:
            hook(topic)

    def ring_last(self, topic: str) -> None:
        """`topic` rings and will never ring again: those who waited for it are told, and forgotten."""
        self.ring(topic)
        self.subscriptions.pop(topic, None)

    def mark(self, topic: str, target: str, payload: Any = None) -> None:
        """Note that `topic` rang without waking anybody; `marked` tells.  It counts as rung already."""
        self.subscribe(topic, target, payload, low=MARK, high=MARK)
        self.pending.setdefault(f"{target}|{payload!r}", 0)

    def marked(self, target: str, payload: Any = None) -> bool:
        """Whether the topic of a `mark` has rung since `unmark`."""
        return f"{target}|{payload!r}" in self.pending

    def unmark(self, target: str, payload: Any = None) -> None:
        """What rang has been looked at."""
        self.pending.pop(f"{target}|{payload!r}", None)

    # -- sections -------------------------------------------------------------------------------------------------------
    def section(self, name: str, factory: Callable[[], S]) -> S:
        """A layer's own state, made on first use.  Its type must stand in `sandbox.SECTIONS` so snapshots can restore it."""
        found = self.sections.get(name)
        if found is None:
            found = self.sections[name] = factory()
        return found


def dispatch_wake(world: World, key: str, payload: Any) -> None:
    """Timer handler of doorbells: clears the pending mark, then delivers to the subscriber's own target."""
    world.pending.pop(key, None)
    target, inner = payload
    kind, _, rest = str(target).partition(":")
    world.tables["dispatch"][kind](world, rest, inner)
