"""NodeUnschedulable: cordoned nodes take only pods that tolerate it (plugins/nodeunschedulable)."""

from __future__ import annotations

from ...api.objects import Obj
from ..framework import Cycle, NodeInfo, Plugin, PodInfo, Verdict
from .taint_toleration import tolerated

REJECT = Verdict(("node(s) were unschedulable",), True, "NodeUnschedulable")
TAINT = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def filter_node(cycle: Cycle, node: NodeInfo) -> Verdict | None:
    """Reject a node with `spec.unschedulable`."""
    if not node.node["spec"].get("unschedulable") or tolerated(TAINT, cycle.pod["spec"].get("tolerations") or ()):
        return None
    return REJECT


def hint(event: str, info: PodInfo, old: Obj | None, new: Obj | None) -> bool:
    """A node matters when it takes pods now and did not; a toleration that came matters when it is the one."""
    if event.startswith("pod"):
        return new is not None and tolerated(TAINT, new["spec"].get("tolerations") or ())
    if new is None or new["spec"].get("unschedulable"):
        return False
    return old is None or bool(old["spec"].get("unschedulable"))


PLUGIN = Plugin(name="NodeUnschedulable", filter=filter_node, events=("node-add", "node-taint"), hint=hint, local=True)
