"""In-place resize of running pods (`pkg/kubelet/allocation`, `kuberuntime_manager.go: doPodResizeAction`).

What a pod may use is its *allocation*: the resources that the kubelet has admitted.  A change of the spec is admitted, and actuated by
a sync a moment later, or deferred until something goes; only a policy of the node makes it infeasible for ever (what exceeds the whole
node is refused by the API server).  A container restarts for it only if its resizePolicy says so, and a memory limit never goes below
what is in use.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ...kernel.clock import MINUTE, SECOND
from ...runtime import memory
from . import admission, pleg, status
from .context import Kubelet
from .state import PodState
from .units import qos_class

Obj = dict[str, Any]
#: How long the runtime takes to set new limits, between two tries of what could not be set (backOffPeriod), and between two looks at
#: what is deferred when nothing happens on the node (retryDelay).
ACTUATION = SECOND
AGAIN = 10 * SECOND
RETRY = 3 * MINUTE


def resources_of(pod: Obj) -> dict[str, Obj]:
    """Container → its resources."""
    containers = [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]
    return {c["name"]: c.get("resources") or {} for c in containers}


def allocated(pod: PodState, name: str, spec: Obj) -> Obj:
    """What a container has been granted: its spec's resources unless a resize is on its way."""
    found: Obj | None = pod.allocated.get(name)
    return found if found is not None else spec.get("resources") or {}


def consider(kubelet: Kubelet, pod: PodState, old: Obj) -> None:
    """The spec's resources have changed."""
    wanted, before = resources_of(pod.pod), resources_of(old)
    if not pod.allocated:
        pod.allocated = before
    if wanted == pod.allocated:
        pod.resizing.pop("PodResizePending", None)
        return
    pod.resizing.setdefault("PodResizePending", ["", ""])
    retry(kubelet)


def retry(kubelet: Kubelet) -> None:
    """Look at every pending resize again: ones that ask for no more first, then by priority, QoS class and age (sortPendingResizes).

    After a change of a resize, a pod that came, went or ended, and every three minutes.
    """
    pending = [p for p in kubelet.state.pods.values() if "PodResizePending" in p.resizing and p.work == "sync" and not p.terminal]
    if not pending:
        return
    since = {p.uid: _since(p) for p in pending}
    pending.sort(
        key=lambda p: (_grows(p), -int(p.pod["spec"].get("priority") or 0), qos_class(p.pod) != "Guaranteed", since[p.uid])
    )
    for pod in pending:
        before = {name: list(words) for name, words in pod.resizing.items()}
        _try(kubelet, pod)
        if pod.resizing != before:
            pleg.changed(kubelet, pod)
    if kubelet.state.resize_timer:
        kubelet.world.cancel(kubelet.state.resize_timer)
        kubelet.state.resize_timer = 0
    if any("PodResizePending" in p.resizing for p in pending):
        kubelet.state.resize_timer = kubelet.world.after(RETRY, kubelet.proc.target, ["resize"])


def _since(pod: PodState) -> str:
    conditions = (pod.status or {}).get("conditions") or ()
    return next((str(c["lastTransitionTime"]) for c in conditions if c["type"] == "PodResizePending"), "~")


def _grows(pod: PodState) -> bool:
    now, then = admission.requests(pod.pod), admission.held(pod)
    return any(now.get(name, 0) > then.get(name, 0) for name in ("cpu", "memory"))


def _try(kubelet: Kubelet, pod: PodState) -> None:
    """Admit one pending resize, or say why not (handlePodResourcesResize)."""
    wanted = resources_of(pod.pod)
    refused = _refusal(kubelet, pod)
    generation = int(pod.pod["metadata"].get("generation") or 1)
    if refused is not None:
        reason, message = refused
        shown = reason if reason == "Infeasible" else "Deferred"
        was = pod.resizing["PodResizePending"]
        pod.resizing["PodResizePending"] = [shown, message, str(generation)]
        if [was[0], *was[2:]] != [shown, str(generation)]:
            kubelet.pod_event(pod, "Warning", f"Resize{shown}", _message(pod, f"Pod resize {reason}", message))
        return
    pod.resizing.pop("PodResizePending")
    pod.resizing["PodResizeInProgress"] = ["", "", str(generation)]
    pod.actuated = pod.actuated or pod.allocated
    kubelet.pod_event(pod, "Normal", "ResizeStarted", _message(pod, "Pod resize started", ""))
    pod.allocated = wanted
    kubelet.world.after(ACTUATION, kubelet.proc.target, ["resize", pod.uid, str(generation)])


def _refusal(kubelet: Kubelet, pod: PodState) -> tuple[str, str] | None:
    """(why, what the API is told), or None when the new resources fit (podResizesAdmitHandler, predicateAdmitHandler)."""
    before, wanted = pod.allocated, resources_of(pod.pod)
    for name, title, setting in (("cpu", "CPU", "cpuManagerPolicy"), ("memory", "Memory", "memoryManagerPolicy")):
        static = kubelet.state.config.get(setting) == {"cpu": "static", "memory": "Static"}[name]
        if (
            static
            and qos_class(pod.pod) == "Guaranteed"
            and any(_differs(wanted[one], before.get(one) or {}, name) for one in wanted)
        ):
            policy = kubelet.state.config[setting]
            return "Infeasible", f'Resize is infeasible for Guaranteed Pods alongside {title} Manager policy "{policy}"'
    return admission.resources(kubelet, pod)


