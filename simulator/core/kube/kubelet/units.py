"""Small facts about pods: QoS class, restart policy of a container, images' default pull policy, durations as Go prints them."""

from __future__ import annotations

from typing import Any

from ...kernel import clock
from ..api import quantity

Obj = dict[str, Any]


def duration(ns: int) -> str:
    """A duration as Go prints it after `Truncate(time.Millisecond)`: `1.234s`, `2m3.5s`, `187ms`."""
    ms = ns // clock.MS
    if ms == 0:
        return "0s"
    if ms < 1000:
        return f"{ms}ms"
    minutes, rest = divmod(ms, 60_000)
    seconds = f"{rest / 1000:.3f}".rstrip("0").rstrip(".") + "s"
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes or hours else "") + seconds


def qos_class(pod: Obj) -> str:
    """Guaranteed, Burstable or BestEffort (`pkg/apis/core/v1/helper/qos/qos.go`)."""
    if pod.get("status", {}).get("qosClass"):
        return str(pod["status"]["qosClass"])
    requests: dict[str, int] = {}
    limits: dict[str, int] = {}
    guaranteed = True
    for container in [*(pod["spec"].get("containers") or ()), *(pod["spec"].get("initContainers") or ())]:
        resources = container.get("resources") or {}
        for key, target in (("requests", requests), ("limits", limits)):
            for name in ("cpu", "memory"):
                amount = (resources.get(key) or {}).get(name)
                if amount is not None and quantity.nano(amount):
                    target[name] = target.get(name, 0) + quantity.nano(amount)
        if not {"cpu", "memory"} <= set(resources.get("limits") or {}):
            guaranteed = False
    if not requests and not limits:
        return "BestEffort"
    if guaranteed and all(requests.get(name, amount) == amount for name, amount in limits.items()) and len(limits) == 2:
        return "Guaranteed"
    return "Burstable"


def is_sidecar(container: Obj) -> bool:
    """An init container that keeps running beside the others."""
    return container.get("restartPolicy") == "Always"


def should_restart(pod: Obj, container: Obj, code: int) -> bool:
    """Whether a container that has ended is started again: by its own rules for exit codes, its own policy or the pod's."""
    for rule in container.get("restartPolicyRules") or ():
        codes = rule.get("exitCodes") or {}
        if codes.get("operator") in ("In", "NotIn") and (code in (codes.get("values") or ())) == (codes["operator"] == "In"):
            return True
    policy = container.get("restartPolicy") or pod["spec"].get("restartPolicy") or "Always"
    if (
        container.get("restartPolicy") is None
        and policy == "Always"
        and any(c is container for c in pod["spec"].get("initContainers") or ())
    ):
        return code != 0
    return policy == "Always" or (policy == "OnFailure" and code != 0)


def pull_policy(container: Obj) -> str:
    """The container's imagePullPolicy, with the API's default for static pods."""
    policy = container.get("imagePullPolicy")
    if policy:
        return str(policy)
    image = str(container.get("image") or "")
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    return "Always" if tag in ("", "latest") and "@" not in image else "IfNotPresent"


def grace_period(pod: Obj) -> int:
    """The pod's grace period in seconds."""
    meta = pod["metadata"]
    if meta.get("deletionGracePeriodSeconds") is not None:
        return int(meta["deletionGracePeriodSeconds"])
    value = pod["spec"].get("terminationGracePeriodSeconds")
    return 30 if value is None else int(value)


def all_containers(pod: Obj) -> list[Obj]:
    """Init containers first, then the others, ephemeral ones last."""
    spec = pod["spec"]
    return [container for key in ("initContainers", "containers", "ephemeralContainers") for container in spec.get(key) or ()]
