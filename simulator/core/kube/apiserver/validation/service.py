"""Validation of services (`pkg/apis/core/validation/validation.go`: ValidateServiceCreate, ValidateServiceUpdate).

The order of the errors is the real one.  Addresses and families have been filled in by then (`registry/addresses.py`).
"""

from __future__ import annotations

from typing import Any

from ...api import ips, names
from ...api.errors import FieldError, duplicate, forbidden_field, invalid_value, not_supported, required
from . import meta
from .endpoints import special_address

Obj = dict[str, Any]
TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
FAMILIES = ("IPv4", "IPv6")
POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
TRAFFIC = ("Cluster", "Local")
DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
HINTS, MODE = "service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"
RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
#: The longest session affinity in seconds (`MaxClientIPServiceAffinitySeconds`).
LONGEST = 86400
BALANCED = "may only be used when `type` is 'LoadBalancer'"
FIXED = "may not change once set"


def headless(spec: Obj) -> bool:
    """`isHeadlessService`."""
    return list(spec.get("clusterIPs") or ()) == ["None"]


def reachable(spec: Obj) -> bool:
    """`ExternallyAccessible`."""
    kind = spec.get("type")
    return kind in ("LoadBalancer", "NodePort") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))


def health_checked(spec: Obj) -> bool:
    """`NeedsHealthCheck`."""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def service(obj: Obj, old: Obj | None = None) -> list[FieldError]:
    """`validateService`."""
    spec, held = obj.get("spec") or {}, (old or {}).get("spec") or {}
    notes = obj["metadata"].get("annotations") or {}
    ports, kind = spec.get("ports") or (), spec.get("type")
    out: list[FieldError] = []
    if MODE in notes and HINTS in notes and notes[MODE] != notes[HINTS]:
        text = f"must match annotations[{HINTS}] when both are specified"
        out.append(invalid_value(f"metadata.annotations[{MODE}]", notes[MODE], text))
    if not ports and kind != "ExternalName" and not headless(spec):
        out.append(required("spec.ports"))
    out += _by_type(spec)
    seen: set[str] = set()
    for i, port in enumerate(ports):
        out += _port(port, f"spec.ports[{i}]", len(ports) > 1, seen)
    out += meta.check_labels(spec.get("selector"), "spec.selector")
    out += _affinity(spec) + related_fields(spec, held)
    for i, address in enumerate(spec.get("externalIPs") or ()):
        at = f"spec.externalIPs[{i}]"
        out += ips.address(at, address, held.get("externalIPs") or ()) or special_address(address, at)
    if not kind:
        out.append(required("spec.type"))
    elif kind not in TYPES:
        out.append(not_supported("spec.type", kind, TYPES))
    out += _ports_together(spec) + _source_ranges(spec, held, notes, (old or {}).get("metadata") or {})
    allocate = spec.get("allocateLoadBalancerNodePorts")
    if allocate is not None and kind != "LoadBalancer":
        out.append(forbidden_field("spec.allocateLoadBalancerNodePorts", BALANCED))
    return out + _balancer_class(spec, None) + _traffic(spec)


def _by_type(spec: Obj) -> list[FieldError]:
    kind, out = spec.get("type"), list[FieldError]()
    if kind in ("LoadBalancer", "NodePort") and headless(spec):
        out.append(invalid_value("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services"))
    if kind != "ExternalName":
        return out
    out += [
        forbidden_field(f"spec.{member}", "may not be set for ExternalName services")
        for member in ("clusterIPs", "ipFamilies", "ipFamilyPolicy")
        if spec.get(member)
    ]
    name = (spec.get("externalName") or "").removesuffix(".")
    if not name:
        return [*out, required("spec.externalName")]
    return out + [invalid_value("spec.externalName", name, text) for text in names.dns_subdomain(name)]


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
    out += [invalid_value(f"{at}.targetPort", target, text) for text in check]
    application = port.get("appProtocol")
    if application is not None:
        out += [invalid_value(f"{at}.appProtocol", application, text) for text in names.qualified_name(application)]
    return out


