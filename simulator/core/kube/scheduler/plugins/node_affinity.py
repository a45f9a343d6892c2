"""NodeAffinity: nodeSelector and node affinity (plugins/nodeaffinity, component-helpers/scheduling/corev1/nodeaffinity)."""

from __future__ import annotations

from typing import Any

from ...api.objects import Obj
from ..framework import SKIP, Cycle, NodeInfo, Plugin, PodInfo, Verdict, default_normalize

NAME = "NodeAffinity"
REJECT = Verdict(("node(s) didn't match Pod's node affinity/selector",), True, NAME)
ENFORCED = Verdict(("node(s) didn't match scheduler-enforced node affinity",), True, NAME)
CONFLICT = Verdict(("pod affinity terms conflict",), True, NAME)
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


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
    selector = affinity.get(REQUIRED)
    return None if selector is None else (selector.get("nodeSelectorTerms") or [])


def preferred_terms(spec: Obj) -> list[Obj]:
    """The weighted terms."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    return affinity.get(PREFERRED) or []


def named(terms: list[Obj]) -> set[str] | None:
    """The only nodes that the terms allow by name, or None when a term does not name nodes (how DaemonSet pods find theirs)."""
    names: set[str] = set()
    for item in terms:
        by_name = [f for f in item.get("matchFields") or () if f["key"] == "metadata.name" and f["operator"] == "In"]
        if not by_name:
            return None
        found = set(by_name[0].get("values") or ())
        for other in by_name[1:]:
            found &= set(other.get("values") or ())
        names |= found
    return names


def weigh(terms: list[Obj], node: NodeInfo) -> int:
    """The sum of the weights of the preferences that a node meets; an empty one counts nothing."""
    return sum(int(item["weight"]) for item in terms if term(item["preference"], node.name, node.labels))


def normalize(_cycle: Cycle, scores: dict[str, int]) -> None:
    """More is better."""
    default_normalize(scores, reverse=False)


def plugin(args: Obj) -> Plugin:
    """NodeAffinity with its argument `addedAffinity`, which every pod of the profile has to meet as well."""
    added = args.get("addedAffinity") or {}
    added_terms = None if added.get(REQUIRED) is None else (added[REQUIRED].get("nodeSelectorTerms") or [])
    added_preferred = added.get(PREFERRED) or []

    def enforced(name: str, labels: dict[str, str]) -> bool:
        return added_terms is None or any(term(item, name, labels) for item in added_terms)

    def pre_filter(cycle: Cycle) -> Any:
        """Skip without demands; terms that all name nodes narrow the search."""
        terms = _required_terms(cycle.pod["spec"])
        if terms is None and added_terms is None and not cycle.pod["spec"].get("nodeSelector"):
            return SKIP
        names = named(terms) if terms else None
        return CONFLICT if names is not None and not names else names

    def filter_node(cycle: Cycle, node: NodeInfo) -> Verdict | None:
        """Reject a node that the profile or the pod does not want."""
        if not enforced(node.name, node.labels):
            return ENFORCED
        return None if required(cycle.pod, node.name, node.labels) else REJECT

    def pre_score(cycle: Cycle, _nodes: list[NodeInfo]) -> Any:
        """Skip without preferences."""
        return None if added_preferred or preferred_terms(cycle.pod["spec"]) else SKIP

    def score(cycle: Cycle, node: NodeInfo) -> int:
        """The sum of the weights of matching preferences."""
        return weigh(added_preferred, node) + weigh(preferred_terms(cycle.pod["spec"]), node)

    def hint(event: str, info: PodInfo, old: Obj | None, new: Obj | None) -> bool:
        """A node helps when it matches now and did not before."""
        if new is None or not event.startswith("node"):
            return True

        def fits(node: Obj) -> bool:
            name, labels = node["metadata"].get("name") or "", node["metadata"].get("labels") or {}
            return enforced(name, labels) and required(info.pod, name, labels)

        return fits(new) and (old is None or not fits(old))

    return Plugin(
        name=NAME,
        pre_filter=pre_filter,
        filter=filter_node,
        pre_score=pre_score,
        score=score,
        normalize=normalize,
        events=("node-add", "node-label"),
        hint=hint,
        local=True,
    )


PLUGIN = plugin({})
