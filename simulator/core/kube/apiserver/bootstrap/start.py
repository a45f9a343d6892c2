"""The post-start hooks: what a server makes when it finds etcd without it (`pkg/controlplane/instance.go`).

All of it is written in one go, without a request each, so that an empty cluster is there in milliseconds.  A second start
finds everything and writes nothing but its own lease.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
from typing import TYPE_CHECKING, Any

import orjson

from ....kernel import clock
from ...api import kinds, packs
from .. import nodeports
from . import flowcontrol, policy

if TYPE_CHECKING:
    from ..server import Server

Obj = dict[str, Any]

NAMESPACES = ("kube-system", "kube-public", "kube-node-lease", "default")
#: Doorbells of what the server caches.
TOPICS = (
    "registry:roles", "registry:rolebindings", "registry:clusterroles", "registry:clusterrolebindings",
    "registry:apiextensions.k8s.io/customresourcedefinitions", "registry:serviceaccounts",
    "registry:apiregistration.k8s.io/apiservices",
)  # fmt: skip


def run(server: Server) -> None:
    """Make what is missing; raises when etcd cannot be reached."""
    server.booting = True
    try:
        _namespaces(server)
        _priority_classes(server)
        _rbac(server)
        for obj in flowcontrol.objects():
            make(server, obj)
        _api_services(server)
        _service(server)
        nodeports.repair(server)
        _authentication(server)
        _identity(server)
        server.load_custom()
    finally:
        server.booting = False


def make(server: Server, obj: Obj, generation: bool = False) -> bool:
    """Write an object unless it is there."""
    kind = kinds.by_kind(obj["apiVersion"], obj["kind"])
    assert kind is not None
    meta = obj["metadata"]
    namespace = meta.get("namespace")
    key = f"{kind.prefix}/{namespace}/{meta['name']}" if namespace else f"{kind.prefix}/{meta['name']}"
    fresh: Obj = {"kind": obj["kind"], "apiVersion": obj["apiVersion"], "metadata": {}}
    stamped = {k: meta[k] for k in ("name", "namespace") if k in meta}
    stamped["uid"] = server.world.rng("apiserver/uids").uuid()
    if server.strategy(kind).generation or generation:
        stamped["generation"] = 1
    stamped["creationTimestamp"] = server.world.timestamp()
    stamped.update({k: v for k, v in meta.items() if k not in stamped})
    fresh["metadata"] = stamped
    fresh.update({k: v for k, v in obj.items() if k not in fresh})
    return server.storage.create(key.encode(), fresh) is not None


def _exists(server: Server, key: str) -> bool:
    return server.storage.get(key.encode()) is not None


def _namespaces(server: Server) -> None:
    for name in NAMESPACES:
        if not _exists(server, f"/registry/namespaces/{name}"):
            meta = {"name": name, "labels": {"kubernetes.io/metadata.name": name}}
            spec, status = {"finalizers": ["kubernetes"]}, {"phase": "Active"}
            make(server, {"kind": "Namespace", "apiVersion": "v1", "metadata": meta, "spec": spec, "status": status})


def _priority_classes(server: Server) -> None:
    for name, value, text in (
        ("system-node-critical", 2_000_001_000, "Used for system critical pods that must not be moved from their current node."),
        ("system-cluster-critical", 2_000_000_000,
         "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."),
    ):  # fmt: skip
        if not _exists(server, f"/registry/priorityclasses/{name}"):
            obj = {"kind": "PriorityClass", "apiVersion": "scheduling.k8s.io/v1", "metadata": {"name": name}, "value": value}
            make(server, {**obj, "description": text, "preemptionPolicy": "PreemptLowerPriority"}, generation=True)


def _rbac(server: Server) -> None:
    if server.storage.list(b"/registry/clusterroles/", limit=1)[0]:
        return
    for obj in policy.objects():
        make(server, obj)
    server.rbac_changed()


def _api_services(server: Server) -> None:
    if _exists(server, "/registry/apiregistration.k8s.io/apiservices/v1."):
        return
    priority = 18_000
    entries: list[tuple[str, str, int, int]] = [("", "v1", 18_000, 1)]
    for at, (group, versions) in enumerate(packs.groups_of(server.version)):
        if group == "apiregistration.k8s.io":
            continue  # the aggregator serves its own group and registers none for it
        for i, version in enumerate(versions):
            entries.append((group, version, priority - 100 * (at + 1), 30 if i == 0 and len(versions) > 1 else 15))
    now = server.world.timestamp()
    for group, version, group_priority, version_priority in entries:
        spec: Obj = {"group": group} if group else {}
        spec.update(version=version, groupPriorityMinimum=group_priority, versionPriority=version_priority)
        text = "Local APIServices are always available"
        condition = {"type": "Available", "status": "True", "lastTransitionTime": now, "reason": "Local", "message": text}
        meta = {"name": f"{version}.{group}", "labels": {"kube-aggregator.kubernetes.io/automanaged": "onstart"}}
        obj = {"kind": "APIService", "apiVersion": "apiregistration.k8s.io/v1", "metadata": meta}
        make(server, {**obj, "spec": spec, "status": {"conditions": [condition]}})


def first_address(cidr: str) -> str:
    """The first usable address of the service range: the API server's own."""
    return str(ipaddress.ip_network(cidr)[1])


