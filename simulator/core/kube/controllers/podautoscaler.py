"""Scales workloads by what their pods use (pkg/controller/podautoscaler/horizontal.go).

Every autoscaler is looked at once a `--horizontal-pod-autoscaler-sync-period` (15 s).  How many replicas the metrics ask for is
computed in `podautoscaler_metrics`, what limits and windows make of that in `podautoscaler_scaling`.
"""

from __future__ import annotations

from typing import Any

from ...kernel import clock
from ..api import kinds
from ..api.objects import Obj, key_of, split_key
from ..api.selectors import parse_labels
from ..client import ApiError
from ..component import duration
from . import podautoscaler_metrics as metrics
from . import podautoscaler_scaling as scaling
from .base import Controller

GOT_SCALE = "the HPA controller was able to get the target's current scale"
NO_SCALE = "the HPA controller was unable to get the target's current scale: "


class Autoscaling:
    """One look at one autoscaler: the status as it becomes."""

    def __init__(self, hpa: Obj, now: str) -> None:
        self.hpa = hpa
        self.now = now
        self.status: Obj = dict(hpa.get("status") or {})

    def condition(self, kind: str, status: str, reason: str, message: str) -> None:
        """Put a condition in its place; the time of transition moves with its status alone."""
        old = next((c for c in self.status.get("conditions") or () if c["type"] == kind), None)
        new = {"lastTransitionTime": self.now, "message": message, "reason": reason, "status": status, "type": kind}
        if old is not None and old["status"] == status:
            new["lastTransitionTime"] = old["lastTransitionTime"]
        held = list(self.status.get("conditions") or ())
        self.status["conditions"] = [new if c is old else c for c in held] if old is not None else [*held, new]

    def replicas(self, current: int, desired: int, found: list[Obj], *, rescaled: bool = False) -> None:
        """Note counts and metrics."""
        kept = {k: v for k, v in self.status.items() if k in ("lastScaleTime", "conditions")}
        self.status = {**kept, "currentReplicas": current, "desiredReplicas": desired, "currentMetrics": found or None}
        if rescaled:
            self.status["lastScaleTime"] = self.now


