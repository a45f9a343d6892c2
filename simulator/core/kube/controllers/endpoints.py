"""The Endpoints controller: the old, single list of a Service's addresses (pkg/controller/endpoint/endpoints_controller.go)."""

from __future__ import annotations

import math

from ..api.objects import Obj, annotations_of, key_of, labels_of, split_key
from ..client import ApiError
from . import common
from .service_index import ServiceIndex, is_headless, pod_ip, target_port, trigger_time

TRIGGER = "endpoints.kubernetes.io/last-change-trigger-time"
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
MANAGED = "endpoints.kubernetes.io/managed-by"
HEADLESS = "service.kubernetes.io/headless"
LIMIT = 1000


def truncated(subsets: list[Obj]) -> tuple[list[Obj], bool]:
    """At most a thousand addresses, those of ready pods first, each subset its share (truncateEndpoints)."""
    ready, rest = (sum(len(s.get(kind) or ()) for s in subsets) for kind in ("addresses", "notReadyAddresses"))
    if ready + rest <= LIMIT:
        return subsets, False
    kind, room, total = ("addresses", LIMIT, ready) if ready > LIMIT else ("notReadyAddresses", LIMIT - ready, rest)
    left, out = room, list[Obj]()
    for subset in subsets:
        held = subset.get(kind) or []
        kept = held[: min(left, math.ceil(len(held) / total * room))]
        left -= len(kept)
        up, down = (kept, []) if kind == "addresses" else (subset.get("addresses"), kept)
        members = {"addresses": up, "notReadyAddresses": down, "ports": subset.get("ports")}
        out.append({name: value for name, value in members.items() if value})
    return out, True


class EndpointsController(ServiceIndex):
    """Reconciles Endpoints; keys are Services."""

    name = "endpoints-controller"
    source = "endpoint-controller"
    resources = ("services", "pods", "endpoints")

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A Service or a pod changed, or an Endpoints object was changed by another hand."""
        if resource == "endpoints":
            if kind != "ADDED" and MANAGED in labels_of(obj):
                self.enqueue(f"{obj['metadata']['namespace']}/{obj['metadata']['name']}")
        else:
            self.track(resource, kind, obj)

    def sync(self, key: str) -> None:
        """Write one Service's Endpoints."""
        namespace, name = split_key(key)
        service = self.informer("services").get(namespace, name)
        current = self.informer("endpoints").get(namespace, name)
        if service is None:
            self.memory.pop(key, None)
            if current is not None:
                self._delete(namespace, name)
            return
        spec = service.get("spec") or {}
        if spec.get("type") == "ExternalName" or not spec.get("selector"):
            return
        pods = self.pods(key)
        subsets, cut = truncated(self._subsets(service, pods))
        labels = {k: v for k, v in labels_of(service).items() if k != HEADLESS} | {MANAGED: "endpoint-controller"}
        if is_headless(service):
            labels[HEADLESS] = ""
        stamp = trigger_time(self.memory, key, service, [p for p in pods if pod_ip(p)])
        if current is None:
            meta: Obj = {"name": name, "namespace": namespace, "labels": labels}
            if stamp or cut:
                meta["annotations"] = ({TRIGGER: stamp} if stamp else {}) | ({OVER_CAPACITY: "truncated"} if cut else {})
            body: Obj = {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, "subsets": subsets}
            self._create(service, body)
            return
        marked = annotations_of(current).get(OVER_CAPACITY)
        if (
            (current.get("subsets") or []) == subsets
            and labels_of(current) == labels
            and marked == ("truncated" if cut else None)
        ):
            return
        annotations = {k: v for k, v in annotations_of(current).items() if k not in (TRIGGER, OVER_CAPACITY)}
        if stamp:
            annotations[TRIGGER] = stamp
        if cut:
            annotations[OVER_CAPACITY] = "truncated"
        meta = {**current["metadata"], "labels": labels, "annotations": annotations}
        body = {**current, "metadata": meta, "subsets": subsets}
        if not subsets:
            del body["subsets"]
        self.client.update("endpoints", body)

    def _create(self, service: Obj, body: Obj) -> None:
        try:
            self.client.create("endpoints", service["metadata"]["namespace"], body)
        except ApiError as error:
            if "being terminated" in error.message:
                return
            self.event(
                service,
                "Warning",
                "FailedToCreateEndpoint",
                f"Failed to create endpoint for service {key_of(service)}: {error}",
            )
            raise

    def _delete(self, namespace: str, name: str) -> None:
        try:
            self.client.delete("endpoints", namespace, name)
        except ApiError as error:
            if error.code != 404:
                raise

    def _subsets(self, service: Obj, pods: list[Obj]) -> list[Obj]:
        """Addresses grouped by the ports they answer on, sorted as RepackSubsets sorts them."""
        spec = service["spec"]
        early = bool(spec.get("publishNotReadyAddresses"))
        groups: dict[str, tuple[list[Obj], list[Obj], list[Obj]]] = {}
        for pod in pods:
            if not pod_ip(pod) or common.is_terminal(pod) or (pod["metadata"].get("deletionTimestamp") and not early):
                continue
            ports = self._ports(service, pod)
            if ports is None:
                continue
            _, up, down = groups.setdefault(repr(ports), (ports, [], []))
            (up if early or common.is_ready(pod) else down).append(self._address(service, pod))
        out = []
        for ports, up, down in (groups[key] for key in sorted(groups)):
            subset: Obj = {}
            if up:
                subset["addresses"] = sorted(up, key=lambda a: tuple(int(x) for x in a["ip"].split(".")))
            if down:
                subset["notReadyAddresses"] = sorted(down, key=lambda a: tuple(int(x) for x in a["ip"].split(".")))
            if ports:
                subset["ports"] = ports
            out.append(subset)
        return out

    @staticmethod
    def _ports(service: Obj, pod: Obj) -> list[Obj] | None:
        wanted = service["spec"].get("ports") or []
        if not wanted:
            return [] if is_headless(service) else None
        ports = []
        for item in wanted:
            number = target_port(item, pod)
            if number is not None:
                port: Obj = {"port": number, "protocol": item.get("protocol", "TCP")}
                if item.get("name"):
                    port["name"] = item["name"]
                if item.get("appProtocol"):
                    port["appProtocol"] = item["appProtocol"]
                ports.append(port)
        return ports or None

    @staticmethod
    def _address(service: Obj, pod: Obj) -> Obj:
        meta, spec = pod["metadata"], pod["spec"]
        address: Obj = {"ip": pod_ip(pod), "nodeName": spec.get("nodeName")}
        address["targetRef"] = {"kind": "Pod", "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]}
        if spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]:
            address["hostname"] = spec["hostname"]
        return address
