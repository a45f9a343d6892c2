"""InterPodAffinity: pods that want to be near, or away from, other pods (plugins/interpodaffinity)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...api.objects import Obj
from ..framework import MAX_SCORE, SKIP, Cycle, Lister, NodeInfo, Plugin, PodInfo, Verdict
from .pod_topology_spread import matches, selector_of

NAME = "InterPodAffinity"
EXISTING = Verdict(("node(s) didn't satisfy existing pods anti-affinity rules",), False, NAME)
AFFINITY = Verdict(("node(s) didn't match pod affinity rules",), True, NAME)
ANTI = Verdict(("node(s) didn't match pod anti-affinity rules",), False, NAME)
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
HARD_WEIGHT = 1
#: topology key and value -> how many (or how much).
Counts = dict[tuple[str, str], int]


def term_matches(item: Obj, owner: PodInfo, other: PodInfo, lister: Lister) -> bool:
    """Whether a term of `owner` is about `other`: its namespace and labels (AffinityTerm.Matches)."""
    namespaces = item.get("namespaces") or []
    by_labels = item.get("namespaceSelector")
    allowed = other.namespace in namespaces or (not namespaces and by_labels is None and other.namespace == owner.namespace)
    if not allowed and by_labels is not None:
        space = lister.get("namespaces", "", other.namespace)
        allowed = matches(selector_of(by_labels), ((space or {}).get("metadata") or {}).get("labels") or {})
    if not allowed:
        return False
    selector = selector_of(item.get("labelSelector"))
    if selector is not None:
        selector += tuple((k, "In", (owner.labels[k],)) for k in item.get("matchLabelKeys") or () if k in owner.labels)
        selector += tuple((k, "NotIn", (owner.labels[k],)) for k in item.get("mismatchLabelKeys") or () if k in owner.labels)
    return matches(selector, other.labels)


def _all_match(terms: list[Obj], owner: PodInfo, other: PodInfo, lister: Lister) -> bool:
    return bool(terms) and all(term_matches(t, owner, other, lister) for t in terms)


def _note(counts: Counts, terms: Iterable[Obj], node: NodeInfo) -> None:
    for item in terms:
        value = node.labels.get(item["topologyKey"])
        if value is not None:
            key = (item["topologyKey"], value)
            counts[key] = counts.get(key, 0) + 1


def pre_filter(cycle: Cycle) -> Any:
    """Count in which domains existing pods forbid, attract or repel this one."""
    info, lister = cycle.info, cycle.lister
    wants = info.affinity.get(REQUIRED) or []
    avoids = info.anti.get(REQUIRED) or []
    forbidden: Counts = {}
    near: Counts = {}
    away: Counts = {}
    for node in cycle.nodes.values():
        for other in node.with_affinity.values():
            _note(forbidden, [t for t in other.anti.get(REQUIRED) or () if term_matches(t, other, info, lister)], node)
        if wants or avoids:
            for other in node.pods.values():
                if _all_match(wants, info, other, lister):
                    _note(near, wants, node)
                _note(away, [t for t in avoids if term_matches(t, info, other, lister)], node)
    if not forbidden and not wants and not avoids:
        return SKIP
    cycle.data[NAME] = (wants, avoids, forbidden, near, away)
    return None


def filter_node(cycle: Cycle, node: NodeInfo) -> Verdict | None:
    """Reject a node in a domain that the rules rule out."""
    wants, avoids, forbidden, near, away = cycle.data[NAME]
    if wants and not _attracted(cycle, wants, near, node):
        return AFFINITY
    if any(away.get((t["topologyKey"], node.labels.get(t["topologyKey"], "")), 0) > 0 for t in avoids):
        return ANTI
    if any(count > 0 and node.labels.get(key) == value for (key, value), count in forbidden.items()):
        return EXISTING
    return None


def _attracted(cycle: Cycle, wants: list[Obj], near: Counts, node: NodeInfo) -> bool:
    """All terms are met here; or nobody is anywhere yet and the pod would be the first of its own kind."""
    if any(t.get("topologyKey") not in node.labels for t in wants):
        return False
    if all(near.get((t["topologyKey"], node.labels[t["topologyKey"]]), 0) > 0 for t in wants):
        return True
    return not near and _all_match(wants, cycle.info, cycle.info, cycle.lister)


def pre_scorer(weight: int, *, ignore_others: bool) -> Any:
    """The PreScore of a profile: the weight of others' required affinity, and whether others' preferences are left out."""

    def pre_score(cycle: Cycle, _nodes: list[NodeInfo]) -> Any:
        """Sum the weights that existing pods give to each domain."""
        info, lister = cycle.info, cycle.lister
        likes, dislikes = info.affinity.get(PREFERRED) or [], info.anti.get(PREFERRED) or []
        if ignore_others and not likes and not dislikes:
            return SKIP
        scores: Counts = {}

        def credit(item: Obj, weight: int, node: NodeInfo) -> None:
            value = node.labels.get(item["topologyKey"])
            if value is not None:
                key = (item["topologyKey"], value)
                scores[key] = scores.get(key, 0) + weight

        for node in cycle.nodes.values():
            pods = node.pods if likes or dislikes else node.with_affinity
            for other in pods.values():
                for sign, mine in ((1, likes), (-1, dislikes)):
                    for item in mine:
                        if term_matches(item["podAffinityTerm"], info, other, lister):
                            credit(item["podAffinityTerm"], sign * item["weight"], node)
                for item in other.affinity.get(REQUIRED) or () if weight else ():
                    if term_matches(item, other, info, lister):
                        credit(item, weight, node)
                if ignore_others:
                    continue
                for sign, theirs in ((1, other.affinity.get(PREFERRED)), (-1, other.anti.get(PREFERRED))):
                    for item in theirs or ():
                        if term_matches(item["podAffinityTerm"], other, info, lister):
                            credit(item["podAffinityTerm"], sign * item["weight"], node)
        if not scores:
            return SKIP
        cycle.data[NAME + "/score"] = scores
        return None

    return pre_score


def score(cycle: Cycle, node: NodeInfo) -> int:
    """The sum over the node's domains."""
    scores: Counts = cycle.data[NAME + "/score"]
    return sum(value for (key, domain), value in scores.items() if node.labels.get(key) == domain)


