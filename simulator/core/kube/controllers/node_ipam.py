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
        """A node without a pod network appeared, or one went and gives its network back."""
        if kind == "DELETED":
            self.memory.pop(obj["metadata"]["name"], None)
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
            bits = int(self.flags.get("node-cidr-mask-size") or self.flags.get("node-cidr-mask-size-ipv4") or "24")
            # what was given in this round is not in the informer yet, so it is remembered, as the real allocator's set does
            taken = {n["spec"].get("podCIDR") for n in self.informer("nodes").list()} | set(self.memory.values())
            free = next((str(net) for net in cluster.subnets(new_prefix=bits) if str(net) not in taken), "")
        except ValueError:
            return
        if not free:
            ref = {"apiVersion": "v1", "kind": "Node", "name": key, "uid": node["metadata"]["uid"]}
            self.event(ref, "Normal", "CIDRNotAvailable", f"Node {key} status is now: CIDRNotAvailable")
            return
        self.memory[key] = free
        self.client.patch("nodes", "", key, {"spec": {"podCIDR": free, "podCIDRs": [free]}}, kind="strategic")