def _service(server: Server) -> None:
    config = server.config
    address = first_address(config.service_cidr)
    if not _exists(server, "/registry/servicecidrs/kubernetes"):
        condition = {
            "type": "Ready", "status": "True", "lastTransitionTime": server.world.timestamp(), "reason": "",
            "message": "Kubernetes Service CIDR is ready",
        }  # fmt: skip
        meta: Obj = {"name": "kubernetes", "finalizers": ["networking.k8s.io/service-cidr-finalizer"]}
        obj: Obj = {"kind": "ServiceCIDR", "apiVersion": "networking.k8s.io/v1", "metadata": meta}
        make(
            server,
            {
                **obj,
                "spec": {"cidrs": [text for text in (config.service_cidr, config.second_service_cidr) if text]},
                "status": {"conditions": [condition]},
            },
        )
    if not _exists(server, "/registry/services/specs/default/kubernetes"):
        port = {"name": "https", "protocol": "TCP", "port": 443, "targetPort": config.secure_port}
        spec = {
            "ports": [port], "clusterIP": address, "clusterIPs": [address], "type": "ClusterIP", "sessionAffinity": "None",
            "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "internalTrafficPolicy": "Cluster",
        }  # fmt: skip
        meta = {"name": "kubernetes", "namespace": "default", "labels": {"component": "apiserver", "provider": "kubernetes"}}
        obj = {"kind": "Service", "apiVersion": "v1", "metadata": meta, "spec": spec, "status": {"loadBalancer": {}}}
        make(server, obj)
        parent = {"parentRef": {"resource": "services", "namespace": "default", "name": "kubernetes"}}
        labels = {"ipaddress.kubernetes.io/ip-family": "IPv4", "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"}
        make(
            server,
            {
                "kind": "IPAddress",
                "apiVersion": "networking.k8s.io/v1",
                "metadata": {"name": address, "labels": labels},
                "spec": parent,
            },
        )
    renew_endpoints(server)


#: How long an API server counts as running after its last sign (controlplane/reconcilers/lease.go), in seconds.
MASTER_LEASE = 15


def renew_endpoints(server: Server) -> None:
    """The endpoints of the `kubernetes` Service: the addresses of the API servers that have lately renewed their master lease."""
    config = server.config
    renew_master_lease(server)
    found = server.client.range(b"/registry/masterleases/", b"/registry/masterleases0", keys_only=True).kvs
    addresses = sorted({kv.key.decode().rpartition("/")[2] for kv in found} or {config.advertise_address})
    port = {"name": "https", "port": config.secure_port, "protocol": "TCP"}
    labels = {"endpointslice.kubernetes.io/skip-mirror": "true"}
    subsets = [{"addresses": [{"ip": one} for one in addresses], "ports": [port]}]
    endpoints = [{"addresses": [one], "conditions": {"ready": True}} for one in addresses]
    if _exists(server, "/registry/services/endpoints/default/kubernetes"):
        _replace(server, "/registry/services/endpoints/default/kubernetes", "subsets", subsets)
    else:
        meta: Obj = {"name": "kubernetes", "namespace": "default", "labels": labels}
        make(server, {"kind": "Endpoints", "apiVersion": "v1", "metadata": meta, "subsets": subsets})
    if _exists(server, "/registry/endpointslices/default/kubernetes"):
        _replace(server, "/registry/endpointslices/default/kubernetes", "endpoints", endpoints)
        return
    meta = {"name": "kubernetes", "namespace": "default", "labels": {"kubernetes.io/service-name": "kubernetes"}}
    port = {"name": "https", "protocol": "TCP", "port": config.secure_port}
    obj = {"kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1", "metadata": meta, "addressType": "IPv4"}
    make(server, {**obj, "endpoints": endpoints, "ports": [port]}, generation=True)


