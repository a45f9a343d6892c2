"""NodeUnschedulable: cordoned nodes take only pods that tolerate it (plugins/nodeunschedulable)."""

from __future__ import annotations

from ..framework import Cycle, NodeInfo, Plugin, Verdict
from .taint_toleration import tolerated

REJECT = Verdict(("node(s) were unschedulable",), True, "NodeUnschedulable")
TAINT = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def filter_node(cycle: Cycle, node: NodeInfo) -> Verdict | None:
    """Reject a node with `spec.unschedulable`."""
    if not node.node["spec"].get("unschedulable") or tolerated(TAINT, cycle.pod["spec"].get("tolerations") or ()):
        return None
    return REJECT


PLUGIN = Plugin(name="NodeUnschedulable", filter=filter_node, events=("node-add", "node-taint"))
