"""PodTopologySpread: keep a set of pods spread over zones, hosts, … (plugins/podtopologyspread).

`DoNotSchedule` constraints filter by skew; `ScheduleAnyway` ones score.  A pod without constraints whose Service or owner selects
it gets the default soft ones (hosts, zones), which is why the replicas of a Deployment spread over nodes.
"""

from __future__ import annotations

import math
from typing import Any

from ...api.objects import Obj, controller_of
from ..framework import MAX_SCORE, SKIP, Cycle, NodeInfo, Plugin, PodInfo, Verdict
from . import node_affinity
from .taint_toleration import untolerated

NAME = "PodTopologySpread"
NO_LABEL = Verdict(("node(s) didn't match pod topology spread constraints (missing required label)",), True, NAME)
SKEWED = Verdict(("node(s) didn't match pod topology spread constraints",), False, NAME)
HOST, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
Selector = tuple[tuple[str, str, tuple[str, ...]], ...]


def selector_of(selector: Obj | None) -> Selector | None:
    """A label selector as hashable terms; None selects nothing."""
    if selector is None:
        return None
    terms = [(key, "In", (value,)) for key, value in sorted((selector.get("matchLabels") or {}).items())]
    terms += [(e["key"], e["operator"], tuple(e.get("values") or ())) for e in selector.get("matchExpressions") or ()]
    return tuple(terms)


def matches(selector: Selector | None, labels: dict[str, str]) -> bool:
    """Whether labels satisfy the terms."""
    if selector is None:
        return False
    for key, operator, values in selector:
        have = labels.get(key)
        if operator == "In":
            good = have is not None and have in values
        elif operator == "NotIn":
            good = have is None or have not in values
        elif operator == "Exists":
            good = have is not None
        else:
            good = have is None
        if not good:
            return False
    return True


class Constraint:
    """One spread constraint, parsed."""

    __slots__ = ("affinity_policy", "key", "max_skew", "min_domains", "selector", "taints_policy")

    def __init__(self, item: Obj, labels: dict[str, str]) -> None:
        self.key: str = item["topologyKey"]
        self.max_skew: int = item["maxSkew"]
        self.min_domains: int = item.get("minDomains") or 1
        self.affinity_policy: str = item.get("nodeAffinityPolicy") or "Honor"
        self.taints_policy: str = item.get("nodeTaintsPolicy") or "Ignore"
        terms = selector_of(item.get("labelSelector"))
        keys = item.get("matchLabelKeys") or ()
        if terms is not None and keys:
            terms += tuple((key, "In", (labels[key],)) for key in keys if key in labels)
        self.selector = terms

    def counts_node(self, cycle: Cycle, node: NodeInfo) -> bool:
        """Whether the node takes part (node inclusion policies)."""
        if self.affinity_policy == "Honor" and not node_affinity.required(cycle.pod, node.name, node.labels):
            return False
        if self.taints_policy == "Honor":
            return untolerated(node.taints, cycle.pod["spec"].get("tolerations") or []) is None
        return True


def constraints_of(cycle: Cycle, when: str) -> list[Constraint]:
    """The pod's constraints of a kind."""
    items = cycle.pod["spec"].get("topologySpreadConstraints") or ()
    return [Constraint(item, cycle.info.labels) for item in items if item["whenUnsatisfiable"] == when]


def default_selector(cycle: Cycle) -> Selector:
    """What selects this pod: its Services' selectors and its ReplicaSet's or StatefulSet's (helper.DefaultSelector)."""
    terms: list[tuple[str, str, tuple[str, ...]]] = []
    for service in cycle.lister.objects("services", cycle.info.namespace):
        selector = service["spec"].get("selector")
        if selector and all(cycle.info.labels.get(k) == v for k, v in selector.items()):
            terms += [(key, "In", (value,)) for key, value in sorted(selector.items())]
    owner = controller_of(cycle.pod)
    kinds = {"ReplicaSet": "replicasets", "StatefulSet": "statefulsets"}
    if owner is not None and owner["kind"] in kinds:
        found = cycle.lister.get(kinds[owner["kind"]], cycle.info.namespace, owner["name"])
        if found is not None:
            terms += selector_of(found["spec"].get("selector")) or ()
    return tuple(terms)


def count_pods(node: NodeInfo, namespace: str, selector: Selector | None) -> int:
    """Pods of the node that the selector takes; remembered until the node's pods change."""
    key = (namespace, selector)
    found = node.counts.get(key)
    if found is None:
        found = 0
        for info in node.pods.values():
            if (
                info.namespace == namespace
                and matches(selector, info.labels)
                and not info.pod["metadata"].get("deletionTimestamp")
            ):
                found += 1
        node.counts[key] = found
    return found


