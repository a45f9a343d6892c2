"""The EndpointSlice controller: a Service's endpoints in slices of at most 100 (pkg/controller/endpointslice/reconciler.go).

Slices are filled, not sorted: an endpoint stays in its slice, new ones go where there is room, and a slice that runs empty goes,
except that a Service without endpoints keeps one empty placeholder.
"""

from __future__ import annotations

from ..api.objects import Obj, annotations_of, key_of, labels_of, owner_reference, split_key
from ..client import ApiError
from . import common
from .service_index import ServiceIndex, is_headless, pod_ip, target_port, trigger_time

TRIGGER = "endpoints.kubernetes.io/last-change-trigger-time"
MANAGED = "endpointslice.kubernetes.io/managed-by"
SERVICE = "kubernetes.io/service-name"
HEADLESS = "service.kubernetes.io/headless"
CONTROLLER = "endpointslice-controller.k8s.io"


def ports_key(ports: list[Obj]) -> str:
    """What makes two lists of ports the same, in whatever order their fields are written (NewPortMapKey)."""
    return repr(
        sorted((p.get("name") or "", p.get("port") or 0, p.get("protocol") or "TCP", p.get("appProtocol") or "") for p in ports)
    )


class Plan:
    """What one sync will write: slices to create and update, and slices whose endpoints are all gone."""

    def __init__(self) -> None:
        self.create: list[Obj] = []
        self.update: list[Obj] = []
        self.delete: list[Obj] = []


