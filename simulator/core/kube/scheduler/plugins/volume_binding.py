"""VolumeBinding: claims must exist, be bound or wait for a consumer; bound volumes must be reachable from the node, and for
claims that wait a free volume must be there, or a provisioner that can make one (plugins/volumebinding).  Once a node is chosen, the
volumes name their claims and the binder of the controller manager does the rest; what is to be made names the node, and the pod is
bound when all its claims are (binding.py)."""

from __future__ import annotations

from typing import Any

from ...api import quantity, volumes
from ...api.objects import Obj, annotations_of
from ..framework import SKIP, Cycle, NodeInfo, Plugin, Verdict
from . import node_affinity

NAME = "VolumeBinding"
#: Where a cycle keeps the volumes chosen on each node.
CHOSEN = "VolumeBinding/chosen"
#: … and the claims whose volumes would be made there.
TO_MAKE = "VolumeBinding/to-make"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
NO_PROVISIONER = "kubernetes.io/no-provisioner"
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
    waiting: list[Obj] = []
    for name, ephemeral in names:
        claim = cycle.lister.get("persistentvolumeclaims", cycle.info.namespace, name)
        if claim is None:
            text = f'persistentvolumeclaim "{name}" not found'
            if ephemeral:
                text = f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"'
            return Verdict((text,), True, NAME)
        if (claim.get("status") or {}).get("phase") == "Lost":
            lost = claim["spec"].get("volumeName") or ""
            return Verdict((f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{lost}"',), True, NAME)
        if claim["metadata"].get("deletionTimestamp"):
            return Verdict((f'persistentvolumeclaim "{name}" is being deleted',), True, NAME)
        volume = claim["spec"].get("volumeName")
        if volume and annotations_of(claim).get("pv.kubernetes.io/bind-completed"):
            bound.append(volume)
        elif _waits(cycle, claim):
            waiting.append(claim)
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
    reasons: tuple[str, ...] = ()
    for name in bound:
        volume = cycle.lister.get("persistentvolumes", "", name)
        if volume is None:
            return GONE
        if not _reachable(volume, node):
            reasons = CONFLICT.reasons
            break
    if waiting:
        found = plan(cycle, waiting, node)
        if found is None:
            reasons += NONE_FIT.reasons
        else:
            cycle.data.setdefault(CHOSEN, {})[node.name], cycle.data.setdefault(TO_MAKE, {})[node.name] = found
    return Verdict(reasons, True, NAME) if reasons else None


def plan(cycle: Cycle, claims: list[Obj], node: NodeInfo) -> tuple[list[tuple[Obj, Obj]], list[Obj]] | None:
    """(each claim with the smallest free volume for it that the node can reach; the claims whose volumes can be made here), or None
    (findMatchingVolumes, checkVolumeProvisions)."""
    chosen: list[tuple[Obj, Obj]] = []
    to_make: list[Obj] = []
    taken: set[str] = set()
    for claim in sorted(claims, key=_asked):
        selected = annotations_of(claim).get(SELECTED_NODE)
        if selected is not None and selected != node.name:
            return None
        if selected is None:
            free = [v for v in cycle.lister.objects("persistentvolumes") if v["metadata"]["name"] not in taken]
            best = volumes.best([v for v in free if _reachable(v, node)], claim)
            if best is not None:
                taken.add(best["metadata"]["name"])
                chosen.append((claim, best))
                continue
        if not _can_be_made(cycle, claim, node):
            return None
        to_make.append(claim)
    return chosen, to_make


def _can_be_made(cycle: Cycle, claim: Obj, node: NodeInfo) -> bool:
    """Whether the claim's class has a provisioner, and its topology this node."""
    storage_class = cycle.lister.get("storageclasses", "", claim["spec"].get("storageClassName") or "") or {}
    if storage_class.get("provisioner") in (None, "", NO_PROVISIONER):
        return False
    terms = storage_class.get("allowedTopologies") or ()
    return not terms or any(
        all(node.labels.get(item["key"]) in item["values"] for item in term.get("matchLabelExpressions") or ()) for term in terms
    )


def _asked(claim: Obj) -> int:
    return quantity.nano(((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage", "0"))


def _reachable(volume: Obj, node: NodeInfo) -> bool:
    selector = (volume["spec"].get("nodeAffinity") or {}).get("required")
    return not selector or any(node_affinity.term(t, node.name, node.labels) for t in selector.get("nodeSelectorTerms") or ())


PLUGIN = Plugin(
    name=NAME, pre_filter=pre_filter, filter=filter_node, events=("node-add", "node-label", "pvc", "pv", "storageclass")
)
