"""What objects use of a ResourceQuota, and which pods a quota's scopes are about (`pkg/quota/v1/evaluator/core`).

Admission charges what is made with it, and the quota controller counts with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...kernel.clock import SECOND, parse_rfc3339
from . import quantity
from .quantity import NANO, Quantity

Obj = dict[str, Any]
#: Objects that are counted under their plain plural name as well; pods are while they have not ended.
COUNTED = ("configmaps", "persistentvolumeclaims", "replicationcontrollers", "resourcequotas", "secrets", "services")
COMPUTE = ("cpu", "memory", "ephemeral-storage")
CLASS = ".storageclass.storage.k8s.io/"
ONE = Quantity(NANO)


def add(total: dict[str, Quantity], more: dict[str, Quantity]) -> None:
    """Add amounts by name; an amount that is zero takes the other one's format."""
    for name, amount in more.items():
        held = total.get(name)
        total[name] = amount if held is None or not held.nano else Quantity(held.nano + amount.nano, held.format)


def _peak(total: dict[str, Quantity], other: dict[str, Quantity]) -> None:
    for name, amount in other.items():
        if name not in total or total[name].nano < amount.nano:
            total[name] = amount


def pod_amounts(pod: Obj, member: str) -> dict[str, Quantity]:
    """A pod's `requests` or `limits`: its containers and sidecars, or an init container's peak, plus overhead
    (`component-helpers/resource: PodRequests, PodLimits`)."""

    def of(container: Obj) -> dict[str, Quantity]:
        held = (container.get("resources") or {}).get(member) or {}
        return {name: quantity.parse(text) for name, text in held.items()}

    spec = pod.get("spec") or {}
    total: dict[str, Quantity] = {}
    for container in spec.get("containers") or ():
        add(total, of(container))
    sidecars: dict[str, Quantity] = {}
    peak: dict[str, Quantity] = {}
    for container in spec.get("initContainers") or ():
        mine = of(container)
        if container.get("restartPolicy") == "Always":
            add(total, mine)
            add(sidecars, mine)
            _peak(peak, sidecars)
        else:
            add(mine, sidecars)
            _peak(peak, mine)
    _peak(total, peak)
    total |= {n: quantity.parse(t) for n, t in ((spec.get("resources") or {}).get(member) or {}).items()}
    for name, text in (spec.get("overhead") or {}).items():
        if member == "requests" or name in total:
            add(total, {name: quantity.parse(text)})
    return total


def counts(pod: Obj, wall: int) -> bool:
    """Whether a pod counts for more than `count/pods`: it has not ended, and is not stuck on its way out (`QuotaV1Pod`)."""
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return False
    meta = pod.get("metadata") or {}
    deleted, grace = meta.get("deletionTimestamp"), meta.get("deletionGracePeriodSeconds")
    return not deleted or grace is None or wall <= parse_rfc3339(deleted) + int(grace) * SECOND


def usage(group: str, plural: str, obj: Obj, wall: int) -> dict[str, Quantity]:
    """What an object uses, by resource name; `wall` is the time in Unix ns."""
    out: dict[str, Quantity] = {f"count/{plural}.{group}" if group else f"count/{plural}": ONE}
    if group:
        return out
    spec = obj.get("spec") or {}
    if plural == "pods":
        if counts(obj, wall):
            out["pods"] = ONE
            out |= _compute(obj)
        return out
    if plural in COUNTED:
        out[plural] = ONE
    if plural == "services":
        ports = spec.get("ports") or ()
        given = spec.get("type") == "NodePort" or spec.get("allocateLoadBalancerNodePorts", True)
        if spec.get("type") in ("NodePort", "LoadBalancer"):
            out["services.nodeports"] = Quantity(NANO * (len(ports) if given else sum(1 for p in ports if p.get("nodePort"))))
        if spec.get("type") == "LoadBalancer":
            out["services.loadbalancers"] = ONE
    elif plural == "persistentvolumeclaims":
        amount = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
        out["requests.storage"] = quantity.parse(amount) if amount is not None else Quantity(0)
        if spec.get("storageClassName"):
            out[f"{spec['storageClassName']}{CLASS}requests.storage"] = out["requests.storage"]
            out[f"{spec['storageClassName']}{CLASS}persistentvolumeclaims"] = ONE
    return out


def _compute(pod: Obj) -> dict[str, Quantity]:
    out: dict[str, Quantity] = {}
    for name, amount in pod_amounts(pod, "requests").items():
        out[f"requests.{name}"] = amount
        if name in COMPUTE or name.startswith("hugepages-"):
            out[name] = amount
    out |= {f"limits.{name}": amount for name, amount in pod_amounts(pod, "limits").items() if name in COMPUTE}
    return out


# -- scopes -------------------------------------------------------------------------------------------------------------
def _best_effort(pod: Obj) -> bool:
    """No container asks for or limits processor or memory (`qos.GetPodQOS`)."""
    spec = pod["spec"]
    for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ()), spec]:
        for member in ("requests", "limits"):
            held = (container.get("resources") or {}).get(member) or {}
            if any(quantity.nano(held[name]) for name in ("cpu", "memory") if name in held):
                return False
    return True


def _crosses(pod: Obj) -> bool:
    affinity = pod["spec"].get("affinity") or {}
    terms: list[Obj] = []
    for kind in ("podAffinity", "podAntiAffinity"):
        held = affinity.get(kind) or {}
        terms += held.get("requiredDuringSchedulingIgnoredDuringExecution") or []
        terms += [t.get("podAffinityTerm") or {} for t in held.get("preferredDuringSchedulingIgnoredDuringExecution") or ()]
    return any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms)


def _in_scope(pod: Obj, scope: str, operator: str, values: Iterable[str]) -> bool:
    ends = pod["spec"].get("activeDeadlineSeconds") is not None
    if scope in ("Terminating", "NotTerminating"):
        return ends == (scope == "Terminating")
    if scope in ("BestEffort", "NotBestEffort"):
        return _best_effort(pod) == (scope == "BestEffort")
    if scope == "CrossNamespacePodAffinity":
        return _crosses(pod)
    if scope != "PriorityClass":
        return False
    name = str(pod["spec"].get("priorityClassName") or "")
    return {"Exists": bool(name), "DoesNotExist": not name, "In": name in values, "NotIn": name not in values}.get(
        operator, False
    )


def matches(quota: Obj, pod: Obj) -> bool:
    """Whether a quota is about a pod: every scope, and every expression of its scopeSelector."""
    spec = quota.get("spec") or {}
    wanted = [(scope, "Exists", ()) for scope in spec.get("scopes") or ()]
    wanted += [
        (e["scopeName"], e["operator"], tuple(e.get("values") or ()))
        for e in (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    ]
    return all(_in_scope(pod, *one) for one in wanted)


def is_scoped(quota: Obj) -> bool:
    """Whether a quota has scopes at all: such a quota is about pods alone."""
    spec = quota.get("spec") or {}
    return bool(spec.get("scopes") or (spec.get("scopeSelector") or {}).get("matchExpressions"))
