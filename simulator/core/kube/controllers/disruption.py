"""The disruption controller: how many pods of a budget may go now (pkg/controller/disruption/disruption.go)."""

from __future__ import annotations

from typing import Any

from ..api.objects import Obj, controller_of, key_of, labels_of, split_key
from . import common
from .base import Controller

_SCALED = {"ReplicaSet": "replicasets", "StatefulSet": "statefulsets"}


class DisruptionController(Controller):
    """Keys are PodDisruptionBudgets."""

    name = "disruption-controller"
    source = "controllermanager"
    resources = ("poddisruptionbudgets", "pods", "replicasets", "statefulsets", "deployments")

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
        if not pods and not self._any_spec(budget):
            return
        expected, desired = self._expected(budget, pods)
        old = budget.get("status") or {}
        disrupted = self._disrupted(old, pods)
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

    @staticmethod
    def _any_spec(budget: Obj) -> bool:
        return budget["spec"].get("minAvailable") is not None or budget["spec"].get("maxUnavailable") is not None

    def _expected(self, budget: Obj, pods: list[Obj]) -> tuple[int, int]:
        """(pods that there should be, pods that must be healthy)."""
        spec = budget["spec"]
        most: Any = spec.get("maxUnavailable")
        least: Any = spec.get("minAvailable")
        if most is not None:
            expected = self._scale(pods)
            return expected, max(0, expected - common.int_or_percent(most, expected, round_up=True))
        if isinstance(least, str) and least.endswith("%"):
            expected = self._scale(pods)
            return expected, common.int_or_percent(least, expected, round_up=True)
        return len(pods), common.int_or_percent(least, len(pods), round_up=True)

    def _scale(self, pods: list[Obj]) -> int:
        """The sum of the wanted replicas of the pods' controllers."""
        total, seen = 0, set()
        for pod in pods:
            ref = controller_of(pod)
            if ref is None or ref["uid"] in seen or ref["kind"] not in _SCALED:
                continue
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

    @staticmethod
    def _disrupted(old: Obj, pods: list[Obj]) -> Obj:
        """Pods that an eviction has claimed and that are not gone yet."""
        alive = {p["metadata"]["name"] for p in pods if not p["metadata"].get("deletionTimestamp")}
        return {name: at for name, at in (old.get("disruptedPods") or {}).items() if name in alive}

    def _conditions(self, old: list[Obj], allowed: int, generation: int) -> list[Obj]:
        value, reason = ("True", "SufficientPods") if allowed > 0 else ("False", "InsufficientPods")
        before = next((c for c in old if c["type"] == "DisruptionAllowed"), None)
        same = before is not None and before["status"] == value
        since = before["lastTransitionTime"] if same and before is not None else self.world.timestamp()
        new: Obj = {
            "lastTransitionTime": since,
            "message": "",
            "observedGeneration": generation,
            "reason": reason,
            "status": value,
        }
        new["type"] = "DisruptionAllowed"
        return [c for c in old if c["type"] != "DisruptionAllowed"] + [new]
