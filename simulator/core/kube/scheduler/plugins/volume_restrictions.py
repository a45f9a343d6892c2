"""VolumeRestrictions: disks that only one node may write to, and claims that only one pod may use (plugins/volumerestrictions)."""

from __future__ import annotations

from typing import Any

from ...api.objects import Obj
from ..framework import SKIP, Cycle, NodeInfo, Plugin, PodInfo, Verdict

NAME = "VolumeRestrictions"
DISK = Verdict(("node(s) had no available disk",), False, NAME)
TAKEN = Verdict(
    ("node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod",),
    False,
    NAME,
)
KINDS = ("gcePersistentDisk", "awsElasticBlockStore", "rbd", "iscsi")


def _both_read_only(one: Obj, other: Obj) -> bool:
    return bool(one.get("readOnly") and other.get("readOnly"))


def conflict(volume: Obj, other: Obj) -> bool:
    """Whether two volumes of two pods are one disk that they cannot share (isVolumeConflict)."""
    for kind in KINDS:
        mine, theirs = volume.get(kind), other.get(kind)
        if mine is None or theirs is None:
            continue
        if kind == "awsElasticBlockStore":
            if mine.get("volumeID") == theirs.get("volumeID"):
                return True
        elif kind == "gcePersistentDisk":
            if mine.get("pdName") == theirs.get("pdName") and not _both_read_only(mine, theirs):
                return True
        elif kind == "iscsi":
            if mine.get("iqn") == theirs.get("iqn") and not _both_read_only(mine, theirs):
                return True
        else:
            shared = set(mine.get("monitors") or ()) & set(theirs.get("monitors") or ())
            pool = (mine.get("pool") or "rbd") == (theirs.get("pool") or "rbd")
            if shared and pool and mine.get("image") == theirs.get("image") and not _both_read_only(mine, theirs):
                return True
    return False


def _volumes(pod: Obj) -> list[Obj]:
    return pod["spec"].get("volumes") or []


def _claim_names(pod: Obj) -> list[str]:
    return [v["persistentVolumeClaim"]["claimName"] for v in _volumes(pod) if v.get("persistentVolumeClaim")]


def pre_filter(cycle: Cycle) -> Any:
    """Skip pods without such disks, unless another pod uses one of their ReadWriteOncePod claims."""
    volumes = _volumes(cycle.pod)
    if not volumes:
        return SKIP
    disks = [v for v in volumes if any(kind in v for kind in KINDS)]
    alone = set()
    for name in _claim_names(cycle.pod):
        claim = cycle.lister.get("persistentvolumeclaims", cycle.info.namespace, name)
        if claim is None:
            return Verdict((f'persistentvolumeclaim "{name}" not found',), True, NAME)
        if "ReadWriteOncePod" in (claim["spec"].get("accessModes") or ()):
            alone.add(name)
    conflicts = 0
    for node in cycle.nodes.values() if alone else ():
        for other in node.pods.values():
            if other.namespace == cycle.info.namespace:
                conflicts += len(alone.intersection(_claim_names(other.pod)))
    if not disks and not conflicts:
        return SKIP
    cycle.data[NAME] = (disks, conflicts)
    return None


def filter_node(cycle: Cycle, node: NodeInfo) -> Verdict | None:
    """Reject a node with a pod that holds one of the disks, and every node while a claim is taken."""
    disks, conflicts = cycle.data[NAME]
    for volume in disks:
        if any(conflict(volume, theirs) for other in node.pods.values() for theirs in _volumes(other.pod)):
            return DISK
    return TAKEN if conflicts else None


def hint(event: str, info: PodInfo, old: Obj | None, new: Obj | None) -> bool:
    """A pod that goes matters when it held a disk or a claim of this one; a claim when the pod names it."""
    if event == "pod-delete" and old is not None:
        if old["metadata"].get("namespace") != info.namespace:
            return False
        shared = set(_claim_names(info.pod)) & set(_claim_names(old))
        return bool(shared) or any(conflict(mine, theirs) for mine in _volumes(info.pod) for theirs in _volumes(old))
    if event == "pvc" and new is not None:
        meta = new["metadata"]
        return bool(meta.get("namespace") == info.namespace and meta["name"] in _claim_names(info.pod))
    return True


PLUGIN = Plugin(name=NAME, pre_filter=pre_filter, filter=filter_node, events=("node-add", "pod-delete", "pvc"), hint=hint)
