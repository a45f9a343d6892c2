"""NodePorts: two pods of a node cannot hold the same host port (plugins/nodeports)."""

from __future__ import annotations

from typing import Any

from ..framework import SKIP, Cycle, NodeInfo, Plugin, Verdict

REJECT = Verdict(("node(s) didn't have free ports for the requested pod ports",), False, "NodePorts")


def pre_filter(cycle: Cycle) -> Any:
    """Skip without host ports."""
    return None if cycle.info.ports else SKIP


def filter_node(cycle: Cycle, node: NodeInfo) -> Verdict | None:
    """Reject a node where one of the ports is taken."""
    for other in node.pods.values():
        for address, protocol, port in other.ports:
            for mine, wanted_protocol, wanted in cycle.info.ports:
                if port == wanted and protocol == wanted_protocol and (address == mine or "0.0.0.0" in (address, mine)):
                    return REJECT
    return None


PLUGIN = Plugin(name="NodePorts", pre_filter=pre_filter, filter=filter_node, events=("node-add", "pod-delete"))
