"""Services (`pkg/registry/core/service/{strategy.go,storage/storage.go}`); what they are given is `addresses.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...api import names
from ...api.errors import ApiError, FieldError
from ..defaults import others
from ..validation import service as rules
from . import addresses
from .strategy import Strategy

if TYPE_CHECKING:
    from ..call import Call

Obj = dict[str, Any]


class ServiceStrategy(Strategy):
    """Services."""

    create_on_update = True
    return_deleted = True
    check_name = staticmethod(names.dns_label)
    fields = {"spec.clusterIP": ("spec", "clusterIP"), "spec.type": ("spec", "type")}

    def default(self, obj: Obj) -> None:
        """Service defaults."""
        others.service(obj)

    def prepare_create(self, call: Call, obj: Obj) -> None:
        """An empty load balancer status."""
        obj["status"] = {"loadBalancer": {}}

    def begin(self, call: Call, obj: Obj) -> None:
        """Families, addresses and node ports come before validation (`beginCreate`)."""
        spec = obj["spec"]
        if spec.get("clusterIP") and not spec.get("clusterIPs"):
            spec["clusterIPs"] = [spec["clusterIP"]]
        addresses.families(call, obj, None)
        addresses.addresses(call, obj, None)
        try:
            addresses.node_ports(call, obj, None)
        except ApiError:  # the addresses had been taken: they are given back (`metaTransaction.Revert`)
            self.refused(call, obj)
            raise

    def prepare_update(self, call: Call, obj: Obj, old: Obj) -> None:
        """Keep what was given (`beginUpdate`), then drop what the new type has not got (`dropTypeDependentFields`)."""
        if call.info.subresource:
            others.service(obj)
            return
        _patch_allocated(obj["spec"], old["spec"])
        _normalise(obj["spec"], old["spec"])
        addresses.families(call, obj, old)
        addresses.addresses(call, obj, old)
        addresses.node_ports(call, obj, old)
        _drop(obj, old)

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateServiceCreate`."""
        return rules.service(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """`ValidateServiceUpdate`."""
        return rules.service_update(obj, old)

    def validate_subresource(self, sub: str, obj: Obj, old: Obj) -> list[FieldError]:
        """The load balancer's status."""
        return rules.status(obj, old) if sub == "status" else []

    def warnings(self, obj: Obj, old: Obj | None) -> list[str]:
        """Fields that are ignored, deprecated or written oddly."""
        return rules.warnings(obj)

    def allocate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Claim the addresses and record the node ports that were chosen, give back those of before."""
        if call.dry_run:
            return
        mine, before = _claimed(obj), _claimed(old) if old is not None else []
        for address in mine:
            if address not in before:
                addresses.claim(call, obj, address)
        for address in before:
            if address not in mine:
                addresses.release(call, address)
        ports = addresses.ports_of(obj)
        if ports or (old is not None and addresses.ports_of(old)):
            addresses.record(call, addresses.taken_ports(call, obj) | ports)

    def released(self, call: Call, obj: Obj) -> None:
        """The Endpoints of its name go with it; then give the address and the node ports back (`REST.afterDelete`)."""
        storage, meta = call.server.storage, obj["metadata"]
        where = f"{meta['namespace']}/{meta['name']}"
        if storage.get(f"/registry/services/specs/{where}".encode()) is None:
            key = f"/registry/services/endpoints/{where}".encode()
            endpoints = storage.get(key)
            if endpoints is not None:
                storage.delete(key, endpoints[1])
        if addresses.ports_of(obj):
            addresses.record(call, addresses.taken_ports(call, obj))
        for address in _claimed(obj):
            addresses.release(call, address)

    def refused(self, call: Call, obj: Obj) -> None:
        """The real server allocates before it validates, and gives back what it took."""
        if call.dry_run or not obj["metadata"].get("name") or not obj["metadata"].get("namespace"):
            return
        for address in _claimed(obj):
            addresses.claim(call, obj, address)
            addresses.release(call, address)


def _claimed(obj: Obj) -> list[str]:
    """The addresses of a service that are IPAddress objects."""
    spec = obj.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return []
    every = spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
    return [address for address in every if address and address != "None"]


def _patch_allocated(spec: Obj, held: Obj) -> None:
    """What the client left out, and the stored service has (`patchAllocatedValues`)."""
    if "ExternalName" not in (spec.get("type"), held.get("type")):
        if not spec.get("clusterIP") and held.get("clusterIP"):
            spec["clusterIP"] = held["clusterIP"]
        if not spec.get("clusterIPs") and spec.get("clusterIP") == held.get("clusterIP") and held.get("clusterIPs"):
            spec["clusterIPs"] = list(held["clusterIPs"])
    if addresses.ported(spec) and addresses.ported(held):
        mine = {port.get("nodePort") for port in spec.get("ports") or ()}
        by_name = {port.get("name", ""): port.get("nodePort") for port in held.get("ports") or ()}
        for port in spec.get("ports") or ():
            before = by_name.get(port.get("name", ""))
            if not port.get("nodePort") and before and before not in mine:
                port["nodePort"] = before
    if rules.health_checked(spec) and rules.health_checked(held) and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = held.get("healthCheckNodePort", 0)


def _normalise(spec: Obj, held: Obj) -> None:
    """clusterIP and clusterIPs in step when an update speaks of one alone (`normalizeClusterIPs`)."""
    first, before = spec.get("clusterIP") or "", held.get("clusterIP") or ""
    every, old = list(spec.get("clusterIPs") or ()), list(held.get("clusterIPs") or ())
    if old and not every and first == before:
        spec["clusterIPs"] = old
    elif first != before and every == old:
        if first:
            spec["clusterIPs"] = [first]
        else:
            spec.pop("clusterIPs", None)


def _drop(obj: Obj, old: Obj) -> None:
    """Fields that the new type has not got go, unless the same update changed them (then validation refuses them)."""
    spec, held = obj["spec"], old["spec"]
    if spec.get("type") == "ExternalName" and held.get("type") != "ExternalName":
        if all((spec.get(name) or None) == (held.get(name) or None) for name in ("clusterIP", "clusterIPs")):
            spec.pop("clusterIP", None)
            spec.pop("clusterIPs", None)
        for name in ("ipFamilies", "ipFamilyPolicy"):
            if spec.get(name) == held.get(name):
                spec.pop(name, None)
    if spec.get("type") == "ExternalName":
        spec.pop("internalTrafficPolicy", None)  # dropped when it is read
    if addresses.ported(held) and not addresses.ported(spec):
        before = {port.get("nodePort") for port in held.get("ports") or ()}
        mine = {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}
        for port in spec.get("ports") or () if mine <= before else ():
            port.pop("nodePort", None)
    _drop_same(spec, held, "healthCheckNodePort", rules.health_checked)
    _drop_same(spec, held, "allocateLoadBalancerNodePorts", _balanced)
    _drop_same(spec, held, "loadBalancerClass", _balanced)
    _drop_same(spec, held, "externalTrafficPolicy", rules.reachable)
    if not _balanced(spec):
        obj["status"] = {**(obj.get("status") or {}), "loadBalancer": {}}


def _balanced(spec: Obj) -> bool:
    return spec.get("type") == "LoadBalancer"


def _drop_same(spec: Obj, held: Obj, name: str, needs: Any) -> None:
    if needs(held) and not needs(spec) and spec.get(name) == held.get(name):
        spec.pop(name, None)
