"""A pod's status from its containers (`pkg/kubelet/kubelet_pods.go`, `pkg/kubelet/status/generate.go`) and sending it (`status_manager.go`)."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from ...kernel import clock
from ...kernel.errors import ConnectError
from ...runtime import images as builds
from ...runtime.state import Container, find_container, runtime
from ..client import ApiError
from .context import Kubelet
from .state import PodState, Track
from .units import is_sidecar, qos_class, should_restart

Obj = dict[str, Any]

_OWNED = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


def record(kubelet: Kubelet, track: Track | None) -> Container | None:
    """The runtime's record of a container."""
    return find_container(kubelet.world, kubelet.proc.host, track.id) if track is not None and track.id else None


def runtime_name(container: Container) -> str:
    """The scheme of container ids: `docker` for those that dockershim or cri-dockerd made (Docker's storage driver is overlay2)."""
    return "docker" if container.snapshotter == "overlay2" else "containerd"


def terminated(container: Container) -> Obj:
    """The state of a container that has ended."""
    cid = f"{runtime_name(container)}://{container.id}"
    state: Obj = {"containerID": cid, "exitCode": container.exit_code, "finishedAt": clock.rfc3339(container.finished_at)}
    if container.message:
        state["message"] = container.message
    state["reason"] = container.reason
    state["startedAt"] = clock.rfc3339(container.started_at) if container.started_at else "1970-01-01T00:00:00Z"
    return state


def container_status(kubelet: Kubelet, pod: PodState, spec: Obj, waiting: str) -> Obj:
    """One entry of containerStatuses or initContainerStatuses."""
    track = pod.tracks.get(spec["name"])
    container = record(kubelet, track)
    out: Obj = {
        "image": spec.get("image", ""),
        "imageID": "",
        "lastState": {},
        "name": spec["name"],
        "ready": False,
        "restartCount": 0,
        "started": False,
    }
    if track is not None:
        out["restartCount"] = track.restarts
        if track.last is not None:
            out["lastState"] = {"terminated": track.last}
    if container is not None:
        build = builds.known(kubelet.world, container.build)
        out["containerID"] = f"{runtime_name(container)}://{container.id}"
        if build is not None:
            out["imageID"] = build.digest("config") if build.made else f"{build.repository}@{build.digest('index')}"
            out["image"] = _image_name(kubelet, container, spec)
    state: Obj
    if container is not None and container.state == "RUNNING":
        state = {"running": {"startedAt": clock.rfc3339(container.started_at)}}
    elif (
        container is not None
        and container.state == "EXITED"
        and not (track is not None and track.reason and should_restart(pod.pod, spec, container.exit_code))
    ):  # only what will be started again waits (`convertToAPIContainerStatuses`)
        state = {"terminated": terminated(container)}
    else:
        reason = track.reason if track is not None and track.reason else waiting
        state = {"waiting": {"reason": reason}}
        if track is not None and track.message:
            state["waiting"]["message"] = track.message
        if container is not None and container.state == "EXITED":
            out["lastState"] = {"terminated": terminated(container)}
    out["state"] = state
    _readiness(pod, spec, track, out)
    granted = pod.allocated.get(spec["name"])
    resources: Obj = granted if granted is not None else spec.get("resources") or {}
    if resources.get("requests"):
        out["allocatedResources"] = resources["requests"]
    if container is not None:
        out["resources"] = {key: value for key, value in (pod.actuated.get(spec["name"]) or resources).items() if value}
        user, _, named = container.user.partition(":")
        uid = int(user) if user.isdigit() else 0
        groups = [int(one) for one in named.split(",") if one.isdigit()] or [uid]
        out["user"] = {"linux": {"gid": groups[0], "supplementalGroups": groups, "uid": uid}}
    mounts = [_mount_status(m) for m in spec.get("volumeMounts") or ()]
    if mounts:
        out["volumeMounts"] = mounts
    return out


def _image_name(kubelet: Kubelet, container: Container, spec: Obj) -> str:
    from ...kernel.errors import BadInput
    from ...runtime import references

    try:
        return references.normalise(str(spec.get("image") or "")).name
    except BadInput:
        return str(spec.get("image") or "")