class EndpointSliceController(ServiceIndex):
    """Reconciles EndpointSlices; keys are Services."""

    name = "endpointslice-controller"
    source = "endpoint-slice-controller"
    resources = ("services", "pods", "endpointslices", "nodes")

    def setup(self) -> None:
        """Which slices say by their labels that they are a Service's."""
        super().setup()
        self.slices: dict[str, set[str]] = {}
        self.service_of: dict[str, str] = {}
        for item in self.informer("endpointslices").list():
            self._belongs(item, gone=False)

    def _belongs(self, item: Obj, *, gone: bool) -> set[str]:
        """Note a slice's Service; the keys of the Services that it is and was of."""
        key, labels = key_of(item), labels_of(item)
        mine = labels.get(MANAGED) == CONTROLLER and labels.get(SERVICE) and not gone
        before, now = self.service_of.pop(key, ""), f"{item['metadata']['namespace']}/{labels[SERVICE]}" if mine else ""
        self.slices.get(before, set()).discard(key)
        if now:
            self.service_of[key] = now
            self.slices.setdefault(now, set()).add(key)
        return {before, now} - {""}

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A Service or a pod changed, or a slice was changed (or made) by another hand."""
        if resource == "endpointslices":
            found = self._belongs(obj, gone=kind == "DELETED")
            if kind != "ADDED" or not obj["metadata"].get("ownerReferences"):
                for key in sorted(found):
                    self.enqueue(key)
        elif resource != "nodes":
            self.track(resource, kind, obj)

    def sync(self, key: str) -> None:
        """Write one Service's slices."""
        namespace, name = split_key(key)
        service = self.informer("services").get(namespace, name)
        if service is None:
            self.memory.pop(key, None)
            self.slices.pop(key, None)
            return
        spec = service.get("spec") or {}
        if spec.get("type") == "ExternalName" or not spec.get("selector"):
            return
        pods = [p for p in self.pods(key) if pod_ip(p) and not common.is_terminal(p)]
        wanted: dict[str, tuple[list[Obj], dict[str, Obj]]] = {}
        for pod in pods:
            ports = self._ports(service, pod)
            wanted.setdefault(ports_key(ports), (ports, {}))[1][pod["metadata"]["uid"]] = self._endpoint(service, pod)
        stamp = trigger_time(self.memory, key, service, pods)
        objects = self.informer("endpointslices").objects()
        held = [objects[one] for one in sorted(self.slices.get(key, ())) if one in objects]
        held = [item for item in held if not item["metadata"].get("deletionTimestamp")]
        self._write(service, self._plan(service, wanted, held), stamp)

    # -- what should be --------------------------------------------------------------------------------------------------
    @staticmethod
    def _ports(service: Obj, pod: Obj) -> list[Obj]:
        ports = []
        for item in service["spec"].get("ports") or ():
            number = target_port(item, pod)
            if number is not None:
                port: Obj = {"name": item.get("name") or "", "port": number, "protocol": item.get("protocol", "TCP")}
                if item.get("appProtocol"):
                    port["appProtocol"] = item["appProtocol"]
                ports.append(port)
        return ports

    def _endpoint(self, service: Obj, pod: Obj) -> Obj:
        meta, spec = pod["metadata"], pod["spec"]
        serving, ending = common.is_ready(pod), bool(meta.get("deletionTimestamp"))
        ready = bool(service["spec"].get("publishNotReadyAddresses")) or (serving and not ending)
        endpoint: Obj = {"addresses": [pod_ip(pod)], "conditions": {"ready": ready, "serving": serving, "terminating": ending}}
        endpoint["targetRef"] = {"kind": "Pod", "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]}
        if spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]:
            endpoint["hostname"] = spec["hostname"]
        if spec.get("nodeName"):
            endpoint["nodeName"] = spec["nodeName"]
            node = self.informer("nodes").get("", spec["nodeName"])
            zone = labels_of(node).get("topology.kubernetes.io/zone") if node else None
            if zone:
                endpoint["zone"] = zone
        return endpoint

    def _labels(self, service: Obj) -> dict[str, str]:
        labels = {k: v for k, v in labels_of(service).items() if k not in (MANAGED, SERVICE, HEADLESS)}
        labels |= {MANAGED: CONTROLLER, SERVICE: service["metadata"]["name"]}
        if is_headless(service):
            labels[HEADLESS] = ""
        return labels

    # -- what to do ------------------------------------------------------------------------------------------------------
    def _plan(self, service: Obj, wanted: dict[str, tuple[list[Obj], dict[str, Obj]]], held: list[Obj]) -> Plan:
        plan = Plan()
        limit = int(self.flags.get("max-endpoints-per-slice", "100"))
        by_ports: dict[str, list[Obj]] = {}
        for item in held:
            by_ports.setdefault(ports_key(item.get("ports") or []), []).append(item)
        for key in sorted(set(by_ports) - set(wanted)):
            plan.delete += by_ports[key]
        for key in sorted(wanted):
            ports, endpoints = wanted[key]
            self._fill(service, plan, ports, dict(endpoints), by_ports.get(key, []), limit)
        if not plan.create and not plan.update and len(plan.delete) == len(held):
            keeps = len(held) == 1 and not held[0].get("ports") and not held[0].get("endpoints")
            if keeps:
                plan.delete = []
                if labels_of(held[0]) != self._labels(service):
                    plan.update.append({**held[0], "metadata": {**held[0]["metadata"], "labels": self._labels(service)}})
            else:
                plan.create.append({"ports": None, "endpoints": None})
        while plan.create and plan.delete:
            reused, fresh = plan.delete.pop(0), plan.create.pop(0)
            meta = {**reused["metadata"], "labels": self._labels(service)}
            plan.update.append({**reused, **fresh, "metadata": meta})
        return plan

    def _fill(self, service: Obj, plan: Plan, ports: list[Obj], endpoints: dict[str, Obj], held: list[Obj], limit: int) -> None:
        """Slices that change anyway are filled, the fullest first; what is left goes into one slice that has room for all of it,
        else into new ones, so that few slices are written (`reconcileByPortMapping`)."""
        labels = self._labels(service)
        changed: list[tuple[Obj, list[Obj]]] = []
        same: list[tuple[Obj, list[Obj]]] = []
        for item in held:
            old = list(item.get("endpoints") or ())
            found = (endpoints.pop((e.get("targetRef") or {}).get("uid") or "", None) for e in old)
            stays = [e for e in found if e is not None]
            if stays == old and old:
                (same if labels_of(item) == labels else changed).append((item, stays))
            elif stays:
                changed.append((item, stays))
            else:
                plan.delete.append(item)
        rest = [endpoints[uid] for uid in sorted(endpoints, key=lambda u: endpoints[u]["targetRef"]["name"])]
        for _, stays in sorted(changed, key=lambda pair: -len(pair[1])):
            room = limit - len(stays)
            stays += rest[:room]
            rest = rest[room:]
        while rest:
            roomy = [pair for pair in same if len(rest) < limit and len(pair[1]) + len(rest) <= limit]
            if roomy:
                pair = max(roomy, key=lambda pair: len(pair[1]))
                changed.append((pair[0], pair[1] + rest))
            else:
                plan.create.append({"ports": ports, "endpoints": rest[:limit]})
            rest = [] if roomy else rest[limit:]
        plan.update += [{**i, "endpoints": e, "metadata": {**i["metadata"], "labels": labels}} for i, e in changed]

    def _write(self, service: Obj, plan: Plan, stamp: str) -> None:
        namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
        for item in plan.create if not service["metadata"].get("deletionTimestamp") else ():
            meta: Obj = {"generateName": f"{name}-", "namespace": namespace, "labels": self._labels(service)}
            meta["ownerReferences"] = [owner_reference(service)]
            if stamp:
                meta["annotations"] = {TRIGGER: stamp}
            body = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta, "addressType": "IPv4", **item}
            try:
                self.client.create("endpointslices", namespace, body)
            except ApiError as error:
                if "being terminated" not in error.message:
                    self.event(
                        service,
                        "Warning",
                        "FailedToUpdateEndpointSlices",
                        f"Error updating Endpoint Slices for Service {namespace}/{name}: {error}",
                    )
                    raise
        for item in plan.update:
            annotations = {k: v for k, v in annotations_of(item).items() if k != TRIGGER}
            if stamp:
                annotations[TRIGGER] = stamp
            self.client.update("endpointslices", {**item, "metadata": {**item["metadata"], "annotations": annotations}})
        for item in plan.delete:
            try:
                self.client.delete("endpointslices", namespace, item["metadata"]["name"])
            except ApiError as error:
                if error.code != 404:
                    raise
