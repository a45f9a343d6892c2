"""TaintToleration: NoSchedule and NoExecute taints reject, PreferNoSchedule taints cost points (plugins/tainttoleration)."""

from __future__ import annotations

from collections.abc import Iterable

from ...api.objects import Obj
from ..framework import Cycle, NodeInfo, Plugin, PodInfo, Verdict, default_normalize

REJECT = Verdict(("node(s) had untolerated taint(s)",), True, "TaintToleration")


def tolerates(toleration: Obj, taint: Obj) -> bool:
    """Whether one toleration covers one taint (Toleration.ToleratesTaint)."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Exists":
        return True
    if operator in ("Lt", "Gt"):
        return _compares(operator, taint.get("value") or "", toleration.get("value") or "")
    return (toleration.get("value") or "") == (taint.get("value") or "")


def _compares(operator: str, have: str, wanted: str) -> bool:
    if not have.lstrip("-").isdigit() or not wanted.lstrip("-").isdigit():
        return False
    return int(have) < int(wanted) if operator == "Lt" else int(have) > int(wanted)


def tolerated(taint: Obj, tolerations: Iterable[Obj]) -> bool:
    """Whether any toleration covers the taint."""
    return any(tolerates(item, taint) for item in tolerations)


def untolerated(taints: list[Obj], tolerations: list[Obj]) -> Obj | None:
    """The first taint that keeps the pod away, or None."""
    for taint in taints:
        if taint["effect"] != "PreferNoSchedule" and not tolerated(taint, tolerations):
            return taint
    return None


def filter_node(cycle: Cycle, node: NodeInfo) -> Verdict | None:
    """Reject a node with a taint that the pod does not tolerate."""
    if not node.taints:
        return None
    return REJECT if untolerated(node.taints, cycle.pod["spec"].get("tolerations") or []) is not None else None


def score(cycle: Cycle, node: NodeInfo) -> int:
    """How many PreferNoSchedule taints the pod does not tolerate."""
    if not node.taints:
        return 0
    mine = [t for t in cycle.pod["spec"].get("tolerations") or () if t.get("effect") in (None, "", "PreferNoSchedule")]
    return sum(1 for taint in node.taints if taint["effect"] == "PreferNoSchedule" and not tolerated(taint, mine))


def normalize(_cycle: Cycle, scores: dict[str, int]) -> None:
    """Fewer is better."""
    default_normalize(scores, reverse=True)


def hint(event: str, info: PodInfo, old: Obj | None, new: Obj | None) -> bool:
    """A node helps when its taints are tolerated now and were not before."""
    if new is None or not event.startswith("node"):
        return True
    tolerations = info.pod["spec"].get("tolerations") or []
    before = old is None or untolerated(old["spec"].get("taints") or [], tolerations) is not None
    return before and untolerated(new["spec"].get("taints") or [], tolerations) is None


PLUGIN = Plugin(
    name="TaintToleration",
    filter=filter_node,
    score=score,
    normalize=normalize,
    events=("node-add", "node-taint"),
    hint=hint,
    local=True,
)
