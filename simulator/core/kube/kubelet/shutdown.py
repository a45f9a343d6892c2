"""Graceful node shutdown (`pkg/kubelet/nodeshutdown`): while systemd waits for its inhibitor lock, the kubelet ends the pods group by
group, the lowest priority first, each group within its own period.

It is on when the configuration has `shutdownGracePeriod` or `shutdownGracePeriodByPodPriority`.  State while it lasts is
`KubeletState.shutdown`: the groups that are left, each `[seconds, until, [uids]]`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ...host import files, power
from ...kernel.clock import MS, SECOND
from .. import component
from . import node, pleg, status, termination
from .context import Kubelet
from .options import setting
from .state import PodState
from .units import all_containers

Obj = dict[str, Any]
#: Where the kubelet tells logind how long it may wait, and how long that waits otherwise.
LOGIND, LOGIND_DEFAULT = "/etc/systemd/logind.conf.d/99-kubelet.conf", 5 * SECOND
SYSTEM_CRITICAL = 2_000_000_000
LOOK = 500 * MS
MESSAGE = "Pod was terminated in response to imminent node shutdown."


class Period(NamedTuple):
    """Pods from this priority on (up to the next period's) have so many seconds."""

    priority: int
    seconds: int


def _duration(config: Obj, name: str) -> int:
    return component.parse_duration(str(setting(config, name) or "0s"))


def periods(config: Obj) -> list[Period]:
    """The groups, lowest priority first; none when the feature is off (migrateConfig)."""
    given = config.get("shutdownGracePeriodByPodPriority") or []
    if given:
        return sorted(Period(int(p.get("priority") or 0), int(p.get("shutdownGracePeriodSeconds") or 0)) for p in given)
    whole, critical = _duration(config, "shutdownGracePeriod"), _duration(config, "shutdownGracePeriodCriticalPods")
    if not whole or critical > whole:
        return []
    return [Period(0, (whole - critical) // SECOND), Period(SYSTEM_CRITICAL, critical // SECOND)]


def attend(kubelet: Kubelet) -> None:
    """At the kubelet's start: take the inhibitor lock when there is anything to wait for."""
    found = periods(kubelet.state.config)
    if not found:
        return
    world, config = kubelet.world, kubelet.state.config
    whole = sum(one.seconds for one in found) * SECOND
    asked = {
        "shutdownGracePeriodRequested": setting(config, "shutdownGracePeriod"),
        "shutdownGracePeriodCriticalPods": setting(config, "shutdownGracePeriodCriticalPods"),
    }
    listed = " ".join(f"{{Priority:{p.priority} ShutdownGracePeriodSeconds:{p.seconds}}}" for p in found)
    where = "nodeshutdown_manager_linux.go:137"
    kubelet.log("I", where, "Creating node shutdown manager", **asked, shutdownGracePeriodByPodPriority=f"[{listed}]")
    if whole > LOGIND_DEFAULT:
        text = f"# Kubelet logind override\n[Login]\nInhibitDelayMaxSec={whole // SECOND}\n"
        files.write_file(world, kubelet.proc.host, LOGIND, text.encode(), parents=True)
    power.inhibit(world, kubelet.host, kubelet.proc, whole)
    world.subscribe(power.topic(kubelet.host), kubelet.proc.target, ["shutdown"], low=MS, high=20 * MS)


def group(found: list[Period], priority: int) -> int:
    """Which period is for a priority: the highest that is not above it, the lowest for all below (groupByPriority)."""
    return max((index for index, one in enumerate(found) if one.priority <= priority), default=0)


def begin(kubelet: Kubelet) -> None:
    """The machine is going down: say so, and end the first group."""
    state = kubelet.state
    if state.shutdown is not None:
        return
    kubelet.node_event("Normal", "NodeShutdown", "Shutdown manager detected shutdown event")
    found = periods(state.config)
    state.shutdown = [[one.seconds, 0, []] for one in found]
    for pod in state.pods.values():
        if pod.work == "sync" and not pod.terminal:
            state.shutdown[group(found, int(pod.pod["spec"].get("priority") or 0))][2].append(pod.uid)
    node.heartbeat(kubelet)
    look(kubelet)


def look(kubelet: Kubelet) -> None:
    """End the next group when the one before has ended or had its time; let the machine go after the last."""
    left = kubelet.state.shutdown
    if left is None:
        return
    now = kubelet.world.now
    while left:
        seconds, until, uids = left[0]
        pods = [kubelet.state.pods[uid] for uid in uids if uid in kubelet.state.pods]
        if not until and pods:
            left[0][1] = now + seconds * SECOND
            for pod in pods:
                _end(kubelet, pod, seconds)
            break
        if until > now and any(_runs(kubelet, pod) for pod in pods):
            break
        left.pop(0)
    if left:
        kubelet.world.after(min(LOOK, max(left[0][1] - now, MS)), kubelet.proc.target, ["shutdown", "look"])
        return
    power.release(kubelet.world, kubelet.host, kubelet.proc)


def _runs(kubelet: Kubelet, pod: PodState) -> bool:
    """Whether one of its containers has not ended."""
    records = (status.record(kubelet, pod.tracks.get(c["name"])) for c in all_containers(pod.pod))
    return any(record is not None and record.state == "RUNNING" for record in records)


def _end(kubelet: Kubelet, pod: PodState, seconds: int) -> None:
    """A pod fails, its containers have the group's time or their own, whichever is shorter."""
    own = pod.pod["spec"].get("terminationGracePeriodSeconds")
    pod.terminal, pod.reason, pod.message, pod.disrupted = "Failed", "Terminated", MESSAGE, MESSAGE
    grace, pod.grace = pod.grace, min(seconds, 30 if own is None else int(own))
    termination.stop_all(kubelet, pod)
    pod.grace = grace
    pleg.changed(kubelet, pod)
