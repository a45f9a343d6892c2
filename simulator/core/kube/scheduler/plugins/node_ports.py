"""NodePorts: two pods of a node cannot hold the same host port (plugins/nodeports)."""

from __future__ import annotations

from typing import Any

from ...api.objects import Obj
from ..framework import SKIP, Cycle, NodeInfo, Plugin, PodInfo, Verdict, host_ports

REJECT = Verdict(("node(s) didn't have free ports for the requested pod ports",), False, "NodePorts")


def pre_filter(cycle: Cycle) -> Any:
    """Skip without host ports."""
    return None if cycle.info.ports else SKIP


def filter_node(cycle: Cycle, node: NodeInfo) -> Verdict | None:
    """Reject a node where one of the ports is taken."""
    return REJECT if any(clash(cycle.info.ports, other.ports) for other in node.pods.values() if other.ports) else None


def clash(mine: list[tuple[str, str, int]], theirs: list[tuple[str, str, int]]) -> bool:
    """Whether two pods want a port of the same protocol on the same address, or on all of them."""
    for address, protocol, port in theirs:
        for here, wanted_protocol, wanted in mine:
            if port == wanted and protocol == wanted_protocol and (address == here or "0.0.0.0" in (address, here)):
                return True
    return False


def hint(event: str, info: PodInfo, old: Obj | None, _new: Obj | None) -> bool:
    """A pod that goes matters when it had a node and held one of the ports (isSchedulableAfterPodDeleted)."""
    if event != "pod-delete" or old is None:
        return True
    return bool(old["spec"].get("nodeName")) and clash(info.ports, host_ports(old))


PLUGIN = Plugin(
    name="NodePorts", pre_filter=pre_filter, filter=filter_node, events=("node-add", "pod-delete"), hint=hint, local=True
)