def _affinity(spec: Obj) -> list[FieldError]:
    kind, config, at = spec.get("sessionAffinity"), spec.get("sessionAffinityConfig"), "spec.sessionAffinityConfig"
    if kind not in ("None", "ClientIP"):
        return [not_supported("spec.sessionAffinity", kind, ("ClientIP", "None"))]
    if kind == "None":
        return [forbidden_field(at, "must not be set when session affinity is None")] if config is not None else []
    seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds")
    if seconds is None:
        return [required(f"{at}.clientIP.timeoutSeconds", "when session affinity type is ClientIP")]
    if 0 < seconds <= LONGEST:
        return []
    return [invalid_value(f"{at}.clientIP.timeoutSeconds", seconds, f"must be greater than 0 and less than {LONGEST}")]


def related_fields(spec: Obj, held: Obj) -> list[FieldError]:
    """`ValidateServiceClusterIPsRelatedFields`: clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy together."""
    if spec.get("type") == "ExternalName":
        return []
    first, every, at = spec.get("clusterIP") or "", list(spec.get("clusterIPs") or ()), "spec.clusterIPs"
    families, policy = spec.get("ipFamilies") or (), spec.get("ipFamilyPolicy")
    out: list[FieldError] = []
    if first and not every:
        out.append(required(at))
    elif first and every[0] != first:
        out.append(invalid_value(at, every, "first value must match `clusterIP`"))
    elif not first and every:
        out.append(invalid_value(at, every, "must be empty when `clusterIP` is not specified"))
    seen: set[str] = set()
    for i, family in enumerate(families):
        if family not in FAMILIES:
            out.append(not_supported(f"spec.ipFamilies[{i}]", family, FAMILIES))
        if family in seen:
            out.append(duplicate(f"spec.ipFamilies[{i}]", family))
        seen.add(family)
    if policy is not None and policy not in POLICIES:
        out.append(not_supported("spec.ipFamilyPolicy", policy, POLICIES))
    bad = False
    for i, address in enumerate(every):
        if i == 0 and address == "None":
            if len(every) > 1:
                bad = True
                out.append(invalid_value(at, every, "'None' must be the first and only value"))
            continue
        wrong = ips.address(f"{at}[{i}]", address, held.get("clusterIPs") or ())
        bad = bad or bool(wrong)
        out += wrong
    if len(every) > 2:
        out.append(invalid_value(at, every, "may only hold up to 2 values"))
    if bad:
        return out
    if len(every) > 1 and len({ips.family(address) for address in every}) < 2:
        out.append(invalid_value(at, every, "may specify no more than one IP for each IP family"))
    if not headless(spec):
        for i, (address, family) in enumerate(zip(every, families, strict=False)):
            if family in FAMILIES and ips.family(address) != family:
                text = f"expected an {family} value as indicated by `ipFamilies[{i}]`"
                out.append(invalid_value(f"{at}[{i}]", address, text))
    return out


def _ports_together(spec: Obj) -> list[FieldError]:
    ports, out = spec.get("ports") or (), list[FieldError]()
    if spec.get("type") == "ClusterIP":
        text = "may not be used when `type` is 'ClusterIP'"
        out += [forbidden_field(f"spec.ports[{i}].nodePort", text) for i, port in enumerate(ports) if port.get("nodePort")]
    for member in ("nodePort", "port"):
        seen: set[tuple[str, int]] = set()
        for i, port in enumerate(ports):
            number = port.get(member) or 0
            if member == "nodePort" and not number:
                continue
            pair = (port.get("protocol", "TCP"), number)
            if pair in seen and member == "nodePort":
                out.append(duplicate(f"spec.ports[{i}].nodePort", number))
            elif pair in seen:
                out.append(duplicate(f"spec.ports[{i}]", _shown_port(*pair)))
            seen.add(pair)
    return out


def _shown_port(protocol: str, number: int) -> Obj:
    """The internal ServicePort that a duplicate is shown as."""
    return {"Name": "", "Protocol": protocol, "AppProtocol": None, "Port": number, "TargetPort": 0, "NodePort": 0}


def _source_ranges(spec: Obj, held: Obj, notes: Obj, old_meta: Obj) -> list[FieldError]:
    kind, ranges = spec.get("type"), spec.get("loadBalancerSourceRanges") or ()
    at, out = "spec.LoadBalancerSourceRanges", list[FieldError]()
    if ranges:
        if kind != "LoadBalancer":
            out.append(forbidden_field(at, BALANCED))
        before = [text.strip() for text in held.get("loadBalancerSourceRanges") or ()]
        for i, text in enumerate(ranges):
            out += ips.cidr(f"{at}[{i}]", text.strip(), before)
    elif RANGES in notes:
        at = f"metadata.annotations[{RANGES}]"
        if kind != "LoadBalancer":
            out.append(forbidden_field(at, BALANCED))
        text = notes[RANGES].strip()
        if text and (old_meta.get("annotations") or {}).get(RANGES) != notes[RANGES]:
            for item in text.split(","):
                out += ips.cidr(at, item.strip())
    return out


