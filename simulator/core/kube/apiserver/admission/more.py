"""Small plugins of one rule each: storage, runtime classes, ingress classes, and those that are off unless asked for."""

from __future__ import annotations

from typing import Any

from ...api import errors, quantity
from ...api.objects import clone
from ...api.quotas import pod_amounts
from ..call import Call

Obj = dict[str, Any]
DEFAULT_INGRESS_CLASS = "ingressclass.kubernetes.io/is-default-class"


def _all_containers(spec: Obj) -> list[Obj]:
    return [c for member in ("initContainers", "containers", "ephemeralContainers") for c in spec.get(member) or ()]


class Quiet:
    """A plugin that changes and refuses nothing, to be overridden."""

    name = "AlwaysAdmit"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Change the object before it is validated."""

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Refuse the request by raising ApiError."""


class StorageObjectInUseProtection(Quiet):
    """Volumes and claims are held by a finalizer until nothing uses them."""

    name = "StorageObjectInUseProtection"
    FINALIZERS = {
        "PersistentVolume": "kubernetes.io/pv-protection",
        "PersistentVolumeClaim": "kubernetes.io/pvc-protection",
        "VolumeAttributesClass": "kubernetes.io/vac-protection",
    }

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """New ones get the finalizer."""
        name = self.FINALIZERS.get(call.kind.kind)
        if name is None or old is not None:
            return
        held = list(obj["metadata"].get("finalizers") or ())
        if name not in held:
            obj["metadata"]["finalizers"] = [*held, name]


class PersistentVolumeClaimResize(Quiet):
    """Only bound claims of a class that allows it grow."""

    name = "PersistentVolumeClaimResize"

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Refuse what cannot be resized."""
        if call.kind.kind != "PersistentVolumeClaim" or obj is None or old is None or call.info.subresource:
            return
        sizes = [((item["spec"].get("resources") or {}).get("requests") or {}).get("storage", "0") for item in (obj, old)]
        if quantity.compare(sizes[0], sizes[1]) <= 0:
            return
        name = str(obj["metadata"]["name"])
        if (old.get("status") or {}).get("phase") != "Bound":
            raise errors.forbidden(call.kind.group_resource, name, "Only bound persistent volume claims can be expanded")
        chosen = obj["spec"].get("storageClassName")
        found = call.server.storage.get(f"/registry/storageclasses/{chosen}".encode()) if chosen else None
        if chosen != old["spec"].get("storageClassName") or found is None or not found[0].get("allowVolumeExpansion"):
            text = (
                "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"
            )
            raise errors.forbidden(call.kind.group_resource, name, text)


class PodTopologyLabels(Quiet):
    """A pod on a node carries the node's zone and region (plugin/pkg/admission/podtopologylabels)."""

    name = "PodTopologyLabels"
    KEYS = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")

    def of_node(self, call: Call, name: str) -> dict[str, str]:
        """What a pod takes over from a node; nothing from one that is not there."""
        found = call.server.storage.get(f"/registry/minions/{name}".encode())
        labels = (found[0]["metadata"].get("labels") or {}) if found is not None else {}
        return {key: labels[key] for key in self.KEYS if key in labels}

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Whatever the pod said before, the node's labels count; those of a new binding are set there."""
        node = (obj.get("spec") or {}).get("nodeName") if call.kind.kind == "Pod" else ""
        if node and (labels := self.of_node(call, node)):
            obj["metadata"]["labels"] = {**(obj["metadata"].get("labels") or {}), **labels}


