"""The scheduler's picture of the cluster (pkg/scheduler/backend/cache): nodes with their pods, kept level by informers."""

from __future__ import annotations

from ..api.objects import Obj, key_of
from .framework import NodeInfo, PodInfo


class Cache:
    """Nodes in name order; pods of nodes that are not known (yet) wait in `homeless`."""

    def __init__(self) -> None:
        self.nodes: dict[str, NodeInfo] = {}
        self.homeless: dict[str, dict[str, PodInfo]] = {}
        self.node_of: dict[str, str] = {}

    def put_node(self, node: Obj) -> Obj | None:
        """Add or update a node; returns the version before."""
        name = node["metadata"]["name"]
        known = self.nodes.get(name)
        if known is not None:
            old = known.node
            known.set_node(node)
            return old
        info = NodeInfo(node)
        for pod in self.homeless.pop(name, {}).values():
            info.add(pod)
        self.nodes[name] = info
        self.nodes = {key: self.nodes[key] for key in sorted(self.nodes)}
        return None

    def drop_node(self, name: str) -> None:
        """A node has gone; its pods stay known until they are deleted."""
        info = self.nodes.pop(name, None)
        if info is not None and info.pods:
            self.homeless[name] = dict(info.pods)

    def put_pod(self, pod: Obj) -> PodInfo | None:
        """A pod is (or is assumed to be) on its node; returns what was known of it before."""
        key, name = key_of(pod), pod["spec"]["nodeName"]
        before = self.drop_pod(key)
        info = PodInfo(pod)
        self.node_of[key] = name
        node = self.nodes.get(name)
        if node is not None:
            node.add(info)
        else:
            self.homeless.setdefault(name, {})[key] = info
        return before

    def drop_pod(self, key: str) -> PodInfo | None:
        """A pod has left its node; returns what was known of it."""
        name = self.node_of.pop(key, None)
        if name is None:
            return None
        node = self.nodes.get(name)
        if node is not None:
            return node.remove(key)
        return self.homeless.get(name, {}).pop(key, None)
