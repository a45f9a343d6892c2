"""One pod's scheduling cycle (pkg/scheduler/schedule_one.go): PreFilter, Filter, PreScore, Score, choose; and what is said when
no node is left (`FitError.Error` in framework/types.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import Any

from .framework import SKIP, Cycle, NodeInfo, Plugin, Verdict
from .profiles import Profile

#: At least this many feasible nodes are looked for; clusters below it are searched completely.
MIN_FEASIBLE = 100
#: Signatures of pods for which nodes are remembered.
MEMORY = 64


class FitError(Exception):
    """No node does.  `verdicts` maps nodes to why not; `absent` is the verdict of nodes that were not asked."""

    def __init__(self, total: int) -> None:
        super().__init__()
        self.total = total
        self.pre_filter = ""
        self.verdicts: dict[str, Verdict] = {}
        self.absent: Verdict | None = None
        self.post_filter = ""
        self.plugins: set[str] = set()

    def __str__(self) -> str:
        text = f"0/{self.total} nodes are available:"
        if self.pre_filter:
            text += f" {self.pre_filter}."
        else:
            counted = histogram(self)
            if counted:
                text += f" {counted}."
        return f"{text} {self.post_filter}" if self.post_filter else text


def histogram(error: FitError) -> str:
    """`1 node(s) had untolerated taint(s), 2 Insufficient cpu`: reasons counted and sorted as text."""
    counts: dict[str, int] = {}
    for verdict in error.verdicts.values():
        for reason in verdict.reasons:
            counts[reason] = counts.get(reason, 0) + 1
    missing = error.total - len(error.verdicts)
    if error.absent is not None and missing > 0:
        for reason in error.absent.reasons:
            counts[reason] = counts.get(reason, 0) + missing
    return ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items()))


def run_pre_filter(cycle: Cycle, plugins: Iterable[Plugin]) -> tuple[Verdict | None, set[str] | None, list[str]]:
    """(rejection of the pod as such, the only nodes that may do or None for all, the plugins that narrowed)."""
    names: set[str] | None = None
    narrowed: list[str] = []
    cycle.skip_filter = set()
    for plugin in plugins:
        if plugin.pre_filter is None:
            continue
        answer: Any = plugin.pre_filter(cycle)
        if answer is SKIP:
            cycle.skip_filter.add(plugin.name)
        elif isinstance(answer, Verdict):
            return answer, None, narrowed
        elif isinstance(answer, set):
            names = answer if names is None else names & answer
            narrowed.append(plugin.name)
    return None, names, narrowed


def run_filters(cycle: Cycle, plugins: Iterable[Plugin], node: NodeInfo) -> Verdict | None:
    """The first rejection of a node, or None."""
    for plugin in plugins:
        if plugin.filter is not None and plugin.name not in cycle.skip_filter:
            verdict = plugin.filter(cycle, node)
            if verdict is not None:
                return verdict
    return None


def enough(total: int, percentage: int | None = None) -> int:
    """How many feasible nodes are enough (numFeasibleNodesToFind): all below 100, then a shrinking or the given share."""
    if total < MIN_FEASIBLE:
        return total
    share = percentage or max(5, 50 - total // 125)
    return max(MIN_FEASIBLE, total * share // 100)


def memo_of(cycle: Cycle, profile: Profile) -> dict[str, Any]:
    """What is known of each node for pods like this one; a handful of signatures is kept."""
    signature = cycle.info.sign()
    known = profile.memo.get(signature)
    if known is None:
        if len(profile.memo) >= MEMORY:
            profile.memo.clear()
        known = profile.memo[signature] = {}
    return known


def _local(cycle: Cycle, profile: Profile, plugin: Plugin, nodes: list[NodeInfo]) -> dict[str, int]:
    """A local plugin's raw scores, worked out anew for nodes that have changed."""
    known, name, score = memo_of(cycle, profile), plugin.name, plugin.score
    assert score is not None
    out: dict[str, int] = {}
    for node in nodes:
        held = known.get(node.name)
        if held is None or held[0] != node.generation:
            out[node.name] = score(cycle, node)
            continue
        value = held[2].get(name)
        if value is None:
            value = held[2][name] = score(cycle, node)
        out[node.name] = value
    return out


def find_feasible(cycle: Cycle, profile: Profile, start: int, overlay: Callable[[NodeInfo], NodeInfo | None]) -> list[NodeInfo]:
    """The nodes that pass; raises FitError.  `overlay` gives a node with its nominated pods, or None when it has none."""
    total = len(cycle.nodes)
    error = FitError(total)
    rejected, names, narrowed = run_pre_filter(cycle, profile.pre_filter)
    if rejected is not None:
        error.pre_filter = ", ".join(rejected.reasons)
        error.absent = rejected
        error.verdicts = dict.fromkeys(cycle.nodes, rejected)
        error.plugins.add(rejected.plugin)
        raise error
    everyone = list(cycle.nodes.values())
    if names is not None:
        nodes = [cycle.nodes[name] for name in sorted(names) if name in cycle.nodes]
        error.absent = Verdict((f"node(s) didn't satisfy plugin(s) [{' '.join(sorted(narrowed))}]",), True)
        error.plugins.update(narrowed)
    else:
        offset = start % total if total else 0
        nodes = everyone[offset:] + everyone[:offset]
    active = tuple(p for p in profile.filter if p.name not in cycle.skip_filter)
    near = tuple(takewhile(lambda plugin: plugin.local, active))  # the first rejection is the one that is told
    far = active[len(near) :]
    known = memo_of(cycle, profile)
    wanted, found = enough(total, profile.percentage), []
    for node in nodes:
        crowded = overlay(node)
        verdict = run_filters(cycle, active, crowded) if crowded is not None else None
        if verdict is None:
            held = known.get(node.name)
            if held is None or held[0] != node.generation:
                held = known[node.name] = (node.generation, run_filters(cycle, near, node), {})
            verdict = run_filters(cycle, far, node) if held[1] is None and far else held[1]
        if verdict is None:
            found.append(node)
            if len(found) >= wanted:
                break
        else:
            error.verdicts[node.name] = verdict
            error.plugins.add(verdict.plugin)
    if not found:
        raise error
    cycle.data["rejected"] = error.verdicts
    return found


def run_scores(cycle: Cycle, profile: Profile, nodes: list[NodeInfo]) -> dict[str, dict[str, int]]:
    """Weighted, normalised scores by node and plugin."""
    out: dict[str, dict[str, int]] = {node.name: {} for node in nodes}
    skipped = {p.name for p in profile.pre_score if p.pre_score is not None and p.pre_score(cycle, nodes) is SKIP}
    weights = profile.weights
    for plugin in profile.score:
        if plugin.score is None or plugin.name in skipped:
            continue
        scores = _local(cycle, profile, plugin, nodes) if plugin.local else {n.name: plugin.score(cycle, n) for n in nodes}
        if plugin.normalize is not None:
            plugin.normalize(cycle, scores)
        weight = weights.get(plugin.name, 1)
        for name, value in scores.items():
            out[name][plugin.name] = value * weight
    return out