def _differs(one: Obj, other: Obj, name: str) -> bool:
    return any((one.get(kind) or {}).get(name) != (other.get(kind) or {}).get(name) for kind in ("requests", "limits"))


def _message(pod: PodState, head: str, error: str) -> str:
    containers = [{"name": c["name"], "resources": c.get("resources") or {}} for c in pod.pod["spec"]["containers"]]
    inits = [{"name": c["name"], "resources": c.get("resources") or {}} for c in pod.pod["spec"].get("initContainers") or ()]
    body: Obj = {"initContainers": inits} if inits else {}
    body |= {"containers": containers, "generation": pod.pod["metadata"].get("generation") or 1}
    if error:
        body["error"] = error
    return f"{head}: {msgspec.json.encode(body).decode()}"


def actuate(kubelet: Kubelet, pod: PodState, generation: str) -> None:
    """An admitted resize is actuated, unless a later one has taken its place."""
    words = pod.resizing.get("PodResizeInProgress")
    if pod.work != "sync" or words is None or words[2] != generation:
        return
    before = pod.actuated
    changed = [name for name, resources in pod.allocated.items() if resources != before.get(name)]
    problem = _below_usage(kubelet, pod, changed)
    if problem:
        if words[:2] != ["Error", problem]:
            pod.resizing["PodResizeInProgress"] = ["Error", problem, *words[2:]]
            kubelet.pod_event(pod, "Warning", "ResizeError", _message(pod, "Pod resize error", problem))
            pleg.changed(kubelet, pod)
        kubelet.world.after(AGAIN + kubelet.rng(0, 5000), kubelet.proc.target, ["resize", pod.uid, generation])
        return
    for container in pod.pod["spec"]["containers"]:
        name = container["name"]
        track = pod.tracks.get(name)
        record = status.record(kubelet, track)
        if name not in changed or track is None or record is None or record.state != "RUNNING":
            continue
        if _restarts(container, before.get(name) or {}):
            from . import stopping

            stopping.kill_container(kubelet, pod, container, track, f"Container {name} resize requires restart")
            continue
        from .start import cpu_limit, memory_limit

        record.memory_limit, record.cpu_limit = memory_limit(container), cpu_limit(container)
    pod.resizing.pop("PodResizeInProgress")
    pod.actuated = {}
    kubelet.pod_event(pod, "Normal", "ResizeCompleted", _message(pod, "Pod resize completed", ""))
    pleg.changed(kubelet, pod)
    retry(kubelet)


def _below_usage(kubelet: Kubelet, pod: PodState, changed: list[str]) -> str:
    """Why memory limits cannot be lowered now (validateMemoryResizeAction), "" when nothing speaks against it."""
    from .start import memory_limit

    used: dict[str, int] = {}
    limits: dict[str, tuple[int, int]] = {}
    for container in pod.pod["spec"]["containers"]:
        name = container["name"]
        record = status.record(kubelet, pod.tracks.get(name))
        used[name] = memory.usage(kubelet.world, kubelet.proc.host, record.id) if record is not None else 0
        now, then = (one.get(name) or {} for one in (pod.allocated, pod.actuated))
        limits[name] = memory_limit({"resources": now}), memory_limit({"resources": then})
    whole = sum(used.values())
    texts: list[str] = []
    if all(now for now, _ in limits.values()):
        pod_now, pod_then = (sum(pair[i] for pair in limits.values()) for i in (0, 1))
        lowered = pod_now < pod_then or not all(then for _, then in limits.values())
        if lowered and whole >= pod_now:
            texts.append(f"attempting to set pod memory limit ({pod_now}) below current usage ({whole})")
    for container in pod.pod["spec"]["containers"]:
        name = container["name"]
        limit, old = limits[name]
        if name not in changed or not limit or (old and limit >= old) or _restarts(container, pod.actuated.get(name) or {}):
            continue
        if used[name] >= limit:
            texts.append(f'attempting to set container "{name}" memory limit ({limit}) below current usage ({whole})')
    if not texts:
        return ""
    return "cannot decrease memory limits: " + (texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")


def _restarts(container: Obj, before: Obj) -> bool:
    """Whether a changed resource's resizePolicy asks for a restart."""
    policies = {p["resourceName"]: p.get("restartPolicy") for p in container.get("resizePolicy") or ()}
    now = container.get("resources") or {}
    for name in ("cpu", "memory"):
        same = all((now.get(kind) or {}).get(name) == (before.get(kind) or {}).get(name) for kind in ("requests", "limits"))
        if not same and policies.get(name) == "RestartContainer":
            return True
    return False
