"""NodeAffinity: nodeSelector and node affinity (plugins/nodeaffinity, component-helpers/scheduling/corev1/nodeaffinity)."""

from __future__ import annotations

from typing import Any

from ...api.objects import Obj
from ..framework import SKIP, Cycle, NodeInfo, Plugin, PodInfo, Verdict, default_normalize

REJECT = Verdict(("node(s) didn't match Pod's node affinity/selector",), True, "NodeAffinity")


def requirement(item: Obj, values: dict[str, str]) -> bool:
    """One requirement of a node selector term against labels or fields."""
    key, operator, wanted = item["key"], item["operator"], item.get("values") or []
    have = values.get(key)
    if operator == "In":
        return have is not None and have in wanted
    if operator == "NotIn":
        return have is None or have not in wanted
    if operator == "Exists":
        return have is not None
    if operator == "DoesNotExist":
        return have is None
    if have is None or not have.lstrip("+-").isdigit() or not wanted or not str(wanted[0]).lstrip("+-").isdigit():
        return False
    return int(have) > int(wanted[0]) if operator == "Gt" else int(have) < int(wanted[0])


def term(item: Obj, node_name: str, labels: dict[str, str]) -> bool:
    """One node selector term; an empty one matches nothing."""
    expressions, fields = item.get("matchExpressions") or (), item.get("matchFields") or ()
    if not expressions and not fields:
        return False
    return all(requirement(e, labels) for e in expressions) and all(requirement(f, {"metadata.name": node_name}) for f in fields)


def required(pod: Obj, node_name: str, labels: dict[str, str]) -> bool:
    """Whether a node is allowed by nodeSelector and required affinity (GetRequiredNodeAffinity.Match)."""
    spec = pod["spec"]
    for key, value in (spec.get("nodeSelector") or {}).items():
        if labels.get(key) != value:
            return False
    wanted = _required_terms(spec)
    return wanted is None or any(term(item, node_name, labels) for item in wanted)


def _required_terms(spec: Obj) -> list[Obj] | None:
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    selector = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return None if selector is None else (selector.get("nodeSelectorTerms") or [])


def preferred_terms(spec: Obj) -> list[Obj]:
    """The weighted terms."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    return affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or []


def pre_filter(cycle: Cycle) -> Any:
    """Skip without demands; terms that all name nodes narrow the search (how DaemonSet pods find theirs)."""
    spec = cycle.pod["spec"]
    terms = _required_terms(spec)
    if terms is None:
        return None if spec.get("nodeSelector") else SKIP
    names: set[str] = set()
    for item in terms:
        by_name = [f for f in item.get("matchFields") or () if f["key"] == "metadata.name" and f["operator"] == "In"]
        if not by_name:
            return None
        found = set(by_name[0].get("values") or ())
        for other in by_name[1:]:
            found &= set(other.get("values") or ())
        names |= found
    return names if terms else None


def filter_node(cycle: Cycle, node: NodeInfo) -> Verdict | None:
    """Reject a node that the pod does not want."""
    return None if required(cycle.pod, node.name, node.labels) else REJECT


def pre_score(cycle: Cycle, _nodes: list[NodeInfo]) -> Any:
    """Skip without preferences."""
    return None if preferred_terms(cycle.pod["spec"]) else SKIP


def score(cycle: Cycle, node: NodeInfo) -> int:
    """The sum of the weights of matching preferences."""
    total = 0
    for item in preferred_terms(cycle.pod["spec"]):
        preference = item["preference"]
        empty = not preference.get("matchExpressions") and not preference.get("matchFields")
        if empty or term(preference, node.name, node.labels):
            total += int(item["weight"])
    return total


def normalize(_cycle: Cycle, scores: dict[str, int]) -> None:
    """More is better."""
    default_normalize(scores, reverse=False)


def hint(event: str, info: PodInfo, old: Obj | None, new: Obj | None) -> bool:
    """A node helps when it matches now and did not before."""
    if new is None or not event.startswith("node"):
        return True

    def fits(node: Obj) -> bool:
        return required(info.pod, node["metadata"]["name"], node["metadata"].get("labels") or {})

    return fits(new) and (old is None or not fits(old))


PLUGIN = Plugin(
    name="NodeAffinity",
    pre_filter=pre_filter,
    filter=filter_node,
    pre_score=pre_score,
    score=score,
    normalize=normalize,
    events=("node-add", "node-label"),
    hint=hint,
)
