"""What a service is given: IP families, cluster addresses, node ports (`pkg/registry/core/service/storage/alloc.go`, `ipallocator`,
`portallocator`).

A cluster address is an IPAddress object in etcd; node ports are taken from what the stored services use.  Dynamic addresses come
from the upper part of a range (the lower 256 at most are kept for static ones).  All of it happens before validation, as in the
real server; nothing is written until the service is.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ...api import errors, ips
from ...api.errors import ApiError, FieldError
from .. import nodeports
from ..bootstrap import start
from ..validation import service as rules

if TYPE_CHECKING:
    from ..call import Call

Obj = dict[str, Any]
RESERVED = 256
#: Where a dry run looks for a node port: it is never taken (`portallocator/operation.go`).
DRY_PORT = 32769


def invalid(obj: Obj, problems: list[FieldError]) -> ApiError:
    """422 of a service."""
    return errors.invalid("Service", "", obj["metadata"].get("name", ""), problems)


def ported(spec: Obj) -> bool:
    """Whether the type has node ports."""
    return spec.get("type") in ("NodePort", "LoadBalancer")


@lru_cache(maxsize=32)
def _parsed(*texts: str) -> dict[str, ipaddress.IPv4Network | ipaddress.IPv6Network]:
    found = [ipaddress.ip_network(text) for text in texts if text]
    return {f"IPv{network.version}": network for network in found}


def ranges(call: Call) -> dict[str, ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """The ranges of the cluster by family, the default family first."""
    config = call.server.config
    return _parsed(config.service_cidr, config.second_service_cidr)


# -- families -----------------------------------------------------------------------------------------------------------


def families(call: Call, obj: Obj, old: Obj | None) -> None:
    """Fill in ipFamilies and ipFamilyPolicy (`initIPFamilyFields`); raises 422."""
    spec, held = obj["spec"], old["spec"] if old is not None else None
    if spec.get("type") == "ExternalName" or _preferred_alike(spec, held):
        return
    known = ranges(call)
    bare = spec.get("clusterIP") == "None" and not spec.get("selector")
    if not spec.get("ipFamilyPolicy"):
        before = (held or {}).get("ipFamilyPolicy")
        spec["ipFamilyPolicy"] = before or ("RequireDualStack" if bare else "SingleStack")
    problems = rules.related_fields(spec, held or {})
    if problems:
        raise invalid(obj, problems)
    problems = _agree(spec, held) + _infer(spec, known)
    if problems:
        raise invalid(obj, problems)
    policy, found = spec["ipFamilyPolicy"], spec.get("ipFamilies") or []
    if not bare:
        if policy == "RequireDualStack" and len(known) < 2:
            text = "this cluster is not configured for dual-stack services"
            problems.append(errors.invalid_value("spec.ipFamilyPolicy", policy, text))
        problems += [
            errors.invalid_value(f"spec.ipFamilies[{i}]", family, "not configured on this cluster")
            for i, family in enumerate(found)
            if family not in known
        ]
        if problems:
            raise invalid(obj, problems)
    found = list(found) or [next(iter(known))]
    if policy != "SingleStack" and len(found) == 1 and (bare or len(known) == 2):
        found.append("IPv6" if found[0] == "IPv4" else "IPv4")
    spec["ipFamilies"] = found


def _preferred_alike(spec: Obj, held: Obj | None) -> bool:
    """`isMatchingPreferDualStackClusterIPFields`: such a service is neither widened nor narrowed by the way."""
    if held is None or spec.get("type") != held.get("type") or spec.get("ipFamilyPolicy") != "PreferDualStack":
        return False
    if held.get("ipFamilyPolicy") not in (None, "PreferDualStack"):
        return False
    return all((spec.get(name) or []) == (held.get(name) or []) for name in ("clusterIPs", "ipFamilies"))


def _agree(spec: Obj, held: Obj | None) -> list[FieldError]:
    """The policy against the addresses and families; a single-stack one drops the second of both."""
    policy, out = spec["ipFamilyPolicy"], list[FieldError]()
    words = (("clusterIPs", "cluster IP", "cluster IPs"), ("ipFamilies", "IP family", "IP families"))
    for name, one, _ in words if held is not None else ():
        mine, before = spec.get(name) or [], (held or {}).get(name) or []
        if policy == "SingleStack" and mine == before and len(mine) > 1:
            spec[name] = mine[:1]
        elif policy != "SingleStack" and 0 < len(mine) < len(before):
            text = f"must be 'SingleStack' to release the secondary {one}"
            out.append(errors.invalid_value("spec.ipFamilyPolicy", policy, text))
    for name, _, many in words if policy == "SingleStack" else ():
        if len(spec.get(name) or ()) == 2:
            text = f"must be 'RequireDualStack' or 'PreferDualStack' when multiple {many} are specified"
            out.append(errors.invalid_value("spec.ipFamilyPolicy", policy, text))
    return out


def _infer(spec: Obj, known: Obj) -> list[FieldError]:
    """Families that only the addresses tell."""
    every, found, out = spec.get("clusterIPs") or [], list(spec.get("ipFamilies") or ()), list[FieldError]()
    for i, address in enumerate(every):
        if address == "None":
            break
        family = ips.family(address)
        if i >= len(found):
            if family not in known:
                out.append(errors.invalid_value(f"spec.clusterIPs[{i}]", every, f"{family} is not configured on this cluster"))
            else:
                found.append(family)
    if found:
        spec["ipFamilies"] = found
    return out


# -- addresses ----------------------------------------------------------------------------------------------------------


def addresses(call: Call, obj: Obj, old: Obj | None) -> list[str]:
    """Choose the cluster addresses that the service lacks; those that are to be claimed.  Raises 422."""
    spec, held = obj["spec"], old["spec"] if old is not None else None
    if spec.get("type") == "ExternalName" or rules.headless(spec):
        return []
    if held is not None and held.get("type") != "ExternalName":
        upgraded = len(held.get("ipFamilies") or ()) == 1 and len(spec["ipFamilies"]) == 2
        if rules.headless(held) or not upgraded:
            return []
    every = list(spec.get("clusterIPs") or ())
    claimed: list[str] = []
    for i, family in enumerate(spec["ipFamilies"]):
        if held is not None and held.get("type") != "ExternalName" and i == 0:
            continue
        if i >= len(every):
            every.append("")
        if every[i]:
            _check(call, obj, every[i], spec.get("clusterIPs"))
        else:
            every[i] = _free(call, ranges(call)[family], claimed)
        claimed.append(every[i])
    spec["clusterIP"], spec["clusterIPs"] = every[0], every
    return claimed


def _check(call: Call, obj: Obj, wanted: str, every: Any) -> None:
    """An address that was asked for by number: in a range, and free; raises 422."""
    address, why = ips.sloppy(wanted), ""
    found = [network for network in _networks(call) if address is not None and address in network]
    if not found:
        why = "the provided network does not match the current range"
    elif address == found[0].network_address or (address == found[0][-1] and found[0].version == 4):
        why = f"the provided IP ({wanted}) is not in the valid range. The range of valid IPs is {found[0]}"
    elif call.server.storage.get(f"/registry/ipaddresses/{address}".encode()) is not None and not call.dry_run:
        why = "provided IP is already allocated"
    if why:
        raise invalid(obj, [errors.invalid_value("spec.clusterIPs", every, f"failed to allocate IP {wanted}: {why}")])


def _networks(call: Call) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """The ranges of the ServiceCIDRs that are ready, the cluster's own first."""
    out = list(ranges(call).values())
    for item in call.server.storage.list(b"/registry/servicecidrs/")[0]:
        conditions = (item.get("status") or {}).get("conditions") or ()
        if item["metadata"].get("deletionTimestamp") or not any(
            c["type"] == "Ready" and c["status"] == "True" for c in conditions
        ):
            continue
        for text in item["spec"].get("cidrs") or ():
            found = ips.sloppy_network(text)
            if found is not None and found[1] not in out:
                out.append(found[1])
    return out


