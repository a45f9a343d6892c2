"""Claims that ask for more than they have (pkg/controller/volume/expand).

None of the volume types that a kubeadm cluster can use without a driver can be expanded by the controller manager itself, so all
that the controller does is say who is waited for.
"""

from __future__ import annotations

from ..api import quantity
from ..api.objects import Obj, key_of, split_key
from .base import Controller

WAITING = "waiting for an external controller to expand this PVC"


class VolumeExpandController(Controller):
    """Keys are claims."""

    name = "persistentvolume-expander-controller"
    source = "volume_expand"
    resources = ("persistentvolumeclaims", "persistentvolumes")

    def setup(self) -> None:
        """What each claim asked for when it was last seen."""
        self.asked: dict[str, int] = {key_of(c): _request(c) for c in self.informer("persistentvolumeclaims").list()}

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A bound claim asks for more than before, or is new here and asks for more than it has."""
        if resource != "persistentvolumeclaims":
            return
        key = key_of(obj)
        if kind == "DELETED":
            self.asked.pop(key, None)
            return
        before, self.asked[key] = self.asked.get(key, 0), _request(obj)
        if (obj.get("status") or {}).get("phase") == "Bound" and _request(obj) > max(before, _has(obj)):
            self.enqueue(key)

    def sync(self, key: str) -> None:
        """Say who is waited for."""
        claim = self.informer("persistentvolumeclaims").get(*split_key(key))
        if claim is None or not claim["spec"].get("volumeName"):
            return
        volume = self.informer("persistentvolumes").get("", claim["spec"]["volumeName"])
        ref = ((volume or {}).get("spec") or {}).get("claimRef") or {}
        if ref.get("uid") == claim["metadata"]["uid"] and _request(claim) > _has(claim):
            self.event(claim, "Normal", "ExternalExpanding", WAITING)


def _request(claim: Obj) -> int:
    return quantity.nano(((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage", "0"))


def _has(claim: Obj) -> int:
    return quantity.nano(((claim.get("status") or {}).get("capacity") or {}).get("storage", "0"))