def _balancer_class(spec: Obj, held: Obj | None) -> list[FieldError]:
    """`validateLoadBalancerClassField`."""
    at, mine, out = "spec.loadBalancerClass", spec.get("loadBalancerClass"), list[FieldError]()
    if spec.get("type") != "LoadBalancer":
        return [forbidden_field(at, BALANCED)] if mine is not None else []
    if held is not None and held.get("type") == "LoadBalancer" and held.get("loadBalancerClass") != mine:
        out.append(invalid_value(at, mine, FIXED))
    if mine is not None:
        out += [invalid_value(at, mine, text) for text in names.qualified_name(mine)]
    return out


def _traffic(spec: Obj) -> list[FieldError]:
    """External and internal policy, health check port, distribution."""
    policy, port, out = spec.get("externalTrafficPolicy") or "", spec.get("healthCheckNodePort") or 0, list[FieldError]()
    at = "spec.externalTrafficPolicy"
    if not reachable(spec):
        if policy:
            out.append(invalid_value(at, policy, "may only be set for externally-accessible services"))
    elif not policy:
        out.append(required(at))
    elif policy not in TRAFFIC:
        out.append(not_supported(at, policy, TRAFFIC))
    if not health_checked(spec):
        if port:
            text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
            out.append(invalid_value("spec.healthCheckNodePort", port, text))
    elif not port:
        out.append(required("spec.healthCheckNodePort"))
    else:
        out += [invalid_value("spec.healthCheckNodePort", port, text) for text in names.port_number(port)]
    internal = spec.get("internalTrafficPolicy")
    if internal is None and spec.get("type") in ("NodePort", "LoadBalancer", "ClusterIP"):
        out.append(required("spec.internalTrafficPolicy"))
    elif internal is not None and internal not in TRAFFIC:
        out.append(not_supported("spec.internalTrafficPolicy", internal, TRAFFIC))
    distribution = spec.get("trafficDistribution")
    if distribution is not None and distribution not in DISTRIBUTIONS:
        out.append(not_supported("spec.trafficDistribution", distribution, DISTRIBUTIONS))
    return out


def service_update(obj: Obj, old: Obj) -> list[FieldError]:
    """`ValidateServiceUpdate`: addresses and families stay, a second one may come and go; then everything else."""
    spec, held = obj.get("spec") or {}, old.get("spec") or {}
    out: list[FieldError] = []
    if "ExternalName" not in (spec.get("type"), held.get("type")):
        out += _addresses_update(spec, held) + _families_update(spec, held)
    out += _balancer_class(spec, held)
    if health_checked(spec) and health_checked(held) and spec.get("healthCheckNodePort") != held.get("healthCheckNodePort"):
        out.append(forbidden_field("spec.healthCheckNodePort", "field is immutable"))
    return out + service(obj, old)