def _mount_status(mount: Obj) -> Obj:
    out: Obj = {"mountPath": mount["mountPath"], "name": mount["name"]}
    if mount.get("readOnly"):
        out |= {"readOnly": True, "recursiveReadOnly": "Disabled"}
    return out


def _readiness(pod: PodState, spec: Obj, track: Track | None, out: Obj) -> None:
    """`started` and `ready` (`prober_manager.go: UpdatePodStatus`)."""
    running = "running" in out["state"]
    if track is None or not running:
        ended = out["state"].get("terminated")
        init = any(c["name"] == spec["name"] for c in pod.pod["spec"].get("initContainers") or ())
        out["ready"] = bool(init and ended is not None and ended["exitCode"] == 0)
        out["started"] = False
        return
    startup, readiness = track.probes.get("startup"), track.probes.get("readiness")
    out["started"] = not spec.get("startupProbe") or (startup is not None and startup.result is True)
    out["ready"] = out["started"] and (not spec.get("readinessProbe") or (readiness is not None and readiness.result is True))
    init = any(c["name"] == spec["name"] for c in pod.pod["spec"].get("initContainers") or ())
    if init and not is_sidecar(spec):
        out["ready"] = False


def phase(pod: PodState, statuses: list[Obj], inits: list[Obj]) -> str:
    """The pod's phase (`getPhase`)."""
    spec = pod.pod["spec"]
    by_name = {s["name"]: s for s in [*statuses, *inits]}
    pending = failed = 0
    for container in spec.get("initContainers") or ():
        state = by_name[container["name"]]["state"]
        last = by_name[container["name"]]["lastState"].get("terminated")
        if is_sidecar(container):
            if ("running" in state and not by_name[container["name"]]["started"]) or ("waiting" in state and last is None):
                pending += 0 if any("running" in s["state"] for s in statuses) else 1
            continue
        if "running" in state or ("waiting" in state and last is None):
            pending += 1
        elif "terminated" in state and state["terminated"]["exitCode"] != 0:
            failed += 0 if should_restart(pod.pod, container, state["terminated"]["exitCode"]) else 1
        elif "waiting" in state and last is not None and last["exitCode"] != 0:
            failed += 0 if should_restart(pod.pod, container, last["exitCode"]) else 1
            pending += 1
    if failed:
        return "Failed"
    running = waiting = stopped = succeeded = restartable = 0
    for container in spec["containers"]:
        entry = by_name[container["name"]]
        state, last = entry["state"], entry["lastState"].get("terminated")
        ended = state.get("terminated") or (last if "waiting" in state else None)
        if "running" in state:
            running += 1
        elif ended is not None:
            stopped += 1
            restartable += 1 if should_restart(pod.pod, container, ended["exitCode"]) else 0
            succeeded += 1 if ended["exitCode"] == 0 else 0
        else:
            waiting += 1
    if pending or waiting:
        return "Pending"
    if running:
        return "Running"
    if pod.work != "sync" and pod.source != "file":
        return "Succeeded" if stopped == succeeded else "Failed"
    if restartable:
        return "Running"
    return "Succeeded" if stopped == succeeded else "Failed"


