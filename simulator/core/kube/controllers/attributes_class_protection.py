"""VolumeAttributesClasses stay while a volume or a claim names them (pkg/controller/volume/vacprotection)."""

from __future__ import annotations

from ..api.objects import Obj, is_deleting
from .base import Controller

FINALIZER = "kubernetes.io/vac-protection"


class AttributesClassProtectionController(Controller):
    """Keys are names of classes."""

    name = "volumeattributesclass-protection-controller"
    source = "volumeattributesclass-protection-controller"
    resources = ("volumeattributesclasses", "persistentvolumeclaims", "persistentvolumes")

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A class, or a volume or claim that may have let go of one."""
        if resource == "volumeattributesclasses":
            if kind != "DELETED":
                self.enqueue(obj["metadata"]["name"])
        elif kind != "ADDED":
            for held in self.informer("volumeattributesclasses").list():
                if is_deleting(held):
                    self.enqueue(held["metadata"]["name"])

    def _used(self, name: str) -> bool:
        claims, volumes = self.informer("persistentvolumeclaims").list(), self.informer("persistentvolumes").list()
        in_status = any((c.get("status") or {}).get("currentVolumeAttributesClassName") == name for c in claims)
        return in_status or any(o["spec"].get("volumeAttributesClassName") == name for o in (*claims, *volumes))

    def sync(self, key: str) -> None:
        """Add the finalizer, or take it from a class that nothing uses."""
        found = self.informer("volumeattributesclasses").get("", key)
        if found is None:
            return
        held = found["metadata"].get("finalizers") or []
        if is_deleting(found):
            if FINALIZER not in held or self._used(key):
                return
            wanted = [item for item in held if item != FINALIZER]
        elif FINALIZER in held:
            return
        else:
            wanted = [*held, FINALIZER]
        self.client.update("volumeattributesclasses", {**found, "metadata": {**found["metadata"], "finalizers": wanted}})
