"""Gives each node its pod network (pkg/controller/nodeipam/ipam/range_allocator.go), when `--allocate-node-cidrs` is set."""

from __future__ import annotations

import ipaddress

from ..api.objects import Obj
from .base import Controller


class NodeIpamController(Controller):
    """Keys are node names."""

    name = "node-ipam-controller"
    source = "cidrAllocator"
    resources = ("nodes",)

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A node without a pod network appeared."""
        if kind != "DELETED" and not obj["spec"].get("podCIDR"):
            self.enqueue(obj["metadata"]["name"])

    def sync(self, key: str) -> None:
        """Give one node the lowest free network."""
        if self.flags.get("allocate-node-cidrs", "false") != "true" or not self.flags.get("cluster-cidr"):
            return
        node = self.informer("nodes").get("", key)
        if node is None or node["spec"].get("podCIDR"):
            return
        try:
            cluster = ipaddress.ip_network(self.flags["cluster-cidr"].split(",")[0])
            bits = int(self.flags.get("node-cidr-mask-size", "24"))
            taken = {n["spec"].get("podCIDR") for n in self.informer("nodes").list()}
            free = next((str(net) for net in cluster.subnets(new_prefix=bits) if str(net) not in taken), "")
        except ValueError:
            return
        if not free:
            ref = {"apiVersion": "v1", "kind": "Node", "name": key, "uid": node["metadata"]["uid"]}
            self.event(ref, "Normal", "CIDRNotAvailable", f"Node {key} status is now: CIDRNotAvailable")
            return
        self.client.patch("nodes", "", key, {"spec": {"podCIDR": free, "podCIDRs": [free]}}, kind="strategic")
