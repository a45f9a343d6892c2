"""Pod workers: each look brings one pod a step nearer to what its source says (`pkg/kubelet/pod_workers.go`, `kubelet.go: SyncPod`,
`kuberuntime_manager.go: computePodActions`).

A step that takes time sets `busy_until`; a pull is waited for by its bell.  Containers of a pod are started one after the other.
"""

from __future__ import annotations

import json
from typing import Any

from ...kernel import clock
from ...kernel.clock import SECOND
from ...kernel.errors import ConnectError
from ...runtime import cri
from ...runtime.state import Container, runtime
from ..api.objects import is_condition_true
from . import admission, hooks, pleg, prepare, refresh, resize, start, status, stopping, termination
from .context import Kubelet
from .state import PodState, Step, Track
from .units import all_containers, is_sidecar, should_restart

Obj = dict[str, Any]
#: Why a container is stopped whose postStart hook failed, as its event says it.
HOOK_FAILED = "FailedPostStartHook"
CRASH_FIRST, CRASH_LONGEST = 10 * SECOND, 300 * SECOND


# -- what sources tell --------------------------------------------------------------------------------------------------
def add(kubelet: Kubelet, pod: PodState) -> None:
    """A new pod of a source: find what already runs of it, and sync it."""
    kubelet.state.pods[pod.uid] = pod
    for container in all_containers(pod.pod):
        pod.tracks[container["name"]] = Track()
    old = pod.pod.get("status") or {}
    pod.started_at = str(old.get("startTime") or "")
    if old.get("phase") in ("Succeeded", "Failed"):
        pod.terminal = str(old["phase"])
    _adopt(kubelet, pod)
    if not pod.sandbox and not pod.terminal and not pod.pod["metadata"].get("deletionTimestamp"):
        admission.admit(kubelet, pod)
    kubelet.world.emit(f"kubelet/{kubelet.proc.host}", "pod.add", f"pods/{pod.namespace}/{pod.name}", {"source": pod.source})
    if pod.pod["metadata"].get("deletionTimestamp") and pod.work == "sync":
        terminate(kubelet, pod)
        return
    kubelet.wake(pod, kubelet.world.now + kubelet.rng(2, 12))


def _adopt(kubelet: Kubelet, pod: PodState) -> None:
    """After a restart of the kubelet: the runtime's sandboxes and containers of this pod are taken over."""
    state = runtime(kubelet.world, kubelet.proc.host)
    found = sorted((s for s in state.sandboxes.values() if s.uid == pod.uid), key=lambda s: s.attempt)
    if not found:
        return
    pod.sandbox, pod.attempt, pod.ip = found[-1].id, found[-1].attempt, found[-1].ip
    pod.volumes_ready = True
    space = state.namespaces.get("k8s.io")
    for container in sorted(space.containers.values() if space is not None else (), key=lambda c: c.attempt):
        track = pod.tracks.get(container.name)
        if container.sandbox in [s.id for s in found] and track is not None:
            previous = status.record(kubelet, track)
            if previous is not None and previous.state == "EXITED":
                track.last = status.terminated(previous)
            track.id, track.restarts = container.id, container.attempt
    pleg.observe(kubelet, pod)


def update(kubelet: Kubelet, pod: PodState, obj: Obj) -> None:
    """The source's object has changed."""
    old = pod.pod
    pod.pod = obj
    if obj["metadata"].get("deletionTimestamp"):
        terminate(kubelet, pod)
        return
    if pod.status and not is_condition_true(obj, "Ready") and is_condition_true({"status": pod.status}, "Ready"):
        pod.sent = ""  # somebody else said that it is not ready: say again that it is (NeedToReconcilePodReadiness)
        pleg.changed(kubelet, pod)
    if old["spec"] is obj["spec"] or old["spec"] == obj["spec"]:
        if old["metadata"].get("annotations") != obj["metadata"].get("annotations") or old["metadata"].get("labels") != obj[
            "metadata"
        ].get("labels"):
            pleg.changed(kubelet, pod)
            refresh.changed(kubelet, "downwardAPI", pod)
        return
    if resize.resources_of(old) != resize.resources_of(obj):
        resize.consider(kubelet, pod, old)
    images = {c["name"]: c.get("image") for c in all_containers(old)}
    for container in all_containers(obj):
        track = pod.tracks.setdefault(container["name"], Track())
        record = status.record(kubelet, track)
        if container["name"] in images and images[container["name"]] != container.get("image"):
            track.image_id = track.pull = track.reason = track.message = ""
            track.image_backoff = 0
            if record is not None and record.state == "RUNNING":
                stopping.kill_container(
                    kubelet, pod, container, track, f"Container {container['name']} definition changed, will be restarted"
                )
    pleg.changed(kubelet, pod)


