"""Services, endpoints, endpoint slices, ingresses, network policies (`describe.go`)."""

from __future__ import annotations

from typing import Any

from ....kube.api.errors import ApiError
from .doc import Doc, labels_text, selector_text, time_text

Obj = dict[str, Any]
SERVICE_NAME = "kubernetes.io/service-name"


def endpoints_text(slices: list[Obj], port_name: str) -> str:
    """Ready addresses of a port in endpoint slices, three at most (`formatEndpointSlices`)."""
    if not slices:
        return "<none>"
    found: list[str] = []
    count, more = 0, False
    for item in slices:
        ports = item.get("ports") or []
        if not ports:
            for endpoint in item.get("endpoints") or ():
                if len(found) < 3:
                    found.append(endpoint["addresses"][0])
                count += 1
        for port in ports:
            if (port.get("name") or "") != port_name:
                continue
            for endpoint in item.get("endpoints") or ():
                if (endpoint.get("conditions") or {}).get("ready") is False:
                    continue
                for address in endpoint.get("addresses") or ():
                    if len(found) == 3:
                        more = True
                    else:
                        found.append(f"[{address}]:{port['port']}" if ":" in address else f"{address}:{port['port']}")
                    count += 1
    text = ",".join(found)
    return f"{text} + {count - 3} more..." if more else text


def _slices(d: Doc, namespace: str, service: str) -> list[Obj]:
    return d.s.list(d.s.kind("endpointslices"), namespace, labels=f"{SERVICE_NAME}={service}")


def service(d: Doc, obj: Obj) -> None:
    """A Service with the endpoints of each port."""
    meta, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    slices = _slices(d, meta["namespace"], meta["name"])
    d.head(obj)
    d.labels_and_annotations(obj)
    d.line(0, f"Selector:\t{labels_text(spec.get('selector'))}")
    d.line(0, f"Type:\t{spec.get('type', '')}")
    if spec.get("ipFamilyPolicy"):
        d.line(0, f"IP Family Policy:\t{spec['ipFamilyPolicy']}")
    d.line(0, f"IP Families:\t{','.join(spec.get('ipFamilies') or ()) or '<none>'}")
    d.line(0, f"IP:\t{spec.get('clusterIP', '')}")
    d.line(0, f"IPs:\t{','.join(spec.get('clusterIPs') or ()) or '<none>'}")
    for title, key in (
        ("External IPs", "externalIPs"),
        ("Desired LoadBalancer IP", "loadBalancerIP"),
        ("External Name", "externalName"),
    ):
        if spec.get(key):
            d.line(0, f"{title}:\t{','.join(spec[key]) if isinstance(spec[key], list) else spec[key]}")
    ingress = (status.get("loadBalancer") or {}).get("ingress") or []
    if ingress:
        texts = [
            f"{item['ip']} ({item['ipMode']})" if item.get("ipMode") else item.get("ip") or item.get("hostname", "")
            for item in ingress
        ]
        d.line(0, f"LoadBalancer Ingress:\t{', '.join(texts)}")
    for port in spec.get("ports") or ():
        name, protocol = port.get("name") or "<unset>", port.get("protocol", "TCP")
        d.line(0, f"Port:\t{name}\t{port['port']}/{protocol}")
        d.line(0, f"TargetPort:\t{port.get('targetPort', 0)}/{protocol}")
        if port.get("appProtocol"):
            d.line(0, f"AppProtocol:\t{port['appProtocol']}")
        if port.get("nodePort"):
            d.line(0, f"NodePort:\t{name}\t{port['nodePort']}/{protocol}")
        d.line(0, f"Endpoints:\t{endpoints_text(slices, port.get('name') or '')}")
    d.line(0, f"Session Affinity:\t{spec.get('sessionAffinity', '')}")
    for title, key in (("External Traffic Policy", "externalTrafficPolicy"), ("Internal Traffic Policy", "internalTrafficPolicy"),
                       ("HealthCheck NodePort", "healthCheckNodePort"), ("LoadBalancer Source Ranges", "loadBalancerSourceRanges"),
                       ("Traffic Distribution", "trafficDistribution")):  # fmt: skip
        if spec.get(key):
            d.line(0, f"{title}:\t{','.join(spec[key]) if isinstance(spec[key], list) else spec[key]}")
    d.events(obj)


