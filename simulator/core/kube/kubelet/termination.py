"""The end of pods: graceful termination, clean-up, and pods whose containers are all done (`SyncTerminatingPod`, `SyncTerminatedPod`)."""

from __future__ import annotations

from typing import Any

from ...host import processes
from ...kernel.clock import SECOND
from ...kernel.errors import ConnectError
from ...runtime import cri
from ...runtime.state import runtime
from ..client import ApiError
from . import garbage, pleg, resize, sources, status, volumes
from .context import Kubelet
from .state import PodState, Track
from .units import all_containers, grace_period, is_sidecar

Obj = dict[str, Any]


def begin(kubelet: Kubelet, pod: PodState, *, removed: bool = False) -> None:
    """A pod is to end: kill its containers, each with the grace period."""
    if pod.work == "gone":
        return
    grace = grace_period(pod.pod)
    if pod.source == "api" and not pod.pod["metadata"].get("deletionTimestamp"):
        grace = int(pod.pod["spec"].get("terminationGracePeriodSeconds") or 30)
    grace = max(grace, 0 if removed else 1) if pod.source == "api" else grace
    if pod.work == "terminating":
        if 0 <= grace < pod.grace:
            _hasten(kubelet, pod, grace)
        kubelet.wake(pod, kubelet.world.now)
        return
    pod.work, pod.grace = "terminating", grace
    pod.kill_at = kubelet.world.now
    pod.busy_until = 0
    for track in pod.tracks.values():
        track.pull = ""
    kubelet.world.emit(f"kubelet/{kubelet.proc.host}", "pod.terminate", f"pods/{pod.namespace}/{pod.name}", {"grace": grace})
    try:
        stop_all(kubelet, pod)
    except ConnectError:
        kubelet.wake(pod, kubelet.world.now + 10 * SECOND)
        return
    kubelet.wake(pod, kubelet.world.now + kubelet.rng(5, 20))


def _hasten(kubelet: Kubelet, pod: PodState, grace: int) -> None:
    """A shorter grace period came while the pod is ending."""
    pod.grace = grace
    for track in pod.tracks.values():
        record = status.record(kubelet, track)
        if record is not None and record.state == "RUNNING":
            try:
                cri.stop_container(kubelet.world, kubelet.proc.host, track.id, max(grace, 2) * SECOND)
            except (ConnectError, cri.CriError):
                continue


def stop_all(kubelet: Kubelet, pod: PodState) -> None:
    """Stop every running container; a sidecar when its turn has come (`defer`)."""
    from . import stopping

    for container in all_containers(pod.pod):
        track = pod.tracks.get(container["name"])
        record = status.record(kubelet, track)
        if track is not None and record is not None and record.state == "RUNNING":
            stopping.kill_container(kubelet, pod, container, track, f"Stopping container {container['name']}")
            track.kill_reason = ""
            if track.deferred:
                _its_turn(kubelet, pod, container, track)


def _before(pod: PodState, container: Obj) -> list[str]:
    """The containers that stop before one: all others before a sidecar, and the sidecars after it (`terminationOrdering`)."""
    if not is_sidecar(container):
        return []
    sidecars = [c["name"] for c in pod.pod["spec"].get("initContainers") or () if is_sidecar(c)]
    if container["name"] not in sidecars:
        return []
    return [c["name"] for c in pod.pod["spec"]["containers"]] + sidecars[sidecars.index(container["name"]) + 1 :]


def defer(kubelet: Kubelet, pod: PodState, container: Obj, track: Track, seconds: int) -> bool:
    """Whether a container that is to stop has to wait for others, for as long as the grace period lasts (`waitForTurn`)."""
    if seconds <= 0:
        return False
    waits = False
    for name in _before(pod, container):
        record = status.record(kubelet, pod.tracks.get(name))
        if record is not None and record.state == "RUNNING":
            waits = True
            proc = processes.find(kubelet.world, kubelet.proc.host, record.pid)
            if proc is not None:
                processes.watch_exit(kubelet.world, proc, kubelet.proc.target, ["stopped", pod.uid])
    if waits and not track.deferred:
        track.deferred = kubelet.world.now
        kubelet.world.after(seconds * SECOND, kubelet.proc.target, ["pod", pod.uid])
    return waits