class PodResizeValidator(Quiet):
    """A resize asks for no more than the pod's node has at all (plugin/pkg/admission/podresize)."""

    name = "PodResizeValidator"

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Refuse what could never be granted."""
        if call.info.subresource != "resize" or call.kind.kind != "Pod" or obj is None or old is None:
            return
        node = obj["spec"].get("nodeName")
        if not node or obj["metadata"].get("generation") == old["metadata"].get("generation"):
            return
        group, name = call.kind.group_resource, str(obj["metadata"]["name"])
        found = call.server.storage.get(f"/registry/minions/{node}".encode())
        if found is None:
            raise errors.forbidden(group, name, f'node "{node}" not found')
        free, asked = (found[0].get("status") or {}).get("allocatable") or {}, pod_amounts(obj, "requests")
        short: list[str] = []
        for resource, unit in (("cpu", 10**6), ("memory", 10**9)):
            wanted, allowed = (quantity.nano(str(amounts.get(resource, "0"))) for amounts in (asked, free))
            if wanted > allowed:
                short.append(f"{resource}, requested: {-(-wanted // unit)}, allocatable: {-(-allowed // unit)}")
        if short:
            refusal = errors.forbidden(group, name, "node didn't have enough allocatable resources: " + "; ".join(short))
            refusal.status.setdefault("details", {})["causes"] = [{"reason": "NodeCapacity"}]
            raise refusal


class RuntimeClass(Quiet):
    """A pod's runtime class exists; its overhead and scheduling become the pod's."""

    name = "RuntimeClass"

    def _find(self, call: Call, obj: Obj | None, old: Obj | None) -> Obj | None:
        if obj is None or old is not None or call.kind.kind != "Pod" or call.info.subresource:
            return None
        name = obj["spec"].get("runtimeClassName")
        if name is None:
            return None
        found = call.server.storage.get(f"/registry/runtimeclasses/{name}".encode())
        if found is None:
            raise self._refuse(obj, f'pod rejected: RuntimeClass "{name}" not found')
        return found[0]

    @staticmethod
    def _refuse(obj: Obj, why: str) -> errors.ApiError:
        return errors.forbidden("pods", str(obj["metadata"].get("name") or ""), why)

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Overhead, node selector, tolerations."""
        found = self._find(call, obj, old)
        if found is None:
            return
        spec = obj["spec"]
        overhead = (found.get("overhead") or {}).get("podFixed")
        if found.get("overhead") is not None:
            if spec.get("overhead") and spec["overhead"] != overhead:
                raise self._refuse(obj, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
            spec["overhead"] = clone(overhead or {})
        scheduling = found.get("scheduling") or {}
        for key, value in (scheduling.get("nodeSelector") or {}).items():
            held = spec.setdefault("nodeSelector", {})
            if held.get(key, value) != value:
                where = f"runtimeClass.scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {held[key]}"
                raise self._refuse(obj, f"conflict: {where}")
            held[key] = value
        for item in scheduling.get("tolerations") or ():
            if item not in (spec.get("tolerations") or ()):
                spec["tolerations"] = [*(spec.get("tolerations") or ()), dict(item)]

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Overhead comes from a class."""
        if obj is None or old is not None or call.kind.kind != "Pod" or call.info.subresource:
            return
        found = self._find(call, obj, old)
        if obj["spec"].get("overhead") is not None and (found is None or found.get("overhead") is None):
            raise self._refuse(obj, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")


class DefaultIngressClass(Quiet):
    """Ingresses that name no class get the default one."""

    name = "DefaultIngressClass"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Write the newest default class's name."""
        if call.kind.kind != "Ingress" or old is not None or (obj.get("spec") or {}).get("ingressClassName") is not None:
            return
        if "kubernetes.io/ingress.class" in (obj["metadata"].get("annotations") or {}):
            return
        classes = [
            held
            for held in call.server.storage.list(b"/registry/ingressclasses/")[0]
            if (held["metadata"].get("annotations") or {}).get(DEFAULT_INGRESS_CLASS) == "true"
        ]
        if classes:
            classes.sort(key=lambda held: str(held["metadata"]["name"]))
            newest = max(classes, key=lambda held: str(held["metadata"]["creationTimestamp"]))
            obj["spec"]["ingressClassName"] = newest["metadata"]["name"]


class AlwaysPullImages(Quiet):
    """Every container pulls its image anew, so that credentials are checked."""

    name = "AlwaysPullImages"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """`imagePullPolicy: Always`."""
        if call.kind.kind == "Pod" and (old is None or call.info.subresource == "ephemeralcontainers"):
            for container in _all_containers(obj["spec"]):
                container["imagePullPolicy"] = "Always"


class DenyServiceExternalIPs(Quiet):
    """Services do not claim addresses."""

    name = "DenyServiceExternalIPs"

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """No new externalIPs."""
        if call.kind.kind != "Service" or obj is None or call.info.subresource:
            return
        held = set(((old or {}).get("spec") or {}).get("externalIPs") or ())
        if any(item not in held for item in obj["spec"].get("externalIPs") or ()):
            text = "Use of external IPs is denied by admission control."
            raise errors.forbidden("services", str(obj["metadata"].get("name") or ""), text)


class NamespaceExists(Quiet):
    """Requests go to namespaces that exist."""

    name = "NamespaceExists"

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Look the namespace up."""
        namespace = call.namespace
        if namespace and call.server.storage.get(b"/registry/namespaces/" + namespace.encode()) is None:
            raise errors.not_found("namespaces", namespace)


class ExtendedResourceToleration(Quiet):
    """Pods that ask for a device tolerate the taint that its nodes are dedicated with."""

    name = "ExtendedResourceToleration"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """One toleration a resource."""
        if call.kind.kind != "Pod" or call.info.subresource:
            return
        wanted = {
            name
            for container in _all_containers(obj["spec"])
            for name in (container.get("resources") or {}).get("requests") or ()
            if "/" in name and "kubernetes.io/" not in name
        }
        held = obj["spec"].get("tolerations") or []
        for name in sorted(wanted):
            if not any(item.get("key") == name and item.get("operator") == "Exists" for item in held):
                held = [*held, {"key": name, "operator": "Exists"}]
        if held:
            obj["spec"]["tolerations"] = held


class AntiAffinity(Quiet):
    """Required anti-affinity spreads over host names only."""

    name = "LimitPodHardAntiAffinityTopology"

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Refuse other topology keys."""
        if call.kind.kind != "Pod" or obj is None or call.info.subresource:
            return
        rules = ((obj["spec"].get("affinity") or {}).get("podAntiAffinity") or {}).get(
            "requiredDuringSchedulingIgnoredDuringExecution"
        )
        for term in rules or ():
            if term.get("topologyKey") != "kubernetes.io/hostname":
                text = (
                    "affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey "
                    f"{term.get('topologyKey')} but only key kubernetes.io/hostname is allowed"
                )
                raise errors.forbidden("pods", str(obj["metadata"].get("name") or ""), text)


class AlwaysDeny(Quiet):
    """Nothing is written."""

    name = "AlwaysDeny"

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """No."""
        raise errors.forbidden(call.kind.group_resource, call.info.name, "admission control is denying all modifications")
