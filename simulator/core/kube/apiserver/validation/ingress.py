"""Validation of Ingresses and IngressClasses (`pkg/apis/networking/validation/validation.go` of v1.36)."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from ...api import names
from ...api.errors import FieldError, forbidden_field, invalid_value, not_supported, required, too_long

Obj = dict[str, Any]
PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
SUFFIXES = ("/..", "/.")
_WILDCARD = re.compile(r"\*(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+")
WILDCARD = ("a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric "
            "characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is "
            r"'\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')")  # fmt: skip


def _address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _host(host: str, at: str) -> list[FieldError]:
    """A host name, with or without an asterisk."""
    if "*" in host:
        fits = len(host) <= 253 and _WILDCARD.fullmatch(host)
        return [] if fits else [invalid_value(at, host, WILDCARD)]
    return [invalid_value(at, host, text) for text in names.dns_subdomain(host)]


def ingress(obj: Obj) -> list[FieldError]:
    """`ValidateIngressSpec`."""
    spec = obj.get("spec") or {}
    out: list[FieldError] = []
    if not spec.get("rules") and spec.get("defaultBackend") is None:
        out.append(invalid_value("spec", [], "either `defaultBackend` or `rules` must be specified"))
    if spec.get("defaultBackend") is not None:
        out += _backend(spec["defaultBackend"], "spec.defaultBackend")
    for i, rule in enumerate(spec.get("rules") or ()):
        at, host = f"spec.rules[{i}]", rule.get("host") or ""
        if _address(host):
            out.append(invalid_value(f"{at}.host", host, "must be a DNS name, not an IP address"))
        out += _host(host, f"{at}.host") if host else []
        if rule.get("http") is not None:
            paths = rule["http"].get("paths") or []
            if not paths:
                out.append(required(f"{at}.http.paths"))
            for j, path in enumerate(paths):
                out += _path(path, f"{at}.http.paths[{j}]")
    for i, entry in enumerate(spec.get("tls") or ()):
        for j, host in enumerate(entry.get("hosts") or ()):
            out += _host(host, f"spec.tls[{i}].hosts[{j}]")
        secret = entry.get("secretName") or ""
        if secret:
            out += [invalid_value(f"spec.tls[{i}].secretName", secret, text) for text in names.dns_subdomain(secret)]
    class_name = spec.get("ingressClassName")
    if class_name is not None:
        out += [invalid_value("spec.ingressClassName", class_name, text) for text in names.dns_subdomain(class_name)]
    return out


def _path(path: Obj, at: str) -> list[FieldError]:
    """`validateHTTPIngressPath`."""
    kind, text = path.get("pathType"), path.get("path") or ""
    if kind is None:
        return [required(f"{at}.pathType", "pathType must be specified")]
    out: list[FieldError] = []
    if kind not in PATH_TYPES:
        out.append(not_supported(f"{at}.pathType", kind, PATH_TYPES))
    elif not text.startswith("/") and (text or kind != "ImplementationSpecific"):
        out.append(invalid_value(f"{at}.path", text, "must be an absolute path"))
    if kind in ("Exact", "Prefix") and text:
        out += [invalid_value(f"{at}.path", text, f"must not contain '{part}'") for part in SEQUENCES if part in text]
        out += [invalid_value(f"{at}.path", text, f"cannot end with '{part}'") for part in SUFFIXES if text.endswith(part)]
    return out + _backend(path.get("backend") or {}, f"{at}.backend")


def _backend(backend: Obj, at: str) -> list[FieldError]:
    """`validateIngressBackend`."""
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        return [invalid_value(at, "", "cannot set both resource and service backends")]
    if resource is not None:
        return _reference(resource, f"{at}.resource")
    if service is None:
        return [invalid_value(at, "", "resource or service backend is required")]
    out: list[FieldError] = []
    name, port = service.get("name") or "", service.get("port") or {}
    if not name:
        out.append(required(f"{at}.service.name"))
    else:
        out += [invalid_value(f"{at}.service.name", name, text) for text in names.dns_label(name)]
    if port.get("name") and port.get("number"):
        out.append(invalid_value(at, "", "cannot set both port name & port number"))
    elif port.get("name"):
        out += [invalid_value(f"{at}.service.port.name", port["name"], text) for text in names.port_name(port["name"])]
    elif port.get("number"):
        out += [invalid_value(f"{at}.service.port.number", port["number"], text) for text in names.port_number(port["number"])]
    else:
        out.append(required(at, "port name or number is required"))
    return out


def _reference(found: Obj, at: str) -> list[FieldError]:
    """A reference to an object by group, kind and name."""
    out: list[FieldError] = []
    if found.get("apiGroup") is not None:
        out += [invalid_value(f"{at}.apiGroup", found["apiGroup"], text) for text in names.dns_subdomain(found["apiGroup"])]
    for name in ("kind", "name"):
        if not found.get(name):
            out.append(required(f"{at}.{name}"))
        else:
            out += [invalid_value(f"{at}.{name}", found[name], text) for text in names.path_segment(found[name])]
    return out


def ingress_class(obj: Obj) -> list[FieldError]:
    """`validateIngressClassSpec`."""
    spec = obj.get("spec") or {}
    controller, out = spec.get("controller") or "", list[FieldError]()
    if len(controller) > 250:
        out.append(too_long("spec.controller", 250))
    out += domain_path(controller, "spec.controller")
    found, at = spec.get("parameters"), "spec.parameters"
    if found is None:
        return out
    out += _reference(found, at)
    scope, namespace = found.get("scope"), found.get("namespace")
    if scope is None:
        return [*out, required(f"{at}.scope")]
    if scope not in ("Cluster", "Namespace"):
        out.append(not_supported(f"{at}.scope", scope, ("Cluster", "Namespace")))
    elif scope == "Namespace" and namespace is None:
        out.append(required(f"{at}.namespace", "`parameters.scope` is set to 'Namespace'"))
    elif scope == "Namespace":
        out += [invalid_value(f"{at}.namespace", namespace, text) for text in names.dns_label(namespace)]
    elif namespace is not None:
        out.append(forbidden_field(f"{at}.namespace", "`parameters.scope` is set to 'Cluster'"))
    return out


def ingress_class_update(obj: Obj, old: Obj) -> list[FieldError]:
    """The controller stays."""
    mine, held = ((one.get("spec") or {}).get("controller") for one in (obj, old))
    same = [] if mine == held else [invalid_value("spec.controller", mine, "field is immutable")]
    return ingress_class(obj) + same


def domain_path(text: str, at: str) -> list[FieldError]:
    """`IsDomainPrefixedPath`: a domain, a slash and a path."""
    if not text:
        return [required(at)]
    domain, slash, rest = text.partition("/")
    if not slash or not domain or not rest:
        return [invalid_value(at, text, 'must be a domain-prefixed path (such as "acme.io/foo")')]
    out = [invalid_value(at, domain, item) for item in names.dns_subdomain(domain)]
    if re.fullmatch(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+", rest) is None:
        text = r"Invalid path (regex used for validation is '[A-Za-z0-9/\-._~%!$&'()*+,;=:]+')"
        out.append(invalid_value(at, rest, text))
    return out
