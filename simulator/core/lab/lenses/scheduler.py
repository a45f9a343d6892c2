"""The scheduler lens: the queue, and the last decisions as a table of every node's verdict and scores by plugin."""

from __future__ import annotations

from typing import Any

from ...kernel.trace import TraceEvent
from ...kernel.world import World
from ...kube.scheduler import profiles
from ...kube.scheduler.queue import Queued
from ...kube.scheduler.state import SchedulerState, states
from .common import choose, last_events, told

Json = dict[str, Any]

#: Decisions that can be looked at, and pods of the queue that are listed.
DECISIONS = 8
QUEUED = 12
ACTIONS = frozenset(("schedule", "unschedulable", "preempt"))


def lens(world: World, about: str) -> Json:
    """The newest decision, or the one about the pod `about` (`namespace/name`)."""
    leader = next(((key, state) for key, state in sorted(states(world).items()) if state.running), None)
    found = last_events(world, lambda event: event.actor == "kube-scheduler" and event.action in ACTIONS, DECISIONS)
    pods = list(dict.fromkeys(event.ref.removeprefix("pods/") for event in reversed(found)))
    about = choose(pods, about)
    decisions = [event for event in found if event.ref == f"pods/{about}"]
    return {
        "about": about,
        "choices": pods,
        "leader": leader[0].partition("/")[0] if leader is not None else "",
        "queue": _queue(world, leader[1]) if leader is not None else [],
        "decision": _decision(decisions[-1], leader[1] if leader is not None else None) if decisions else None,
        "decisions": [told_shortly(event) for event in found],
    }


def told_shortly(event: TraceEvent) -> Json:
    """A decision without its tables."""
    row = told(event)
    detail = row.pop("detail")
    return {**row, "pod": event.ref.removeprefix("pods/"), "node": detail.get("node", ""), "for": detail.get("for", "")}


def _queue(world: World, state: SchedulerState) -> list[Json]:
    """The pods that wait: in which part of the queue, how often they were tried, and until when they must wait (virtual ns)."""
    rows = sorted(state.queue.pods.values(), key=lambda q: (-q.priority, q.added, q.seq))
    return [
        {
            "pod": q.key,
            "where": "active" if q.where in ("backoff", "error") and q.until <= world.now else q.where,
            "attempts": q.attempts,
            "plugins": q.plugins,
            "until": _until(q, state),
            "nominated": state.nominated.get(q.key, ""),
        }
        for q in rows[:QUEUED]
    ]


def _until(queued: Queued, state: SchedulerState) -> int:
    """When a pod that waits is tried again in any case; 0 for one that does not wait for a time."""
    if queued.where in ("backoff", "error"):
        return queued.until
    return queued.added + state.queue.left_over if queued.where == "unschedulable" else 0


def _decision(event: TraceEvent, state: SchedulerState | None) -> Json:
    """One decision: `filters` and `scores` are the columns, `nodes` the rows; a rejected node names its plugin and reason."""
    detail = event.detail or {}
    verdicts, scores = detail.get("verdicts") or {}, detail.get("scores") or {}
    weights = (profiles.of(state.config) if state is not None and state.config else profiles.default())[
        "default-scheduler"
    ].weights  # fmt: skip
    plugins = list(dict.fromkeys(plugin for parts in scores.values() for plugin in parts))
    nodes = [
        {"node": name, "scores": parts, "total": sum(parts.values()), "chosen": name == detail.get("node")}
        for name, parts in scores.items()
    ]
    nodes += [{"node": name, "plugin": plugin, "reason": reason} for name, (plugin, reason) in verdicts.items()]
    return {
        **told_shortly(event),
        "nodes": nodes,
        "total": detail.get("nodes", len(nodes)),
        "plugins": [{"name": plugin, "weight": weights.get(plugin, 1)} for plugin in plugins],
        "rejected": detail.get("rejected", ""),
        "alone": len(scores) == 1 and not plugins,
    }