def removed(kubelet: Kubelet, pod: PodState) -> None:
    """The API does not know the pod any more."""
    if pod.work == "gone":
        return
    terminate(kubelet, pod, removed=True)


def terminate(kubelet: Kubelet, pod: PodState, *, removed: bool = False) -> None:
    """Begin (or hasten) the pod's end."""
    termination.begin(kubelet, pod, removed=removed)


# -- one look at a pod --------------------------------------------------------------------------------------------------
def sync(kubelet: Kubelet, pod: PodState) -> None:
    """Begin a sync of a pod, or go on with the one that is under way (`podWorkerLoop`).

    The status is made and sent when a sync begins, of what the last relist saw; what the sync then does is seen by the next one.
    """
    world = kubelet.world
    if pod.work == "gone":
        return
    if pod.busy_until > world.now:
        kubelet.wake(pod, pod.busy_until)
        return
    try:
        if pod.work == "terminating":
            pod.step = None
            termination.step(kubelet, pod)
            return
        if pod.source == "file" and _blocked(kubelet, pod):
            return
        if pod.step is None and not _begin(kubelet, pod):
            return
        _sync(kubelet, pod)
    except (ConnectError, cri.CriError) as failed:
        kubelet.wake(pod, world.now + kubelet.rng(10_000, 15_000))
        _fail(pod, cri.unavailable(failed.detail) if isinstance(failed, ConnectError) else str(failed))
    if pod.busy_until <= world.now and not _waits(kubelet, pod):
        _end(kubelet, pod)


def _begin(kubelet: Kubelet, pod: PodState) -> bool:
    """Begin a sync with the pod's status; False when the runtime has to be relisted before."""
    pod.waits = True
    if not pleg.fresh(kubelet, pod):
        kubelet.wake(pod, pleg.next_tick(kubelet, pod.synced_at))
        return False
    if not pod.started_at:
        pod.started_at = kubelet.stamp()
    pod.step, pod.waits = Step(), False
    status.send(kubelet, pod)
    return True


def _waits(kubelet: Kubelet, pod: PodState) -> bool:
    """Whether the sync waits for an image or for a container that it is stopping."""
    for track in pod.tracks.values():
        if track.pull or track.hook:
            return True
        if track.kill_reason and track.stopping:
            record = status.record(kubelet, track)
            if record is not None and record.state == "RUNNING":
                return True
    return False


def _fail(pod: PodState, error: str, container: Obj | None = None) -> None:
    if pod.step is not None:
        pod.step.errors.append(error)
        if container is not None:
            pod.step.done.append(container["name"])


def _start_error(container: Obj, reason: str, message: str) -> str:
    """A container that could not be started, as a sync's result names it (`pkg/kubelet/container/sync_result.go`)."""
    return f'failed to "StartContainer" for {json.dumps(container["name"])} with {reason}: {json.dumps(message)}'


def _end(kubelet: Kubelet, pod: PodState) -> None:
    """A sync is over (`completeWork`): relist the pod when it did something, and sync once more when that was asked for."""
    step, pod.step = pod.step, None
    if step is None or pod.work != "sync":
        return
    pod.synced_at = kubelet.world.now
    if step.errors:
        whole = step.errors[0] if len(step.errors) == 1 else f"[{', '.join(dict.fromkeys(step.errors))}]"
        where = {"pod": f"{pod.namespace}/{pod.name}", "podUID": pod.uid}
        kubelet.log("E", "pod_workers.go:1324", "Error syncing pod, skipping", err=whole, **where)
    elif step.acted:
        pleg.request(kubelet, pod)
    if pod.pending:
        pod.pending, pod.waits = False, True
        kubelet.wake(pod, kubelet.world.now)