def renew_master_lease(server: Server) -> None:
    """`/registry/masterleases/<address>`, a key that lives fifteen seconds unless it is written again."""
    address = server.config.advertise_address
    subset = {"addresses": [{"ip": address}]}
    obj = {"kind": "Endpoints", "apiVersion": "v1", "metadata": {"creationTimestamp": None}, "subsets": [subset]}
    lease = server.client.lease_grant(MASTER_LEASE)
    server.client.put(f"/registry/masterleases/{address}".encode(), orjson.dumps(obj), lease)


def leave_endpoints(server: Server) -> None:
    """A server that is asked to stop takes its address away first."""
    address = server.config.advertise_address
    server.client.delete(f"/registry/masterleases/{address}".encode())
    key = "/registry/endpointslices/default/kubernetes"
    found = server.storage.get(key.encode())
    if found is not None and len(found[0].get("endpoints") or ()) > 1:
        left = [one for one in found[0]["endpoints"] if address not in one["addresses"]]
        _replace(server, key, "endpoints", left)
        subsets = server.storage.get(b"/registry/services/endpoints/default/kubernetes")
        if subsets is not None:
            old = subsets[0]["subsets"][0]
            kept = [one for one in old["addresses"] if one["ip"] != address]
            _replace(server, "/registry/services/endpoints/default/kubernetes", "subsets", [{**old, "addresses": kept}])


def _replace(server: Server, key: str, field: str, value: Any) -> None:
    """Set a field of a stored object when it differs."""
    found = server.storage.get(key.encode())
    if found is None:
        return
    old, revision = found
    if old.get(field) != value:
        meta = {**old["metadata"]}
        if "generation" in meta:
            meta["generation"] += 1
        server.storage.update(key.encode(), {**old, "metadata": meta, field: value}, revision)


def _authentication(server: Server) -> None:
    if not _exists(server, "/registry/configmaps/kube-system/extension-apiserver-authentication"):
        data = {"client-ca-file": server.config.client_ca.decode("utf-8", "replace")}
        if server.config.front_proxy_ca:
            data |= {
                "requestheader-allowed-names": '["front-proxy-client"]',
                "requestheader-client-ca-file": server.config.front_proxy_ca.decode("utf-8", "replace"),
                "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
                "requestheader-group-headers": '["X-Remote-Group"]',
                "requestheader-username-headers": '["X-Remote-User"]',
            }
        meta = {"name": "extension-apiserver-authentication", "namespace": "kube-system"}
        make(server, {"kind": "ConfigMap", "apiVersion": "v1", "metadata": meta, "data": data})
    if not _exists(server, "/registry/configmaps/kube-system/kube-apiserver-legacy-service-account-token-tracking"):
        meta = {"name": "kube-apiserver-legacy-service-account-token-tracking", "namespace": "kube-system"}
        since = clock.rfc3339(server.world.wall)[:10]
        make(server, {"kind": "ConfigMap", "apiVersion": "v1", "metadata": meta, "data": {"since": since}})


def identity(server: Server) -> str:
    """The server's identity: `apiserver-` and a hash of its host name (`apiserver/pkg/server/config.go`)."""
    digest = hashlib.sha256(server.netns.encode()).digest()[:16]
    return "apiserver-" + base64.b32encode(digest).decode().rstrip("=").lower()


def _identity(server: Server) -> None:
    name = identity(server)
    now = clock.rfc3339_micro(server.world.wall)
    if not _exists(server, f"/registry/leases/kube-system/{name}"):
        labels = {"apiserver.kubernetes.io/identity": "kube-apiserver", "kubernetes.io/hostname": server.netns}
        spec = {
            "holderIdentity": f"{name}_{server.world.rng('apiserver/uids').uuid()}",
            "leaseDurationSeconds": 3600,
            "renewTime": now,
        }
        meta = {"name": name, "namespace": "kube-system", "labels": labels}
        make(server, {"kind": "Lease", "apiVersion": "coordination.k8s.io/v1", "metadata": meta, "spec": spec})


def renew(server: Server) -> None:
    """Renew the server's identity lease and its place among the endpoints, and make its Service again when somebody has deleted that
    (every 10 s); the namespaces that every cluster has, once a minute (kubernetesservice and systemnamespaces controllers)."""
    _service(server)
    if server.world.now % clock.MINUTE < 10 * clock.SECOND:
        _namespaces(server)
    name = identity(server)
    key = f"/registry/leases/kube-system/{name}".encode()
    found = server.storage.get(key)
    if found is None:
        _identity(server)
        return
    old, revision = found
    spec = {**old["spec"], "renewTime": clock.rfc3339_micro(server.world.wall)}
    server.storage.update(key, {**old, "spec": spec}, revision)