def _free(call: Call, network: Any, claimed: list[str]) -> str:
    """An address by lot from the upper part of a range, then any that is left there or in a younger range of the family."""
    if call.dry_run:
        return str(network.network_address)
    taken = {item["metadata"]["name"] for item in call.server.storage.list(b"/registry/ipaddresses/")[0]}.union(claimed)
    rng = call.server.world.rng("apiserver/clusterips")
    size = min(network.num_addresses - 2, 2**31)
    low = min(RESERVED, max(16, size // 16))
    for _ in range(64):
        address = str(network[1 + low + rng.below(max(1, size - low))])
        if address not in taken:
            return address
    for other in [network, *(item for item in _networks(call) if item.version == network.version and item != network)]:
        for number in range(1, min(other.num_addresses - 1, 2**20)):
            address = str(other[number])
            if address not in taken:
                return address
    raise errors.internal_error("failed to allocate a serviceIP: range is full")


def claim(call: Call, obj: Obj, address: str) -> None:
    """Write the IPAddress of a service."""
    meta = obj["metadata"]
    labels = {
        "ipaddress.kubernetes.io/ip-family": ips.family(address),
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
    }
    parent = {"resource": "services", "namespace": meta["namespace"], "name": meta["name"]}
    start.make(
        call.server,
        {"kind": "IPAddress", "apiVersion": "networking.k8s.io/v1", "metadata": {"name": address, "labels": labels},
         "spec": {"parentRef": parent}},
    )  # fmt: skip


def release(call: Call, address: str) -> None:
    """Take an IPAddress away."""
    key = f"/registry/ipaddresses/{address}".encode()
    found = call.server.storage.get(key)
    if found is not None and not call.dry_run:
        call.server.storage.delete(key, found[1])


# -- node ports ---------------------------------------------------------------------------------------------------------


def ports_of(obj: Obj) -> set[int]:
    """The node ports of a service, that of its health check among them."""
    spec = obj["spec"]
    held = {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}
    return held | {spec["healthCheckNodePort"]} if spec.get("healthCheckNodePort") else held


def taken_ports(call: Call, obj: Obj) -> set[int]:
    """The node ports of all services but this one."""
    own = (obj["metadata"].get("namespace"), obj["metadata"].get("name"))
    taken: set[int] = set()
    for item in call.server.storage.list(b"/registry/services/specs/")[0]:
        if (item["metadata"]["namespace"], item["metadata"]["name"]) != own:
            taken |= ports_of(item)
    return taken


def record(call: Call, taken: set[int]) -> None:
    """Keep the record of the ports in use beside the services."""
    if not call.dry_run:
        nodeports.record(call.server, taken)


def node_ports(call: Call, obj: Obj, old: Obj | None) -> bool:
    """Choose the node ports that the service lacks (`txnAllocNodePorts`, `updateNodePorts`); whether it has any.  Raises 422."""
    spec, config = obj["spec"], call.server.config
    checked = rules.health_checked(spec)
    if not ported(spec):
        return False
    before = ports_of(old) if old is not None else set()
    taken, chosen = taken_ports(call, obj), dict[int, int]()
    allocate = spec["type"] == "NodePort" or spec.get("allocateLoadBalancerNodePorts", True)
    ports = spec.get("ports") or ()
    for i, port in enumerate(ports):
        number, wanted = port.get("port", 0), port.get("nodePort") or 0
        if not wanted and not allocate:
            continue
        if not wanted and old is None:  # the other protocol of the same port has, or asks for, one
            wanted = chosen.get(number) or next(
                (p["nodePort"] for p in ports if p.get("port") == number and p.get("nodePort")), 0
            )
        if not wanted:
            wanted = _free_port(call, taken | before)
        elif wanted not in before and wanted not in chosen.values():
            why = _unusable(wanted, taken, config.node_port_low, config.node_port_high)
            if why:
                raise invalid(obj, [errors.invalid_value(f"spec.ports[{i}].nodePort", wanted, why)])
        port["nodePort"] = chosen[number] = wanted
        taken.add(wanted)
    if checked and not (old is not None and rules.health_checked(old["spec"])):
        wanted = spec.get("healthCheckNodePort") or 0
        why = _unusable(wanted, taken, config.node_port_low, config.node_port_high) if wanted else ""
        if why:
            raise errors.internal_error(f"failed to allocate requested HealthCheck NodePort {wanted}: {why}")
        spec["healthCheckNodePort"] = wanted or _free_port(call, taken | before)
    return True


def _unusable(wanted: int, taken: set[int], low: int, high: int) -> str:
    if not low <= wanted <= high:
        return f"provided port is not in the valid range. The range of valid ports is {low}-{high}"
    return "provided port is already allocated" if wanted in taken else ""


def _free_port(call: Call, taken: set[int]) -> int:
    """A node port by lot: from the upper band, and once that is full from the lower one, which is kept for ports asked for by
    number (portallocator: a thirty-second of the range, 16 to 128 ports; small ranges have no bands).  Raises ApiError."""
    if call.dry_run:
        return max((port + 1 for port in taken if port >= DRY_PORT), default=DRY_PORT)
    first, last = call.server.config.node_port_low, call.server.config.node_port_high
    size = last - first + 1
    lower = 0 if size <= 16 else min(max(size // 32, 16), 128)
    rng = call.server.world.rng("apiserver/nodeports")
    for low, count in ((first + lower, size - lower), (first, lower)):
        begin = rng.below(count) if count else 0
        for step in range(count):
            wanted = low + (begin + step) % count
            if wanted not in taken:
                return wanted
    raise errors.internal_error("failed to allocate a nodePort: range is full")
