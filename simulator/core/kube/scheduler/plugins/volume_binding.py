"""VolumeBinding, its simple half: claims must exist, be bound or wait for a consumer, and their volume must be reachable from
the node (plugins/volumebinding).  Binding claims to volumes itself is not simulated in Slipway yet."""

from __future__ import annotations

from typing import Any

from ...api.objects import Obj, annotations_of
from ..framework import SKIP, Cycle, NodeInfo, Plugin, Verdict
from . import node_affinity

NAME = "VolumeBinding"
UNBOUND = Verdict(("pod has unbound immediate PersistentVolumeClaims",), True, NAME)
CONFLICT = Verdict(("node(s) didn't match PersistentVolume's node affinity",), True, NAME)
GONE = Verdict(("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",), True, NAME)
NONE_FIT = Verdict(("node(s) didn't find available persistent volumes to bind",), True, NAME)


def _claims(pod: Obj) -> list[tuple[str, bool]]:
    """(claim name, is it made for this pod)."""
    out = []
    for volume in pod["spec"].get("volumes") or ():
        if volume.get("persistentVolumeClaim"):
            out.append((volume["persistentVolumeClaim"]["claimName"], False))
        elif "ephemeral" in volume:
            out.append((f"{pod['metadata']['name']}-{volume['name']}", True))
    return out


def pre_filter(cycle: Cycle) -> Any:
    """Every claim exists and is bound, or may wait for this pod."""
    names = _claims(cycle.pod)
    if not names:
        return SKIP
    bound: list[str] = []
    waiting = False
    for name, ephemeral in names:
        claim = cycle.lister.get("persistentvolumeclaims", cycle.info.namespace, name)
        if claim is None:
            text = f'persistentvolumeclaim "{name}" not found'
            if ephemeral:
                text = f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"'
            return Verdict((text,), True, NAME)
        if claim["metadata"].get("deletionTimestamp"):
            return Verdict((f'persistentvolumeclaim "{name}" is being deleted',), True, NAME)
        volume = claim["spec"].get("volumeName")
        if volume and annotations_of(claim).get("pv.kubernetes.io/bind-completed"):
            bound.append(volume)
        elif _waits(cycle, claim):
            waiting = True
        else:
            return UNBOUND
    cycle.data[NAME] = (bound, waiting)
    return None


def _waits(cycle: Cycle, claim: Obj) -> bool:
    storage_class = cycle.lister.get("storageclasses", "", claim["spec"].get("storageClassName") or "")
    return storage_class is not None and storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"


def filter_node(cycle: Cycle, node: NodeInfo) -> Verdict | None:
    """Reject a node from which a bound volume cannot be reached."""
    bound, waiting = cycle.data[NAME]
    for name in bound:
        volume = cycle.lister.get("persistentvolumes", "", name)
        if volume is None:
            return GONE
        selector = (volume["spec"].get("nodeAffinity") or {}).get("required")
        if selector and not any(node_affinity.term(t, node.name, node.labels) for t in selector.get("nodeSelectorTerms") or ()):
            return CONFLICT
    return NONE_FIT if waiting else None


PLUGIN = Plugin(
    name=NAME, pre_filter=pre_filter, filter=filter_node, events=("node-add", "node-label", "pvc", "pv", "storageclass")
)
