"""Keeps ServiceCIDRs: their finalizer, their Ready condition, and that none goes while addresses of it are in use
(pkg/controller/servicecidrs)."""

from __future__ import annotations

import ipaddress
from typing import Any

from ...kernel import clock
from ..api.objects import Obj, condition
from .base import Controller

FINALIZER = "networking.k8s.io/service-cidr-finalizer"
MANAGED_BY, ALLOCATOR = "ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io"
GRACE = 10 * clock.SECOND
READY = "Kubernetes Service CIDR is ready"
IN_USE = "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR"


def networks(cidr: Obj) -> list[Any]:
    """The networks of a ServiceCIDR; what is no network is left out."""
    out = []
    for text in cidr["spec"].get("cidrs") or ():
        try:
            out.append(ipaddress.ip_network(text))
        except ValueError:
            continue
    return out


def _within(inner: Any, outer: Any) -> bool:
    return bool(inner.version == outer.version and inner.subnet_of(outer))


class ServiceCidrController(Controller):
    """Keys are names of ServiceCIDRs."""

    name = "service-cidr-controller"
    source = "service-cidr-controller"
    resources = ("servicecidrs", "ipaddresses")

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A range, or an address that may hold ranges back."""
        if resource == "ipaddresses":
            if kind == "MODIFIED" or (obj["metadata"].get("labels") or {}).get(MANAGED_BY) != ALLOCATOR:
                return
            for name in self._holding(obj["metadata"]["name"]):
                self.enqueue(name)
            return
        self.enqueue(obj["metadata"]["name"])
        if kind != "MODIFIED":
            mine = networks(obj)
            for other in self.informer("servicecidrs").list():
                if any(a.version == b.version and a.overlaps(b) for a in mine for b in networks(other)):
                    self.enqueue(other["metadata"]["name"])

    def _holding(self, address: str) -> list[str]:
        found = ipaddress.ip_address(address)
        ranges = self.informer("servicecidrs").list()
        return [r["metadata"]["name"] for r in ranges if any(found in network for network in networks(r))]

    def sync(self, key: str) -> None:
        """One range: finalizer and condition, or its end."""
        cidr = self.informer("servicecidrs").get("", key)
        if cidr is None:
            return
        held = cidr["metadata"].get("finalizers") or []
        deleted = cidr["metadata"].get("deletionTimestamp")
        if deleted:
            if not self._free(cidr):
                self._condition(cidr, "False", "Terminating", IN_USE)
                return
            rest = clock.parse_rfc3339(deleted) + GRACE - self.world.wall
            if rest > 0:
                self.enqueue(key, rest)
            elif FINALIZER in held:
                patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": [FINALIZER]}}
                self.client.patch("servicecidrs", None, key, patch)
            return
        if FINALIZER not in held:
            cidr = self.client.patch("servicecidrs", None, key, {"metadata": {"finalizers": [FINALIZER]}})
        self._condition(cidr, "True", "", READY)

    def _free(self, cidr: Obj) -> bool:
        """Whether every address of it lies in another range as well (canDeleteCIDR)."""
        name = cidr["metadata"]["name"]
        others = [r for r in self.informer("servicecidrs").list() if r["metadata"]["name"] != name]
        mine = networks(cidr)
        if all(any(_within(network, outer) for other in others for outer in networks(other)) for network in mine):
            return True
        for address in self.informer("ipaddresses").list():
            if (address["metadata"].get("labels") or {}).get(MANAGED_BY) != ALLOCATOR:
                continue
            if self._holding(address["metadata"]["name"]) == [name]:
                return False
        return True

    def _condition(self, cidr: Obj, status: str, reason: str, message: str) -> None:
        old = condition(cidr, "Ready")
        if old is not None and (old["status"], old.get("reason") or "", old.get("message")) == (status, reason, message):
            return
        now = self.world.timestamp()
        new = {"type": "Ready", "status": status, "reason": reason, "message": message, "lastTransitionTime": now}
        body = {"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "status": {"conditions": [new]}}
        meta = {"metadata": {"name": cidr["metadata"]["name"]}}
        self.client.patch(
            "servicecidrs", None, cidr["metadata"]["name"], {**body, **meta}, kind="apply", subresource="status",
            field_manager=self.name, force=True,
        )  # fmt: skip
