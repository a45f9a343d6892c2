"""Pods (`pkg/registry/core/pod/strategy.go`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...api import quantity
from ...api.errors import FieldError, forbidden_field
from ...api.objects import clone
from ..defaults import pods
from ..validation import pod as rules
from ..validation import podwarnings
from .strategy import Strategy

if TYPE_CHECKING:
    from ..call import Call

Obj = dict[str, Any]


class PodStrategy(Strategy):
    """Pods: graceful deletion, status by the kubelet, a spec that is almost immutable."""

    generation = True
    return_deleted = True
    fields = {
        "spec.nodeName": ("spec", "nodeName"),
        "spec.restartPolicy": ("spec", "restartPolicy"),
        "spec.schedulerName": ("spec", "schedulerName"),
        "spec.serviceAccountName": ("spec", "serviceAccountName"),
        "spec.hostNetwork": ("spec", "hostNetwork"),
        "status.phase": ("status", "phase"),
        "status.podIP": ("status", "podIP"),
        "status.podIPs": ("status", "podIP"),
        "status.nominatedNodeName": ("status", "nominatedNodeName"),
    }
    field_defaults = {"spec.hostNetwork": "false"}

    def default(self, obj: Obj) -> None:
        """Pod defaults."""
        pods.pod(obj)

    def prepare_create(self, call: Call, obj: Obj) -> None:
        """A new pod is Pending, with its quality of service; mirror pods keep nothing else."""
        status: Obj = {"phase": "Pending", "qosClass": qos_class(obj)}
        if obj["spec"].get("schedulingGates"):
            text = "Scheduling is blocked due to non-empty scheduling gates"
            status["conditions"] = [
                {"type": "PodScheduled", "status": "False", "lastProbeTime": None,
                 "lastTransitionTime": None, "reason": "SchedulingGated", "message": text}
            ]  # fmt: skip
        obj["status"] = status

    def prepare_update(self, call: Call, obj: Obj, old: Obj) -> None:
        """Through status the kubelet may change only the status; qosClass never changes."""
        held = (old.get("status") or {}).get("qosClass")
        if held and isinstance(obj.get("status"), dict) and obj["status"].get("qosClass") != held:
            obj["status"] = {**obj["status"], "qosClass": held}

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidatePodCreate`."""
        out = rules.pod(obj)
        if obj["spec"].get("ephemeralContainers"):
            out.append(forbidden_field("spec.ephemeralContainers", "cannot be set on create"))
        return out

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """`ValidatePodUpdate`; what defaulting adds to the old object is no change."""
        return [] if obj.get("spec") == old.get("spec") else rules.pod_update(obj, self._defaulted(old))

    def warnings(self, obj: Obj, old: Obj | None) -> list[str]:
        """Of new pods; people seldom change them."""
        return [] if old is not None else podwarnings.name(obj, "the Pod's hostname") + podwarnings.warnings(obj)

    def _defaulted(self, obj: Obj) -> Obj:
        out: Obj = clone(obj)
        self.default(out)
        return out

    def validate_subresource(self, sub: str, obj: Obj, old: Obj) -> list[FieldError]:
        """`ValidatePodResize`, `ValidatePodEphemeralContainersUpdate`: what the subresource is for may change as well."""
        if sub not in ("resize", "ephemeralcontainers"):
            return []
        old = self._defaulted(old)
        spec, held = dict(obj["spec"]), old["spec"]
        if sub == "ephemeralcontainers":
            spec.pop("ephemeralContainers", None)
            if held.get("ephemeralContainers"):
                spec["ephemeralContainers"] = held["ephemeralContainers"]
        for kind in ("containers", "initContainers") if sub == "resize" else ():
            before = {item["name"]: item.get("resources") for item in held.get(kind) or ()}
            if spec.get(kind):
                spec[kind] = [{**item, "resources": before.get(item["name"])} for item in spec[kind]]
        mine = rules.ephemeral_update(obj, old) if sub == "ephemeralcontainers" else []
        return mine + rules.pod_update({**obj, "spec": spec}, old)

    def grace_period(self, obj: Obj, asked: int | None) -> int | None:
        """The asked period, else the pod's own; none for pods that are on no node or have ended."""
        if asked is None:
            period = obj["spec"].get("terminationGracePeriodSeconds", 30)
        else:
            period = asked
        if not obj["spec"].get("nodeName") or (obj.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            return 0
        return int(period)


def qos_class(pod: Obj) -> str:
    """Guaranteed, Burstable or BestEffort (`pkg/apis/core/helper/qos/qos.go`)."""
    spec = pod["spec"]
    some, all_equal = False, True
    for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]:
        resources = container.get("resources") or {}
        requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
        for name in ("cpu", "memory"):
            request, limit = quantity.nano(requests.get(name)), quantity.nano(limits.get(name))
            some = some or request > 0 or limit > 0
            if limit == 0 or (request or limit) != limit:
                all_equal = False
    if not some:
        return "BestEffort"
    return "Guaranteed" if all_equal else "Burstable"
