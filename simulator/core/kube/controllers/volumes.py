"""Claims and volumes: the binder, and the two controllers that keep what is in use (pkg/controller/volume).

A claim takes the smallest volume that fits.  One of a class with a provisioner is handed to that: the claim gets its name as an
annotation, and stays Pending until somebody of that name (runtime/programs/local_path.py, once its manifest is applied) has made a volume
for it.
"""

from __future__ import annotations

from ...kernel import clock
from ..api.objects import Obj, annotations_of, is_deleting, key_of, split_key
from ..api.volumes import best, bound_to, claims_of, default_class, mode_of, unsuitable
from ..client import ApiError
from ..component import duration
from . import common
from .base import Controller

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
NO_PROVISIONER = "kubernetes.io/no-provisioner"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
#: Whose turn it is to make a claim's volume; the older name is still written beside the newer.
STORAGE_PROVISIONER = ("volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner")
RESYNC = 15 * clock.SECOND


class BinderController(Controller):
    """Binds claims to volumes and tells what phase each is in (persistentvolume/pv_controller.go)."""

    name = "persistentvolume-binder-controller"
    source = "persistentvolume-controller"
    resources = ("persistentvolumes", "persistentvolumeclaims", "storageclasses")

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """Keys are `pv|name` and `pvc|namespace/name`; a class or a free volume may serve any claim that waits."""
        if resource == "persistentvolumeclaims":
            self.enqueue(f"pvc|{key_of(obj)}")
            if obj["spec"].get("volumeName"):
                self.enqueue(f"pv|{obj['spec']['volumeName']}")
            return
        if resource == "persistentvolumes":
            self.enqueue(f"pv|{obj['metadata']['name']}")
            ref = obj["spec"].get("claimRef")
            if ref is not None:
                self.enqueue(f"pvc|{ref.get('namespace')}/{ref.get('name')}")
                return
        for claim in self.informer("persistentvolumeclaims").list():
            if not claim["spec"].get("volumeName"):
                self.enqueue(f"pvc|{key_of(claim)}", 1)

    def sync(self, key: str) -> None:
        """One volume or one claim."""
        what, _, rest = key.partition("|")
        if what == "pv":
            volume = self.informer("persistentvolumes").get("", rest)
            if volume is not None:
                self._volume(volume)
            return
        claim = self.informer("persistentvolumeclaims").get(*split_key(rest))
        if claim is not None:
            self._claim(claim)

    # -- volumes (syncVolume) --------------------------------------------------------------------------------------------
    def _volume(self, volume: Obj) -> None:
        ref = volume["spec"].get("claimRef")
        if not ref:
            self._phase(volume, "Available")
            return
        if not ref.get("uid"):
            self._phase(volume, "Available")
            return
        claim = self._owner(volume, ref)
        if claim is None:
            self._release(volume)
        elif not claim["spec"].get("volumeName"):
            if mode_of(claim) != mode_of(volume):
                names, tail = (claim["metadata"]["name"], volume["metadata"]["name"]), "due to incompatible volumeMode."
                text = f'Cannot bind PersistentVolume to requested PersistentVolumeClaim "{names[0]}" {tail}'
                self.event(volume, "Warning", "VolumeMismatch", text)
                text = f'Cannot bind PersistentVolume "{names[1]}" to requested PersistentVolumeClaim {tail}'
                self.event(claim, "Warning", "VolumeMismatch", text)
            else:
                self.enqueue(f"pvc|{key_of(claim)}")
        elif claim["spec"]["volumeName"] == volume["metadata"]["name"]:
            self._phase(volume, "Bound")
        elif PROVISIONED_BY in annotations_of(volume) and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            self._release(volume)
        else:
            self._unbind(volume)

    def _owner(self, volume: Obj, ref: Obj) -> Obj | None:
        """The claim that a volume names; asked for anew before the volume is given up."""
        namespace, name = ref.get("namespace"), ref.get("name", "")
        claim = self.informer("persistentvolumeclaims").get(namespace, name)
        gone = (volume.get("status") or {}).get("phase") in ("Released", "Failed")
        if (claim is None and not gone) or (claim is not None and claim["metadata"]["uid"] != ref["uid"]):
            try:
                claim = self.client.get("persistentvolumeclaims", namespace, name)
            except ApiError as error:
                if error.code != 404:
                    raise
                claim = None
        return claim if claim is not None and claim["metadata"]["uid"] == ref["uid"] else None

    def _release(self, volume: Obj) -> None:
        if (volume.get("status") or {}).get("phase") not in ("Released", "Failed"):
            self._phase(volume, "Released")
        self._reclaim(volume)

    def _unbind(self, volume: Obj) -> None:
        """Its claim has another volume: one that the controller bound is free again, another one waits for its claim by name."""
        meta, spec = volume["metadata"], dict(volume["spec"])
        notes = dict(annotations_of(volume))
        if notes.pop(BY_CONTROLLER, None) is not None:
            del spec["claimRef"]
        else:
            spec["claimRef"] = {k: v for k, v in spec["claimRef"].items() if k != "uid"}
        fresh = {**volume, "spec": spec, "metadata": {**meta, "annotations": notes}}
        self._phase(self.client.update("persistentvolumes", fresh), "Available")

    def _phase(self, volume: Obj, phase: str) -> None:
        status = volume.get("status") or {}
        if status.get("phase") == phase:
            return
        new = {**status, "phase": phase, "lastPhaseTransitionTime": self.world.timestamp()}
        self.client.update("persistentvolumes", {**volume, "status": new}, subresource="status")

    def _reclaim(self, volume: Obj) -> None:
        """Retain keeps it; Delete finds no plug-in that could delete a volume made by hand."""
        if volume["spec"].get("persistentVolumeReclaimPolicy") != "Delete" or is_deleting(volume):
            return
        if not annotations_of(volume).get(PROVISIONED_BY, "kubernetes.io/").startswith("kubernetes.io/"):
            return  # who has made it will delete it
        if "hostPath" in volume["spec"] and not volume["spec"]["hostPath"]["path"].startswith("/tmp/"):
            text = f"host_path deleter only supports /tmp/.+ but received provided {volume['spec']['hostPath']['path']}"
            self._failed(volume, text)
        elif "local" in volume["spec"]:
            self._failed(volume, 'error getting deleter volume plugin for volume "{}": no deletable volume plugin matched'.format(
                volume["metadata"]["name"]))  # fmt: skip

    def _failed(self, volume: Obj, text: str) -> None:
        if (volume.get("status") or {}).get("phase") == "Failed":
            return
        fresh = self.client.get("persistentvolumes", None, volume["metadata"]["name"])
        status = {**(fresh.get("status") or {}), "phase": "Failed", "message": text}
        self.client.update("persistentvolumes", {**fresh, "status": status}, subresource="status")
        self.event(volume, "Warning", "VolumeFailedDelete", text)

    # -- claims (syncUnboundClaim, syncBoundClaim) -----------------------------------------------------------------------
    def _claim(self, claim: Obj) -> None:
        if annotations_of(claim).get(BIND_COMPLETED):
            self._bound(claim)
            return
        wanted = claim["spec"].get("volumeName")
        if wanted:
            volume = self.informer("persistentvolumes").get("", wanted)
            if volume is None:
                self._pending(claim)
                return
            problem = ""
            if volume["spec"].get("claimRef") is None:
                problem = unsuitable(volume, claim)
                if problem:
                    text = f'Cannot bind to requested volume "{wanted}": {problem}'
                    self.event(claim, "Warning", "VolumeMismatch", text)
            elif not bound_to(volume, claim):
                problem = f'volume "{wanted}" already bound to a different claim.'
                self.event(claim, "Warning", "FailedBinding", problem)
                if BY_CONTROLLER in annotations_of(claim):
                    return
            if problem:  # said again at every resync
                self._pending(claim)
                self.enqueue(f"pvc|{key_of(claim)}", duration(self.flags, "pvclaimbinder-sync-period", RESYNC))
            else:
                self._bind(volume, claim)
            return
        delayed = self._delayed(claim) and SELECTED_NODE not in annotations_of(claim)
        volumes = self.informer("persistentvolumes").list()
        older = [
            v for v in volumes if _is_new(v) and int(v["metadata"]["resourceVersion"]) < int(claim["metadata"]["resourceVersion"])
        ]
        if older:  # volumes have a worker of their own, which was there before the claim came
            for volume in older:
                self._volume(volume)
            self.enqueue(f"pvc|{key_of(claim)}", 1)
            return
        if delayed:  # only a volume that names the claim is taken before a pod needs it
            volumes = [v for v in volumes if v["spec"].get("claimRef")]
        volume = best(volumes, claim)
        if volume is not None:
            self._bind(volume, claim)
            return
        if claim["spec"].get("storageClassName") is None and (chosen := default_class(self.informer("storageclasses").list())):
            spec = {**claim["spec"], "storageClassName": chosen}
            self.client.update("persistentvolumeclaims", {**claim, "spec": spec})
            return  # the change comes back here
        if delayed or not claim["spec"].get("storageClassName"):
            self._pending(claim)
        self._explain(claim, delayed)

    def _delayed(self, claim: Obj) -> bool:
        found = self.informer("storageclasses").get("", claim["spec"].get("storageClassName") or "")
        return found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"

    def _explain(self, claim: Obj, delayed: bool) -> None:
        """Why it stays Pending; said again at every resync while it does."""
        name = claim["spec"].get("storageClassName") or ""
        if is_deleting(claim):
            return
        found = self.informer("storageclasses").get("", name) if name else None
        if delayed:
            text = "waiting for first consumer to be created before binding"
            self.event(claim, "Normal", "WaitForFirstConsumer", text)
        elif not name or (found is not None and found.get("provisioner") == NO_PROVISIONER):
            text = "no persistent volumes available for this claim and no storage class is set"
            self.event(claim, "Normal", "FailedBinding", text)
        elif found is None:
            self.event(claim, "Warning", "ProvisioningFailed", f'storageclass.storage.k8s.io "{name}" not found')
        else:
            provisioner = found.get("provisioner", "")
            claim = self._hand_over(claim, provisioner)
            text = (
                f"Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the "
                "system administrator. If volume creation is delayed, please verify that the provisioner is running and "
                "correctly registered."
            )
            self.event(claim, "Normal", "ExternalProvisioning", text)
        self.enqueue(f"pvc|{key_of(claim)}", duration(self.flags, "pvclaimbinder-sync-period", RESYNC))

    def _hand_over(self, claim: Obj, provisioner: str) -> Obj:
        """The claim says who is to make its volume (setClaimProvisioner)."""
        notes = annotations_of(claim)
        if all(notes.get(name) == provisioner for name in STORAGE_PROVISIONER):
            return claim
        fresh = self.client.get("persistentvolumeclaims", claim["metadata"]["namespace"], claim["metadata"]["name"])
        notes = {**annotations_of(fresh), **dict.fromkeys(STORAGE_PROVISIONER, provisioner)}
        stored: Obj = self.client.update(
            "persistentvolumeclaims", {**fresh, "metadata": {**fresh["metadata"], "annotations": notes}}
        )
        return stored

    def _pending(self, claim: Obj) -> None:
        self._claim_status(claim, None, "Pending")

    def _bind(self, volume: Obj, claim: Obj) -> None:
        """Four writes where all is new: the volume's claimRef and phase, the claim's volumeName and status (bind)."""
        meta = claim["metadata"]
        ref, mine = volume["spec"].get("claimRef"), bound_to(volume, claim)
        fresh = volume
        if not mine or not ref or ref.get("uid") != meta["uid"]:
            spec = {**volume["spec"], "claimRef": {
                "kind": "PersistentVolumeClaim", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"],
                "apiVersion": "v1", "resourceVersion": meta["resourceVersion"],
            }}  # fmt: skip
            fresh = {**volume, "spec": spec}
        if not mine and BY_CONTROLLER not in annotations_of(volume):
            fresh = {**fresh, "metadata": {**volume["metadata"], "annotations": {**annotations_of(volume), BY_CONTROLLER: "yes"}}}
        if fresh is not volume:
            volume = self.client.update("persistentvolumes", fresh)
        self._phase(volume, "Bound")
        notes = {**annotations_of(claim), BIND_COMPLETED: "yes"}
        if claim["spec"].get("volumeName") != volume["metadata"]["name"]:
            notes[BY_CONTROLLER] = "yes"
        if notes != annotations_of(claim) or claim["spec"].get("volumeName") != volume["metadata"]["name"]:
            spec = {**claim["spec"], "volumeName": volume["metadata"]["name"]}
            claim = self.client.update(
                "persistentvolumeclaims", {**claim, "spec": spec, "metadata": {**claim["metadata"], "annotations": notes}}
            )
        self._claim_status(claim, volume, "Bound")

    def _claim_status(self, claim: Obj, volume: Obj | None, phase: str) -> bool:
        """Write a claim's phase with what its volume gives it; whether the phase is new (updateClaimStatus)."""
        held = claim.get("status") or {}
        status = {k: v for k, v in held.items() if k not in ("phase", "accessModes", "capacity")} | {"phase": phase}
        if volume is not None:
            status["accessModes"] = list(volume["spec"].get("accessModes") or ())
            storage = {"storage": volume["spec"]["capacity"]["storage"]}
            status["capacity"] = storage if held.get("phase") != phase else held.get("capacity") or storage
        if status != held:
            self.client.update("persistentvolumeclaims", {**claim, "status": status}, subresource="status")
        return bool(held.get("phase") != phase)

    def _bound(self, claim: Obj) -> None:
        volume = self.informer("persistentvolumes").get("", claim["spec"].get("volumeName") or "")
        ref = (volume or {"spec": {}})["spec"].get("claimRef") or {}
        if volume is not None and (not ref or ref.get("uid") == claim["metadata"]["uid"]):
            self._bind(volume, claim)
            return
        if self._claim_status(claim, None, "Lost"):
            if volume is not None:
                text = "Two claims are bound to the same volume, this one is bound incorrectly"
                self.event(claim, "Warning", "ClaimMisbound", text)
                return
            lost = "its PersistentVolume" if claim["spec"].get("volumeName") else "reference to PersistentVolume"
            self.event(claim, "Warning", "ClaimLost", f"Bound claim has lost {lost}. Data on the volume is lost!")


