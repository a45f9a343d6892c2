"""Validation of network policies (`pkg/apis/networking/validation/validation.go`)."""

from __future__ import annotations

import ipaddress
from typing import Any

from ...api import names
from ...api.errors import FieldError, forbidden_field, invalid_value, not_supported, required

Obj = dict[str, Any]
CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


def network_policy(obj: Obj) -> list[FieldError]:
    """`ValidateNetworkPolicySpec`."""
    spec = obj.get("spec") or {}
    out: list[FieldError] = []
    for section, peers in (("ingress", "from"), ("egress", "to")):
        for i, rule in enumerate(spec.get(section) or ()):
            at = f"spec.{section}[{i}]"
            for n, port in enumerate(rule.get("ports") or ()):
                out += _port(port, f"{at}.ports[{n}]")
            for n, peer in enumerate(rule.get(peers) or ()):
                out += _peer(peer, f"{at}.{peers}[{n}]")
    types = spec.get("policyTypes") or ()
    out += [
        not_supported(f"spec.policyTypes[{i}]", item, ("Egress", "Ingress"))
        for i, item in enumerate(types)
        if item not in ("Ingress", "Egress")
    ]
    return out


def _port(port: Obj, at: str) -> list[FieldError]:
    out: list[FieldError] = []
    if port.get("protocol") not in (None, "TCP", "UDP", "SCTP"):
        out.append(not_supported(f"{at}.protocol", port["protocol"], ("SCTP", "TCP", "UDP")))
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


def _peer(peer: Obj, at: str) -> list[FieldError]:
    given = [key for key in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(key) is not None]
    out = _block(peer["ipBlock"], f"{at}.ipBlock") if "ipBlock" in given else []
    if not given:
        out.append(required(at, "must specify a peer"))
    elif len(given) > 1 and "ipBlock" in given:
        out.append(forbidden_field(at, "may not specify both ipBlock and another peer"))
    return out


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None


def _block(block: Obj, at: str) -> list[FieldError]:
    text = str(block.get("cidr") or "")
    if not text:
        return [required(f"{at}.cidr")]
    whole = _network(text)
    if whole is None:
        return [invalid_value(f"{at}.cidr", text, CIDR)]
    out: list[FieldError] = []
    for i, item in enumerate(block.get("except") or ()):
        part = _network(str(item))
        if part is None:
            out.append(invalid_value(f"{at}.except[{i}]", item, CIDR))
        elif part.version != whole.version or part.network_address not in whole or whole.prefixlen >= part.prefixlen:
            out.append(invalid_value(f"{at}.except[{i}]", item, "must be a strict subset of `cidr`"))
    return out
