"""Copies Endpoints that somebody wrote by hand into EndpointSlices (pkg/controller/endpointslicemirroring)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from ..api.objects import Obj, annotations_of, labels_of, owner_reference, split_key
from ..client import ApiError
from .base import Controller
from .endpointslice import TRIGGER, ports_key

MANAGED = "endpointslice.kubernetes.io/managed-by"
SERVICE = "kubernetes.io/service-name"
SKIP = "endpointslice.kubernetes.io/skip-mirror"
BY_CONTROLLER = "endpoints.kubernetes.io/managed-by"
CONTROLLER = "endpointslicemirroring-controller.k8s.io"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def _family(address: str) -> str:
    """IPv4 or IPv6; "" for what is no address."""
    try:
        return f"IPv{ipaddress.ip_address(address).version}"
    except ValueError:
        return ""


def _key(item: Obj) -> str:
    return f"{item['addressType']}-{ports_key(item.get('ports') or [])}"


def _differs(held: Obj, body: Obj) -> bool:
    """Whether a slice has other endpoints, labels, annotations or another owner than it should."""
    mine, meta = held["metadata"], body["metadata"]
    owner = meta["ownerReferences"][0]
    return (
        any(ref["kind"] == "Endpoints" and ref.get("uid") != owner["uid"] for ref in mine.get("ownerReferences") or ())
        or held.get("endpoints") != body["endpoints"]
        or any((mine.get(member) or {}) != (meta.get(member) or {}) for member in ("labels", "annotations"))
    )


def _as(body: Obj, held: Obj) -> Obj:
    """A new body for a slice that is there."""
    meta = {k: v for k, v in held["metadata"].items() if k not in ("labels", "annotations")}
    fresh = {k: v for k, v in body["metadata"].items() if k in ("labels", "annotations", "ownerReferences")}
    return {**held, **body, "metadata": {**meta, **fresh}}


def _repacked(subsets: Iterable[Obj]) -> list[tuple[list[Obj], list[tuple[Obj, bool]]]]:
    """Addresses by all the ports that they answer on, ready ones first (pkg/api/v1/endpoints/util.go: RepackSubsets)."""
    held: dict[tuple[str, str], tuple[Obj, bool, dict[str, Obj]]] = {}
    for subset in subsets:
        ports = {
            ports_key([p]): {"name": p.get("name") or "", "port": p["port"], "protocol": p.get("protocol", "TCP")}
            | ({"appProtocol": p["appProtocol"]} if p.get("appProtocol") else {})
            for p in subset.get("ports") or ()
        }
        for kind, ready in (("addresses", True), ("notReadyAddresses", False)):
            for address in subset.get(kind) or ():
                known = (address["ip"], (address.get("targetRef") or {}).get("uid") or "")
                _, was, mine = held.get(known, (address, True, {}))
                held[known] = (address, was and ready, mine | ports)
    out: dict[str, tuple[list[Obj], list[tuple[Obj, bool]]]] = {}
    for address, ready, ports in sorted(held.values(), key=lambda one: not one[1]):
        out.setdefault(repr(sorted(ports)), (list(ports.values()), []))[1].append((address, ready))
    return list(out.values())


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
        limit = int(self.flags.get("mirroring-max-endpoints-per-subset", "1000"))
        wanted = self._wanted(source, limit)
        create: list[Obj] = []
        update: list[Obj] = []
        delete: list[Obj] = []
        by_key: dict[str, list[Obj]] = {}
        for item in held:
            by_key.setdefault(_key(item), []).append(item)
        for one, body in wanted.items():
            same = by_key.pop(one, [])
            delete += same[1:]
            if not same:
                create.append(body)
            elif _differs(same[0], body):
                update.append(_as(body, same[0]))
        delete += [item for items in by_key.values() for item in items]
        for body in list(create):  # a slice that would go takes the place of one that would come (recycleSlices)
            old = next((item for item in delete if item["addressType"] == body["addressType"]), None)
            if old is not None:
                create.remove(body)
                delete.remove(old)
                update.append(_as(body, old))
        for body in create if not source["metadata"].get("deletionTimestamp") else ():
            self.client.create("endpointslices", namespace, body)
        for body in update:
            self.client.update("endpointslices", body)
        for item in delete:
            self._delete(item)

    def _wanted(self, source: Obj, limit: int) -> dict[str, Obj]:
        """The slices that mirror an object, by address type and ports; what cannot be mirrored is said (reconcile)."""
        out: dict[str, Obj] = {}
        invalid = skipped = 0
        for ports, addresses in _repacked(source.get("subsets") or ()):
            count = 0
            for address, ready in addresses:
                if count >= limit:
                    break
                kind = _family(address["ip"])
                if not kind:
                    invalid += 1
                    continue
                body = self._slice(source, ports, kind)
                out.setdefault(_key(body), body)["endpoints"].append(self._endpoint(address, ready=ready))
                count += 1
            skipped += len(addresses) - count
        if invalid:
            text = f"Skipped {invalid} invalid IP addresses when mirroring to EndpointSlices"
            self.event(source, "Warning", "InvalidIPAddress", text)
        if skipped > invalid:
            text = f"A max of {limit} addresses can be mirrored to EndpointSlices per Endpoints subset. {skipped} addresses were skipped"
            self.event(source, "Warning", "TooManyAddressesToMirror", text)
        return out

    @staticmethod
    def _mine(item: Obj, name: str) -> bool:
        labels = labels_of(item)
        return labels.get(MANAGED) == CONTROLLER and labels.get(SERVICE) == name

    @staticmethod
    def _mirrored(source: Obj) -> bool:
        labels = labels_of(source)
        leader = "control-plane.alpha.kubernetes.io/leader" in annotations_of(source)
        return labels.get(SKIP) != "true" and BY_CONTROLLER not in labels and not leader

    def _slice(self, source: Obj, ports: list[Obj], family: str) -> Obj:
        meta = source["metadata"]
        labels = {**labels_of(source), MANAGED: CONTROLLER, SERVICE: meta["name"]}
        annotations = {k: v for k, v in annotations_of(source).items() if k not in (LAST_APPLIED, TRIGGER)}
        made: Obj = {"generateName": f"{meta['name']}-", "namespace": meta["namespace"], "labels": labels}
        made["ownerReferences"] = [owner_reference(source)]
        if annotations:
            made["annotations"] = annotations
        body: Obj = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": made, "addressType": family}
        return {**body, "ports": ports, "endpoints": []}

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