def endpoints(d: Doc, obj: Obj) -> None:
    """Endpoints."""
    d.head(obj)
    d.labels_and_annotations(obj)
    d.line(0, "Subsets:")
    for subset in obj.get("subsets") or ():
        for title, key in (("Addresses", "addresses"), ("NotReadyAddresses", "notReadyAddresses")):
            d.line(1, f"{title}:\t{','.join(item['ip'] for item in subset.get(key) or ()) or '<none>'}")
        if subset.get("ports"):
            d.line(1, "Ports:")
            d.line(2, "Name\tPort\tProtocol")
            d.line(2, "----\t----\t--------")
            for port in subset["ports"]:
                d.line(2, f"{port.get('name') or '<unset>'}\t{port['port']}\t{port.get('protocol', 'TCP')}")
        d.add("\n")
    d.events(obj)


def endpoint_slice(d: Doc, obj: Obj) -> None:
    """An EndpointSlice."""
    d.head(obj)
    d.labels_and_annotations(obj)
    d.line(0, f"AddressType:\t{obj.get('addressType', '')}")
    if obj.get("ports"):
        d.line(0, "Ports:")
        d.line(1, "Name\tPort\tProtocol")
        d.line(1, "----\t----\t--------")
        for port in obj["ports"]:
            d.line(1, f"{port.get('name') or '<unset>'}\t{port.get('port', '<unset>')}\t{port.get('protocol', 'TCP')}")
    else:
        d.line(0, "Ports: <unset>")
    if not obj.get("endpoints"):
        d.line(0, "Endpoints: <none>")
    else:
        d.line(0, "Endpoints:")
        for item in obj["endpoints"]:
            d.line(1, f"- Addresses:\t{', '.join(item.get('addresses') or ()) or '<none>'}")
            d.line(2, "Conditions:")
            ready = (item.get("conditions") or {}).get("ready")
            d.line(3, f"Ready:\t{'<unset>' if ready is None else 'true' if ready else 'false'}")
            d.line(2, f"Hostname:\t{item.get('hostname') or '<unset>'}")
            if item.get("targetRef"):
                d.line(2, f"TargetRef:\t{item['targetRef'].get('kind', '')}/{item['targetRef'].get('name', '')}")
            d.line(2, f"NodeName:\t{item.get('nodeName') or '<unset>'}")
            d.line(2, f"Zone:\t{item.get('zone') or '<unset>'}")
    d.events(obj)


def _backend(d: Doc, namespace: str, backend: Obj) -> str:
    if "service" in backend:
        found = backend["service"]
        port = found.get("port") or {}
        text = f"{found['name']}:{port.get('name') or port.get('number', 0)}"
        try:
            service_obj = d.s.get(d.s.kind("services"), namespace, found["name"])
        except ApiError as error:
            return f"{text} (<error: {error.message}>)"
        slices = _slices(d, namespace, found["name"])
        name = next((item.get("name", "") for item in service_obj["spec"].get("ports") or ()
                     if (port.get("number") and port["number"] == item["port"]) or (port.get("name") and port["name"] == item.get("name"))), "")  # fmt: skip
        return f"{text} ({endpoints_text(slices, name)})"
    found = backend.get("resource") or {}
    return f"APIGroup: {found.get('apiGroup') or '<none>'}, Kind: {found.get('kind', '')}, Name: {found.get('name', '')}"


def ingress(d: Doc, obj: Obj) -> None:
    """An Ingress with its rules and their backends."""
    meta, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    namespace = meta["namespace"]
    d.line(0, f"Name:\t{meta['name']}")
    d.labels("Labels", meta.get("labels"))
    d.line(0, f"Namespace:\t{namespace}")
    addresses = {item.get("ip") or item.get("hostname", "") for item in (status.get("loadBalancer") or {}).get("ingress") or ()}
    d.line(0, f"Address:\t{','.join(sorted(addresses))}")
    d.line(0, f"Ingress Class:\t{spec.get('ingressClassName') or '<none>'}")
    default = _backend(d, namespace, spec["defaultBackend"]) if spec.get("defaultBackend") else "<default>"
    d.line(0, f"Default backend:\t{default}")
    if spec.get("tls"):
        d.line(0, "TLS:")
        for item in spec["tls"]:
            hosts = ",".join(item.get("hosts") or ())
            d.line(1, f"{item['secretName']} terminates {hosts}" if item.get("secretName") else f"SNI routes {hosts}")
    d.line(0, "Rules:\n  Host\tPath\tBackends")
    d.line(1, "----\t----\t--------")
    rules = [item for item in spec.get("rules") or () if item.get("http")]
    for rule in rules:
        d.line(1, f"{rule.get('host') or '*'}\t")
        for path in rule["http"]["paths"]:
            d.line(2, f"\t{path.get('path', '')} \t{_backend(d, namespace, path['backend'])}")
    if not rules:
        d.line(1, f"*\t*\t{default}")
    d.annotations("Annotations", meta.get("annotations"))
    d.events(obj)


