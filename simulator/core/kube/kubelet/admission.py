"""Admission on the node: what the kubelet refuses although the scheduler has bound it here (`pkg/kubelet/lifecycle/predicate.go`,
`kubelet.go: canAdmitPod`).

A refused pod is Failed at once, with the reason in its status and an Event of the same reason.
"""

from __future__ import annotations

from typing import Any

from ...kernel.errors import ConnectError
from ..api import quantity
from ..client import ApiError
from . import eviction, node, status
from .context import Kubelet
from .state import PodState
from .units import all_containers, is_sidecar

Obj = dict[str, Any]


def admit(kubelet: Kubelet, pod: PodState) -> None:
    """Refuse a new pod that does not fit; it is left as it is otherwise."""
    found = _unsimulated(pod) or _going(kubelet) or _pressure(kubelet, pod) or _selector(kubelet, pod) or resources(kubelet, pod)
    if found is None:
        return
    reason, message = found
    pod.terminal, pod.reason, pod.message = "Failed", reason, f"Pod was rejected: {message}"
    kubelet.pod_event(pod, "Warning", reason, message)


def _unsimulated(pod: PodState) -> tuple[str, str] | None:
    """A pod that asks for what this kubelet cannot do is not run as if it could."""
    rules = (rule for container in all_containers(pod.pod) for rule in container.get("restartPolicyRules") or ())
    if any(rule.get("action") == "RestartAllContainers" for rule in rules):
        return "NotSimulated", "restartPolicyRules with the action RestartAllContainers are not simulated in Slipway yet"
    return None


def _going(kubelet: Kubelet) -> tuple[str, str] | None:
    going = kubelet.state.shutdown is not None
    return ("NodeShutdown", "Pod was rejected as the node is shutting down.") if going else None


def _pressure(kubelet: Kubelet, pod: PodState) -> tuple[str, str] | None:
    text = eviction.refusal(kubelet, pod)
    return ("Evicted", text) if text else None


def _selector(kubelet: Kubelet, pod: PodState) -> tuple[str, str] | None:
    """`nodeName` goes past the scheduler: the selector is looked at here again."""
    wanted = pod.pod["spec"].get("nodeSelector")
    if not wanted or pod.source == "file":
        return None
    try:
        labels = kubelet.client.get("nodes", None, kubelet.state.node)["metadata"].get("labels") or {}
    except (ConnectError, ApiError):
        return None
    if any(labels.get(key) != value for key, value in wanted.items()):
        return "NodeAffinity", "Predicate NodeAffinity failed"
    return None


def requests(pod: Obj) -> dict[str, int]:
    """What a pod asks for, in 10^-9 units: the larger of its containers' sum (with sidecars) and each init container's."""
    total: dict[str, int] = {}
    for container in pod["spec"].get("containers") or ():
        _add(total, container)
    for container in pod["spec"].get("initContainers") or ():
        if is_sidecar(container):
            _add(total, container)
    for container in pod["spec"].get("initContainers") or ():
        if not is_sidecar(container):
            for name, amount in ((container.get("resources") or {}).get("requests") or {}).items():
                total[name] = max(total.get(name, 0), quantity.nano(str(amount)))
    return total


def held(pod: PodState) -> dict[str, int]:
    """What a pod of this node has been granted: less or more than it asks for while a resize is on its way."""
    if not pod.allocated:
        return requests(pod.pod)
    spec = {
        kind: [{**c, "resources": pod.allocated.get(c["name"], c.get("resources"))} for c in pod.pod["spec"].get(kind) or ()]
        for kind in ("initContainers", "containers")
    }
    return requests({"spec": spec})


def _add(total: dict[str, int], container: Obj) -> None:
    for name, amount in ((container.get("resources") or {}).get("requests") or {}).items():
        total[name] = total.get(name, 0) + quantity.nano(str(amount))


def resources(kubelet: Kubelet, pod: PodState) -> tuple[str, str] | None:
    """`OutOfcpu`, `OutOfmemory`, `OutOfpods`: the sum of what runs here and what is new (static pods are let in).

    A pod that is ending counts until its containers have stopped (filterOutInactivePods).
    """
    if pod.source == "file":
        return None
    _, free = node.capacity(kubelet)
    others = [p for p in kubelet.state.pods.values() if p is not pod and _active(kubelet, p)]
    if len(others) + 1 > int(free["pods"]):
        return "OutOfpods", _short("pods", 1, len(others), int(free["pods"]))
    wanted = requests(pod.pod)
    for name in ("cpu", "memory", "ephemeral-storage"):
        if not wanted.get(name):
            continue
        used = sum(held(p).get(name, 0) for p in others)
        allowed = quantity.nano(str(free[name]))
        if used + wanted[name] > allowed:
            unit = 10**6 if name == "cpu" else 10**9
            return f"OutOf{name}", _short(name, wanted[name] // unit, used // unit, allowed // unit)
    return None


def _active(kubelet: Kubelet, pod: PodState) -> bool:
    if pod.work == "sync" and not pod.terminal:
        return True
    return any((found := status.record(kubelet, t)) is not None and found.state == "RUNNING" for t in pod.tracks.values())


def _short(name: str, wanted: int, used: int, allowed: int) -> str:
    return f"Node didn't have enough resource: {name}, requested: {wanted}, used: {used}, capacity: {allowed}"
