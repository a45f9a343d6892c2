"""The bootstrap FlowSchemas and PriorityLevelConfigurations (`apiserver/pkg/apis/flowcontrol/bootstrap/default.go`)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

Obj = dict[str, Any]
VERSION = "flowcontrol.apiserver.k8s.io/v1"
_NOTE = {"apf.kubernetes.io/autoupdate-spec": "true"}

#: Limited levels: name, shares, lendable percent, (queues, hand size, queue length) or None for reject.
LEVELS: tuple[tuple[str, int, int, tuple[int, int, int] | None], ...] = (
    ("catch-all", 5, 0, None),
    ("global-default", 20, 50, (128, 6, 50)),
    ("leader-election", 10, 0, (16, 4, 50)),
    ("node-high", 40, 25, (64, 6, 50)),
    ("system", 30, 33, (64, 6, 50)),
    ("workload-high", 40, 50, (128, 6, 50)),
    ("workload-low", 100, 90, (128, 6, 50)),
)

_ALL: Obj = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True, "namespaces": ["*"]}
_PATHS: Obj = {"verbs": ["*"], "nonResourceURLs": ["*"]}
_LEASES: Obj = {"verbs": ["*"], "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "namespaces": ["*"]}
_ELECTION: Obj = {**_LEASES, "verbs": ["get", "create", "update"]}
_NODES: Obj = {
    "verbs": ["*"],
    "apiGroups": [""],
    "resources": ["nodes", "nodes/status"],
    "clusterScope": True,
    "namespaces": ["*"],
}
_PROBES: Obj = {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/readyz", "/livez"]}


def _group(*names: str) -> list[Obj]:
    return [{"kind": "Group", "group": {"name": name}} for name in names]


def _user(*names: str) -> list[Obj]:
    return [{"kind": "User", "user": {"name": name}} for name in names]


_EVERYBODY = _group("system:unauthenticated", "system:authenticated")
_SYSTEM_ACCOUNTS: list[Obj] = [{"kind": "ServiceAccount", "serviceAccount": {"namespace": "kube-system", "name": "*"}}]
_MANAGER, _SCHEDULER = "system:kube-controller-manager", "system:kube-scheduler"

#: Schemas: name, level, precedence, distinguisher, subjects, resource rules, path rules.
SCHEMAS: tuple[tuple[str, str, int, str, list[Obj], list[Obj], list[Obj]], ...] = (
    ("exempt", "exempt", 1, "", _group("system:masters"), [_ALL], [_PATHS]),
    ("probes", "exempt", 2, "", _EVERYBODY, [], [_PROBES]),
    ("system-leader-election", "leader-election", 100, "ByUser", _user(_MANAGER, _SCHEDULER) + _SYSTEM_ACCOUNTS, [_ELECTION], []),
    ("system-node-high", "node-high", 400, "ByUser", _group("system:nodes"), [_NODES, _LEASES], []),
    ("system-nodes", "system", 500, "ByUser", _group("system:nodes"), [_ALL], [_PATHS]),
    ("kube-controller-manager", "workload-high", 800, "ByNamespace", _user(_MANAGER), [_ALL], [_PATHS]),
    ("kube-scheduler", "workload-high", 800, "ByNamespace", _user(_SCHEDULER), [_ALL], [_PATHS]),
    ("kube-system-service-accounts", "workload-high", 900, "ByNamespace", _SYSTEM_ACCOUNTS, [_ALL], [_PATHS]),
    ("service-accounts", "workload-low", 9000, "ByUser", _group("system:serviceaccounts"), [_ALL], [_PATHS]),
    ("global-default", "global-default", 9900, "ByUser", _EVERYBODY, [_ALL], [_PATHS]),
    ("catch-all", "catch-all", 10000, "ByUser", _EVERYBODY, [_ALL], [_PATHS]),
)


@lru_cache(maxsize=1)
def objects() -> tuple[Obj, ...]:
    """The objects, shared between worlds."""
    exempt = {"type": "Exempt", "exempt": {"nominalConcurrencyShares": 0, "lendablePercent": 0}}
    out = [_object("PriorityLevelConfiguration", "exempt", exempt)]
    for name, shares, lendable, queuing in LEVELS:
        response: Obj = {"type": "Reject"}
        if queuing is not None:
            queues, hand, length = queuing
            response = {"type": "Queue", "queuing": {"queues": queues, "handSize": hand, "queueLengthLimit": length}}
        limited = {"nominalConcurrencyShares": shares, "limitResponse": response, "lendablePercent": lendable}
        out.append(_object("PriorityLevelConfiguration", name, {"type": "Limited", "limited": limited}))
    for name, level, precedence, method, subjects, resources, paths in SCHEMAS:
        rule: Obj = {"subjects": subjects}
        if resources:
            rule["resourceRules"] = resources
        if paths:
            rule["nonResourceRules"] = paths
        spec: Obj = {"priorityLevelConfiguration": {"name": level}, "matchingPrecedence": precedence}
        if method:
            spec["distinguisherMethod"] = {"type": method}
        spec["rules"] = [rule]
        out.append(_object("FlowSchema", name, spec))
    return tuple(out)


def _object(kind: str, name: str, spec: Obj) -> Obj:
    return {"kind": kind, "apiVersion": VERSION, "metadata": {"name": name, "annotations": _NOTE}, "spec": spec, "status": {}}