def ingress_class(d: Doc, obj: Obj) -> None:
    """An IngressClass."""
    spec = obj.get("spec") or {}
    d.head(obj, namespace=False)
    d.labels_and_annotations(obj)
    d.line(0, f"Controller:\t{spec.get('controller', '')}")
    if spec.get("parameters"):
        d.line(0, "Parameters:")
        for title, key in (("APIGroup", "apiGroup"), ("Kind", "kind"), ("Name", "name")):
            if spec["parameters"].get(key) is not None:
                d.line(1, f"{title}:\t{spec['parameters'][key]}")
    d.events(obj)


def network_policy(d: Doc, obj: Obj) -> None:
    """A NetworkPolicy."""
    meta, spec = obj["metadata"], obj.get("spec") or {}
    stamp = str(meta.get("creationTimestamp", "")).replace("T", " ").replace("Z", " +0000 UTC")
    d.head(obj)
    d.line(0, f"Created on:\t{stamp}")
    d.labels_and_annotations(obj)
    d.line(0, "Spec:")
    chosen = selector_text(spec.get("podSelector"))
    everything = "    <none> (Allowing the specific traffic to all pods in this namespace)"
    d.add("  PodSelector: " + (everything if chosen == "<none>" else f"    {chosen}") + "\n")
    for word, key, way in (("ingress", "Ingress", "from"), ("egress", "Egress", "to")):
        if key in (spec.get("policyTypes") or ["Ingress"]):
            d.line(1, f"Allowing {word} traffic:")
            _policy_rules(d, spec.get(word) or [], word, way)
        else:
            d.line(1, f"Not affecting {word} traffic")
    d.line(1, f"Policy Types: {', '.join(spec.get('policyTypes') or ())}")


def _policy_rules(d: Doc, rules: list[Obj], word: str, way: str) -> None:
    indent = "    "
    if not rules:
        d.add(f"{indent}<none> (Selected pods are isolated for {word} connectivity)\n")
        return
    for at, rule in enumerate(rules):
        if not rule.get("ports"):
            d.add(f"{indent}To Port: <any> (traffic allowed to all ports)\n")
        for port in rule.get("ports") or ():
            end = port.get("endPort")
            span = f"Range: {port.get('port', '<any>')}-{end}" if end is not None else f": {port.get('port', '<any>')}"
            d.add(f"{indent}To Port{' ' if end is not None else ''}{span}/{port.get('protocol', 'TCP')}\n")
        title = way.capitalize()
        if not rule.get(way):
            d.add(f"{indent}{title}: <any> (traffic not restricted by {'source' if way == 'from' else 'destination'})\n")
        for peer in rule.get(way) or ():
            d.add(f"{indent}{title}:\n")
            if "ipBlock" in peer:
                d.add(
                    f"{indent}  IPBlock:\n{indent}    CIDR: {peer['ipBlock']['cidr']}\n{indent}    Except: {', '.join(peer['ipBlock'].get('except') or ())}\n"
                )
                continue
            for label, key in (("NamespaceSelector", "namespaceSelector"), ("PodSelector", "podSelector")):
                if key in peer:
                    d.add(f"{indent}  {label}: {selector_text(peer[key])}\n")
        if at != len(rules) - 1:
            d.add(f"{indent}----------\n")


def service_cidr(d: Doc, obj: Obj) -> None:
    """A ServiceCIDR."""
    d.head(obj, namespace=False)
    d.labels_and_annotations(obj)
    d.line(0, f"CIDRs:\t{', '.join((obj.get('spec') or {}).get('cidrs') or ())}")
    conditions = (obj.get("status") or {}).get("conditions") or []
    if conditions:
        d.line(0, "Status:\nConditions:\n  Type\tStatus\tLastTransitionTime\tReason\tMessage")
        d.line(1, "----\t------\t------------------\t------\t-------")
    for item in conditions:
        stamp = time_text(item.get("lastTransitionTime"))
        d.line(1, f"{item['type']}\t{item['status']}\t{stamp}\t{item.get('reason', '')}\t{item.get('message', '')}")
    d.events(obj)


def ip_address(d: Doc, obj: Obj) -> None:
    """An IPAddress."""
    d.head(obj, namespace=False)
    d.labels_and_annotations(obj)
    parent = (obj.get("spec") or {}).get("parentRef")
    if parent is not None:
        d.line(0, "Parent Reference:")
        for label, key in (("Group", "group"), ("Resource", "resource"), ("Namespace", "namespace"), ("Name", "name")):
            d.line(1, f"{label}:\t{parent.get(key, '')}")
    d.events(obj)