def _is_new(volume: Obj) -> bool:
    """Nobody has looked at it yet: no phase but that of the creation."""
    return bool((volume.get("status") or {}).get("phase", "Pending") == "Pending")


def _is_shut_down(pod: Obj) -> bool:
    """The kubelet is done with a pod that is being deleted, or it was deleted by force (`podIsShutDown`)."""
    return is_deleting(pod) and pod["metadata"].get("deletionGracePeriodSeconds") == 0


class ClaimProtectionController(Controller):
    """A claim that is being deleted goes when no pod uses it any more (pvcprotection)."""

    name = "persistentvolumeclaim-protection-controller"
    source = "persistentvolumeclaim-protection-controller"
    resources = ("persistentvolumeclaims", "pods")
    finalizer = "kubernetes.io/pvc-protection"

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A claim, or a pod that may have let go of one."""
        if resource == "pods":
            if kind == "DELETED" or common.is_terminal(obj) or _is_shut_down(obj):
                for name in claims_of(obj):
                    self.enqueue(f"{obj['metadata']['namespace']}/{name}")
        elif kind != "DELETED" and is_deleting(obj):
            self.enqueue(key_of(obj))

    def sync(self, key: str) -> None:
        """Take the finalizer away when the claim is free."""
        namespace, name = split_key(key)
        claim = self.informer("persistentvolumeclaims").get(namespace, name)
        if claim is None or not is_deleting(claim) or self.finalizer not in (claim["metadata"].get("finalizers") or ()):
            return
        for pod in self.informer("pods").list(namespace):
            if not pod["spec"].get("nodeName") or name not in claims_of(pod):
                continue
            named = {(v.get("persistentVolumeClaim") or {}).get("claimName") for v in pod["spec"].get("volumes") or ()}
            if name in named or not _is_shut_down(pod):
                return  # one that has Succeeded or Failed holds its claims until it is deleted
        held = [item for item in claim["metadata"]["finalizers"] if item != self.finalizer]
        self.client.update("persistentvolumeclaims", {**claim, "metadata": {**claim["metadata"], "finalizers": held}})


class VolumeProtectionController(Controller):
    """A volume that is being deleted goes when no claim is bound to it (pvprotection)."""

    name = "persistentvolume-protection-controller"
    source = "persistentvolume-protection-controller"
    resources = ("persistentvolumes",)
    finalizer = "kubernetes.io/pv-protection"

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A volume that is being deleted."""
        if kind != "DELETED" and is_deleting(obj):
            self.enqueue(obj["metadata"]["name"])

    def sync(self, key: str) -> None:
        """Take the finalizer away unless the volume is bound."""
        volume = self.informer("persistentvolumes").get("", key)
        if volume is None or not is_deleting(volume) or self.finalizer not in (volume["metadata"].get("finalizers") or ()):
            return
        if (volume.get("status") or {}).get("phase") == "Bound":
            return
        held = [item for item in volume["metadata"]["finalizers"] if item != self.finalizer]
        self.client.update("persistentvolumes", {**volume, "metadata": {**volume["metadata"], "finalizers": held}})
