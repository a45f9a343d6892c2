"""Validation of network policies (`pkg/apis/networking/validation/validation.go`)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ...api import ips, names
from ...api.errors import FieldError, forbidden_field, invalid_value, not_supported, required
from . import affinity
from .common import IMMUTABLE, immutable

Obj = dict[str, Any]


def network_policy(obj: Obj, old: Obj | None = None) -> list[FieldError]:
    """`ValidateNetworkPolicySpec`; blocks that were there before are good."""
    spec, before = obj.get("spec") or {}, _blocks(old) if old is not None else ()
    out = affinity.label_selector(spec.get("podSelector"), "spec.podSelector")
    for section, peers in (("ingress", "from"), ("egress", "to")):
        for i, rule in enumerate(spec.get(section) or ()):
            at = f"spec.{section}[{i}]"
            for n, port in enumerate(rule.get("ports") or ()):
                out += _port(port, f"{at}.ports[{n}]")
            for n, peer in enumerate(rule.get(peers) or ()):
                out += _peer(peer, f"{at}.{peers}[{n}]", before)
    types = spec.get("policyTypes") or ()
    if len(types) > 2:
        return [*out, invalid_value("spec.policyTypes", list(types), "may not specify more than two policyTypes")]
    out += [
        not_supported(f"spec.policyTypes[{i}]", item, ("Ingress", "Egress"))
        for i, item in enumerate(types)
        if item not in ("Ingress", "Egress")
    ]
    return out


def _port(port: Obj, at: str) -> list[FieldError]:
    out: list[FieldError] = []
    if port.get("protocol") not in (None, "TCP", "UDP", "SCTP"):
        out.append(not_supported(f"{at}.protocol", port["protocol"], ("TCP", "UDP", "SCTP")))
    number, end = port.get("port"), port.get("endPort")
    if isinstance(number, int):
        out += [invalid_value(f"{at}.port", number, text) for text in names.port_number(number)]
        if end is not None:
            out += [invalid_value(f"{at}.endPort", number, "must be greater than or equal to `port`")] if end < number else []
            out += [invalid_value(f"{at}.endPort", end, text) for text in names.port_number(end)]
    elif number is not None:
        if end is not None:
            out.append(invalid_value(f"{at}.endPort", end, "may not be specified when `port` is non-numeric"))
        out += [invalid_value(f"{at}.port", number, text) for text in names.port_name(str(number))]
    elif end is not None:
        out.append(invalid_value(f"{at}.endPort", end, "may not be specified when `port` is not specified"))
    return out


def _blocks(obj: Obj) -> list[str]:
    """Every block of addresses that a policy names."""
    spec, out = obj.get("spec") or {}, list[str]()
    for section, peers in (("ingress", "from"), ("egress", "to")):
        for rule in spec.get(section) or ():
            for peer in rule.get(peers) or ():
                block = peer.get("ipBlock") or {}
                out += [block.get("cidr") or "", *(block.get("except") or ())]
    return out


def _peer(peer: Obj, at: str, before: Collection[str]) -> list[FieldError]:
    given = [key for key in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(key) is not None]
    out = [error for key in given if key != "ipBlock" for error in affinity.label_selector(peer[key], f"{at}.{key}")]
    out += _block(peer["ipBlock"], f"{at}.ipBlock", before) if "ipBlock" in given else []
    if not given:
        out.append(required(at, "must specify a peer"))
    elif len(given) > 1 and "ipBlock" in given:
        out.append(forbidden_field(at, "may not specify both ipBlock and another peer"))
    return out


def _block(block: Obj, at: str, before: Collection[str]) -> list[FieldError]:
    """`ValidateIPBlock`."""
    text = str(block.get("cidr") or "")
    if not text:
        return [required(f"{at}.cidr")]
    out, found = ips.cidr(f"{at}.cidr", text, before), ips.sloppy_network(text)
    if found is None:
        return out
    whole = found[1]
    for i, item in enumerate(block.get("except") or ()):
        place, part = f"{at}.except[{i}]", ips.sloppy_network(str(item))
        out += ips.cidr(place, str(item), before)
        if part is None:
            continue
        if part[1].version != whole.version or part[1].network_address not in whole or whole.prefixlen >= part[1].prefixlen:
            out.append(invalid_value(place, item, "must be a strict subset of `cidr`"))
    return out


# -- addresses of services ----------------------------------------------------------------------------------------------


def address_name(name: str) -> list[str]:
    """`ValidateIPAddressName`: the canonical form of an address."""
    return [error.body.partition(": ")[2].partition(": ")[2] for error in ips.strict_address("", name)]


def ip_address(obj: Obj) -> list[FieldError]:
    """`ValidateIPAddress`."""
    ref, at = (obj.get("spec") or {}).get("parentRef"), "spec.parentRef"
    if ref is None:
        return [required(at)]
    group = ref.get("group") or ""
    out = [invalid_value(f"{at}.group", group, text) for text in names.dns_subdomain(group)] if group else []
    for member in ("resource", "name", "namespace"):
        value = ref.get(member) or ""
        if not value and member != "namespace":
            out.append(required(f"{at}.{member}"))
        out += [invalid_value(f"{at}.{member}", value, text) for text in names.path_segment(value)]
    return out


def ip_address_update(obj: Obj, old: Obj) -> list[FieldError]:
    """`ValidateIPAddressUpdate`."""
    mine, held = (obj.get("spec") or {}).get("parentRef"), (old.get("spec") or {}).get("parentRef")
    return immutable(_reference(mine), _reference(held), "spec.parentRef")


def _reference(ref: Obj | None) -> Obj | None:
    """The internal ParentReference."""
    return None if ref is None else {go: ref.get(go.lower(), "") for go in ("Group", "Resource", "Namespace", "Name")}


def service_cidr(obj: Obj) -> list[FieldError]:
    """`validateServiceCIDRSpec`."""
    cidrs, at = list((obj.get("spec") or {}).get("cidrs") or ()), "spec.cidrs"
    if not cidrs:
        return [required(at, "at least one CIDR required")]
    if len(cidrs) > 2:
        return [invalid_value(at, {"CIDRs": cidrs}, "may only hold up to 2 values")]
    out = [error for i, text in enumerate(cidrs) for error in ips.strict_cidr(f"{at}[{i}]", text)]
    found = [ips.sloppy_network(text) for text in cidrs]
    if len(found) == 2 and found[0] and found[1] and found[0][1].version == found[1][1].version:
        text = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
        out.append(invalid_value(at, cidrs, text))
    return out


def service_cidr_update(obj: Obj, old: Obj) -> list[FieldError]:
    """`ValidateServiceCIDRUpdate`: one range may be joined by one of the other family."""
    mine, held = ((item.get("spec") or {}).get("cidrs") or [] for item in (obj, old))
    at = "spec.cidrs"
    if len(mine) == len(held):
        return [invalid_value(f"{at}[{i}]", mine[i], IMMUTABLE) for i, text in enumerate(held) if text != mine[i]]
    if len(held) == 1 and len(mine) == 2:
        first = [] if mine[0] == held[0] else [invalid_value(f"{at}[0]", mine[0], IMMUTABLE)]
        return first + service_cidr(obj)
    return [invalid_value(at, mine, IMMUTABLE)]
