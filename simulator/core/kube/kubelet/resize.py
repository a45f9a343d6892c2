"""In-place resize of running pods (`pkg/kubelet/allocation`, `kuberuntime_manager.go: doPodResizeAction`).

What a pod may use is its *allocation*: the resources that the kubelet has admitted.  A change of the spec is admitted (and actuated a
moment later), deferred until something goes, or infeasible for ever.  A container restarts for it only if its resizePolicy says so.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ...kernel.clock import SECOND
from ..api import quantity
from . import admission, node, pleg, status
from .context import Kubelet
from .state import PodState

Obj = dict[str, Any]
#: How long the runtime takes to set new limits.
ACTUATION = SECOND
RETRY = 60 * SECOND


def resources_of(pod: Obj) -> dict[str, Obj]:
    """Container → its resources."""
    containers = [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]
    return {c["name"]: c.get("resources") or {} for c in containers}


def allocated(pod: PodState, name: str, spec: Obj) -> Obj:
    """What a container has been granted: its spec's resources unless a resize is on its way."""
    found: Obj | None = pod.allocated.get(name)
    return found if found is not None else spec.get("resources") or {}


def consider(kubelet: Kubelet, pod: PodState, old: Obj) -> None:
    """The spec's resources have changed, or what was deferred is looked at again."""
    wanted, before = resources_of(pod.pod), resources_of(old)
    if not pod.allocated:
        pod.allocated = before
    if wanted == pod.allocated:
        pod.resizing.pop("PodResizePending", None)
        return
    refused = _refusal(kubelet, pod)
    if refused is not None:
        reason, message = refused
        if pod.resizing.get("PodResizePending") != [reason, message]:
            pod.resizing["PodResizePending"] = [reason, message]
            kubelet.pod_event(pod, "Warning", f"Resize{reason}", _message(pod, f"Pod resize {reason}", message))
        if reason == "Deferred":
            kubelet.world.after(RETRY, kubelet.proc.target, ["resize", pod.uid, "again"])
        return
    pod.resizing.pop("PodResizePending", None)
    pod.resizing["PodResizeInProgress"] = ["", ""]
    kubelet.pod_event(pod, "Normal", "ResizeStarted", _message(pod, "Pod resize started", ""))
    changed = [name for name in wanted if wanted[name] != pod.allocated.get(name)]
    pod.allocated = wanted
    kubelet.world.after(ACTUATION, kubelet.proc.target, ["resize", pod.uid, "done", changed, before])


def _refusal(kubelet: Kubelet, pod: PodState) -> tuple[str, str] | None:
    """(Infeasible or Deferred, why), or None when the new resources fit."""
    if pod.source == "file":
        return "Infeasible", "In-place resize of static-pods is not supported"
    _, free = node.capacity(kubelet)
    wanted = admission.requests(pod.pod)
    others = [p for p in kubelet.state.pods.values() if p is not pod and p.work == "sync" and not p.terminal]
    for name in ("cpu", "memory"):
        unit = 10**6 if name == "cpu" else 10**9
        allowed, mine = quantity.nano(str(free[name])), wanted.get(name, 0)
        if mine > allowed:
            return (
                "Infeasible",
                f"Node didn't have enough capacity: {name}, requested: {mine // unit}, capacity: {allowed // unit}",
            )
        used = sum(admission.requests(p.pod).get(name, 0) for p in others)
        if used + mine > allowed:
            text = f"Node didn't have enough resource: {name}, requested: {mine // unit}, used: {used // unit}, "
            return "Deferred", text + f"capacity: {allowed // unit}"
    return None


def _message(pod: PodState, head: str, error: str) -> str:
    containers = [{"name": c["name"], "resources": c.get("resources") or {}} for c in pod.pod["spec"]["containers"]]
    inits = [{"name": c["name"], "resources": c.get("resources") or {}} for c in pod.pod["spec"].get("initContainers") or ()]
    body: Obj = {"initContainers": inits} if inits else {}
    body |= {"containers": containers, "generation": pod.pod["metadata"].get("generation") or 1}
    if error:
        body["error"] = error
    return f"{head}: {msgspec.json.encode(body).decode()}"


def timer(kubelet: Kubelet, pod: PodState, payload: list[Any]) -> None:
    """A deferred resize is tried again, or an admitted one has been actuated."""
    if payload[0] == "again":
        if "PodResizePending" in pod.resizing:
            consider(kubelet, pod, pod.pod)
            pleg.changed(kubelet, pod)
        return
    _, changed, before = payload
    for container in pod.pod["spec"]["containers"]:
        name = container["name"]
        track = pod.tracks.get(name)
        record = status.record(kubelet, track)
        if name not in changed or track is None or record is None or record.state != "RUNNING":
            continue
        if _restarts(container, before.get(name) or {}):
            from . import worker

            worker.kill_container(kubelet, pod, container, track, f"Container {name} resize requires restart")
            continue
        from .start import cpu_limit, memory_limit

        record.memory_limit, record.cpu_limit = memory_limit(container), cpu_limit(container)
    pod.resizing.pop("PodResizeInProgress", None)
    kubelet.pod_event(pod, "Normal", "ResizeCompleted", _message(pod, "Pod resize completed", ""))
    pleg.changed(kubelet, pod)


def _restarts(container: Obj, before: Obj) -> bool:
    """Whether a changed resource's resizePolicy asks for a restart."""
    policies = {p["resourceName"]: p.get("restartPolicy") for p in container.get("resizePolicy") or ()}
    now = container.get("resources") or {}
    for name in ("cpu", "memory"):
        same = all((now.get(kind) or {}).get(name) == (before.get(kind) or {}).get(name) for kind in ("requests", "limits"))
        if not same and policies.get(name) == "RestartContainer":
            return True
    return False
