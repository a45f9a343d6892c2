"""NodeResourcesFit and NodeResourcesBalancedAllocation (plugins/noderesources)."""

from __future__ import annotations

import math
from typing import Any

from ...api.objects import Obj
from ..framework import MAX_SCORE, SKIP, Cycle, NodeInfo, Plugin, PodInfo, Resources, Verdict, amount


def lacking(requests: Resources, node: NodeInfo) -> tuple[list[str], bool]:
    """What a node lacks for the requests, in the order of fitsRequest; the flag says that even an empty node lacks it."""
    reasons: list[str] = []
    hopeless = False
    if len(node.pods) + 1 > node.allocatable.get("pods", 110):
        reasons.append("Too many pods")
    for name in ("cpu", "memory", "ephemeral-storage", *sorted(set(requests) - {"cpu", "memory", "ephemeral-storage"})):
        wanted = requests.get(name, 0)
        if wanted > 0 and wanted > node.allocatable.get(name, 0) - node.requested.get(name, 0):
            reasons.append(f"Insufficient {name}")
            hopeless = hopeless or wanted > node.allocatable.get(name, 0)
    return reasons, hopeless


def filter_node(cycle: Cycle, node: NodeInfo) -> Verdict | None:
    """Reject a node without room."""
    reasons, hopeless = lacking(cycle.info.requests, node)
    return Verdict(tuple(reasons), hopeless, "NodeResourcesFit") if reasons else None


def score_least(cycle: Cycle, node: NodeInfo) -> int:
    """The emptier the better: the mean of what is left of CPU and memory (leastResourceScorer)."""
    total = 0
    for name in ("cpu", "memory"):
        capacity = node.allocatable.get(name, 0)
        used = node.non_zero.get(name, 0) + cycle.info.non_zero.get(name, 0)
        if capacity > 0 and used <= capacity:
            total += (capacity - used) * MAX_SCORE // capacity
    return total // 2


def hint_fit(event: str, info: PodInfo, old: Obj | None, new: Obj | None) -> bool:
    """A node helps when the pod fits its allocatable and this has grown."""
    if new is None or not event.startswith("node"):
        return True

    def room(node: Obj) -> Resources:
        return {name: amount(name, text) for name, text in ((node.get("status") or {}).get("allocatable") or {}).items()}

    now = room(new)
    if any(value > now.get(name, 0) for name, value in info.requests.items()):
        return False
    before = room(old) if old is not None else None
    return before is None or any(now.get(name, 0) > before.get(name, 0) for name in [*info.requests, "pods"])


def pre_score_balanced(cycle: Cycle, _nodes: list[NodeInfo]) -> Any:
    """Pods without requests are not balanced."""
    return None if any(cycle.info.requests.get(name) for name in ("cpu", "memory")) else SKIP


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


def score_balanced(cycle: Cycle, node: NodeInfo) -> int:
    """How much nearer CPU and memory use come to each other (balancedResourceScorer)."""
    names = ("cpu", "memory")
    capacity = [node.allocatable.get(n, 0) for n in names]
    before = [node.requested.get(n, 0) for n in names]
    after = [b + cycle.info.requests.get(n, 0) for b, n in zip(before, names, strict=True)]
    gain = MAX_SCORE // 2 + _balance(after, capacity) - _balance(before, capacity)
    return MAX_SCORE // 2 + int(gain / 2)


FIT = Plugin(
    name="NodeResourcesFit",
    filter=filter_node,
    score=score_least,
    events=("node-add", "node-allocatable", "pod-delete"),
    hint=hint_fit,
)
BALANCED = Plugin(name="NodeResourcesBalancedAllocation", pre_score=pre_score_balanced, score=score_balanced)