def normalize(_cycle: Cycle, scores: dict[str, int]) -> None:
    """Scale from worst to best."""
    low, high = min(scores.values()), max(scores.values())
    for name, value in scores.items():
        scores[name] = int(MAX_SCORE * ((value - low) / (high - low))) if high > low else 0


class Unlabelled(Lister):
    """A lister that knows no namespaces: selectors of namespaces see none of their labels."""

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        """Nothing."""
        return None


UNLABELLED = Unlabelled()


def _placed(pod: Obj | None) -> bool:
    return pod is None or bool(pod["spec"].get("nodeName") or (pod.get("status") or {}).get("nominatedNodeName"))


def _pod_hint(info: PodInfo, old: Obj | None, new: Obj | None) -> bool:
    """Whether a pod that came, changed or went may help (isSchedulableAfterPodChange)."""
    if old is not None and new is not None and new["metadata"].get("uid") == info.uid:
        return True
    if not _placed(old) or not _placed(new):
        return False
    wants, avoids = info.affinity.get(REQUIRED) or [], info.anti.get(REQUIRED) or []

    def meets(terms: list[Obj], pod: Obj) -> bool:
        return _all_match(terms, info, PodInfo(pod), UNLABELLED)

    if old is not None and new is not None:
        return (not meets(wants, old) and meets(wants, new)) or (meets(avoids, old) and not meets(avoids, new))
    if new is not None:
        return meets(wants, new)
    if old is None:
        return True
    gone = PodInfo(old)
    return meets(avoids, old) or _all_match(gone.anti.get(REQUIRED) or [], gone, info, UNLABELLED)


def _node_hint(info: PodInfo, old: Obj | None, new: Obj | None) -> bool:
    """Whether a node that came or was labelled anew may help (isSchedulableAfterNodeChange)."""
    if new is None:
        return True
    labels = new["metadata"].get("labels") or {}
    before = (old["metadata"].get("labels") or {}) if old is not None else None
    for item in info.affinity.get(REQUIRED) or ():
        key = item["topologyKey"]
        if key in labels and (before is None or before.get(key) != labels[key]):
            return True
    for item in info.anti.get(REQUIRED) or ():
        key = item["topologyKey"]
        if before is None or (key in before and before[key] != labels.get(key)):
            return True
    return False


def hint(event: str, info: PodInfo, old: Obj | None, new: Obj | None) -> bool:
    """A pod matters when one of the terms is about it, a node when its topology labels changed."""
    return _node_hint(info, old, new) if event.startswith("node") else _pod_hint(info, old, new)


def plugin(args: Obj) -> Plugin:
    """InterPodAffinity with its arguments."""
    weight = args.get("hardPodAffinityWeight")
    return Plugin(
        name=NAME,
        pre_filter=pre_filter,
        filter=filter_node,
        pre_score=pre_scorer(
            HARD_WEIGHT if weight is None else int(weight), ignore_others=bool(args.get("ignorePreferredTermsOfExistingPods"))
        ),
        score=score,
        normalize=normalize,
        events=("node-add", "node-label", "pod-add", "pod-delete", "pod-label"),
        hint=hint,
    )


PLUGIN = plugin({})
