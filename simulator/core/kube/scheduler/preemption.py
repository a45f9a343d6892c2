"""DefaultPreemption: make room by deleting pods of lower priority (framework/preemption, plugins/defaultpreemption).

For each node that rejected the pod for a reason that removing pods could mend, the smallest set of victims is found by removing
all lower pods and giving back as many as fit, the most important first.  The best node breaks the fewest disruption budgets, then
has the lowest highest victim, the lowest sum, the fewest victims, and the youngest of the highest.
"""

from __future__ import annotations

from ..api.objects import Obj
from .cycle import FitError, run_filters, run_pre_filter
from .framework import Cycle, NodeInfo, PodInfo, Verdict
from .plugins.pod_topology_spread import matches, selector_of
from .profiles import Profile

NOT_HELPFUL = Verdict(("Preemption is not helpful for scheduling",), True, "DefaultPreemption")
NO_VICTIMS = Verdict(("No preemption victims found for incoming pod",), True, "DefaultPreemption")
MIN_CANDIDATES = 100


class Candidate:
    """A node and the pods that would have to go."""

    __slots__ = ("node", "victims", "violations")

    def __init__(self, node: str, victims: list[PodInfo], violations: int) -> None:
        self.node = node
        self.victims = victims
        self.violations = violations


def started(info: PodInfo) -> str:
    """When a pod started; one that has not comes last."""
    return str((info.pod.get("status") or {}).get("startTime") or "~")


def importance(info: PodInfo) -> tuple[int, str, str]:
    """Sort key: higher priority first, then longer running (util.MoreImportantPod)."""
    return (-info.priority, started(info), info.key)


def eligible(cycle: Cycle, error: FitError) -> str:
    """Why the pod may not preempt, or ""."""
    pod = cycle.pod
    if pod["spec"].get("preemptionPolicy") == "Never":
        return "not eligible due to preemptionPolicy=Never."
    nominated = (pod.get("status") or {}).get("nominatedNodeName")
    if nominated:
        verdict = error.verdicts.get(nominated)
        if verdict is not None and verdict.unresolvable:
            return ""
        node = cycle.nodes.get(nominated)
        for info in node.pods.values() if node is not None else ():
            if info.priority < cycle.info.priority and _going(info.pod):
                return "not eligible due to a terminating pod on the nominated node."
    return ""


def _going(pod: Obj) -> bool:
    if not pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "DisruptionTarget" and c.get("reason") == "PreemptionByScheduler" for c in conditions)


def preempt(cycle: Cycle, profile: Profile, error: FitError) -> tuple[Candidate | None, str]:
    """The candidate to act on, or None and what DefaultPreemption has to say."""
    why = eligible(cycle, error)
    if why:
        return None, "preemption: " + why
    budgets = cycle.lister.objects("poddisruptionbudgets")
    verdicts: dict[str, Verdict] = {}
    found: list[Candidate] = []
    for name in sorted(cycle.nodes):
        verdict = error.verdicts.get(name)
        if verdict is None or verdict.unresolvable:
            continue
        outcome = victims_on(cycle, profile, cycle.nodes[name], budgets)
        if isinstance(outcome, Verdict):
            verdicts[name] = outcome
        else:
            found.append(outcome)
            if len(found) >= MIN_CANDIDATES:
                break
    if found:
        return min(found, key=_cost), ""
    failure = FitError(len(cycle.nodes))
    failure.verdicts, failure.absent = verdicts, NOT_HELPFUL
    return None, f"preemption: {failure}"


def _cost(candidate: Candidate) -> tuple[int, int, int, int, list[int], str]:
    priorities = [v.priority for v in candidate.victims]
    highest = max(priorities)
    earliest = min(started(v) for v in candidate.victims if v.priority == highest)
    youngest_first = [-ord(char) for char in earliest]
    total = sum(p + 2**31 for p in priorities)
    return (candidate.violations, highest, total, len(priorities), youngest_first, candidate.node)


def _fits(cycle: Cycle, profile: Profile, node: NodeInfo) -> Verdict | None:
    """Filter a changed node, with everything that was counted before counted anew."""
    nodes = {**cycle.nodes, node.name: node}
    trial = Cycle(cycle.info, nodes, cycle.lister)
    rejected, _, _ = run_pre_filter(trial, profile.pre_filter)
    return rejected if rejected is not None else run_filters(trial, profile.filter, node)


def victims_on(cycle: Cycle, profile: Profile, node: NodeInfo, budgets: list[Obj]) -> Candidate | Verdict:
    """The pods that would have to go from a node, or why none would help (SelectVictimsOnNode)."""
    lower = sorted((p for p in node.pods.values() if p.priority < cycle.info.priority), key=importance)
    if not lower:
        return NO_VICTIMS
    trial = node.copy()
    for info in lower:
        trial.remove(info.key)
    verdict = _fits(cycle, profile, trial)
    if verdict is not None:
        return verdict
    guarded, free = _by_budget(lower, budgets)
    victims: list[PodInfo] = []
    violations = 0
    for info in [*guarded, *free]:
        trial.add(info)
        if _fits(cycle, profile, trial) is not None:
            trial.remove(info.key)
            victims.append(info)
            violations += info in guarded
    return Candidate(node.name, sorted(victims, key=importance), violations) if victims else NO_VICTIMS


def _by_budget(pods: list[PodInfo], budgets: list[Obj]) -> tuple[list[PodInfo], list[PodInfo]]:
    """(pods whose loss would break a disruption budget, the others)."""
    allowed = [int((b.get("status") or {}).get("disruptionsAllowed") or 0) for b in budgets]
    guarded: list[PodInfo] = []
    free: list[PodInfo] = []
    for info in pods:
        broken = False
        for index, budget in enumerate(budgets):
            selector = selector_of((budget.get("spec") or {}).get("selector"))
            if (info.pod["metadata"].get("name") or "") in ((budget.get("status") or {}).get("disruptedPods") or ()):
                continue
            if budget["metadata"].get("namespace") != info.namespace or not selector or not matches(selector, info.labels):
                continue
            allowed[index] -= 1
            broken = broken or allowed[index] < 0
        (guarded if broken else free).append(info)
    return guarded, free
