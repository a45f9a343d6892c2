"""The disruption controller: how many pods of a budget may go now (pkg/controller/disruption/disruption.go)."""

from __future__ import annotations

from typing import Any

from ...kernel import clock
from ..api.objects import Obj, controller_of, key_of, labels_of, split_key
from . import common
from .base import Controller

_SCALED = {"ReplicaSet": "replicasets", "ReplicationController": "replicationcontrollers", "StatefulSet": "statefulsets"}
#: How long a pod that an eviction has claimed may stay before it counts again.
DELETION_TIMEOUT = 2 * clock.MINUTE


class NoScaleError(Exception):
    """A pod's controller has no number of replicas to count by."""


class DisruptionController(Controller):
    """Keys are PodDisruptionBudgets."""

    name = "disruption-controller"
    source = "controllermanager"
    resources = ("poddisruptionbudgets", "pods", "replicasets", "replicationcontrollers", "statefulsets", "deployments")

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A budget, or a pod that one guards, changed."""
        if resource == "poddisruptionbudgets":
            self.enqueue(key_of(obj))
        elif resource == "pods":
            for budget in self.informer("poddisruptionbudgets").list(obj["metadata"]["namespace"]):
                if common.selects(budget["spec"].get("selector"), labels_of(obj)):
                    self.enqueue(key_of(budget))

    def sync(self, key: str) -> None:
        """Write one budget's status."""
        namespace, name = split_key(key)
        budget = self.informer("poddisruptionbudgets").get(namespace, name)
        if budget is None:
            return
        selector = budget["spec"].get("selector")
        pods = [p for p in self.informer("pods").list(namespace) if common.selects(selector, labels_of(p))]
        if not pods:
            self.event(budget, "Normal", "NoPods", "No matching pods found")
        old = budget.get("status") or {}
        try:
            expected, desired = self._expected(budget, pods)
        except NoScaleError as error:
            text = f"Failed to calculate the number of expected pods: {error}"
            self.event(budget, "Warning", "CalculateExpectedPodCountFailed", text)
            generation = budget["metadata"].get("generation") or 0
            failed: Obj = {"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0, **old}
            failed |= {"disruptionsAllowed": 0}
            failed["conditions"] = self._conditions(old.get("conditions") or [], 0, generation, str(error))
            if failed != old:
                self.client.update("poddisruptionbudgets", {**budget, "status": failed}, subresource="status")
            return
        disrupted = self._disrupted(budget, pods)
        healthy = [p for p in pods if common.is_ready(p) and not p["metadata"].get("deletionTimestamp")]
        current = sum(1 for p in healthy if p["metadata"]["name"] not in disrupted)
        allowed = max(0, current - desired) if expected > 0 else 0
        status: Obj = {
            "currentHealthy": current,
            "desiredHealthy": desired,
            "disruptionsAllowed": allowed,
            "expectedPods": expected,
        }
        status["observedGeneration"] = budget["metadata"].get("generation") or 0
        if disrupted:
            status["disruptedPods"] = disrupted
        status["conditions"] = self._conditions(old.get("conditions") or [], allowed, status["observedGeneration"])
        if status != old:
            self.client.update("poddisruptionbudgets", {**budget, "status": status}, subresource="status")

    def _expected(self, budget: Obj, pods: list[Obj]) -> tuple[int, int]:
        """(pods that there should be, pods that must be healthy)."""
        spec = budget["spec"]
        most: Any = spec.get("maxUnavailable")
        least: Any = spec.get("minAvailable")
        if most is None and least is None:
            return 0, 0
        if most is not None:
            expected = self._scale(budget, pods)
            return expected, max(0, expected - common.int_or_percent(most, expected, round_up=True))
        if isinstance(least, str) and least.endswith("%"):
            expected = self._scale(budget, pods)
            return expected, common.int_or_percent(least, expected, round_up=True)
        return len(pods), int(least)

    def _scale(self, budget: Obj, pods: list[Obj]) -> int:
        """The sum of the wanted replicas of the pods' controllers; raises NoScaleError."""
        total, seen = 0, set()
        if any(controller_of(pod) is None for pod in pods):
            text = (
                f"Pods selected by this PodDisruptionBudget (selector: {selector_text(budget['spec'].get('selector'))}) were found to be "
                "unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined "
                'behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.'
            )
            self.event(budget, "Warning", "UnmanagedPods", text)
        for pod in pods:
            ref = controller_of(pod)
            if ref is None or ref["uid"] in seen:
                continue
            if ref["kind"] not in _SCALED:
                group = ref["apiVersion"].rpartition("/")[0]
                plural = ref["kind"].lower() + "s"
                raise NoScaleError(
                    f"{plural}.{group} does not implement the scale subresource"
                    if group
                    else f"{plural} does not implement the scale subresource"
                )
            seen.add(ref["uid"])
            owner = self.informer(_SCALED[ref["kind"]]).get(pod["metadata"]["namespace"], ref["name"])
            top = controller_of(owner) if owner is not None else None
            if top is not None and top["kind"] == "Deployment":
                if top["uid"] in seen:
                    continue
                seen.add(top["uid"])
                owner = self.informer("deployments").get(pod["metadata"]["namespace"], top["name"]) or owner
            total += int(owner["spec"].get("replicas", 1)) if owner is not None else 0
        return total

    def _disrupted(self, budget: Obj, pods: list[Obj]) -> Obj:
        """Pods that an eviction has claimed and that are not gone yet, for two minutes (`buildDisruptedPodMap`)."""
        claimed, out = (budget.get("status") or {}).get("disruptedPods") or {}, {}
        meta = budget["metadata"]
        for pod in pods:
            at = claimed.get(pod["metadata"]["name"])
            if at is None or pod["metadata"].get("deletionTimestamp"):
                continue
            left = clock.parse_rfc3339(at) + DELETION_TIMEOUT - self.world.wall
            if left < 0:
                text = f"Pod was expected by PDB {meta['namespace']}/{meta['namespace']} to be deleted but it wasn't"
                self.event(pod, "Warning", "NotDeleted", text)
                continue
            out[pod["metadata"]["name"]] = at
            self.enqueue(key_of(budget), left + clock.MS)
        return out

    def _conditions(self, old: list[Obj], allowed: int, generation: int, failure: str = "") -> list[Obj]:
        value, reason = ("True", "SufficientPods") if allowed > 0 else ("False", "SyncFailed" if failure else "InsufficientPods")
        before = next((c for c in old if c["type"] == "DisruptionAllowed"), None)
        same = before is not None and before["status"] == value
        since = before["lastTransitionTime"] if same and before is not None else self.world.timestamp()
        new: Obj = {
            "lastTransitionTime": since,
            "message": failure,
            "observedGeneration": generation,
            "reason": reason,
            "status": value,
        }
        new["type"] = "DisruptionAllowed"
        return [c for c in old if c["type"] != "DisruptionAllowed"] + [new]


def selector_text(selector: Obj | None) -> str:
    """A label selector as Go prints it."""
    if selector is None:
        return "nil"
    labels = "".join(f"{k}: {v}," for k, v in sorted((selector.get("matchLabels") or {}).items()))
    rules = "".join(
        f"LabelSelectorRequirement{{Key:{e['key']},Operator:{e['operator']},Values:[{' '.join(e.get('values') or ())}],}},"
        for e in selector.get("matchExpressions") or ()
    )
    return f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},MatchExpressions:[]LabelSelectorRequirement{{{rules}}},}}"
