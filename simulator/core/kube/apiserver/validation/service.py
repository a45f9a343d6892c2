"""Validation of services (`pkg/apis/core/validation/validation.go`: ValidateService)."""

from __future__ import annotations

import ipaddress
from typing import Any

from ...api import names
from ...api.errors import FieldError, duplicate, invalid_value, not_supported, required

Obj = dict[str, Any]
TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")


def service(obj: Obj) -> list[FieldError]:
    """`ValidateService`."""
    spec = obj.get("spec") or {}
    out: list[FieldError] = []
    ports, kind = spec.get("ports") or (), spec.get("type")
    if not ports and kind != "ExternalName" and spec.get("clusterIP") != "None":
        out.append(required("spec.ports"))
    if kind == "ExternalName" and not spec.get("externalName"):
        out.append(required("spec.externalName"))
    elif kind == "ExternalName":
        out += [
            invalid_value("spec.externalName", spec["externalName"], text)
            for text in names.dns_subdomain(spec["externalName"].rstrip("."))
        ]
    if kind == "LoadBalancer" and spec.get("clusterIP") == "None":
        out.append(invalid_value("spec.clusterIPs[0]", "None", "may not be set to 'None' for LoadBalancer services"))
    if kind == "NodePort" and spec.get("clusterIP") == "None":
        out.append(invalid_value("spec.clusterIPs[0]", "None", "may not be set to 'None' for NodePort services"))
    seen: set[str] = set()
    for i, port in enumerate(ports):
        out += _port(port, f"spec.ports[{i}]", len(ports) > 1, seen)
    for key, value in sorted((spec.get("selector") or {}).items()):
        out += [invalid_value("spec.selector", key, text) for text in names.qualified_name(key)]
        out += [invalid_value("spec.selector", value, text) for text in names.label_value(value)]
    if spec.get("sessionAffinity") not in ("None", "ClientIP"):
        out.append(not_supported("spec.sessionAffinity", spec.get("sessionAffinity"), ("ClientIP", "None")))
    if kind not in TYPES:
        out.append(not_supported("spec.type", kind, TYPES))
    out += _addresses(spec)
    pairs: set[tuple[str, int]] = set()
    for i, port in enumerate(ports):
        pair = (port.get("protocol", "TCP"), port.get("port", 0))
        if pair in pairs:
            out.append(duplicate(f"spec.ports[{i}]", {k: port[k] for k in port}))
        pairs.add(pair)
    return out


def _addresses(spec: Obj) -> list[FieldError]:
    out: list[FieldError] = []
    for i, address in enumerate([spec["clusterIP"]] if spec.get("clusterIP") not in (None, "", "None") else []):
        out += _ip(address, f"spec.clusterIPs[{i}]")
    for i, address in enumerate(spec.get("externalIPs") or ()):
        out += _ip(address, f"spec.externalIPs[{i}]")
    return out


def _ip(address: str, path: str) -> list[FieldError]:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return [invalid_value(path, address, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")]
    return []


def _port(port: Obj, at: str, needs_name: bool, seen: set[str]) -> list[FieldError]:
    out: list[FieldError] = []
    name = port.get("name", "")
    if needs_name and not name:
        out.append(required(f"{at}.name"))
    elif name:
        out += [invalid_value(f"{at}.name", name, text) for text in names.dns_label(name)]
        if name in seen:
            out.append(duplicate(f"{at}.name", name))
        seen.add(name)
    number = port.get("port", 0)
    out += [invalid_value(f"{at}.port", number, text) for text in names.port_number(number)]
    if port.get("protocol") not in ("TCP", "UDP", "SCTP"):
        out.append(not_supported(f"{at}.protocol", port.get("protocol", ""), ("SCTP", "TCP", "UDP")))
    target = port.get("targetPort", 0)
    check: list[str] = names.port_number(target) if isinstance(target, int) else names.port_name(str(target))
    return out + [invalid_value(f"{at}.targetPort", target, text) for text in check]


def service_update(obj: Obj, old: Obj) -> list[FieldError]:
    """The address cannot change while the type keeps it."""
    spec, held = obj.get("spec") or {}, old.get("spec") or {}
    if "ExternalName" in (spec.get("type"), held.get("type")) or not held.get("clusterIP"):
        return []
    if spec.get("clusterIP") != held["clusterIP"]:
        return [invalid_value("spec.clusterIPs[0]", [spec.get("clusterIP", "")], "may not change once set")]
    return []