def generate(kubelet: Kubelet, pod: PodState) -> Obj:
    """The whole status of a pod."""
    spec = pod.pod["spec"]
    has_init = bool(spec.get("initContainers"))
    if pod.terminal == "Failed" and pod.reason and not pod.sandbox and not any(t.id for t in pod.tracks.values()):
        # refused on admission: nothing of it was ever here
        refused: Obj = {"phase": "Failed", "qosClass": qos_class(pod.pod), "reason": pod.reason, "message": pod.message}
        conditions = [c for c in (pod.pod.get("status") or {}).get("conditions") or () if c["type"] == "PodScheduled"]
        return {**({"conditions": conditions} if conditions else {}), **refused, "startTime": pod.started_at or kubelet.stamp()}
    waiting = "PodInitializing" if has_init else "ContainerCreating"
    inits = [container_status(kubelet, pod, c, waiting) for c in spec.get("initContainers") or ()]
    statuses = [container_status(kubelet, pod, c, waiting) for c in spec["containers"]]
    debug = [container_status(kubelet, pod, c, "ContainerCreating") for c in spec.get("ephemeralContainers") or ()]
    current = pod.terminal or phase(pod, statuses, inits)
    if current in ("Succeeded", "Failed") and not pod.terminal:
        pod.terminal = current
    held = any("running" in one["state"] for one in (*statuses, *inits, *debug))
    if held and pod.terminal:  # as long as a container runs the pod is where it was (mergePodStatus)
        current = str(pod.status.get("phase") or "Running")
    out: Obj = {}
    sandbox = runtime(kubelet.world, kubelet.proc.host).sandboxes.get(pod.sandbox)
    if sandbox is not None and sandbox.ip:
        pod.ip = sandbox.ip
    ready_sandbox = sandbox is not None and sandbox.state == "READY"
    out["conditions"] = _conditions(kubelet, pod, current, statuses, inits, ready_sandbox)
    out["containerStatuses"] = statuses
    if debug:
        out["ephemeralContainerStatuses"] = [
            {**{k: v for k, v in one.items() if k != "started"}, "ready": False} for one in debug
        ]
    out["hostIP"] = kubelet.host.ip
    out["hostIPs"] = [{"ip": kubelet.host.ip}]
    if inits:
        out["initContainerStatuses"] = inits
    if pod.message and not held:
        out["message"] = pod.message
    generation = pod.pod["metadata"].get("generation")
    if generation:
        out["observedGeneration"] = generation
    out["phase"] = current
    if spec.get("hostNetwork") and not pod.ip:
        pod.ip = kubelet.host.ip
    if pod.ip:
        out["podIP"] = pod.ip
        out["podIPs"] = [{"ip": pod.ip}]
    out["qosClass"] = qos_class(pod.pod)
    if pod.reason and not held:
        out["reason"] = pod.reason
    out["startTime"] = pod.started_at
    return out


def _conditions(kubelet: Kubelet, pod: PodState, current: str, statuses: list[Obj], inits: list[Obj], sandbox: bool) -> list[Obj]:
    old = {c["type"]: c for c in pod.status.get("conditions") or pod.pod.get("status", {}).get("conditions") or ()}
    now = kubelet.stamp()
    generation = pod.pod["metadata"].get("generation")
    wanted: list[tuple[str, str, str, str]] = [("PodReadyToStartContainers", "True" if sandbox else "False", "", "")]
    by_name = {s["name"]: s for s in [*statuses, *inits]}
    incomplete = [
        c["name"] for c in pod.pod["spec"].get("initContainers") or ()
        if not (by_name[c["name"]]["started"] if is_sidecar(c) else by_name[c["name"]]["ready"])
    ]  # fmt: skip
    begun = any("running" in s["state"] or s["lastState"] or "terminated" in s["state"] for s in statuses)
    if current == "Succeeded":
        wanted.append(("Initialized", "True", "PodCompleted", ""))
    elif incomplete and not begun:
        wanted.append(
            ("Initialized", "False", "ContainersNotInitialized", f"containers with incomplete status: [{' '.join(incomplete)}]")
        )
    else:
        wanted.append(("Initialized", "True", "", ""))
    sidecars = [c["name"] for c in pod.pod["spec"].get("initContainers") or () if is_sidecar(c)]
    unready = [n for n in [*sidecars, *(s["name"] for s in statuses)] if not by_name[n]["ready"]]
    if current in ("Succeeded", "Failed"):
        ready = ("False", "PodCompleted" if current == "Succeeded" else "PodFailed", "")
    elif unready:
        ready = ("False", "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]")
    else:
        ready = ("True", "", "")
    wanted.append(("Ready", *_gates(pod, old, ready)))
    wanted.append(("ContainersReady", *ready))
    wanted.append(("PodScheduled", "True", "", ""))
    for kind, words in pod.resizing.items():
        wanted.append((kind, "True", words[0], words[1]))
    ended = current in ("Succeeded", "Failed")
    if pod.disrupted and ended:
        wanted.append(("DisruptionTarget", "True", "TerminationByKubelet", pod.disrupted))
    owned = (*_OWNED, "PodResizePending", "PodResizeInProgress", *(["DisruptionTarget"] if pod.disrupted and ended else ()))
    kept = [c for c in pod.pod.get("status", {}).get("conditions") or () if c["type"] not in owned]
    for kind, value, reason, message in wanted:
        before = old.get(kind)
        since = before.get("lastTransitionTime") if before is not None and before["status"] == value else now
        entry: Obj = {"lastProbeTime": None, "lastTransitionTime": since or now}
        if message:
            entry["message"] = message
        if generation:  # a resize has the generation that it was looked at with
            entry["observedGeneration"] = int((pod.resizing.get(kind) or ["", "", generation])[2])
        if reason:
            entry["reason"] = reason
        entry |= {"status": value, "type": kind}
        kept.append(entry)
    return kept