def _sync(kubelet: Kubelet, pod: PodState) -> None:
    if pod.terminal:
        termination.finished(kubelet, pod)
        return
    if prepare.past_deadline(kubelet, pod):
        pod.pending = True
        return
    if not prepare.volumes_ready(kubelet, pod) or not prepare.network_ready(kubelet, pod):
        return
    sandbox = runtime(kubelet.world, kubelet.proc.host).sandboxes.get(pod.sandbox)
    if sandbox is None or sandbox.state != "READY":
        prepare.sandbox(kubelet, pod, sandbox)
        return
    if not is_condition_true({"status": pod.status}, "PodReadyToStartContainers"):
        status.sandbox_ready(kubelet, pod)
    if not _ephemeral_containers(kubelet, pod) or not _init_containers(kubelet, pod):
        return
    for container in pod.pod["spec"]["containers"]:
        if not _container(kubelet, pod, container):
            return


def _blocked(kubelet: Kubelet, pod: PodState) -> bool:
    """A static pod waits until the earlier one of its name has gone (`pod_workers.go`: allowStaticPodStart).

    Two files may say the same name, such as a manifest and its copy beside it: the one that came first runs, the other one looks
    again after `backOffPeriod` and has neither containers nor a mirror pod until then.
    """
    for other in kubelet.state.pods.values():
        if other is pod:
            return False
        if other.source != "file" or other.full_name != pod.full_name or other.work == "gone":
            continue
        ends = other.work == "terminating" or other.uid not in kubelet.state.static
        kubelet.wake(pod, kubelet.world.now + (SECOND if ends else kubelet.rng(10_000, 15_000)))
        return True
    return False


def _ephemeral_containers(kubelet: Kubelet, pod: PodState) -> bool:
    """Start each ephemeral container once, whatever the others do; False while one is on its way."""
    for container in pod.pod["spec"].get("ephemeralContainers") or ():
        track = pod.tracks[container["name"]]
        record = status.record(kubelet, track)
        ended = record is None and track.id and not (track.pull or track.image_id or track.created)
        if ended or (record is not None and record.state in ("RUNNING", "EXITED")):
            continue
        if not _container(kubelet, pod, container):
            return False
    return True


def _init_containers(kubelet: Kubelet, pod: PodState) -> bool:
    """True when every init container is done (or running, for sidecars)."""
    begun = any(pod.tracks[c["name"]].id for c in pod.pod["spec"]["containers"])
    for container in pod.pod["spec"].get("initContainers") or ():
        track = pod.tracks[container["name"]]
        record = status.record(kubelet, track)
        if is_sidecar(container):
            if not _container(kubelet, pod, container):
                return False
            if not begun and not _started(container, track, status.record(kubelet, track)):
                return False
            continue
        if pod.step is not None and container["name"] in pod.step.done:
            return False
        if begun or (record is not None and record.state == "EXITED" and record.exit_code == 0):
            continue
        if record is not None and record.state == "RUNNING":
            return False
        if record is not None and record.state == "EXITED" and not should_restart(pod.pod, container, record.exit_code):
            return False
        _container(kubelet, pod, container)
        return False
    return True


def _started(container: Obj, track: Track, record: Container | None) -> bool:
    if record is None or record.state != "RUNNING":
        return False
    probe = track.probes.get("startup")
    return not container.get("startupProbe") or (probe is not None and probe.result is True)


def _container(kubelet: Kubelet, pod: PodState, container: Obj) -> bool:
    """See to one container; False when the worker has to wait for it before it goes on to the next."""
    world = kubelet.world
    track = pod.tracks[container["name"]]
    record = status.record(kubelet, track)
    under_way = bool(track.pull or track.image_id or track.created)
    if track.hook:
        return _after_hook(kubelet, pod, container, track)
    if track.kill_reason == HOOK_FAILED and record is not None and record.state == "EXITED":
        track.kill_reason = ""  # the sync that started it has failed; the next one finds a container that ended
        return True
    if record is not None and record.state == "RUNNING":
        return not (track.stopping and track.kill_reason)
    if pod.step is not None and container["name"] in pod.step.done:
        return True
    attempt = 0
    if track.id and not (track.created and record is not None and record.state == "CREATED"):
        attempt = track.restarts + 1
        if record is not None and not under_way:
            if not should_restart(pod.pod, container, record.exit_code) and not _killed_to_restart(pod, container, track):
                return True
            if _backing_off(kubelet, pod, container, track, record):
                _fail(pod, _start_error(container, track.reason, track.message), container)
                return True
        if record is not None:
            track.last = status.terminated(record)
    elif track.created:
        attempt = track.restarts
    if not track.pull and track.reason in ("CrashLoopBackOff",):
        track.reason = track.message = ""
    try:
        done = start.step(kubelet, pod, container, track, attempt)
    except start.StartFailed as failed:
        return _start_failed(kubelet, pod, container, track, failed)
    if done:
        _has_started(kubelet, pod, container)
    elif track.pull:
        world.subscribe(f"pull:{kubelet.proc.host}:{track.pull}", kubelet.proc.target, ["pod", pod.uid])
    elif not track.hook:
        kubelet.wake(pod, pod.busy_until)
    return False


