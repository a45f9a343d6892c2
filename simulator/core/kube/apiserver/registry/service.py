"""Services: addresses and node ports (`pkg/registry/core/service/storage/{alloc,storage}.go`, `ipallocator`).

A ClusterIP is an IPAddress object in etcd; node ports are taken from what the stored services use.  Dynamic addresses come
from the upper part of the range (the lower 256 are kept for static ones).
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from ...api import errors, names
from ...api.errors import ApiError, FieldError
from .. import nodeports
from ..bootstrap import start
from ..defaults import others
from ..validation import service as rules
from .strategy import Strategy

if TYPE_CHECKING:
    from ..call import Call

Obj = dict[str, Any]
RESERVED = 256


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
        """An empty load balancer status; the family of a single-stack cluster."""
        obj["status"] = {"loadBalancer": {}}
        _families(obj["spec"])

    def prepare_update(self, call: Call, obj: Obj, old: Obj) -> None:
        """Keep the address that was allocated; drop what the new type has not got (`patchAllocatedValues`)."""
        spec, held = obj["spec"], old["spec"]
        kind, was = spec.get("type"), held.get("type")
        if kind != "ExternalName" and was != "ExternalName":
            if not spec.get("clusterIP"):
                spec["clusterIP"] = held.get("clusterIP", "")
            if not spec.get("clusterIPs") and spec.get("clusterIP") == held.get("clusterIP"):
                spec["clusterIPs"] = list(held.get("clusterIPs") or ())
        if kind == "ExternalName":
            for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"):
                spec.pop(name, None)
        ported = kind in ("NodePort", "LoadBalancer")
        if ported and was in ("NodePort", "LoadBalancer"):
            ports = {(p.get("port"), p.get("protocol")): p.get("nodePort") for p in held.get("ports") or ()}
            for port in spec.get("ports") or ():
                if not port.get("nodePort"):
                    found = ports.get((port.get("port"), port.get("protocol")))
                    if found:
                        port["nodePort"] = found
        if not ported and was in ("NodePort", "LoadBalancer"):
            before = {p.get("nodePort") for p in held.get("ports") or ()}
            for port in spec.get("ports") or ():
                if port.get("nodePort") in before:
                    port.pop("nodePort", None)
            if spec.get("externalTrafficPolicy") == held.get("externalTrafficPolicy") and not spec.get("externalIPs"):
                spec.pop("externalTrafficPolicy", None)
            spec.pop("allocateLoadBalancerNodePorts", None)
        _families(spec)

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateServiceCreate`."""
        return rules.service(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """`ValidateServiceUpdate`: the address is immutable."""
        return rules.service(obj) + rules.service_update(obj, old)

    def allocate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Take a ClusterIP and node ports where the service needs them and has none."""
        spec = obj["spec"]
        addressed = spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None"
        if addressed and (old is None or (old["spec"].get("clusterIP") or "") != (spec.get("clusterIP") or "")):
            self._cluster_ip(call, obj)
        if spec.get("type") in ("NodePort", "LoadBalancer") and spec.get("allocateLoadBalancerNodePorts", True):
            try:
                self._node_ports(call, obj)
            except ApiError:
                if addressed and old is None:
                    self._release(call, spec["clusterIP"])
                raise
            return
        if old is not None and _ports_of(old):
            _record(call, _taken(call, old))
        if spec.get("clusterIP") == "None":
            spec["clusterIPs"] = ["None"]

    def _cluster_ip(self, call: Call, obj: Obj) -> None:
        spec = obj["spec"]
        network = ipaddress.ip_network(call.server.config.service_cidr)
        wanted = spec.get("clusterIP")
        taken = {item["metadata"]["name"] for item in call.server.storage.list(b"/registry/ipaddresses/")[0]}
        if wanted:
            problem = None
            if wanted in taken:
                problem = errors.invalid_value(
                    "spec.clusterIPs", [wanted], "failed to allocate IP " + wanted + ": provided IP is already allocated"
                )
            elif ipaddress.ip_address(wanted) not in network:
                text = f"failed to allocate IP {wanted}: the provided network does not match the current range"
                problem = errors.invalid_value("spec.clusterIPs", [wanted], text)
            if problem is not None:
                raise errors.invalid("Service", "", obj["metadata"].get("name", ""), [problem])
            address = str(wanted)
        else:
            address = self._free(call, network, taken)
        spec["clusterIP"], spec["clusterIPs"] = address, [address]
        if not call.dry_run:
            self._claim(call, obj, address)

    @staticmethod
    def _free(call: Call, network: Any, taken: set[str]) -> str:
        rng = call.server.world.rng("apiserver/clusterips")
        size = network.num_addresses - 2
        low = min(RESERVED, max(16, size // 16))
        for _ in range(64):
            address = str(network[1 + low + rng.below(max(1, size - low))])
            if address not in taken:
                return address
        for number in range(1, size + 1):
            address = str(network[number])
            if address not in taken:
                return address
        raise errors.internal_error("failed to allocate a serviceIP: range is full")

    @staticmethod
    def _claim(call: Call, obj: Obj, address: str) -> None:
        meta = obj["metadata"]
        if not meta.get("name"):
            return  # validation refuses the Service in a moment
        labels = {"ipaddress.kubernetes.io/ip-family": "IPv4", "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"}
        parent = {"resource": "services", "namespace": meta["namespace"], "name": meta["name"]}
        start.make(
            call.server,
            {"kind": "IPAddress", "apiVersion": "networking.k8s.io/v1", "metadata": {"name": address, "labels": labels},
             "spec": {"parentRef": parent}},
        )  # fmt: skip

    @staticmethod
    def _node_ports(call: Call, obj: Obj) -> None:
        config, meta = call.server.config, obj["metadata"]
        taken = _taken(call, obj)
        for i, port in enumerate(obj["spec"].get("ports") or ()):
            wanted, protocol = port.get("nodePort"), port.get("protocol", "TCP")
            if wanted:
                text = ""
                if not config.node_port_low <= wanted <= config.node_port_high:
                    span = f"{config.node_port_low}-{config.node_port_high}"
                    text = f"provided port is not in the valid range. The range of valid ports is {span}"
                elif (wanted, protocol) in taken:
                    text = "provided port is already allocated"
                if text:
                    problem = errors.invalid_value(f"spec.ports[{i}].nodePort", wanted, text)
                    raise errors.invalid("Service", "", meta.get("name", ""), [problem])
            else:
                wanted = _free_port(call, protocol, taken)
                port["nodePort"] = wanted
            taken.add((wanted, protocol))
        _record(call, taken)

    def released(self, call: Call, obj: Obj) -> None:
        """The Endpoints of its name go with it; then give the address and the node ports back (`REST.afterDelete`)."""
        storage, meta = call.server.storage, obj["metadata"]
        where = f"{meta['namespace']}/{meta['name']}"
        if storage.get(f"/registry/services/specs/{where}".encode()) is None:
            key = f"/registry/services/endpoints/{where}".encode()
            endpoints = storage.get(key)
            if endpoints is not None:
                storage.delete(key, endpoints[1])
        if _ports_of(obj):
            _record(call, _taken(call, obj))
        address = obj["spec"].get("clusterIP")
        if address and address != "None":
            self._release(call, address)

    def refused(self, call: Call, obj: Obj) -> None:
        """The real server allocates before it validates (`storage.go: beginCreate`), and gives back what it took."""
        spec = obj.get("spec")
        if not isinstance(spec, dict) or call.dry_run or spec.get("type") == "ExternalName" or spec.get("clusterIP"):
            return
        try:
            self._cluster_ip(call, obj)
        except ApiError:
            return
        self._release(call, spec["clusterIP"])

    @staticmethod
    def _release(call: Call, address: str) -> None:
        key = f"/registry/ipaddresses/{address}".encode()
        found = call.server.storage.get(key)
        if found is not None and not call.dry_run:
            call.server.storage.delete(key, found[1])


def _ports_of(obj: Obj) -> set[tuple[int, str]]:
    """The node ports of a service, with their protocols."""
    return {(port["nodePort"], port.get("protocol", "TCP")) for port in obj["spec"].get("ports") or () if port.get("nodePort")}


def _taken(call: Call, obj: Obj) -> set[tuple[int, str]]:
    """The node ports of all services but this one."""
    own = (obj["metadata"].get("namespace"), obj["metadata"].get("name"))
    taken: set[tuple[int, str]] = set()
    for item in call.server.storage.list(b"/registry/services/specs/")[0]:
        if (item["metadata"]["namespace"], item["metadata"]["name"]) != own:
            taken |= _ports_of(item)
    return taken


def _record(call: Call, taken: set[tuple[int, str]]) -> None:
    if not call.dry_run:
        nodeports.record(call.server, (port for port, _ in taken))


def _free_port(call: Call, protocol: str, taken: set[tuple[int, str]]) -> int:
    """A node port by lot: from the upper band, and once that is full from the lower one, which is kept for ports asked for by
    number (portallocator: a thirty-second of the range, 16 to 128 ports; small ranges have no bands).  Raises ApiError."""
    first, last = call.server.config.node_port_low, call.server.config.node_port_high
    size = last - first + 1
    lower = 0 if size <= 16 else min(max(size // 32, 16), 128)
    rng = call.server.world.rng("apiserver/nodeports")
    for low, count in ((first + lower, size - lower), (first, lower)):
        start = rng.below(count) if count else 0
        for step in range(count):
            wanted = low + (start + step) % count
            if (wanted, protocol) not in taken:
                return wanted
    raise errors.internal_error("failed to allocate a nodePort: range is full")


def _families(spec: Obj) -> None:
    if spec.get("type") != "ExternalName":
        spec.setdefault("ipFamilies", ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "SingleStack")
        if spec.get("clusterIP") == "None":
            spec["clusterIPs"] = ["None"]
