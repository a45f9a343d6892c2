"""From Services and EndpointSlices to translation rules (pkg/proxy/iptables/proxier.go), without effects.

A rule's key is `address:port/protocol`.  A Service port without endpoints rejects, as iptables' REJECT does.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...kernel.network import Rule
from ..api.objects import Obj, labels_of

SERVICE = "kubernetes.io/service-name"


def endpoints_by_port(slices: Iterable[Obj]) -> dict[str, dict[str, list[tuple[str, str]]]]:
    """(`namespace/service`) → port name → [(address:port, node)] of the endpoints that may be used.

    Ready endpoints are; when a Service has none, those that still serve while they terminate.
    """
    ready: dict[str, dict[str, list[tuple[str, str]]]] = {}
    ending: dict[str, dict[str, list[tuple[str, str]]]] = {}
    for item in slices:
        name = labels_of(item).get(SERVICE)
        if not name or item.get("addressType", "IPv4") != "IPv4":
            continue
        key = f"{item['metadata']['namespace']}/{name}"
        for endpoint in item.get("endpoints") or ():
            conditions = endpoint.get("conditions") or {}
            if conditions.get("ready") is not False:
                into = ready
            elif conditions.get("serving") and conditions.get("terminating"):
                into = ending
            else:
                continue
            for port in item.get("ports") or ():
                if port.get("port") and endpoint.get("addresses"):
                    where = (f"{endpoint['addresses'][0]}:{port['port']}", endpoint.get("nodeName") or "")
                    into.setdefault(key, {}).setdefault(port.get("name") or "", []).append(where)
    for key, ports in ending.items():
        for name, found in ports.items():
            ready.setdefault(key, {}).setdefault(name, found)
    return ready


def rules_of(service: Obj, ports: dict[str, list[tuple[str, str]]], node: str, node_ips: list[str]) -> dict[str, Rule]:
    """The rules of one Service on one node."""
    spec, meta = service["spec"], service["metadata"]
    cluster_ip = spec.get("clusterIP") or ""
    if spec.get("type") == "ExternalName" or cluster_ip in ("", "None"):
        return {}
    out: dict[str, Rule] = {}
    balancers = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    affinity = 0
    if spec.get("sessionAffinity") == "ClientIP":
        affinity = int(((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds") or 10800)
    inner, outer = spec.get("internalTrafficPolicy") or "", spec.get("externalTrafficPolicy") or ""
    for item in spec.get("ports") or ():
        protocol = str(item.get("protocol", "TCP")).lower()
        name = f"{meta['namespace']}/{meta['name']}" + (f":{item['name']}" if item.get("name") else "")
        everywhere = ports.get(item.get("name") or "", [])

        def rule(kind: str, policy: str, found: list[tuple[str, str]] = everywhere, name: str = name) -> Rule:
            addresses = sorted({address for address, _ in found})
            local = sorted({address for address, where in found if where == node}) if policy == "Local" else []
            return Rule(
                endpoints=addresses,
                service=name,
                reject=not addresses,
                kind=kind,
                policy="Local" if policy == "Local" else "",
                local=local,
                affinity=affinity,
            )

        out[f"{cluster_ip}:{item['port']}/{protocol}"] = rule("", inner)
        for ip in spec.get("externalIPs") or ():
            out[f"{ip}:{item['port']}/{protocol}"] = rule("external", outer)
        for balancer in balancers:
            if balancer.get("ip"):
                out[f"{balancer['ip']}:{item['port']}/{protocol}"] = rule("lb", outer)
        if item.get("nodePort"):
            for ip in [*node_ips, "127.0.0.1"]:
                out[f"{ip}:{item['nodePort']}/{protocol}"] = rule("nodeport", outer)
    return out
