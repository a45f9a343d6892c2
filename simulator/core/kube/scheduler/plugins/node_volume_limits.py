"""NodeVolumeLimits: how many volumes of a CSI driver a node can hold (plugins/nodevolumelimits/csi.go)."""

from __future__ import annotations

from typing import Any

from ...api.objects import Obj
from ...api.volumes import claims_of
from ..framework import SKIP, Cycle, NodeInfo, Plugin, Verdict

NAME = "NodeVolumeLimits"
FULL = Verdict(("node(s) exceed max volume count",), False, NAME)


def _handles(cycle: Cycle, pod: Obj, *, new: bool) -> dict[str, str] | Verdict:
    """The CSI volumes of a pod: unique name to driver; a claim of the new pod that is not there is a verdict."""
    out: dict[str, str] = {}
    namespace = pod["metadata"].get("namespace") or ""
    for name in claims_of(pod):
        claim = cycle.lister.get("persistentvolumeclaims", namespace, name)
        if claim is None:
            if new:
                return Verdict((f'looking up PVC {namespace}/{name}: persistentvolumeclaim "{name}" not found',), True, NAME)
            continue
        volume = cycle.lister.get("persistentvolumes", "", claim["spec"].get("volumeName") or "")
        if volume is not None:
            csi = volume["spec"].get("csi")
            if csi:
                out[f"{csi['driver']}/{csi['volumeHandle']}"] = csi["driver"]
            continue
        found = cycle.lister.get("storageclasses", "", claim["spec"].get("storageClassName") or "")
        if found is not None and found.get("provisioner") not in (None, "", "kubernetes.io/no-provisioner"):
            # not provisioned yet: it will be a volume of the class's driver
            out[f"{found['provisioner']}/{namespace}/{name}"] = found["provisioner"]
    return out


def pre_filter(cycle: Cycle) -> Any:
    """Skip pods without claims."""
    return None if claims_of(cycle.pod) else SKIP


def filter_node(cycle: Cycle, node: NodeInfo) -> Verdict | None:
    """Reject a node whose limit for a driver the pod's new volumes would break."""
    found = cycle.data.get(NAME)
    if found is None:
        found = cycle.data[NAME] = _handles(cycle, cycle.pod, new=True)
    if isinstance(found, Verdict):
        return found
    csi_node = cycle.lister.get("csinodes", "", node.name) if found else None
    drivers = ((csi_node or {}).get("spec") or {}).get("drivers") or ()
    limits = {d["name"]: d["allocatable"]["count"] for d in drivers if (d.get("allocatable") or {}).get("count") is not None}
    if not limits:
        return None
    held: dict[str, str] = {}
    for other in node.pods.values():
        theirs = _handles(cycle, other.pod, new=False)
        if isinstance(theirs, dict):
            held.update(theirs)
    counts: dict[str, int] = {}
    for _name, driver in (*held.items(), *((n, d) for n, d in found.items() if n not in held)):
        counts[driver] = counts.get(driver, 0) + 1
    fresh = {driver for name, driver in found.items() if name not in held}
    return FULL if any(counts[driver] > limits[driver] for driver in fresh if driver in limits) else None


PLUGIN = Plugin(name=NAME, pre_filter=pre_filter, filter=filter_node, events=("node-add", "pod-delete", "pvc", "pv", "csinode"))
