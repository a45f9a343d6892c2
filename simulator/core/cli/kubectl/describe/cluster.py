"""Nodes, namespaces, quotas, limit ranges, priority classes, leases (`describe.go`)."""

from __future__ import annotations

from typing import Any

from ....kube.api import quantity
from ....kube.api.errors import ApiError
from .doc import Doc, labels_text, time_text

Obj = dict[str, Any]
ROLE = "node-role.kubernetes.io/"


def node(d: Doc, obj: Obj) -> None:
    """A Node with its lease, conditions, resources and pods."""
    meta, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    d.head(obj, namespace=False)
    roles = sorted(
        {key.removeprefix(ROLE) for key in meta.get("labels") or {} if key.startswith(ROLE)}
        | {value for key, value in (meta.get("labels") or {}).items() if key == "kubernetes.io/role" and value}
    )
    d.line(0, f"Roles:\t{','.join(roles) or '<none>'}")
    d.labels_and_annotations(obj)
    d.line(0, f"CreationTimestamp:\t{time_text(meta.get('creationTimestamp'))}")
    d.taints(spec.get("taints") or [])
    d.line(0, f"Unschedulable:\t{'true' if spec.get('unschedulable') else 'false'}")
    _lease(d, meta["name"])
    _conditions(d, status)
    d.line(0, "Addresses:")
    for item in status.get("addresses") or ():
        d.line(1, f"{item['type']}:\t{item['address']}")
    for key, title in (("capacity", "Capacity"), ("allocatable", "Allocatable")):
        if status.get(key):
            d.line(0, f"{title}:")
            for name, value in sorted(status[key].items()):
                d.line(1, f"{name}:\t{quantity.canonical(value)}")
    info = status.get("nodeInfo") or {}
    d.line(0, "System Info:")
    for title, key in (("Machine ID", "machineID"), ("System UUID", "systemUUID"), ("Boot ID", "bootID"), ("Kernel Version", "kernelVersion"),
                       ("OS Image", "osImage"), ("Operating System", "operatingSystem"), ("Architecture", "architecture"),
                       ("Container Runtime Version", "containerRuntimeVersion"), ("Kubelet Version", "kubeletVersion")):  # fmt: skip
        d.line(1, f"{title}:\t{info.get(key, '')}")
    if spec.get("podCIDR"):
        d.line(0, f"PodCIDR:\t{spec['podCIDR']}")
    if spec.get("podCIDRs"):
        d.line(0, f"PodCIDRs:\t{','.join(spec['podCIDRs'])}")
    if spec.get("providerID"):
        d.line(0, f"ProviderID:\t{spec['providerID']}")
    _pods(d, obj)
    d.events(obj, [meta["name"], meta.get("uid", "")])


def _lease(d: Doc, name: str) -> None:
    try:
        lease = d.s.get(d.s.kind("leases"), "kube-node-lease", name)
    except ApiError as error:
        d.line(0, f"Lease:\tFailed to get lease: {error.message}")
        return
    spec = lease.get("spec") or {}
    d.line(0, "Lease:")
    d.line(1, f"HolderIdentity:\t{spec.get('holderIdentity') or '<unset>'}")
    for title, key in (("AcquireTime", "acquireTime"), ("RenewTime", "renewTime")):
        d.line(1, f"{title}:\t{time_text(spec[key]) if spec.get(key) else '<unset>'}")


def _conditions(d: Doc, status: Obj) -> None:
    if status.get("conditions"):
        d.line(0, "Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage")
        d.line(1, "----\t------\t-----------------\t------------------\t------\t-------")
        for item in status["conditions"]:
            d.line(1, f"{item['type']} \t{item['status']} \t{time_text(item.get('lastHeartbeatTime'))} \t{time_text(item.get('lastTransitionTime'))} "
                      f"\t{item.get('reason', '')} \t{item.get('message', '')}")  # fmt: skip


