"""Copies Endpoints that somebody wrote by hand into EndpointSlices (pkg/controller/endpointslicemirroring)."""

from __future__ import annotations

from ..api.objects import Obj, annotations_of, labels_of, owner_reference, split_key
from ..client import ApiError
from .base import Controller

MANAGED = "endpointslice.kubernetes.io/managed-by"
SERVICE = "kubernetes.io/service-name"
SKIP = "endpointslice.kubernetes.io/skip-mirror"
BY_CONTROLLER = "endpoints.kubernetes.io/managed-by"
CONTROLLER = "endpointslicemirroring-controller.k8s.io"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class EndpointSliceMirroringController(Controller):
    """Keys are Endpoints."""

    name = "endpointslice-mirroring-controller"
    source = "endpoint-slice-mirroring-controller"
    resources = ("services", "endpoints", "endpointslices")

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """Endpoints, their Service, or a mirrored slice changed."""
        namespace = obj["metadata"]["namespace"]
        if resource == "endpointslices":
            labels = labels_of(obj)
            if labels.get(MANAGED) == CONTROLLER and kind != "ADDED" and labels.get(SERVICE):
                self.enqueue(f"{namespace}/{labels[SERVICE]}")
        else:
            self.enqueue(f"{namespace}/{obj['metadata']['name']}")

    def sync(self, key: str) -> None:
        """Mirror one Endpoints object, or take its mirrors away."""
        namespace, name = split_key(key)
        source = self.informer("endpoints").get(namespace, name)
        service = self.informer("services").get(namespace, name)
        held = [s for s in self.informer("endpointslices").list(namespace) if self._mine(s, name)]
        if source is None or service is None or service["spec"].get("selector") or not self._mirrored(source):
            for item in held:
                self._delete(item)
            return
        left = list(held)
        for subset in source.get("subsets") or ():
            wanted = self._slice(source, subset)
            same = next((s for s in left if (s.get("ports") or []) == wanted["ports"]), None)
            if same is None:
                self.client.create("endpointslices", namespace, wanted)
                continue
            left.remove(same)
            if same.get("endpoints") != wanted["endpoints"]:
                self.client.update("endpointslices", {**same, "endpoints": wanted["endpoints"]})
        for item in left:
            self._delete(item)

    @staticmethod
    def _mine(item: Obj, name: str) -> bool:
        labels = labels_of(item)
        return labels.get(MANAGED) == CONTROLLER and labels.get(SERVICE) == name

    @staticmethod
    def _mirrored(source: Obj) -> bool:
        labels = labels_of(source)
        leader = "control-plane.alpha.kubernetes.io/leader" in annotations_of(source)
        return labels.get(SKIP) != "true" and BY_CONTROLLER not in labels and not leader

    def _slice(self, source: Obj, subset: Obj) -> Obj:
        meta = source["metadata"]
        labels = {**labels_of(source), MANAGED: CONTROLLER, SERVICE: meta["name"]}
        annotations = {k: v for k, v in annotations_of(source).items() if k != LAST_APPLIED}
        made: Obj = {"generateName": f"{meta['name']}-", "namespace": meta["namespace"], "labels": labels}
        made["ownerReferences"] = [owner_reference(source)]
        if annotations:
            made["annotations"] = annotations
        endpoints = [self._endpoint(a, ready=True) for a in subset.get("addresses") or ()]
        endpoints += [self._endpoint(a, ready=False) for a in subset.get("notReadyAddresses") or ()]
        ports = [
            {"name": p.get("name") or "", "port": p["port"], "protocol": p.get("protocol", "TCP")}
            for p in subset.get("ports") or ()
        ]
        body: Obj = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": made, "addressType": "IPv4"}
        return {**body, "ports": ports, "endpoints": endpoints}

    @staticmethod
    def _endpoint(address: Obj, *, ready: bool) -> Obj:
        out: Obj = {"addresses": [address["ip"]], "conditions": {"ready": ready}}
        for field in ("hostname", "nodeName", "targetRef"):
            if address.get(field):
                out[field] = address[field]
        return out

    def _delete(self, item: Obj) -> None:
        try:
            self.client.delete("endpointslices", item["metadata"]["namespace"], item["metadata"]["name"])
        except ApiError as error:
            if error.code != 404:
                raise
