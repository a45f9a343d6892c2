"""The Node authoriser, simply: a kubelet may read what its own pods refer to (`plugin/pkg/auth/authorizer/node`).

What the role `system:node` would grant to every node is granted here to users `system:node:<name>` in group `system:nodes`;
secrets and configmaps are readable only when a pod bound to that node refers to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...etcd.errors import Compacted, EtcdError
from ...kernel.errors import ConnectError
from .bootstrap import policy
from .call import User

if TYPE_CHECKING:
    from .authz import Attributes
    from .server import Server
    from .storage import Storage

Obj = dict[str, Any]
PODS = b"/registry/pods/"
LEASES = "kube-node-lease"
READS = ("get", "list", "watch")
GUARDED = ("secrets", "configmaps", "persistentvolumeclaims", "persistentvolumes")
CLAIM_STATUS = ("persistentvolumeclaims", "status")  # written after a resize; the rules below say who may
VOLUMES = ("persistentvolumeclaims", "persistentvolumes")


def is_node(user: User) -> bool:
    """Whether this is a kubelet."""
    return user.name.startswith("system:node:") and "system:nodes" in user.groups


def allowed(server: Server, asked: Attributes) -> tuple[bool, str]:
    """(whether, why not) for a kubelet."""
    from .authz import rule_allows

    node = asked.user.name.removeprefix("system:node:")
    if asked.group == "" and asked.resource in GUARDED and (asked.resource, asked.subresource) != CLAIM_STATUS:
        return _guarded(server, node, asked)
    if asked.group == "coordination.k8s.io" and asked.resource == "leases":
        return _lease(node, asked)
    if asked.group == "" and asked.resource == "nodes" and not asked.subresource and asked.verb in READS:
        if asked.name == node:
            return True, ""
        what = f"'{asked.name}'" if asked.name else "all nodes"
        return False, f"node '{node}' cannot read {what}, only its own Node object"
    if asked.group == "" and asked.resource == "pods" and not asked.subresource and asked.verb in READS:
        return _pods(server, node, asked)
    if any(rule_allows(rule, asked) for rule in policy.NODE_RULES):
        return True, ""
    return False, ""


def _guarded(server: Server, node: str, asked: Attributes) -> tuple[bool, str]:
    """What a kubelet reads because a pod refers to it: secrets and configmaps by any read of one name, volumes by `get` alone."""
    single = asked.resource in VOLUMES
    if asked.verb not in (("get",) if single else READS):
        return False, "can only get individual resources of this type" if single else "can only read resources of this type"
    if asked.subresource:
        return False, f"cannot {'get' if single else 'read'} subresource"
    if not single and not asked.namespace:
        return False, "can only read namespaced object of this type"
    if not asked.name:
        return False, "No Object name found"
    if refers(server, node, asked):
        return True, ""
    return False, f"no relationship found between node '{node}' and this object"


def _lease(node: str, asked: Attributes) -> tuple[bool, str]:
    if asked.verb not in ("get", "create", "update", "patch", "delete"):
        return False, "can only get, create, update, patch, or delete a node lease"
    if asked.namespace != LEASES:
        return False, f'can only access leases in the "{LEASES}" system namespace'
    if asked.verb != "create" and asked.name != node:
        return False, "can only access node lease with the same name as the requesting node"
    return True, ""


def _pods(server: Server, node: str, asked: Attributes) -> tuple[bool, str]:
    """A kubelet reads the pods of its own node only (AuthorizeNodeWithSelectors, stable since v1.34)."""
    if any(term.equal and term.field == "spec.nodeName" and term.value == node for term in asked.fields):
        return True, ""
    if not asked.name:
        return False, "can only list/watch pods with spec.nodeName field selector"
    held = server.storage.get(f"/registry/pods/{asked.namespace}/{asked.name}".encode())
    if held is None or held[0]["spec"].get("nodeName") == node:
        return True, ""  # of one that is not there a kubelet hears 404, so that it makes its mirror pods
    return False, f"no relationship found between node '{node}' and this object"


def refers(server: Server, node: str, asked: Attributes) -> bool:
    """Whether a pod on the node refers to the object."""
    namespace, resource, name = asked.namespace, asked.resource, asked.name
    if resource == "persistentvolumes":  # a volume through the claim that it is bound to
        held = server.storage.get(f"/registry/persistentvolumes/{name}".encode())
        ref = held[0]["spec"].get("claimRef") if held is not None else None
        if not ref:
            return False
        namespace, resource, name = ref["namespace"], "persistentvolumeclaims", ref["name"]
    wanted = (resource, name)
    return any(p["metadata"]["namespace"] == namespace and wanted in references(p) for p in server.pods_by_node.of(node))


class PodsByNode:
    """The pods of each node, brought up to date by what changed since it was last asked: the authoriser's graph."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.since = 0
        self.nodes: dict[str, dict[bytes, Obj]] = {}
        self.node_of: dict[bytes, str] = {}

    def of(self, node: str) -> list[Obj]:
        """The pods that are bound to a node."""
        if self.since:
            try:
                changes = self.storage.events(PODS, self.since)
            except (Compacted, EtcdError, ConnectError):
                self.since = 0
            else:
                for event in changes:
                    self._put(event.kv.key, None if event.type == "DELETE" else self.storage.decode(event.kv))
                    self.since = event.kv.mod_revision
        if not self.since:
            found, revision = self.storage.known(PODS)
            self.nodes, self.node_of, self.since = {}, {}, revision
            for pod in found:
                meta = pod["metadata"]
                self._put(PODS + f"{meta['namespace']}/{meta['name']}".encode(), pod)
        return list(self.nodes.get(node, {}).values())

    def _put(self, key: bytes, pod: Obj | None) -> None:
        before = self.node_of.pop(key, None)
        if before is not None:
            self.nodes[before].pop(key, None)
        name = (pod or {}).get("spec", {}).get("nodeName")
        if pod is not None and name:
            self.node_of[key] = name
            self.nodes.setdefault(name, {})[key] = pod


def references(pod: Obj) -> set[tuple[str, str]]:
    """The secrets, configmaps and claims that a pod refers to (`pkg/api/v1/pod/util.go`: Visit…)."""
    out: set[tuple[str, str]] = set()
    spec = pod["spec"]
    for item in spec.get("imagePullSecrets") or ():
        out.add(("secrets", item.get("name", "")))
    for container in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
        for source in container.get("envFrom") or ():
            _add(out, source.get("configMapRef"), source.get("secretRef"))
        for env in container.get("env") or ():
            found = env.get("valueFrom") or {}
            _add(out, found.get("configMapKeyRef"), found.get("secretKeyRef"))
    for volume in spec.get("volumes") or ():
        if volume.get("secret"):
            out.add(("secrets", volume["secret"].get("secretName", "")))
        if volume.get("persistentVolumeClaim"):
            out.add(("persistentvolumeclaims", volume["persistentVolumeClaim"].get("claimName", "")))
        _add(out, volume.get("configMap"), None)
        for source in (volume.get("projected") or {}).get("sources") or ():
            _add(out, source.get("configMap"), source.get("secret"))
    return out


def _add(out: set[tuple[str, str]], config_map: Obj | None, secret: Obj | None) -> None:
    if config_map:
        out.add(("configmaps", config_map.get("name", "")))
    if secret:
        out.add(("secrets", secret.get("name", "")))