def pod_resources(spec: Obj, section: str) -> dict[str, int]:
    """Requests or limits of a pod in billionths: the sum of its containers, or the largest init container where that is more."""
    total: dict[str, int] = {}
    for item in spec.get("containers") or ():
        for name, value in ((item.get("resources") or {}).get(section) or {}).items():
            total[name] = total.get(name, 0) + quantity.nano(value)
    beside: dict[str, int] = {}
    most: dict[str, int] = {}
    for item in spec.get("initContainers") or ():
        wanted = {name: quantity.nano(value) for name, value in ((item.get("resources") or {}).get(section) or {}).items()}
        if item.get("restartPolicy") == "Always":
            for name, value in wanted.items():
                beside[name] = beside.get(name, 0) + value
            wanted = {}
        for name in {*wanted, *beside}:
            most[name] = max(most.get(name, 0), wanted.get(name, 0) + beside.get(name, 0))
    for name, value in beside.items():
        total[name] = total.get(name, 0) + value
    for name, value in most.items():
        total[name] = max(total.get(name, 0), value)
    for name, raw in (spec.get("overhead") or {}).items():
        if section == "requests" or name in total:
            total[name] = total.get(name, 0) + quantity.nano(raw)
    return total


def _amount(name: str, nano: int) -> str:
    if name == "cpu":
        return quantity.from_milli(-(-nano // 10**6))
    form = "BinarySI" if name != "pods" and nano and (nano // 10**9) % 1024 == 0 else "DecimalSI"
    return quantity.from_value(nano // 10**9, form)


def _share(nano: int, allocatable: Obj, name: str) -> int:
    whole = quantity.nano(allocatable.get(name, "0"))
    return int(nano / whole * 100) if whole else 0


def _pods(d: Doc, obj: Obj) -> None:
    name = obj["metadata"]["name"]
    status = obj.get("status") or {}
    allocatable = status.get("allocatable") or status.get("capacity") or {}
    fields = f"spec.nodeName={name},status.phase!=Succeeded,status.phase!=Failed"
    try:
        pods = d.s.list(d.s.kind("pods"), "", fields=fields)
    except ApiError as error:
        if error.reason != "Forbidden":
            raise
        d.line(0, "Pods:\tnot authorized")
        return
    d.line(0, f"Non-terminated Pods:\t({len(pods)} in total)")
    d.line(1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge")
    d.line(1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---")
    totals: dict[str, dict[str, int]] = {"requests": {}, "limits": {}}
    for item in pods:
        cells = []
        wanted = {section: pod_resources(item["spec"], section) for section in ("requests", "limits")}
        for section, values in wanted.items():
            for resource, value in values.items():
                totals[section][resource] = totals[section].get(resource, 0) + value
        for resource in ("cpu", "memory"):
            for section in ("requests", "limits"):
                value = wanted[section].get(resource, 0)
                cells.append(f"{_amount(resource, value)} ({_share(value, allocatable, resource)}%)")
        meta = item["metadata"]
        d.line(1, "\t".join([meta["namespace"], meta["name"], "", *cells, d.since(meta.get("creationTimestamp"))]))
    _allocated(d, totals, allocatable)


def _allocated(d: Doc, totals: dict[str, dict[str, int]], allocatable: Obj) -> None:
    d.line(0, "Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)")
    d.line(1, "Resource\tRequests\tLimits")
    d.line(1, "--------\t--------\t------")
    standard = ("cpu", "memory", "ephemeral-storage")
    huge = sorted(name for name in allocatable if name.startswith("hugepages-"))
    for name in (*standard, *huge):
        cells = []
        for section in ("requests", "limits"):
            value = totals[section].get(name, 0)
            cells.append(f"{_amount(name, value)} ({_share(value, allocatable, name)}%)")
        d.line(1, "\t".join([name, *cells]))
    for name in sorted(name for name in allocatable if name not in standard and name not in huge and name != "pods"):
        d.line(1, f"{name}\t{_amount(name, totals['requests'].get(name, 0))}\t{_amount(name, totals['limits'].get(name, 0))}")


def namespace(d: Doc, obj: Obj) -> None:
    """A Namespace with its quotas and limits."""
    name = obj["metadata"]["name"]
    d.head(obj, namespace=False)
    d.labels_and_annotations(obj)
    d.line(0, f"Status:\t{(obj.get('status') or {}).get('phase', '')}")
    conditions = (obj.get("status") or {}).get("conditions") or []
    if conditions:
        d.line(0, "Conditions:\n  Type\tStatus\tLastTransitionTime\tReason\tMessage")
        d.line(1, "----\t------\t------------------\t------\t-------")
        for item in conditions:
            d.line(
                1,
                f"{item['type']}\t{item['status']}\t{time_text(item.get('lastTransitionTime'))}\t{item.get('reason', '')}\t{item.get('message', '')}",
            )
    quotas = d.s.list(d.s.kind("resourcequotas"), name)
    d.add("\n" + ("Resource Quotas\n" if quotas else "No resource quota.\n"))
    for item in quotas:
        status = item.get("status") or {}
        d.line(1, f"Name:\t{item['metadata']['name']}")
        scopes = sorted((item.get("spec") or {}).get("scopes") or ())
        if scopes:
            d.line(1, f"Scopes:\t{', '.join(scopes)}")
        for scope in scopes:
            if scope in SCOPES:
                d.line(1, f"* {SCOPES[scope]}")
        d.line(1, "Resource\tUsed\tHard")
        d.line(1, "--------\t---\t---")
        for resource, hard in sorted((status.get("hard") or {}).items()):
            d.line(
                1, f"{resource}\t{quantity.canonical((status.get('used') or {}).get(resource, '0'))}\t{quantity.canonical(hard)}"
            )
    limits = d.s.list(d.s.kind("limitranges"), name)
    if not limits:
        d.add("\nNo LimitRange resource.\n")
        return
    d.add("\nResource Limits\n Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio\n"
          " ----\t--------\t---\t---\t---------------\t-------------\t-----------------------\n")  # fmt: skip
    for item in limits:
        _limits(d, item.get("spec") or {}, " ")


def _limits(d: Doc, spec: Obj, indent: str) -> None:
    keys = ("min", "max", "defaultRequest", "default", "maxLimitRequestRatio")
    for item in spec.get("limits") or ():
        names = sorted({name for key in keys for name in item.get(key) or {}})
        for name in names:
            cells = [quantity.canonical((item.get(key) or {})[name]) if name in (item.get(key) or {}) else "-" for key in keys]
            d.add(indent + "\t".join([item["type"], name, *cells]) + "\n")


def limit_range(d: Doc, obj: Obj) -> None:
    """A LimitRange."""
    d.head(obj)
    d.line(0, "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio")
    d.line(0, "----\t--------\t---\t---\t---------------\t-------------\t-----------------------")
    _limits(d, obj.get("spec") or {}, "")


SCOPES = {
    "Terminating": "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by "
                   "the system.",
    "NotTerminating": "Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is "
                      "not expected to terminate.",
    "BestEffort": "Matches all pods that do not have resource requirements set. These pods have a best effort quality of service.",
    "NotBestEffort": "Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service.",
}  # fmt: skip


def quota(d: Doc, obj: Obj) -> None:
    """A ResourceQuota."""
    status, scopes = obj.get("status") or {}, sorted((obj.get("spec") or {}).get("scopes") or ())
    d.head(obj)
    if scopes:
        d.line(0, f"Scopes:\t{', '.join(scopes)}")
        for scope in scopes:
            if scope in SCOPES:
                d.line(0, f" * {SCOPES[scope]}")
    d.line(0, "Resource\tUsed\tHard")
    d.line(0, "--------\t----\t----")
    for name, hard in sorted((status.get("hard") or {}).items()):
        d.line(0, f"{name}\t{quantity.canonical((status.get('used') or {}).get(name, '0'))}\t{quantity.canonical(hard)}")


def priority_class(d: Doc, obj: Obj) -> None:
    """A PriorityClass."""
    d.line(0, f"Name:\t{obj['metadata']['name']}")
    d.line(0, f"Value:\t{obj.get('value', 0)}")
    d.line(0, f"GlobalDefault:\t{'true' if obj.get('globalDefault') else 'false'}")
    d.line(0, f"PreemptionPolicy:\t{obj.get('preemptionPolicy', 'PreemptLowerPriority')}")
    d.line(0, f"Description:\t{obj.get('description', '')}")
    d.line(0, f"Annotations:\t{labels_text(obj['metadata'].get('annotations'))}")
    d.events(obj)
