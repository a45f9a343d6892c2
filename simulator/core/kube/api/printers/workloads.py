"""Printers of workloads: deployments, replica sets, daemon sets, stateful sets, jobs, autoscalers."""

from __future__ import annotations

from typing import Any

from ....kernel import clock
from ..selectors import from_object
from .base import NONE, Printer, age, containers, human, name, since

Obj = dict[str, Any]
UNKNOWN, UNSET = "<unknown>", "<unset>"


def selector_text(selector: Obj | None) -> str:
    """`metav1.FormatLabelSelector`."""
    return (str(from_object(selector)) if selector is not None else "") or NONE


def map_text(labels: Obj | None) -> str:
    """`labels.FormatLabels`."""
    return ",".join(f"{k}={v}" for k, v in sorted((labels or {}).items())) or NONE


def _parts(obj: Obj) -> tuple[Obj, Obj, str, str]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    names, images = containers((spec.get("template") or {}).get("spec") or {})
    return spec, status, names, images


def _deployment(obj: Obj, wall: int) -> list[Any]:
    spec, status, names, images = _parts(obj)
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}"
    counts = [status.get("updatedReplicas", 0), status.get("availableReplicas", 0)]
    return [name(obj), ready, *counts, age(obj, wall), names, images, selector_text(spec.get("selector"))]


def _replica_set(obj: Obj, wall: int) -> list[Any]:
    spec, status, names, images = _parts(obj)
    counts = [spec.get("replicas", 0), status.get("replicas", 0), status.get("readyReplicas", 0)]
    return [name(obj), *counts, age(obj, wall), names, images, selector_text(spec.get("selector"))]


def _controller(obj: Obj, wall: int) -> list[Any]:
    spec, status, names, images = _parts(obj)
    counts = [spec.get("replicas", 0), status.get("replicas", 0), status.get("readyReplicas", 0)]
    return [name(obj), *counts, age(obj, wall), names, images, map_text(spec.get("selector"))]


def _daemon_set(obj: Obj, wall: int) -> list[Any]:
    spec, status, names, images = _parts(obj)
    fields = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled", "numberAvailable")
    nodes = map_text(((spec.get("template") or {}).get("spec") or {}).get("nodeSelector"))
    counts = [status.get(field, 0) for field in fields]
    return [name(obj), *counts, nodes, age(obj, wall), names, images, selector_text(spec.get("selector"))]


def _stateful_set(obj: Obj, wall: int) -> list[Any]:
    spec, status, names, images = _parts(obj)
    return [name(obj), f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}", age(obj, wall), names, images]


#: Conditions of a job in the order in which the printer looks for them; Terminating comes after the first two.
_JOB_STATES = (("Complete", "Complete"), ("Failed", "Failed"), ("", "Terminating"), ("Suspended", "Suspended"),
               ("FailureTarget", "FailureTarget"), ("SuccessCriteriaMet", "SuccessCriteriaMet"))  # fmt: skip


def _job(obj: Obj, wall: int) -> list[Any]:
    spec, status, names, images = _parts(obj)
    true = {c.get("type") for c in status.get("conditions") or () if c.get("status") == "True"}
    done, parallel = status.get("succeeded", 0), spec.get("parallelism", 0)
    if spec.get("completions") is not None:
        completions = f"{done}/{spec['completions']}"
    else:
        completions = f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"
    took, start, end = "", status.get("startTime"), status.get("completionTime")
    if start:
        took = human((clock.parse_rfc3339(end) if end else wall) - clock.parse_rfc3339(start))
    state = "Running"
    for condition, shown in _JOB_STATES:
        if condition in true or (not condition and obj["metadata"].get("deletionTimestamp")):
            state = shown
            break
    return [name(obj), state, completions, took, age(obj, wall), names, images, selector_text(spec.get("selector"))]


