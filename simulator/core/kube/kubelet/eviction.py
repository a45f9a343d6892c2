"""Node-pressure eviction (`pkg/kubelet/eviction`): thresholds, the node's conditions, reclaiming images, and evicting pods by rank.

Looked at every ten seconds and when memory or disk has changed.  A condition stays for `evictionPressureTransitionPeriod` (5 min) after
the last time that its threshold was met.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from ...host.virtual import used_disk, used_memory
from ...kernel.clock import SECOND
from ...kernel.errors import ConnectError
from ...runtime import cri, memory
from ..api import quantity
from . import config as settings
from . import pleg, status, termination
from .context import Kubelet
from .options import setting
from .state import PodState
from .units import qos_class

Obj = dict[str, Any]
INTERVAL = 10 * SECOND


class Signal(NamedTuple):
    """An eviction signal: the condition it sets, and the resource that is short."""

    condition: str
    resource: str


SIGNALS: dict[str, Signal] = {
    "memory.available": Signal("MemoryPressure", "memory"),
    "nodefs.available": Signal("DiskPressure", "ephemeral-storage"),
    "imagefs.available": Signal("DiskPressure", "ephemeral-storage"),
}


def observe(kubelet: Kubelet) -> dict[str, tuple[int, int]]:
    """Signal → (available, capacity) in bytes."""
    host = kubelet.host
    memory_left = max(host.memory_kib - used_memory(host), 0) * 1024
    found = {"memory.available": (memory_left, host.memory_kib * 1024)}
    if host.reserved or kubelet.state.pressure:
        disk = (max(host.disk_kib - used_disk(host), 0) * 1024, host.disk_kib * 1024)
        found |= {"nodefs.available": disk, "imagefs.available": disk}
    return found


def _threshold(text: str, capacity: int) -> int:
    if text.endswith("%"):
        return int(capacity * float(text[:-1]) / 100)
    return quantity.nano(text) // 10**9


def met(kubelet: Kubelet) -> list[tuple[str, int, int]]:
    """The hard thresholds that are crossed now: (signal, threshold, available)."""
    hard = setting(kubelet.state.config, "evictionHard") or {}
    seen = observe(kubelet)
    out = []
    for name in SIGNALS:
        if name in hard and name in seen:
            available, capacity = seen[name]
            limit = _threshold(str(hard[name]), capacity)
            if available < limit:
                out.append((name, limit, available))
    return out


def pressures(kubelet: Kubelet) -> set[str]:
    """The conditions that hold now."""
    period = settings.period(kubelet.state.config, "evictionPressureTransitionPeriod")
    now = kubelet.world.now
    return {name for name, at in kubelet.state.pressure.items() if now - at < period}


def look(kubelet: Kubelet) -> bool:
    """One round of the control loop; True when the node's conditions have changed."""
    state = kubelet.state
    before = pressures(kubelet)
    crossed = met(kubelet)
    for name, _, _ in crossed:
        state.pressure[SIGNALS[name].condition] = kubelet.world.now
    now = pressures(kubelet)
    for name in [name for name in state.pressure if name not in now]:
        del state.pressure[name]
    if crossed:
        _reclaim(kubelet, crossed)
    return before != now


def _reclaim(kubelet: Kubelet, crossed: list[tuple[str, int, int]]) -> None:
    name, limit, available = crossed[0]
    resource = SIGNALS[name].resource
    kubelet.log("I", "eviction_manager.go:381", "Eviction manager: attempting to reclaim", resourceName=resource)
    kubelet.node_event("Warning", "EvictionThresholdMet", f"Attempting to reclaim {resource}")
    if resource == "ephemeral-storage" and _collect_images(kubelet) and not any(n == name for n, _, _ in met(kubelet)):
        text = "Eviction manager: able to reduce resource pressure without evicting pods."
        kubelet.log("I", "eviction_manager.go:388", text, resourceName=resource)
        return
    kubelet.log("I", "eviction_manager.go:392", "Eviction manager: must evict pod(s) to reclaim", resourceName=resource)
    ranked = [pod for pod in rank(kubelet, resource) if not _critical(pod)]
    if not ranked:
        text = "Eviction manager: eviction thresholds have been met, but no pods are active to evict"
        kubelet.log("E", "eviction_manager.go:403", text, err="<nil>")
        return
    evict(kubelet, ranked[0], resource, limit, available)


def system_oom(kubelet: Kubelet) -> None:
    """The kernel has killed a process because the machine has no memory left (`oom/oom_watcher_linux.go` reads its messages)."""
    for line in reversed(kubelet.host.journal):
        found = re.match(r"Out of memory: Killed process (\d+) \((.+?)\)", line.text) if line.ident == "kernel" else None
        if found:
            text = f"System OOM encountered, victim process: {found[2]}, pid: {found[1]}"
            kubelet.node_event("Warning", "SystemOOM", text)
            return