class HorizontalPodAutoscalerController(Controller):
    """Keys are autoscalers.  `memory[key]` holds recommendations and scale events: lists of [number, virtual time]."""

    name = "horizontal-pod-autoscaler-controller"
    source = "horizontal-pod-autoscaler"
    resources = ("horizontalpodautoscalers", "pods")

    @property
    def sync_period(self) -> int:
        """Nanoseconds between two looks."""
        return duration(self.flags, "horizontal-pod-autoscaler-sync-period", 15 * clock.SECOND)

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """An autoscaler is looked at one period after it came, and every period from then on."""
        if resource == "horizontalpodautoscalers" and kind != "DELETED":
            self.enqueue(key_of(obj), self.sync_period)

    def sync(self, key: str) -> None:
        """One look; whatever comes of it, the next is a period later."""
        hpa = self.informer("horizontalpodautoscalers").get(*split_key(key))
        if hpa is None:
            self.memory.pop(key, None)
            return
        self.enqueue(key, self.sync_period)
        look = Autoscaling(hpa, self.world.timestamp())
        self._reconcile(key, hpa, look)
        before = hpa.get("status") or {}
        after = {k: v for k, v in look.status.items() if v is not None}
        if after != before:
            self.client.update("horizontalpodautoscalers", {**hpa, "status": after}, subresource="status")

    # -- the target ------------------------------------------------------------------------------------------------------
    def _scale(self, hpa: Obj) -> tuple[str, Obj]:
        """(plural, Scale) of the target; raises ApiError or ValueError with what the real mapper says."""
        ref = hpa["spec"]["scaleTargetRef"]
        group = (ref.get("apiVersion") or "").rpartition("/")[0]
        info = next((k for k in kinds.KINDS if k.kind == ref["kind"] and k.group == group), None)
        if info is None:
            inside = f' in group "{group}"' if group else ""
            raise ValueError(f'no matches for kind "{ref["kind"]}"{inside}')
        return info.plural, self.client.get(info.plural, hpa["metadata"]["namespace"], ref["name"], subresource="scale")

    def _reconcile(self, key: str, hpa: Obj, look: Autoscaling) -> None:
        try:
            plural, scale = self._scale(hpa)
        except (ApiError, ValueError) as error:
            self.event(hpa, "Warning", "FailedGetScale", str(error))
            look.condition("AbleToScale", "False", "FailedGetScale", NO_SCALE + str(error))
            return
        look.condition("AbleToScale", "True", "SucceededGetScale", GOT_SCALE)
        spec = hpa["spec"]
        current = int((scale.get("spec") or {}).get("replicas") or 0)
        low, high = int(spec.get("minReplicas", 1)), int(spec["maxReplicas"])
        held = self.memory.setdefault(key, {"recommended": [[current, self.world.now]], "up": [], "down": []})
        found: list[Obj] = []
        reason = ""
        if current == 0:
            text = "scaling is disabled since the replica count of the target is zero"
            look.condition("ScalingActive", "False", "ScalingDisabled", text)
            look.replicas(0, 0, found)
            return
        if current > high:
            desired, reason = high, "Current number of replicas above Spec.MaxReplicas"
        elif current < low:
            desired, reason = low, "Current number of replicas below Spec.MinReplicas"
        else:
            wanted, name, found = self._by_metrics(key, hpa, scale, look)
            if wanted < 0:
                look.replicas(current, int((hpa.get("status") or {}).get("desiredReplicas") or 0), found)
                return
            reason = f"{name} above target" if wanted > current else "All metrics below target" if wanted < current else ""
            desired = self._limited(look, held, current, wanted, low)
        if desired == current:
            look.replicas(current, current, found)
            return
        if not self._rescale(hpa, plural, scale, desired, reason, look):
            look.replicas(current, int((hpa.get("status") or {}).get("desiredReplicas") or 0), found)
            return
        scaling.store(held, spec.get("behavior"), current, desired, self.world.now)
        look.replicas(current, desired, found, rescaled=True)

    def _rescale(self, hpa: Obj, plural: str, scale: Obj, desired: int, reason: str, look: Autoscaling) -> bool:
        size = f"New size: {desired}; reason: {reason}"
        name = scale["metadata"]["name"]
        try:
            for left in range(4, -1, -1):  # RetryOnConflict, each time with the newest scale
                try:
                    self.client.update(plural, {**scale, "spec": {"replicas": desired}}, subresource="scale", name=name)
                    break
                except ApiError as error:
                    if error.code != 409 or not left:
                        raise
                    scale = self.client.get(plural, hpa["metadata"]["namespace"], name, subresource="scale")
        except ApiError as error:
            self.event(hpa, "Warning", "FailedRescale", f"{size}; error: {error}")
            text = f"the HPA controller was unable to update the target scale: {error}"
            look.condition("AbleToScale", "False", "FailedUpdateScale", text)
            return False
        text = f"the HPA controller was able to update the target scale to {desired}"
        look.condition("AbleToScale", "True", "SucceededRescale", text)
        self.event(hpa, "Normal", "SuccessfulRescale", size)
        detail = {"from": (scale.get("spec") or {}).get("replicas") or 0, "to": desired, "reason": reason}
        self.world.emit("horizontal-pod-autoscaler", "scale", f"horizontalpodautoscalers/{key_of(hpa)}", detail)
        return True

    # -- what is wanted --------------------------------------------------------------------------------------------------
    def _limited(self, look: Autoscaling, held: dict[str, Any], current: int, wanted: int, low: int) -> int:
        window = duration(self.flags, "horizontal-pod-autoscaler-downscale-stabilization", 5 * clock.MINUTE)
        outcome = scaling.limit(look.hpa["spec"], held, current, wanted, low, self.world.now, window)
        look.condition("AbleToScale", "True", *outcome.able)
        look.condition("ScalingLimited", outcome.limited, *outcome.why)
        return outcome.replicas

    def _by_metrics(self, key: str, hpa: Obj, scale: Obj, look: Autoscaling) -> tuple[int, str, list[Obj]]:
        """(replicas, the metric that asks for most, statuses); -1 when the metrics give no answer (computeReplicasForMetrics)."""
        selector = (scale.get("status") or {}).get("selector") or ""
        problem = self._selector(key, hpa, selector, look)
        specs = hpa["spec"].get("metrics") or []
        if problem:
            self.event(hpa, "Warning", "FailedComputeMetricsReplicas", problem)
            return -1, "", []
        current = int((scale.get("spec") or {}).get("replicas") or 0)
        status_replicas = int((scale.get("status") or {}).get("replicas") or 0)
        source = metrics.Source(
            self.client, self.informer("pods"), hpa["metadata"]["namespace"], selector, self.world, self.flags
        )
        best, best_name, first, failed = 0, "", None, 0
        statuses: list[Obj] = []
        for spec in specs:
            try:
                replicas, name, status = metrics.replicas_for(source, hpa, spec, current, status_replicas)
            except metrics.Unable as error:
                failed += 1
                first = first or error
                statuses.append({"type": ""})
                self.event(hpa, "Warning", error.reason, error.cause)
                continue
            statuses.append(status)
            if best == 0 or replicas > best:
                best, best_name = replicas, name
        text = f"invalid metrics ({failed} invalid out of {len(specs)}), first error is: {first}"
        if first is not None and (failed >= len(specs) or best < current):
            cause = f"the HPA was unable to compute the replica count: {first.cause}"
            look.condition("ScalingActive", "False", first.reason, cause)
            self.event(hpa, "Warning", "FailedComputeMetricsReplicas", text)
            return -1, "", statuses
        found = f"the HPA was able to successfully calculate a replica count from {best_name}"
        look.condition("ScalingActive", "True", "ValidMetricFound", found)
        return best, best_name, statuses

    def _selector(self, key: str, hpa: Obj, selector: str, look: Autoscaling) -> str:
        """What is wrong with the target's selector, said as event and condition (validateAndParseSelector)."""
        if not selector:
            self.event(hpa, "Warning", "SelectorRequired", "selector is required")
            text = "the HPA target's scale is missing a selector"
            look.condition("ScalingActive", "False", "InvalidSelector", text)
            return "selector is required"
        self.memory[key]["selector"] = selector
        namespace, _ = split_key(key)
        mine = self.informer("pods").by_label(parse_labels(selector), namespace)
        rivals = []
        for other, held in sorted(self.memory.items()):
            if held.get("selector") and split_key(other)[0] == namespace:
                theirs = parse_labels(held["selector"])
                if other == key or any(theirs.matches(pod["metadata"].get("labels")) for pod in mine):
                    rivals.append(split_key(other)[1])
        if len(rivals) < 2:
            return ""
        keys = " ".join(f"{{{name} {namespace}}}" for name in rivals)
        text = f"pods by selector {selector} are controlled by multiple HPAs: [{keys}]"
        self.event(hpa, "Warning", "AmbiguousSelector", text)
        look.condition("ScalingActive", "False", "AmbiguousSelector", text)
        return text
