"""VolumeZone: a volume with zone or region labels is used from a node of that zone or region (plugins/volumezone)."""

from __future__ import annotations

from typing import Any

from ...api.objects import Obj
from ..framework import SKIP, Cycle, NodeInfo, Plugin, PodInfo, Verdict

NAME = "VolumeZone"
CONFLICT = Verdict(("node(s) had no available volume zone",), True, NAME)
#: Old label names and the present ones.
PRESENT = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region": "topology.kubernetes.io/region",
}


def _reject(text: str) -> Verdict:
    return Verdict((text,), True, NAME)


def _claim_names(pod: Obj) -> list[str]:
    return [
        v["persistentVolumeClaim"].get("claimName") or ""
        for v in pod["spec"].get("volumes") or ()
        if v.get("persistentVolumeClaim")
    ]


def _waits(cycle: Cycle, claim: Obj) -> Verdict | None:
    """None for a claim that is bound when the pod has a node; a verdict for one that has no volume and gets none that way."""
    name = claim["spec"].get("storageClassName") or ""
    if not name:
        return _reject("PersistentVolumeClaim had no pv name and storageClass name")
    found = cycle.lister.get("storageclasses", "", name)
    if found is None:
        return _reject(f'storageclass.storage.k8s.io "{name}" not found')
    mode = found.get("volumeBindingMode")
    if mode is None:
        return _reject(f'VolumeBindingMode not set for StorageClass "{name}"')
    return None if mode == "WaitForFirstConsumer" else _reject("PersistentVolume had no name")


def pre_filter(cycle: Cycle) -> Any:
    """Collect the topologies of the pod's bound volumes; skip without any."""
    wanted: list[tuple[str, set[str]]] = []
    for name in _claim_names(cycle.pod):
        if not name:
            return _reject("PersistentVolumeClaim had no name")
        claim = cycle.lister.get("persistentvolumeclaims", cycle.info.namespace, name)
        if claim is None:
            return _reject(f'persistentvolumeclaim "{name}" not found')
        bound = claim["spec"].get("volumeName")
        if not bound:
            verdict = _waits(cycle, claim)
            if verdict is not None:
                return verdict
            continue
        volume = cycle.lister.get("persistentvolumes", "", bound)
        if volume is None:
            return _reject(f'persistentvolume "{bound}" not found')
        labels = volume["metadata"].get("labels") or {}
        wanted += [(key, set(str(labels[key]).split("__"))) for key in PRESENT if key in labels]
    if not wanted:
        return SKIP
    cycle.data[NAME] = wanted
    return None


def filter_node(cycle: Cycle, node: NodeInfo) -> Verdict | None:
    """Reject a node in another zone or region; one without such labels takes any volume."""
    if not any(key in node.labels for key in PRESENT):
        return None
    for key, values in cycle.data[NAME]:
        have = node.labels.get(key, node.labels.get(PRESENT[key]))
        if have is None or have not in values:
            return CONFLICT
    return None


def hint(event: str, info: PodInfo, _old: Obj | None, new: Obj | None) -> bool:
    """A claim matters when the pod names it."""
    if event == "pvc" and new is not None:
        return bool(new["metadata"].get("namespace") == info.namespace and new["metadata"]["name"] in _claim_names(info.pod))
    return True


PLUGIN = Plugin(
    name=NAME,
    pre_filter=pre_filter,
    filter=filter_node,
    events=("node-add", "node-label", "pvc", "pv", "storageclass"),
    hint=hint,
)
