"""Stopping one container: the preStop hook, TERM, and KILL when its grace period is over (`kuberuntime_container.go: killContainer`)."""

from __future__ import annotations

from typing import Any

from ...host import processes
from ...kernel.clock import SECOND
from ...runtime import cri
from ...runtime.state import Container
from . import hooks, status, termination
from .context import Kubelet
from .state import PodState, Step, Track
from .units import all_containers, grace_period

Obj = dict[str, Any]


def kill_container(
    kubelet: Kubelet, pod: PodState, container: Obj, track: Track, message: str, *, grace: int | None = None
) -> None:
    """Record Killing, run preStop, then TERM and after the grace period KILL."""
    record = status.record(kubelet, track)
    if record is None or record.state != "RUNNING" or track.stopping:
        return
    track.stopping = True
    track.kill_reason = message
    if pod.work == "sync" and not pod.terminal:
        _hold(kubelet, pod, record)
    kubelet.pod_event(pod, "Normal", "Killing", message or f"Stopping container {container['name']}", container["name"])
    seconds = grace if grace is not None else _grace(pod, container)
    delay = hooks.pre_stop(kubelet, pod, container, track) if seconds > 0 else 0
    if delay:
        waits = min(delay, seconds * SECOND) if delay > 0 else seconds * SECOND
        kubelet.world.after(
            waits, kubelet.proc.target, ["stop", pod.uid, container["name"], max(2 * SECOND, seconds * SECOND - waits)]
        )
        return
    if (pod.work != "sync" or pod.terminal) and termination.defer(kubelet, pod, container, track, seconds):
        return
    cri.stop_container(kubelet.world, kubelet.proc.host, track.id, max(2, seconds) * SECOND)


def _hold(kubelet: Kubelet, pod: PodState, record: Container) -> None:
    """The sync that stops a container waits for its end and starts it again."""
    if pod.step is None:
        pod.step = Step()
    pod.step.acted = True
    proc = processes.find(kubelet.world, kubelet.proc.host, record.pid)
    if proc is not None:
        processes.watch_exit(kubelet.world, proc, kubelet.proc.target, ["stopped", pod.uid])


def _grace(pod: PodState, container: Obj) -> int:
    return pod.grace if pod.grace >= 0 else grace_period(pod.pod)


def stop_now(kubelet: Kubelet, pod: PodState, name: str, grace: int) -> None:
    """The preStop hook is over: TERM."""
    track = pod.tracks.get(name)
    record = status.record(kubelet, track)
    if track is None or record is None or record.state != "RUNNING":
        return
    container = next((c for c in all_containers(pod.pod) if c["name"] == name), None)
    if container is None or not termination.defer(kubelet, pod, container, track, grace // SECOND):
        cri.stop_container(kubelet.world, kubelet.proc.host, track.id, grace)


def hook_ended(kubelet: Kubelet, pod: PodState, hook: list[Any], code: int) -> None:
    """A hook's command has ended with a status: a sync waits for it, or a container that is to stop."""
    kind, _, name, *began = hook
    track = pod.tracks.get(name)
    if track is None:
        return
    if kind == "poststart":
        if track.hook:
            track.hook = str(code)
            kubelet.wake(pod, kubelet.world.now)
        return
    if code:
        kubelet.pod_event(pod, "Warning", "FailedPreStopHook", "PreStopHook failed", name)
    container = next((c for c in all_containers(pod.pod) if c["name"] == name), {})
    stop_now(kubelet, pod, name, max(2 * SECOND, _grace(pod, container) * SECOND - (kubelet.world.now - began[0])))