def _addresses_update(spec: Obj, held: Obj) -> list[FieldError]:
    """`validateUpgradeDowngradeClusterIPs`."""
    mine, old, at = list(spec.get("clusterIPs") or ()), list(held.get("clusterIPs") or ()), "spec.clusterIPs"
    if headless(spec) and headless(held):
        return []
    if len(mine) == len(old):
        return [invalid_value(f"{at}[{i}]", mine, FIXED) for i, address in enumerate(old) if address != mine[i]]
    out: list[FieldError] = []
    if len(old) > len(mine) and not mine:
        out.append(invalid_value(f"{at}[0]", spec.get("clusterIPs"), "primary clusterIP can not be unset"))
    if old and mine and old[0] != mine[0]:
        out.append(invalid_value(f"{at}[0]", mine, FIXED))
    if len(old) > len(mine) == 1 and spec.get("ipFamilyPolicy") != "SingleStack":
        text = "must be set to 'SingleStack' when releasing the secondary clusterIP"
        out.append(invalid_value("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), text))
    return out


def _families_update(spec: Obj, held: Obj) -> list[FieldError]:
    """`validateUpgradeDowngradeIPFamilies`."""
    if headless(spec) or headless(held):
        return []
    mine, old, at = list(spec.get("ipFamilies") or ()), list(held.get("ipFamilies") or ()), "spec.ipFamilies[0]"
    if len(mine) == len(old):
        return [invalid_value(at, mine, FIXED) for i, family in enumerate(old) if family != mine[i]]
    out: list[FieldError] = []
    if len(old) > len(mine) and not spec.get("clusterIPs"):
        out.append(invalid_value(at, spec.get("ipFamilies"), "primary ipFamily can not be unset"))
    if old and mine and old[0] != mine[0]:
        out.append(invalid_value(at, spec.get("clusterIPs"), FIXED))
    if len(old) > len(mine) == 1 and spec.get("ipFamilyPolicy") != "SingleStack":
        text = "must be set to 'SingleStack' when releasing the secondary ipFamily"
        out.append(invalid_value("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), text))
    return out


def status(obj: Obj, old: Obj) -> list[FieldError]:
    """`ValidateLoadBalancerStatus` of a service."""
    balancer = (obj.get("status") or {}).get("loadBalancer") or {}
    held = ((old.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    at, entries = "status.loadBalancer.ingress", balancer.get("ingress") or ()
    if entries and obj["spec"].get("type") != "LoadBalancer":
        return [forbidden_field(at, "may only be used when `spec.type` is 'LoadBalancer'")]
    before, out = [item["ip"] for item in held if item.get("ip")], list[FieldError]()
    for i, item in enumerate(entries):
        place, address, mode, host = f"{at}[{i}]", item.get("ip"), item.get("ipMode"), item.get("hostname")
        if address:
            out += ips.address(f"{place}.ip", address, before)
        if mode is None and address:
            out.append(required(f"{place}.ipMode", "must be specified when `ip` is set"))
        elif mode is not None and not address:
            out.append(forbidden_field(f"{place}.ipMode", "may not be specified when `ip` is not set"))
        elif mode is not None and mode not in ("Proxy", "VIP"):
            out.append(not_supported(f"{place}.ipMode", mode, ("Proxy", "VIP")))
        if host:
            out += [invalid_value(f"{place}.hostname", host, text) for text in names.dns_subdomain(host)]
            if ips.sloppy(host) is not None:
                out.append(invalid_value(f"{place}.hostname", host, "must be a DNS name, not an IP address"))
    return out


def warnings(obj: Obj) -> list[str]:
    """`GetWarningsForService`."""
    spec, notes, out = obj.get("spec") or {}, obj["metadata"].get("annotations") or {}, list[str]()
    kind, external = spec.get("type"), spec.get("externalIPs") or ()
    if HINTS in notes:
        out.append(f"annotation {HINTS} is deprecated, please use {MODE} instead")
    none = kind == "ClusterIP" and spec.get("clusterIP") == "None"
    if kind != "ExternalName" and not none:
        for i, address in enumerate(spec.get("clusterIPs") or ()):
            out += ips.address_warnings(f"spec.clusterIPs[{i}]", address)
    if none:
        if spec.get("loadBalancerIP"):
            out.append("spec.loadBalancerIP is ignored for headless services")
        if external:
            out.append("spec.externalIPs is ignored for headless services")
        if spec.get("sessionAffinity") != "None":
            out.append("spec.SessionAffinity is ignored for headless services")
    for i, address in enumerate(external):
        out += ips.address_warnings(f"spec.externalIPs[{i}]", address)
    if external and not none and kind != "ExternalName":
        out.append("spec.externalIPs is deprecated and may no longer be implemented in some clusters")
    if spec.get("loadBalancerIP"):
        out += ips.address_warnings("spec.loadBalancerIP", spec["loadBalancerIP"])
    for i, text in enumerate(spec.get("loadBalancerSourceRanges") or ()):
        out += ips.cidr_warnings(f"spec.loadBalancerSourceRanges[{i}]", text)
    if kind == "ExternalName" and external:
        out.append('spec.externalIPs is ignored when spec.type is "ExternalName"')
    if kind != "ExternalName" and spec.get("externalName"):
        out.append('spec.externalName is ignored when spec.type is not "ExternalName"')
    if spec.get("trafficDistribution") == "PreferClose":
        out.append('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
    return out
