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


#: The constraints of a profile that names none (systemDefaultConstraints).
SYSTEM: tuple[Obj, ...] = (
    {"maxSkew": 3, "topologyKey": HOST, "whenUnsatisfiable": "ScheduleAnyway"},
    {"maxSkew": 5, "topologyKey": ZONE, "whenUnsatisfiable": "ScheduleAnyway"},
)


def constraints_of(pod: Obj, labels: dict[str, str], when: str) -> list[Constraint]:
    """The pod's own constraints of a kind."""
    items = pod["spec"].get("topologySpreadConstraints") or ()
    return [Constraint(item, labels) for item in items if item["whenUnsatisfiable"] == when]


def defaulted(cycle: Cycle, defaults: tuple[Obj, ...], when: str) -> list[Constraint]:
    """The profile's constraints of a kind, about whatever selects the pod (buildDefaultConstraints)."""
    items = [item for item in defaults if item["whenUnsatisfiable"] == when]
    selector = default_selector(cycle) if items else ()
    if not selector:
        return []
    found = [Constraint(item, {}) for item in items]
    for constraint in found:
        constraint.selector = selector
    return found


def default_selector(cycle: Cycle) -> Selector:
    """What selects this pod: its Services' selectors and its ReplicaSet's or StatefulSet's (helper.DefaultSelector)."""
    terms: list[tuple[str, str, tuple[str, ...]]] = []
    for service in cycle.lister.objects("services", cycle.info.namespace):
        selector = service["spec"].get("selector")
        if selector and all(cycle.info.labels.get(k) == v for k, v in selector.items()):
            terms += [(key, "In", (value,)) for key, value in sorted(selector.items())]
    owner = controller_of(cycle.pod)
    kinds = {"ReplicaSet": "replicasets", "StatefulSet": "statefulsets", "ReplicationController": "replicationcontrollers"}
    if owner is not None and owner["kind"] in kinds:
        found = cycle.lister.get(kinds[owner["kind"]], cycle.info.namespace, owner["name"])
        selector = ((found or {}).get("spec") or {}).get("selector")
        if selector is not None:
            terms += selector_of({"matchLabels": selector} if owner["kind"] == "ReplicationController" else selector) or ()
    return tuple(terms)


def count_pods(node: NodeInfo, namespace: str, selector: Selector | None) -> int:
    """Pods of the node that the selector takes; remembered until the node's pods change."""
    if not selector:  # one that takes everything counts nothing (labels.Selector.Empty)
        return 0
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


def count(cycle: Cycle, constraints: list[Constraint]) -> None:
    """Count matching pods in each topology domain."""
    counts: list[dict[str, int]] = [{} for _ in constraints]
    for node in cycle.nodes.values():
        if any(c.key not in node.labels for c in constraints):
            continue
        for index, c in enumerate(constraints):
            if c.counts_node(cycle, node):
                value = node.labels[c.key]
                counts[index][value] = counts[index].get(value, 0) + count_pods(node, cycle.info.namespace, c.selector)
    cycle.data[NAME] = (constraints, counts)


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


def weigh(cycle: Cycle, nodes: list[NodeInfo], constraints: list[Constraint], *, explicit: bool) -> Any:
    """Prepare counts and weights of soft constraints; `explicit` ones need every topology label on a node."""
    if not constraints:
        return SKIP
    ignored = {n.name for n in nodes if explicit and any(c.key not in n.labels for c in constraints)}
    counts: list[dict[str, int]] = []
    weights: list[float] = []
    for c in constraints:
        domains = {} if c.key == HOST else {n.labels.get(c.key, ""): 0 for n in nodes if n.name not in ignored}
        size = len(nodes) - len(ignored) if c.key == HOST else len(domains)
        weights.append(math.log(size + 2))
        if any(domains):  # without a labelled node there is nothing to count
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


def _has_keys(obj: Obj | None, constraints: list[Constraint]) -> bool:
    labels = ((obj or {}).get("metadata") or {}).get("labels") or {}
    return all(c.key in labels for c in constraints)


def _node_hint(constraints: list[Constraint], old: Obj | None, new: Obj | None) -> bool:
    """A node matters when it has the topology labels, or had them (isSchedulableAfterNodeChange)."""
    if old is None or new is None:
        return _has_keys(new or old, constraints)
    had, has = _has_keys(old, constraints), _has_keys(new, constraints)
    if had != has:
        return True
    before, after = (o["metadata"].get("labels") or {} for o in (old, new))
    moved = any(before.get(c.key) != after.get(c.key) for c in constraints)
    return has and (moved or (old["spec"].get("taints") or []) != (new["spec"].get("taints") or []))


def _pod_hint(info: PodInfo, constraints: list[Constraint], old: Obj | None, new: Obj | None) -> bool:
    """A pod matters when a constraint counts it now and did not, or the other way round (isSchedulableAfterPodChange)."""

    def involved(pod: Obj | None) -> bool:
        if pod is None or pod["metadata"].get("uid") == info.uid:
            return True
        placed = pod["spec"].get("nodeName") or (pod.get("status") or {}).get("nominatedNodeName")
        return bool(placed) and pod["metadata"].get("namespace") == info.namespace

    if not involved(old) or not involved(new):
        return False
    if old is not None and new is not None:
        mine = new["metadata"].get("uid") == info.uid
        if mine and old["spec"].get("tolerations") != new["spec"].get("tolerations"):
            return any(c.taints_policy == "Honor" for c in constraints)
        before, after = (o["metadata"].get("labels") or {} for o in (old, new))
        return any(matches(c.selector, before) != matches(c.selector, after) for c in constraints)
    labels = (new or old or {})["metadata"].get("labels") or {}
    return any(matches(c.selector, labels) for c in constraints)


def hint(event: str, info: PodInfo, old: Obj | None, new: Obj | None) -> bool:
    """Pods matter when a constraint selects them, nodes when they have the labels."""
    constraints = constraints_of(info.pod, info.labels, "DoNotSchedule")
    if event.startswith("node"):
        return _node_hint(constraints, old, new)
    return _pod_hint(info, constraints, old, new)


def plugin(args: Obj) -> Plugin:
    """PodTopologySpread with its arguments `defaultConstraints` and `defaultingType`."""
    own = tuple(args.get("defaultConstraints") or ())
    system = (args.get("defaultingType") or ("List" if own else "System")) == "System"
    defaults = SYSTEM if system else own

    def found(cycle: Cycle, when: str) -> list[Constraint]:
        if cycle.pod["spec"].get("topologySpreadConstraints"):
            return constraints_of(cycle.pod, cycle.info.labels, when)
        return defaulted(cycle, defaults, when)

    def pre_filter(cycle: Cycle) -> Any:
        """Skip without hard constraints."""
        constraints = found(cycle, "DoNotSchedule")
        if not constraints:
            return SKIP
        count(cycle, constraints)
        return None

    def pre_score(cycle: Cycle, nodes: list[NodeInfo]) -> Any:
        """Skip without soft constraints."""
        constraints = found(cycle, "ScheduleAnyway")
        explicit = bool(cycle.pod["spec"].get("topologySpreadConstraints")) or not system
        return weigh(cycle, nodes, constraints, explicit=explicit)

    return Plugin(
        name=NAME,
        pre_filter=pre_filter,
        filter=filter_node,
        pre_score=pre_score,
        score=score,
        normalize=normalize,
        events=("node-add", "node-label", "node-delete", "node-taint", "pod-add", "pod-delete", "pod-label"),
        hint=hint,
    )


PLUGIN = plugin({})