def _its_turn(kubelet: Kubelet, pod: PodState, container: Obj, track: Track) -> None:
    """Stop a sidecar whose turn has come, or whose grace period is over, with what is left of it (at least two seconds)."""
    grace = pod.grace if pod.grace >= 0 else grace_period(pod.pod)
    waited = (kubelet.world.now - track.deferred) // SECOND
    others = (status.record(kubelet, pod.tracks.get(name)) for name in _before(pod, container))
    if waited < grace and any(record is not None and record.state == "RUNNING" for record in others):
        return
    track.deferred = 0
    cri.stop_container(kubelet.world, kubelet.proc.host, track.id, max(2, grace - waited) * SECOND)


def _running(kubelet: Kubelet, pod: PodState) -> bool:
    return any((r := status.record(kubelet, t)) is not None and r.state == "RUNNING" for t in pod.tracks.values())


def step(kubelet: Kubelet, pod: PodState) -> None:
    """One look at a pod that is ending."""
    world, host = kubelet.world, kubelet.proc.host
    if _running(kubelet, pod):
        stop_all(kubelet, pod)
        pleg.settle(kubelet, pod)
        if pod.source == "api":
            status.send(kubelet, pod)
        return
    for track in pod.tracks.values():
        record = status.record(kubelet, track)
        track.reason = track.message = "" if record is not None else track.reason
    pleg.settle(kubelet, pod)
    sandbox = runtime(world, host).sandboxes.get(pod.sandbox)
    if sandbox is not None and sandbox.state == "READY":
        cri.stop_pod_sandbox(world, host, sandbox.id)
        if pod.source == "api":
            status.send(kubelet, pod)
        pod.busy_until = world.now + kubelet.rng(150, 700)
        kubelet.wake(pod, pod.busy_until)
        return
    _finish(kubelet, pod)


def _finish(kubelet: Kubelet, pod: PodState) -> None:
    """Everything has stopped: clean up, and let the API forget the pod."""
    world, host = kubelet.world, kubelet.proc.host
    if pod.source == "api":
        status.send(kubelet, pod)
        if pod.dirty:
            kubelet.wake(pod, world.now + 10 * SECOND)
            return
        try:
            kubelet.client.delete("pods", pod.namespace, pod.name, grace=0, uid=pod.uid)
        except ConnectError:
            kubelet.wake(pod, world.now + 10 * SECOND)
            return
        except ApiError as failed:
            if failed.code not in (404, 409):
                kubelet.wake(pod, world.now + 10 * SECOND)
                return
    else:
        sources.delete_mirror(kubelet, pod)
    for sandbox in [s for s in runtime(world, host).sandboxes.values() if s.uid == pod.uid]:
        garbage.pod_logs(kubelet, sandbox)
        cri.remove_pod_sandbox(world, host, sandbox.id)
    volumes.tear_down(kubelet, pod)
    pod.work = "gone"
    if pod.wake_seq:
        world.cancel(pod.wake_seq)
    kubelet.state.pods.pop(pod.uid, None)
    world.emit(f"kubelet/{host}", "pod.gone", f"pods/{pod.namespace}/{pod.name}")
    for other in kubelet.state.pods.values():
        if other.full_name == pod.full_name:
            kubelet.wake(other, world.now)
    resize.retry(kubelet)


def finished(kubelet: Kubelet, pod: PodState) -> None:
    """A pod that has Succeeded or Failed: its sandbox goes down, its containers stay for their logs."""
    if _running(kubelet, pod):
        stop_all(kubelet, pod)
        return
    sandbox = runtime(kubelet.world, kubelet.proc.host).sandboxes.get(pod.sandbox)
    if sandbox is not None and sandbox.state == "READY":
        cri.stop_pod_sandbox(kubelet.world, kubelet.proc.host, sandbox.id)
        pod.pending = True
        resize.retry(kubelet)
    pleg.settle(kubelet, pod)


def orphans(kubelet: Kubelet) -> None:
    """Housekeeping: a sandbox of no known pod (made with crictl, or left by a force-deleted pod) is stopped and removed."""
    world, host, state = kubelet.world, kubelet.proc.host, kubelet.state
    state.orphan_timer = 0
    if not state.api_synced:
        return
    try:
        for sandbox in cri.list_pod_sandboxes(world, host):
            if sandbox.uid not in state.pods:
                kubelet.log(
                    "I",
                    "kubelet_pods.go:1180",
                    "Clean up containers for orphaned pod we had not seen before",
                    podUID=sandbox.uid,
                    killPodOptions="<internal error: json: unsupported type: chan<- struct {}>",
                )
                garbage.pod_logs(kubelet, sandbox)
                cri.remove_pod_sandbox(world, host, sandbox.id)
    except (ConnectError, cri.CriError):
        return
