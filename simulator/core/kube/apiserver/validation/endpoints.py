"""Validation of Endpoints and EndpointSlices (`pkg/apis/core/validation`, `pkg/apis/discovery/validation` of v1.36)."""

from __future__ import annotations

import ipaddress
from typing import Any

from ...api import ips, names
from ...api.errors import FieldError, duplicate, invalid_value, not_supported, required, too_many
from . import meta

Obj = dict[str, Any]
PROTOCOLS = ("SCTP", "TCP", "UDP")
FAMILIES = ("FQDN", "IPv4", "IPv6")
#: How many endpoints, addresses of one, ports, labels and hints a slice holds at most.
ENDPOINTS, ADDRESSES, PORTS, LABELS, HINTS = 1000, 100, 20000, 16, 8


def special_address(text: str, at: str) -> list[FieldError]:
    """`ValidateEndpointIP`: addresses that no endpoint can have."""
    found = ips.sloppy(text)
    if found is None:
        return [invalid_value(at, text, "must be a valid IP address")]
    out: list[FieldError] = []
    if found.is_unspecified:
        out.append(invalid_value(at, text, f"may not be unspecified ({text})"))
    if found.is_loopback:
        out.append(invalid_value(at, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)"))
    if found.is_link_local and not found.is_multicast:
        out.append(invalid_value(at, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"))
    local = ipaddress.ip_network("224.0.0.0/24") if found.version == 4 else ipaddress.ip_network("ff02::/16")
    if found in local:
        out.append(invalid_value(at, text, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"))
    return out


def endpoints(obj: Obj) -> list[FieldError]:
    """`validateEndpointSubsets`."""
    out: list[FieldError] = []
    for i, subset in enumerate(obj.get("subsets") or ()):
        at = f"subsets[{i}]"
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            out.append(required(at, "must specify `addresses` or `notReadyAddresses`"))
        for group in ("addresses", "notReadyAddresses"):
            for j, address in enumerate(subset.get(group) or ()):
                out += _address(address, f"{at}.{group}[{j}]")
        ports = subset.get("ports") or ()
        for j, port in enumerate(ports):
            place = f"{at}.ports[{j}]"
            if port.get("name"):
                out += [invalid_value(f"{place}.name", port["name"], text) for text in names.dns_label(port["name"])]
            elif len(ports) > 1:
                out.append(required(f"{place}.name"))
            number = port.get("port") or 0
            out += [invalid_value(f"{place}.port", number, text) for text in names.port_number(number)]
            out += _protocol(port, place)
    return out


def _address(address: Obj, at: str) -> list[FieldError]:
    text = address.get("ip") or ""
    out = ips.address(f"{at}.ip", text)
    if address.get("hostname"):
        out += [invalid_value(f"{at}.hostname", address["hostname"], item) for item in names.dns_label(address["hostname"])]
    if address.get("nodeName") is not None:
        out += [invalid_value(f"{at}.nodeName", address["nodeName"], item) for item in names.dns_subdomain(address["nodeName"])]
    return out + special_address(text, f"{at}.ip")


def _protocol(port: Obj, at: str) -> list[FieldError]:
    protocol, application = port.get("protocol"), port.get("appProtocol")
    out: list[FieldError] = []
    if not protocol:
        out.append(required(f"{at}.protocol"))
    elif protocol not in PROTOCOLS:
        out.append(not_supported(f"{at}.protocol", protocol, PROTOCOLS))
    if application is not None:
        out += [invalid_value(f"{at}.appProtocol", application, text) for text in names.qualified_name(application)]
    return out


def slice_errors(obj: Obj) -> list[FieldError]:
    """`ValidateEndpointSlice`."""
    family, out = obj.get("addressType") or "", list[FieldError]()
    if not family:
        out.append(required("addressType"))
    elif family not in FAMILIES:
        out.append(not_supported("addressType", family, FAMILIES))
    ports = obj.get("ports") or []
    if len(ports) > PORTS:
        out.append(too_many("ports", len(ports), PORTS))
        ports = []
    seen: set[str] = set()
    for i, port in enumerate(ports):
        name = port.get("name") or ""
        if name:
            out += [invalid_value(f"ports[{i}].name", name, text) for text in names.dns_label(name)]
        if name in seen:
            out.append(duplicate(f"ports[{i}].name", name))
        seen.add(name)
        out += _protocol(port, f"ports[{i}]")
    held = obj.get("endpoints") or []
    if len(held) > ENDPOINTS:
        return [*out, too_many("endpoints", len(held), ENDPOINTS)]
    for i, endpoint in enumerate(held):
        out += _endpoint(endpoint, family, f"endpoints[{i}]")
    return out


def _endpoint(endpoint: Obj, family: str, at: str) -> list[FieldError]:
    addresses, out = endpoint.get("addresses") or [], list[FieldError]()
    if not addresses:
        out.append(required(f"{at}.addresses", "must contain at least 1 address"))
    elif len(addresses) > ADDRESSES:
        out.append(too_many(f"{at}.addresses", len(addresses), ADDRESSES))
    for j, text in enumerate(addresses):
        place = f"{at}.addresses[{j}]"
        if family in ("IPv4", "IPv6"):
            wrong = ips.address(place, text) if family == "IPv4" else ips.strict_address(place, text)
            if wrong:
                out += wrong
                continue
            if family != ips.family(text):
                out.append(invalid_value(f"{at}.addresses", text, f"must be an {family} address"))
            out += special_address(text, place)
        elif family == "FQDN":
            out += [invalid_value(place, text, item) for item in names.dns_subdomain(text)]
            if not names.dns_subdomain(text) and "." not in text:
                out.append(invalid_value(place, text, "should be a domain with at least two segments separated by dots"))
    if endpoint.get("nodeName") is not None:
        out += [invalid_value(f"{at}.nodeName", endpoint["nodeName"], item) for item in names.dns_subdomain(endpoint["nodeName"])]
    topology = endpoint.get("deprecatedTopology") or {}
    if len(topology) > LABELS:
        out.append(too_many(f"{at}.deprecatedTopology", len(topology), LABELS))
    out += meta.check_labels(topology, f"{at}.deprecatedTopology")
    if endpoint.get("hostname") is not None:
        out += [invalid_value(f"{at}.hostname", endpoint["hostname"], item) for item in names.dns_label(endpoint["hostname"])]
    return out + _hints(endpoint.get("hints") or {}, f"{at}.hints")


def _hints(hints: Obj, at: str) -> list[FieldError]:
    out: list[FieldError] = []
    for member, check in (("forZones", names.label_value), ("forNodes", names.dns_subdomain)):
        held, seen = hints.get(member) or [], set[str]()
        if len(held) > HINTS:
            return [*out, too_many(f"{at}.{member}", len(held), HINTS)]
        for i, item in enumerate(held):
            name, place = item.get("name") or "", f"{at}.{member}[{i}].name"
            if name in seen:
                out.append(duplicate(place, name))
            seen.add(name)
            out += [invalid_value(place, name, text) for text in check(name)]
    return out