def _collect_images(kubelet: Kubelet) -> int:
    """Delete the images that no container uses; how many there were."""
    try:
        used = {c.image_id for c in cri.list_containers(kubelet.world, kubelet.proc.host)}
        unused = [i for i in cri.list_images(kubelet.world, kubelet.proc.host) if i["id"] not in used and not i.get("pinned")]
        for image in unused:
            cri.remove_image(kubelet.world, kubelet.proc.host, image["id"])
    except (ConnectError, cri.CriError):
        return 0
    return len(unused)


def _critical(pod: PodState) -> bool:
    """Static, mirror and system-critical pods are never evicted (`types.IsCriticalPod`)."""
    return pod.source == "file" or int(pod.pod["spec"].get("priority") or 0) >= 2_000_000_000


def usage(kubelet: Kubelet, pod: PodState, resource: str) -> dict[str, int]:
    """What each container uses in bytes."""
    out = {}
    for name, track in pod.tracks.items():
        record = status.record(kubelet, track)
        if record is None or record.state != "RUNNING":
            continue
        used = memory.usage(kubelet.world, kubelet.proc.host, record.id)
        out[name] = used if resource == "memory" else 24 * 1024
    return out


def request(pod: PodState, name: str, resource: str) -> int:
    """A container's request in bytes."""
    for container in pod.pod["spec"]["containers"]:
        if container["name"] == name:
            amount = ((container.get("resources") or {}).get("requests") or {}).get(resource)
            return quantity.nano(str(amount)) // 10**9 if amount is not None else 0
    return 0


def rank(kubelet: Kubelet, resource: str) -> list[PodState]:
    """Active pods, the first to go first: over their request, then lower priority, then by how much over (`rankMemoryPressure`)."""

    def key(pod: PodState) -> tuple[int, int, int, str]:
        used = sum(usage(kubelet, pod, resource).values())
        wanted = sum(request(pod, c["name"], resource) for c in pod.pod["spec"]["containers"])
        return (0 if used > wanted else 1, int(pod.pod["spec"].get("priority") or 0), wanted - used, pod.full_name)

    return sorted((p for p in kubelet.state.pods.values() if p.work == "sync" and not p.terminal), key=key)


def evict(kubelet: Kubelet, pod: PodState, resource: str, limit: int, available: int) -> None:
    """End a pod at once: phase Failed, reason Evicted, and the DisruptionTarget condition."""
    message = f"The node was low on resource: {resource}. "
    message += f"Threshold quantity: {binary(limit)}, available: {binary(available // 1024 * 1024)}. "
    for name, used in sorted(usage(kubelet, pod, resource).items()):
        wanted = request(pod, name, resource)
        if used > wanted:
            message += (
                f"Container {name} was using {binary(used)}, request is {binary(wanted)}, has larger consumption of {resource}. "
            )
    kubelet.pod_event(pod, "Warning", "Evicted", message)
    pod.terminal, pod.reason, pod.message = "Failed", "Evicted", message
    pod.disrupted = f"The node was low on resource: {resource}. "
    grace, pod.grace = pod.grace, 1
    termination.stop_all(kubelet, pod)
    pod.grace = grace
    kubelet.log(
        "I", "eviction_manager.go:635", "Eviction manager: pod is evicted successfully", pod=f"{pod.namespace}/{pod.name}"
    )
    pleg.changed(kubelet, pod)


def refusal(kubelet: Kubelet, pod: PodState) -> str:
    """Why a new pod is not admitted while the node is under pressure, or "" (`Admit`)."""
    if _critical(pod):
        return ""
    held = pressures(kubelet)
    if held == {"MemoryPressure"}:
        tolerated = any(
            t.get("key") == "node.kubernetes.io/memory-pressure" or (not t.get("key") and t.get("operator") == "Exists")
            for t in pod.pod["spec"].get("tolerations") or ()
        )
        if qos_class(pod.pod) != "BestEffort" or tolerated:
            return ""
    return f"The node had condition: [{' '.join(sorted(held))}]. " if held else ""


def binary(value: int) -> str:
    """A quantity in binary units, as `resource.NewQuantity(…, BinarySI)` prints it."""
    for power, suffix in ((4, "Ti"), (3, "Gi"), (2, "Mi"), (1, "Ki")):
        if value and value % 1024**power == 0:
            return f"{value // 1024**power}{suffix}"
    return str(value)
