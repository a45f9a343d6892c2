"""The scheduling queue (pkg/scheduler/backend/queue): active, backoff, unschedulable and gated pods, as plain data.

A rejected pod waits until a cluster event that one of its rejecting plugins registered for, and whose hint agrees, moves it; then
it is active again once its back-off (1 s doubling to 10 s) is over, or at once when nothing else is active
(SchedulerPopFromBackoffQ).  After 5 minutes it is tried again in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from ...kernel import clock
from ..api.objects import Obj
from .framework import Plugin, PodInfo

INITIAL_BACKOFF = clock.SECOND
MAX_BACKOFF = 10 * clock.SECOND
LEFT_OVER = 5 * clock.MINUTE


#: What gives the plugins of a pod's profile by name.
PluginsOf = Callable[[PodInfo], dict[str, Plugin]]


class Queued(msgspec.Struct):
    """A pod in the queue.  `where` is active, backoff, error, unschedulable, gated or binding; times are virtual ns."""

    key: str
    uid: str
    priority: int
    where: str = "active"
    added: int = 0
    seq: int = 0
    attempts: int = 0
    failed_at: int = 0
    plugins: list[str] = []
    #: When its back-off is over; of a pod that is being bound, when that is given up (`added` is when it is looked at next).
    until: int = 0
    #: Where a pod is being bound: it waits for its volumes to be made.
    node: str = ""

    def backoff_until(self) -> int:
        """When its back-off is over."""
        return self.until


class Queue(msgspec.Struct):
    """All queued pods by key."""

    pods: dict[str, Queued] = {}
    seq: int = 0
    first_backoff: int = INITIAL_BACKOFF
    most_backoff: int = MAX_BACKOFF
    left_over: int = LEFT_OVER

    def _backoff(self, queued: Queued, now: int) -> None:
        queued.failed_at = queued.added = now
        queued.until = now + min(self.most_backoff, self.first_backoff << min(max(queued.attempts - 1, 0), 30))

    def put(self, key: str, uid: str, priority: int, now: int, *, gated: bool) -> None:
        """A pod is new, or may be tried anew."""
        known = self.pods.get(key)
        if known is None or known.uid != uid:
            known = self.pods[key] = Queued(key, uid, priority)
        if known.where == "binding":
            return
        self.seq += 1
        known.where, known.added, known.seq, known.priority = "gated" if gated else "active", now, self.seq, priority

    def pop(self, now: int) -> Queued | None:
        """The next pod to try: highest priority, longest waiting; one in back-off only when nothing else is there."""
        ready = [
            q for q in self.pods.values() if q.where == "active" or (q.where in ("backoff", "error") and q.backoff_until() <= now)
        ]
        if not ready:
            ready = [q for q in self.pods.values() if q.where == "backoff"]
        if not ready:
            return None
        chosen = min(ready, key=lambda q: (-q.priority, q.added, q.seq))
        chosen.attempts += 1
        return chosen

    def has_ready(self, now: int) -> bool:
        """Whether `pop` would give a pod."""
        return any(
            q.where in ("active", "backoff") or (q.where == "error" and q.backoff_until() <= now) for q in self.pods.values()
        )

    def reject(self, queued: Queued, plugins: Iterable[str], now: int) -> None:
        """No node does: wait for an event of one of these plugins."""
        queued.where = "unschedulable"
        self._backoff(queued, now)
        queued.plugins = sorted(plugins)

    def fail(self, queued: Queued, now: int) -> None:
        """Something went wrong: try again after the back-off."""
        queued.where = "error"
        self._backoff(queued, now)

    def hold(self, queued: Queued, node: str, until: int) -> None:
        """A node is chosen, its volumes are not there yet."""
        queued.where, queued.node, queued.added, queued.until = "binding", node, until, until

    def look_again(self, now: int) -> None:
        """A claim has changed: the pods that are being bound are to be looked at."""
        for queued in self.pods.values():
            if queued.where == "binding":
                queued.added = now

    def held(self, now: int) -> list[Queued]:
        """The pods being bound that are to be looked at now."""
        return [q for q in self.pods.values() if q.where == "binding" and q.added <= now]

    def move(self, event: str, old: Obj | None, new: Obj | None, plugins: PluginsOf, info: dict[str, PodInfo], now: int) -> int:
        """A cluster event: let the pods go that it may help; returns how many."""
        moved = 0
        for queued in self.pods.values():
            if queued.where != "unschedulable" or not self._helps(queued, event, old, new, plugins, info):
                continue
            queued.where = "backoff" if queued.backoff_until() > now else "active"
            moved += 1
        return moved

    @staticmethod
    def _helps(
        queued: Queued, event: str, old: Obj | None, new: Obj | None, plugins: PluginsOf, info: dict[str, PodInfo]
    ) -> bool:
        pod = info.get(queued.key)
        if pod is None:
            return True
        registered = plugins(pod)
        for name in queued.plugins:
            plugin = registered.get(name)
            if plugin is None or event not in plugin.events:
                continue
            if plugin.hint is None or plugin.hint(event, pod, old, new):
                return True
        return not queued.plugins

    def flush(self, now: int) -> int:
        """Pods that have waited 5 minutes are tried again whatever happened; returns how many."""
        late = [q for q in self.pods.values() if q.where == "unschedulable" and now - q.added >= self.left_over]
        for queued in late:
            queued.where = "active"
        return len(late)

    def next_due(self) -> int | None:
        """When a failed pod's back-off ends or a waiting pod is flushed."""
        times = [q.backoff_until() for q in self.pods.values() if q.where == "error"]
        times += [q.added + self.left_over for q in self.pods.values() if q.where == "unschedulable"]
        times += [q.added for q in self.pods.values() if q.where == "binding"]
        return min(times) if times else None
