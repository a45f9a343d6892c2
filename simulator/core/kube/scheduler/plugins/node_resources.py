"""NodeResourcesFit and NodeResourcesBalancedAllocation (plugins/noderesources): what a node lacks, and how well a pod fills it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ...api.objects import Obj
from ..framework import MAX_SCORE, SKIP, Cycle, NodeInfo, Plugin, PodInfo, Resources, Verdict, amount, pod_requests

FIT_NAME, BALANCED_NAME = "NodeResourcesFit", "NodeResourcesBalancedAllocation"
CPU_AND_MEMORY = ({"name": "cpu", "weight": 1}, {"name": "memory", "weight": 1})
NATIVE = ("cpu", "memory", "ephemeral-storage")
#: (requested, allocatable) -> 0..100.
ScoreOf = Callable[[int, int], int]


def lacking(requests: Resources, node: NodeInfo, ignored: Callable[[str], bool] | None = None) -> tuple[list[str], bool]:
    """What a node lacks for the requests, in the order of fitsRequest; the flag says that even an empty node lacks it."""
    reasons: list[str] = []
    hopeless = False
    allocatable, requested = node.allocatable, node.requested
    if len(node.pods) + 1 > allocatable.get("pods", 0):
        reasons.append("Too many pods")
    for name in NATIVE:
        wanted = requests.get(name, 0)
        if wanted > 0 and wanted > allocatable.get(name, 0) - requested.get(name, 0):
            reasons.append(f"Insufficient {name}")
            hopeless = hopeless or wanted > allocatable.get(name, 0)
    if len(requests) > len(NATIVE) or any(name not in NATIVE for name in requests):
        for name in sorted(set(requests) - {*NATIVE, "pods"}):
            wanted = requests[name]
            if wanted <= 0 or (ignored is not None and ignored(name)):
                continue
            if wanted > allocatable.get(name, 0) - requested.get(name, 0):
                reasons.append(f"Insufficient {name}")
                hopeless = hopeless or wanted > allocatable.get(name, 0)
    return reasons, hopeless


def _ignorer(args: Obj) -> Callable[[str], bool] | None:
    """Which extended resources an extender looks after (ignoredResources, ignoredResourceGroups)."""
    names, groups = set(args.get("ignoredResources") or ()), set(args.get("ignoredResourceGroups") or ())
    if not names and not groups:
        return None
    return lambda name: "/" in name and (name in names or name.split("/")[0] in groups)


# -- scores --------------------------------------------------------------------------------------------------------------


def least(requested: int, capacity: int) -> int:
    """The emptier the better (leastRequestedScore)."""
    return (capacity - requested) * MAX_SCORE // capacity if capacity > 0 and requested <= capacity else 0


def most(requested: int, capacity: int) -> int:
    """The fuller the better (mostRequestedScore)."""
    return min(requested, capacity) * MAX_SCORE // capacity if capacity else 0


def broken_line(points: list[tuple[int, int]], at: int) -> int:
    """The value at `at` of the line through points (x, y) with rising x (helper.BuildBrokenLinearFunction)."""
    for index, (x, y) in enumerate(points):
        if at <= x:
            if index == 0:
                return y
            x0, y0 = points[index - 1]
            return y0 + int((y - y0) * (at - x0) / (x - x0))
    return points[-1][1]


def by_ratio(shape: list[Obj]) -> ScoreOf:
    """The score of a utilisation by a shape whose scores go from 0 to 10 (RequestedToCapacityRatio)."""
    points = [(int(p.get("utilization") or 0), int(p.get("score") or 0) * MAX_SCORE // 10) for p in shape]

    def score(requested: int, capacity: int) -> int:
        full = capacity == 0 or requested > capacity
        return broken_line(points, 100 if full else requested * 100 // capacity)

    return score


def _weighted(cycle: Cycle, node: NodeInfo, resources: tuple[Obj, ...], score_of: ScoreOf, *, ratio: bool) -> int:
    """The weighted mean over resources that the node has; extended ones count for pods that ask for them."""
    total = weights = 0
    info = cycle.info
    for item in resources:
        name = item["name"]
        wanted = info.non_zero.get(name, 0)
        if name not in NATIVE and not wanted:
            continue
        capacity = node.allocatable.get(name, 0)
        if capacity == 0:
            continue
        held = node.non_zero if name in ("cpu", "memory") else node.requested
        score, weight = score_of(held.get(name, 0) + wanted, capacity), int(item.get("weight") or 1)
        if ratio and score <= 0:
            continue
        total += score * weight
        weights += weight
    if not weights:
        return 0
    return math.floor(total / weights + 0.5) if ratio else total // weights


def scorer(strategy: Obj) -> Callable[[Cycle, NodeInfo], int]:
    """The score function of a scoringStrategy."""
    resources = tuple(strategy.get("resources") or CPU_AND_MEMORY)
    kind = strategy.get("type") or "LeastAllocated"
    if kind == "RequestedToCapacityRatio":
        score_of = by_ratio((strategy.get("requestedToCapacityRatio") or {}).get("shape") or [])
    else:
        score_of = most if kind == "MostAllocated" else least
    ratio = kind == "RequestedToCapacityRatio"
    return lambda cycle, node: _weighted(cycle, node, resources, score_of, ratio=ratio)


# -- hints ---------------------------------------------------------------------------------------------------------------


def _room(node: Obj) -> Resources:
    return {name: amount(name, text) for name, text in ((node.get("status") or {}).get("allocatable") or {}).items()}


def hint_fit(event: str, info: PodInfo, old: Obj | None, new: Obj | None) -> bool:
    """A node helps when the pod fits its allocatable and that has grown; a pod when it frees something that is asked for."""
    if event == "node-add" or event.startswith("node"):
        if new is None:
            return True
        now, before = _room(new), _room(old) if old is not None else None
        if any(value > now.get(name, 0) for name, value in info.requests.items() if value > 0) or now.get("pods", 0) < 1:
            return False
        return before is None or any(now.get(name, 0) > before.get(name, 0) for name in [*info.requests, "pods"])
    if old is None:
        return True
    if new is None:
        return bool(old["spec"].get("nodeName")) or bool((old.get("status") or {}).get("nominatedNodeName"))
    if new["metadata"].get("uid") != info.uid and not new["spec"].get("nodeName"):
        return False
    was, now_asked = pod_requests(old), pod_requests(new)
    return any(was.get(name, 0) > now_asked.get(name, 0) for name in info.requests)


# -- balance -------------------------------------------------------------------------------------------------------------


def _balance(used: list[int], capacity: list[int]) -> int:
    shares = [min(1.0, u / c) for u, c in zip(used, capacity, strict=True) if c]
    if len(shares) == 2:
        spread = abs((shares[0] - shares[1]) / 2)
    elif len(shares) > 2:
        mean = sum(shares) / len(shares)
        spread = math.sqrt(sum((s - mean) ** 2 for s in shares) / len(shares))
    else:
        spread = 0.0
    return int((1 - spread) * MAX_SCORE)


def balanced(args: Obj) -> Plugin:
    """NodeResourcesBalancedAllocation with its arguments."""
    names = tuple(str(item["name"]) for item in args.get("resources") or CPU_AND_MEMORY)

    def pre_score(cycle: Cycle, _nodes: list[NodeInfo]) -> Any:
        """Pods that ask for nothing are not balanced."""
        return None if any(cycle.info.requests.get(name) for name in names) else SKIP

    def score(cycle: Cycle, node: NodeInfo) -> int:
        """How much nearer the uses of the resources come to each other (balancedResourceScorer)."""
        wanted = cycle.info.requests
        counted = [n for n in names if n in NATIVE or wanted.get(n)]
        capacity = [node.allocatable.get(n, 0) for n in counted]
        before = [node.requested.get(n, 0) for n in counted]
        after = [b + wanted.get(n, 0) for b, n in zip(before, counted, strict=True)]
        gain = MAX_SCORE // 2 + _balance(after, capacity) - _balance(before, capacity)
        return MAX_SCORE // 2 + int(gain / 2)

    return Plugin(name=BALANCED_NAME, pre_score=pre_score, score=score, local=True)


def fit(args: Obj) -> Plugin:
    """NodeResourcesFit with its arguments."""
    ignored = _ignorer(args)

    def filter_node(cycle: Cycle, node: NodeInfo) -> Verdict | None:
        """Reject a node without room."""
        reasons, hopeless = lacking(cycle.info.requests, node, ignored)
        return Verdict(tuple(reasons), hopeless, FIT_NAME) if reasons else None

    return Plugin(
        name=FIT_NAME,
        filter=filter_node,
        score=scorer(args.get("scoringStrategy") or {}),
        events=("node-add", "node-allocatable", "pod-delete", "pod-scale-down"),
        hint=hint_fit,
        local=True,
    )


FIT = fit({})
BALANCED = balanced({})