def _cron_job(obj: Obj, wall: int) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    job = (spec.get("jobTemplate") or {}).get("spec") or {}
    names, images = containers((job.get("template") or {}).get("spec") or {})
    last = since(status["lastScheduleTime"], wall) if status.get("lastScheduleTime") else NONE
    suspended = {True: "True", False: "False"}.get(spec.get("suspend"), UNSET)  # type: ignore[arg-type]
    active = len(status.get("active") or ())
    zone = spec.get("timeZone") or NONE
    return [
        name(obj),
        spec.get("schedule", ""),
        zone,
        suspended,
        active,
        last,
        age(obj, wall),
        names,
        images,
        selector_text(job.get("selector")),
    ]


def _metric(spec: Obj, status: Obj) -> str:
    member = {
        "Resource": "resource",
        "ContainerResource": "containerResource",
        "Pods": "pods",
        "Object": "object",
        "External": "external",
    }
    key = member.get(spec.get("type", ""), "")
    if not key:
        return "<unknown type>"
    held, now = spec.get(key) or {}, (status.get(key) or {}).get("current") or {}
    target = held.get("target") or {}
    if key in ("resource", "containerResource"):
        if target.get("averageValue"):
            return f"{held.get('name')}: {now.get('averageValue', UNKNOWN)}/{target['averageValue']}"
        current = f"{now['averageUtilization']}%" if now.get("averageUtilization") is not None else UNKNOWN
        wanted = f"{target['averageUtilization']}%" if target.get("averageUtilization") is not None else "<auto>"
        return f"{held.get('name')}: {current}/{wanted}"
    if target.get("averageValue"):
        text = f"{now.get('averageValue', UNKNOWN)}/{target['averageValue']}"
        return text if key == "pods" else text + " (avg)"
    return f"{now.get('value', UNKNOWN)}/{target.get('value', '')}"


def _autoscaler(obj: Obj, wall: int) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    target = spec.get("scaleTargetRef") or {}
    held, now = spec.get("metrics") or (), status.get("currentMetrics") or ()
    shown = [_metric(item, now[i] if i < len(now) else {}) for i, item in enumerate(held)]
    metrics = ", ".join(shown[:2]) + (f" + {len(shown) - 2} more..." if len(shown) > 2 else "") if shown else NONE
    low = str(spec["minReplicas"]) if spec.get("minReplicas") is not None else UNSET
    counts = [spec.get("maxReplicas", 0), status.get("currentReplicas", 0)]
    return [name(obj), f"{target.get('kind', '')}/{target.get('name', '')}", metrics, low, *counts, age(obj, wall)]


def _revision(obj: Obj, wall: int) -> list[Any]:
    owner = next((ref for ref in obj["metadata"].get("ownerReferences") or () if ref.get("controller")), None)
    shown = NONE
    if owner is not None:
        group = owner["apiVersion"].partition("/")[0] if "/" in owner["apiVersion"] else ""
        shown = f"{owner['kind'].lower()}{'.' + group if group else ''}/{owner['name']}"
    return [name(obj), shown, obj.get("revision", 0), age(obj, wall)]


_WIDE = "|Containers:wide|Images:wide|Selector:wide"
DEPLOYMENT = Printer("Name|Ready|Up-to-date|Available|Age" + _WIDE, _deployment)
REPLICA_SET = Printer("Name|Desired:integer|Current:integer|Ready:integer|Age" + _WIDE, _replica_set)
CONTROLLER = Printer("Name|Desired:integer|Current:integer|Ready:integer|Age" + _WIDE, _controller)
DAEMON_SET = Printer(
    "Name|Desired:integer|Current:integer|Ready:integer|Up-to-date:integer|Available:integer|Node Selector|Age" + _WIDE,
    _daemon_set,
)
STATEFUL_SET = Printer("Name|Ready|Age|Containers:wide|Images:wide", _stateful_set)
JOB = Printer("Name|Status|Completions|Duration|Age" + _WIDE, _job)
CRON_JOB = Printer("Name|Schedule|Timezone|Suspend:boolean|Active:integer|Last Schedule|Age" + _WIDE, _cron_job)
AUTOSCALER = Printer("Name|Reference|Targets|MinPods|MaxPods|Replicas|Age", _autoscaler)
REVISION = Printer("Name|Controller|Revision|Age", _revision)
