"""SchedulingGates: a gated pod does not even enter the queue (plugins/schedulinggates)."""

from __future__ import annotations

from ...api.objects import Obj
from ..framework import Plugin, Verdict


def pre_enqueue(pod: Obj) -> Verdict | None:
    """Hold a pod back while `spec.schedulingGates` has entries."""
    gates = pod["spec"].get("schedulingGates") or []
    if not gates:
        return None
    names = " ".join(gate["name"] for gate in gates)
    return Verdict((f"waiting for scheduling gates: [{names}]",), True, "SchedulingGates")


PLUGIN = Plugin(name="SchedulingGates", pre_enqueue=pre_enqueue)
