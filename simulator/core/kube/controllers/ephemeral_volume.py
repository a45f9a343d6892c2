"""Creates the claims of pods' generic ephemeral volumes (pkg/controller/volume/ephemeral)."""

from __future__ import annotations

from ..api.objects import Obj, controller_of, key_of, owner_reference, split_key
from ..client import ApiError
from .base import Controller, Retry


class EphemeralVolumeController(Controller):
    """Keys are pods."""

    name = "ephemeral-volume-controller"
    source = "ephemeral_volume"
    resources = ("pods", "persistentvolumeclaims")

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A pod with such a volume came, or the claim of one went."""
        if resource == "pods":
            if kind == "ADDED" and self._volumes(obj):
                self.enqueue(key_of(obj))
        elif kind == "DELETED":
            owner = controller_of(obj)
            if owner is not None and owner["kind"] == "Pod":
                self.enqueue(f"{obj['metadata']['namespace']}/{owner['name']}")

    @staticmethod
    def _volumes(pod: Obj) -> list[Obj]:
        return [v for v in pod["spec"].get("volumes") or () if "ephemeral" in v]

    def sync(self, key: str) -> None:
        """Create what is missing; a claim of that name that is somebody else's is an error that stays."""
        namespace, _ = split_key(key)
        pod = self.informer("pods").get(*split_key(key))
        if pod is None or pod["metadata"].get("deletionTimestamp"):
            return
        for volume in self._volumes(pod):
            name = f"{pod['metadata']['name']}-{volume['name']}"
            problem = ""
            held = self.informer("persistentvolumeclaims").get(namespace, name)
            if held is None:
                try:
                    self._create(pod, volume, namespace, name)
                except ApiError as error:
                    problem = f"create PVC {name}: {error.message}"
            elif (controller_of(held) or {}).get("uid") != pod["metadata"]["uid"]:
                problem = f"PVC {namespace}/{name} was not created for pod {key} (pod is not owner)"
            if problem:
                self.event(pod, "Warning", "FailedBinding", f"ephemeral volume {volume['name']}: {problem}")
                raise Retry(f"pod {key}, ephemeral volume {volume['name']}: {problem}")

    def _create(self, pod: Obj, volume: Obj, namespace: str, name: str) -> None:
        template = volume["ephemeral"].get("volumeClaimTemplate") or {}
        given = template.get("metadata") or {}
        owner = {**owner_reference(pod), "apiVersion": "v1", "kind": "Pod"}
        meta: Obj = {"name": name, "namespace": namespace, "ownerReferences": [owner]}
        meta |= {member: given[member] for member in ("annotations", "labels") if given.get(member)}
        body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": template.get("spec") or {}}
        self.client.create("persistentvolumeclaims", namespace, body)