def _has_started(kubelet: Kubelet, pod: PodState, container: Obj) -> None:
    pod.busy_until = kubelet.world.now + kubelet.rng(4, 20)
    kubelet.wake(pod, pod.busy_until)
    if pod.step is not None:
        pod.step.acted = True
        pod.step.done.append(container["name"])


def _after_hook(kubelet: Kubelet, pod: PodState, container: Obj, track: Track) -> bool:
    """The sync goes on when the postStart hook that it waits for is over."""
    try:
        if start.hooked(kubelet, pod, container, track, hooks.ended(kubelet, pod, container, track)):
            _has_started(kubelet, pod, container)
    except start.StartFailed as failed:
        return _start_failed(kubelet, pod, container, track, failed)
    return False


def _start_failed(kubelet: Kubelet, pod: PodState, container: Obj, track: Track, failed: start.StartFailed) -> bool:
    """Note why a container could not be started; one whose hook failed is stopped, which the sync waits for."""
    track.reason, track.message = failed.reason, str(failed)
    track.image_id, track.created = "", False
    _fail(pod, _start_error(container, failed.reason, str(failed)), container)
    if failed.reason != "ImagePullBackOff":
        text = f"container {container['name']} start failed in pod {pod.full_name}({pod.uid}): {failed.reason}: {failed}"
        kubelet.log("E", "kuberuntime_manager.go:1727", "Unhandled Error", err=text, logger="UnhandledError")
    kubelet.wake(pod, kubelet.world.now + kubelet.rng(10_000, 15_000))
    record = status.record(kubelet, track)
    if failed.reason == "PostStartHookError" and record is not None and record.state == "RUNNING":
        stopping.kill_container(kubelet, pod, container, track, HOOK_FAILED)
        return False
    return True


def _killed_to_restart(pod: PodState, container: Obj, track: Track) -> bool:
    """Whether the kubelet stopped the container to start it again: after a failed probe only where something may be restarted."""
    policy = container.get("restartPolicy") or pod.pod["spec"].get("restartPolicy") or "Always"
    return bool(track.kill_reason) and (policy != "Never" or "probe" not in track.kill_reason)


def _backing_off(kubelet: Kubelet, pod: PodState, container: Obj, track: Track, record: Container) -> bool:
    """CrashLoopBackOff (`doBackOff`): the first restart is at once, then 10 s doubling to 300 s; forgotten after 600 s of running.

    A container that this sync has stopped was running when its status was taken: what counts is the one before it, if there is one.
    """
    world = kubelet.world
    if track.kill_reason:
        if track.last is None or track.last.get("containerID", "").endswith(record.id):
            return False
        finished = clock.parse_rfc3339(track.last["finishedAt"]) - world.epoch
    else:
        finished = record.finished_at - world.epoch
    if track.crash_backoff and finished - track.crash_at > 2 * CRASH_LONGEST:
        track.crash_backoff = 0
    if track.crash_backoff and world.now - finished < track.crash_backoff:
        shown = f"{track.crash_backoff // SECOND}s" if track.crash_backoff < 60 * SECOND else _minutes(track.crash_backoff)
        name, where = container["name"], f"{pod.full_name}({pod.uid})"
        kubelet.pod_event(pod, "Warning", "BackOff", f"Back-off restarting failed container {name} in pod {where}", name)
        track.reason, track.message = "CrashLoopBackOff", f"back-off {shown} restarting failed container={name} pod={where}"
        left = min(finished + track.crash_backoff - world.now, 60 * SECOND)
        kubelet.wake(pod, world.now + left + world.rng(f"kubelet/{kubelet.proc.host}").below(max(1, left // 2)))
        return True
    track.crash_backoff = min(track.crash_backoff * 2, CRASH_LONGEST) if track.crash_backoff else CRASH_FIRST
    track.crash_at = world.now
    return False


def _minutes(ns: int) -> str:
    minutes, seconds = divmod(ns // SECOND, 60)
    return f"{minutes}m{seconds}s"