def pre_filter(cycle: Cycle) -> Any:
    """Count matching pods in each topology domain."""
    constraints = constraints_of(cycle, "DoNotSchedule")
    if not constraints:
        return SKIP
    counts: list[dict[str, int]] = [{} for _ in constraints]
    for node in cycle.nodes.values():
        if any(c.key not in node.labels for c in constraints):
            continue
        for index, c in enumerate(constraints):
            if c.counts_node(cycle, node):
                value = node.labels[c.key]
                counts[index][value] = counts[index].get(value, 0) + count_pods(node, cycle.info.namespace, c.selector)
    cycle.data[NAME] = (constraints, counts)
    return None


def filter_node(cycle: Cycle, node: NodeInfo) -> Verdict | None:
    """Reject a node whose domain would be too far ahead of the emptiest."""
    constraints, counts = cycle.data[NAME]
    for index, c in enumerate(constraints):
        value = node.labels.get(c.key)
        if value is None:
            return NO_LABEL
        least = 0 if len(counts[index]) < c.min_domains else min(counts[index].values(), default=0)
        mine = 1 if matches(c.selector, cycle.info.labels) else 0
        if counts[index].get(value, 0) + mine - least > c.max_skew:
            return SKEWED
    return None


def pre_score(cycle: Cycle, nodes: list[NodeInfo]) -> Any:
    """Prepare counts and weights of the soft constraints."""
    explicit = bool(cycle.pod["spec"].get("topologySpreadConstraints"))
    if explicit:
        constraints = constraints_of(cycle, "ScheduleAnyway")
    else:
        selector = default_selector(cycle)
        defaults = ({"maxSkew": 3, "topologyKey": HOST}, {"maxSkew": 5, "topologyKey": ZONE}) if selector else ()
        constraints = [Constraint(item, {}) for item in defaults]
        for c in constraints:
            c.selector = selector
    if not constraints:
        return SKIP
    ignored = {n.name for n in nodes if explicit and any(c.key not in n.labels for c in constraints)}
    counts: list[dict[str, int]] = []
    weights: list[float] = []
    for c in constraints:
        domains = {} if c.key == HOST else {n.labels.get(c.key, ""): 0 for n in nodes if n.name not in ignored}
        size = len(nodes) - len(ignored) if c.key == HOST else len(domains)
        weights.append(math.log(size + 2))
        if domains:
            for node in cycle.nodes.values():
                value = node.labels.get(c.key, "")
                missing = explicit and any(other.key not in node.labels for other in constraints)
                if value in domains and not missing and c.counts_node(cycle, node):
                    domains[value] += count_pods(node, cycle.info.namespace, c.selector)
        counts.append(domains)
    cycle.data[NAME + "/score"] = (constraints, counts, weights, ignored)
    return None


def score(cycle: Cycle, node: NodeInfo) -> int:
    """How full the node's domains are, weighted by how many domains there are."""
    constraints, counts, weights, ignored = cycle.data[NAME + "/score"]
    if node.name in ignored:
        return 0
    total = 0.0
    for c, domains, weight in zip(constraints, counts, weights, strict=True):
        value = node.labels.get(c.key)
        if value is not None:
            held = count_pods(node, cycle.info.namespace, c.selector) if c.key == HOST else domains.get(value, 0)
            total += held * weight + (c.max_skew - 1)
    return int(total + 0.5)


def normalize(cycle: Cycle, scores: dict[str, int]) -> None:
    """The emptier the better; nodes without the labels get nothing."""
    ignored = cycle.data[NAME + "/score"][3]
    counted = [value for name, value in scores.items() if name not in ignored]
    low, high = min(counted, default=0), max(counted, default=0)
    for name, value in scores.items():
        if name in ignored:
            scores[name] = 0
        else:
            scores[name] = MAX_SCORE if high == 0 else MAX_SCORE * (high + low - value) // high


def hint(event: str, info: PodInfo, old: Obj | None, new: Obj | None) -> bool:
    """Pods matter when a constraint selects them, nodes when they have the labels."""
    items = [i for i in info.pod["spec"].get("topologySpreadConstraints") or () if i["whenUnsatisfiable"] == "DoNotSchedule"]
    obj = new or old
    if obj is None:
        return True
    labels = obj["metadata"].get("labels") or {}
    if event.startswith("pod"):
        same = obj["metadata"].get("namespace") == info.namespace
        return same and any(matches(Constraint(i, info.labels).selector, labels) for i in items)
    return all(item["topologyKey"] in labels for item in items)


PLUGIN = Plugin(
    name=NAME,
    pre_filter=pre_filter,
    filter=filter_node,
    pre_score=pre_score,
    score=score,
    normalize=normalize,
    events=("node-add", "node-label", "node-delete", "node-taint", "pod-add", "pod-delete", "pod-label"),
    hint=hint,
)
