"""Defaults of services, storage, policy and the rest."""

from __future__ import annotations

from typing import Any

from .pods import network_volume

Obj = dict[str, Any]
RBAC = "rbac.authorization.k8s.io"


def service(obj: Obj) -> None:
    """Service (`SetDefaults_Service`)."""
    spec: Obj = obj.setdefault("spec", {})
    spec["sessionAffinity"] = spec.get("sessionAffinity") or "None"
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        held = ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds")
        spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": 10800 if held is None else held}}
    kind = spec["type"] = spec.get("type") or "ClusterIP"
    for port in spec.get("ports") or ():
        port["protocol"] = port.get("protocol") or "TCP"
        if port.get("targetPort") in (None, 0, ""):
            port["targetPort"] = port.get("port", 0)
    external = kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))
    if external and not spec.get("externalTrafficPolicy"):
        spec["externalTrafficPolicy"] = "Cluster"
    if kind in ("NodePort", "LoadBalancer", "ClusterIP"):
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
        for item in ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ():
            if item.get("ip"):
                item.setdefault("ipMode", "VIP")


def endpoints(obj: Obj) -> None:
    """Endpoints."""
    for subset in obj.get("subsets") or ():
        for port in subset.get("ports") or ():
            port["protocol"] = port.get("protocol") or "TCP"


def endpoint_slice(obj: Obj) -> None:
    """EndpointSlice."""
    for port in obj.get("ports") or ():
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")


def namespace(obj: Obj) -> None:
    """Namespace: the name as a label."""
    name = obj["metadata"].get("name")
    if name:
        labels = obj["metadata"].get("labels") or {}
        obj["metadata"]["labels"] = {**labels, "kubernetes.io/metadata.name": name}


def secret(obj: Obj) -> None:
    """Secret."""
    obj["type"] = obj.get("type") or "Opaque"


def persistent_volume(obj: Obj) -> None:
    """PersistentVolume."""
    spec: Obj = obj.setdefault("spec", {})
    spec["persistentVolumeReclaimPolicy"] = spec.get("persistentVolumeReclaimPolicy") or "Retain"
    spec.setdefault("volumeMode", "Filesystem")
    if spec.get("hostPath") is not None:
        spec["hostPath"].setdefault("type", "")
    network_volume(spec)


def claim(obj: Obj) -> None:
    """PersistentVolumeClaim."""
    obj.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")


def limit_range(obj: Obj) -> None:
    """LimitRange: container limits give defaults and default requests."""
    for item in (obj.get("spec") or {}).get("limits") or ():
        if item.get("type") != "Container":
            continue
        default = dict(item.get("default") or {})
        for name, amount in (item.get("max") or {}).items():
            default.setdefault(name, amount)
        request = dict(item.get("defaultRequest") or {})
        for source in (default, item.get("min") or {}):
            for name, amount in source.items():
                request.setdefault(name, amount)
        if default:
            item["default"] = {k: default[k] for k in sorted(default)}
        if request:
            item["defaultRequest"] = {k: request[k] for k in sorted(request)}


def network_policy(obj: Obj) -> None:
    """NetworkPolicy."""
    spec: Obj = obj.setdefault("spec", {})
    spec.setdefault("podSelector", {})
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
    for rule in [*(spec.get("ingress") or ()), *(spec.get("egress") or ())]:
        for port in rule.get("ports") or ():
            port.setdefault("protocol", "TCP")


def ingress_class(obj: Obj) -> None:
    """IngressClass."""
    parameters = (obj.get("spec") or {}).get("parameters")
    if parameters is not None:
        parameters.setdefault("scope", "Cluster")


def storage_class(obj: Obj) -> None:
    """StorageClass."""
    obj.setdefault("reclaimPolicy", "Delete")
    obj.setdefault("volumeBindingMode", "Immediate")


def csi_driver(obj: Obj) -> None:
    """CSIDriver."""
    spec: Obj = obj.setdefault("spec", {})
    for name, value in (
        ("attachRequired", True), ("podInfoOnMount", False), ("storageCapacity", False),
        ("fsGroupPolicy", "ReadWriteOnceWithFSType"), ("requiresRepublish", False), ("seLinuxMount", False),
    ):  # fmt: skip
        spec.setdefault(name, value)
    if not spec.get("volumeLifecycleModes"):
        spec["volumeLifecycleModes"] = ["Persistent"]


def flow_schema(obj: Obj) -> None:
    """FlowSchema."""
    spec = obj.setdefault("spec", {})
    spec["matchingPrecedence"] = spec.get("matchingPrecedence") or 1000


def priority_level(obj: Obj) -> None:
    """PriorityLevelConfiguration."""
    spec = obj.setdefault("spec", {})
    for member, shares in (("exempt", 0), ("limited", 30)):
        held = spec.get(member)
        if held is not None:
            for name, value in (("nominalConcurrencyShares", shares), ("lendablePercent", 0)):
                if held.get(name) is None:
                    held[name] = value
    queuing = ((spec.get("limited") or {}).get("limitResponse") or {}).get("queuing")
    if queuing is not None:
        for member, value in (("handSize", 8), ("queues", 64), ("queueLengthLimit", 50)):
            queuing[member] = queuing.get(member) or value


def priority_class(obj: Obj) -> None:
    """PriorityClass."""
    obj.setdefault("preemptionPolicy", "PreemptLowerPriority")


def binding(obj: Obj) -> None:
    """RoleBinding and ClusterRoleBinding."""
    ref = obj.setdefault("roleRef", {})
    ref["apiGroup"] = ref.get("apiGroup") or RBAC
    for subject in obj.get("subjects") or ():
        if not subject.get("apiGroup") and subject.get("kind") in ("User", "Group"):
            subject["apiGroup"] = RBAC


def custom_resource_definition(obj: Obj) -> None:
    """CustomResourceDefinition (`apiextensions/v1/defaults.go`)."""
    spec: Obj = obj.setdefault("spec", {})
    names: Obj = spec.setdefault("names", {})
    if names.get("kind"):
        names["singular"] = names.get("singular") or names["kind"].lower()
        names["listKind"] = names.get("listKind") or names["kind"] + "List"
    conversion = spec.setdefault("conversion", {})
    conversion["strategy"] = conversion.get("strategy") or "None"
