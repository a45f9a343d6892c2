"""NodeName: a pod that names its node goes there or nowhere (plugins/nodename)."""

from __future__ import annotations

from ..framework import Cycle, NodeInfo, Plugin, Verdict

REJECT = Verdict(("node(s) didn't match the requested node name",), True, "NodeName")


def filter_node(cycle: Cycle, node: NodeInfo) -> Verdict | None:
    """Reject every node but the named one."""
    wanted = cycle.pod["spec"].get("nodeName")
    return REJECT if wanted and wanted != node.name else None


PLUGIN = Plugin(name="NodeName", filter=filter_node, events=("node-add",), local=True)