def _gates(pod: PodState, old: dict[str, Obj], ready: tuple[str, str, str]) -> tuple[str, str, str]:
    if ready[0] != "True":
        return ready
    problems = []
    present = {c["type"]: c for c in pod.pod.get("status", {}).get("conditions") or ()}
    for gate in pod.pod["spec"].get("readinessGates") or ():
        kind = gate["conditionType"]
        if kind not in present:
            problems.append(f'corresponding condition of pod readiness gate "{kind}" does not exist.')
        elif present[kind]["status"] != "True":
            problems.append(f'the status of pod readiness gate "{kind}" is not "True", but {present[kind]["status"]}')
    return ("False", "ReadinessGatesNotReady", ", ".join(problems)) if problems else ready


def _digest(status: Obj) -> str:
    return hashlib.sha256(msgspec.json.encode(status, order="deterministic")).hexdigest()


def sandbox_ready(kubelet: Kubelet, pod: PodState) -> None:
    """While a sync goes on: the sandbox is up (`OnPodSandboxReady`); nothing else of the status is made anew."""
    if not pod.status:
        return
    kind, now = "PodReadyToStartContainers", kubelet.stamp()
    conditions = [
        {**c, "lastTransitionTime": now, "status": "True"} if c["type"] == kind else c for c in pod.status["conditions"]
    ]
    send(kubelet, pod, {**pod.status, "conditions": conditions})


def send(kubelet: Kubelet, pod: PodState, fresh: Obj | None = None) -> None:
    """Make the API's status of the pod what it is here; when the server is away, the pod stays `dirty` and is tried again.

    `fresh` is a status to send instead of one that is made of what runs.
    """
    fresh = generate(kubelet, pod) if fresh is None else fresh
    digest = _digest(fresh)
    pod.status = fresh
    if digest == pod.sent and not pod.dirty:
        return
    pod.dirty = True
    if pod.source == "file":
        from . import sources

        if pod.work == "sync" and not sources.ensure_mirror(kubelet, pod):
            return
    try:
        patch: Obj = {"status": fresh}
        for key in ("message", "reason", "podIP", "podIPs"):
            if key not in fresh and key in (pod.pod.get("status") or {}):
                fresh = {**fresh, key: None}
                patch = {"status": fresh}
        if pod.source == "api":
            patch["metadata"] = {"uid": pod.uid}
        kubelet.client.patch("pods", pod.namespace, pod.name, patch, kind="merge", subresource="status")
        pod.sent, pod.dirty = digest, False
    except ConnectError as failed:
        # the status manager reads a pod before it patches it, so that is what fails
        text = kubelet.explain(failed).replace("Patch ", "Get ", 1).replace(f"/pods/{pod.name}/status", f"/pods/{pod.name}", 1)
        named = {"podUID": pod.uid, "pod": f"{pod.namespace}/{pod.name}"}
        kubelet.log("E", "status_manager.go:1164", "Failed to get status for pod", err=text, **named)
    except ApiError as failed:
        pod.dirty = failed.code >= 500
        if failed.code in (404, 409):
            pod.sent = digest
            return
        what = {"err": failed.message, "pod": f"{pod.namespace}/{pod.name}"}
        kubelet.log("E", "status_manager.go:1187", "Failed to update status for pod", **what)
