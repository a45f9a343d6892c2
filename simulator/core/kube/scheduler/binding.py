"""Volumes before a pod is bound (plugins/volumebinding: PreBind, `BindPodVolumes`, checkBindings).

Volumes that were chosen name their claims.  A claim whose volume is to be made names the node, so that a provisioner makes it there;
the pod is held, on its node as far as other pods' places are concerned, until all its claims are bound.
"""

from __future__ import annotations

from ...kernel import clock
from ..api.objects import Obj, annotations_of
from ..api.volumes import claims_of
from ..client import KubeClient
from .framework import Cycle, Lister
from .plugins import volume_binding

#: VolumeBindingArgs.bindTimeoutSeconds.
TIMEOUT = 600 * clock.SECOND
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
PRE_BIND = 'running PreBind plugin "VolumeBinding": binding volumes: '


def begin(client: KubeClient, cycle: Cycle, node: str) -> bool:
    """Claim what is there and ask for what is not; whether the pod has to wait.  Raises ApiError and ConnectError."""
    for claim, volume in (cycle.data.get(volume_binding.CHOSEN) or {}).get(node, ()):
        meta = claim["metadata"]
        ref = {"kind": "PersistentVolumeClaim", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}
        ref |= {"apiVersion": "v1", "resourceVersion": meta["resourceVersion"]}
        notes = {**annotations_of(volume), "pv.kubernetes.io/bound-by-controller": "yes"}
        fresh = {**volume, "spec": {**volume["spec"], "claimRef": ref}}
        client.update("persistentvolumes", {**fresh, "metadata": {**volume["metadata"], "annotations": notes}})
    to_make = (cycle.data.get(volume_binding.TO_MAKE) or {}).get(node) or ()
    for claim in to_make:
        notes = annotations_of(claim)
        if notes.get(volume_binding.SELECTED_NODE) != node:
            notes = {**notes, volume_binding.SELECTED_NODE: node}
            client.update("persistentvolumeclaims", {**claim, "metadata": {**claim["metadata"], "annotations": notes}})
    return bool(to_make)


def state(pod: Obj, lister: Lister, node: str) -> tuple[bool, str]:
    """(whether all claims of a held pod are bound, why that cannot be any more)."""
    for name in claims_of(pod):
        claim = lister.get("persistentvolumeclaims", pod["metadata"]["namespace"], name)
        if claim is None:
            return False, f'persistentvolumeclaim "{name}" not found'
        notes = annotations_of(claim)
        if claim["spec"].get("volumeName") and notes.get(BIND_COMPLETED):
            continue
        storage_class = lister.get("storageclasses", "", claim["spec"].get("storageClassName") or "")
        if storage_class is None or storage_class.get("volumeBindingMode") != "WaitForFirstConsumer":
            return False, ""
        selected = notes.get(volume_binding.SELECTED_NODE)
        if selected != node and not _chosen(claim, lister):
            return False, f'provisioning failed for PVC "{name}"' if notes else f'selectedNode annotation reset for PVC "{name}"'
        return False, ""
    return True, ""


def _chosen(claim: Obj, lister: Lister) -> bool:
    """Whether a volume names the claim already: the binder will see to it."""
    uid = claim["metadata"]["uid"]
    return any((v["spec"].get("claimRef") or {}).get("uid") == uid for v in lister.objects("persistentvolumes"))
