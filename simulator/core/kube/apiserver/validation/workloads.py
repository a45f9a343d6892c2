"""Validation of workloads (`pkg/apis/apps/validation`, `pkg/apis/batch/validation`, `pkg/apis/autoscaling/validation`)."""

from __future__ import annotations

import re
from typing import Any

from ...api import names, selectors
from ...api.cronspec import Schedule, zone_of
from ...api.errors import FieldError, forbidden_field, invalid_value, not_supported, required
from . import affinity, common, jobs, pod
from .common import NOT_NEGATIVE, not_negative
from .core import claim_spec

Obj = dict[str, Any]
MISMATCH = "`selector` does not match template `labels`"


def _non_negative(spec: Obj, names: tuple[str, ...], path: str = "spec") -> list[FieldError]:
    return [error for name in names for error in not_negative(spec.get(name), f"{path}.{name}")]


def _selector(spec: Obj, owner: str = "deployment") -> list[FieldError]:
    out: list[FieldError] = []
    selector = spec.get("selector")
    if selector is None:
        out.append(required("spec.selector"))
    else:
        out += affinity.label_selector(selector, "spec.selector")
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            out.append(invalid_value("spec.selector", selector, f"empty selector is invalid for {owner}"))
    return out


def _mismatch(spec: Obj) -> list[FieldError]:
    """The selector must match the template's labels; an empty one is told elsewhere."""
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    selector = spec.get("selector")
    if selector is not None and (not selector or selectors.from_object(selector).matches(labels)):
        return []
    return [invalid_value("spec.template.metadata.labels", labels or None, MISMATCH)]


def _template(spec: Obj, owner: str = "ReplicaSet", *, check: bool = True) -> list[FieldError]:
    """The selector must match the template's labels, then the template itself."""
    template = spec.get("template") or {}
    out = _mismatch(spec) + (pod.template(template, "spec.template") if check else [])
    policy = (template.get("spec") or {}).get("restartPolicy")
    if policy != "Always":
        out.append(not_supported("spec.template.spec.restartPolicy", policy, ("Always",)))
    if (template.get("spec") or {}).get("activeDeadlineSeconds") is not None:
        text = f"activeDeadlineSeconds in {owner} is not Supported"
        out.append(forbidden_field("spec.template.spec.activeDeadlineSeconds", text))
    return out


def deployment(obj: Obj) -> list[FieldError]:
    """`ValidateDeploymentSpec`."""
    spec = obj.get("spec") or {}
    out = _non_negative(spec, ("replicas",)) + _selector(spec) + _template(spec)
    out += _strategy(spec.get("strategy") or {})
    out += _non_negative(spec, ("minReadySeconds", "revisionHistoryLimit"))
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None:
        out += _non_negative(spec, ("progressDeadlineSeconds",))
        if deadline <= spec.get("minReadySeconds", 0):
            out.append(invalid_value("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
    return out


def _strategy(strategy: Obj) -> list[FieldError]:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            text = "may not be specified when strategy `type` is 'Recreate'"
            return [forbidden_field("spec.strategy.rollingUpdate", text)]
        return []
    if kind != "RollingUpdate":
        shown = {"Type": kind, "RollingUpdate": rolling}
        return [not_supported("spec.strategy", shown, ("Recreate", "RollingUpdate"))]
    out: list[FieldError] = []
    values = []
    for name in ("maxUnavailable", "maxSurge"):
        value = (rolling or {}).get(name)
        out += int_or_percent(value, f"spec.strategy.rollingUpdate.{name}")
        values.append(_amount(value))
    at, most = "spec.strategy.rollingUpdate.maxUnavailable", (rolling or {}).get("maxUnavailable")
    if values == [0, 0]:
        out.append(invalid_value(at, most, "may not be 0 when `maxSurge` is 0"))
    return out + _bounded(most, at)


def _bounded(value: Any, at: str) -> list[FieldError]:
    """`IsNotMoreThan100Percent`."""
    wide = isinstance(value, str) and value.endswith("%") and _amount(value) > 100
    return [invalid_value(at, value, "must not be greater than 100%")] if wide else []


def _amount(value: Any) -> int:
    if isinstance(value, int):
        return value
    match = re.fullmatch(r"([+-]?\d+)%?", str(value), re.ASCII)
    return int(match.group(1)) if match else 0


def int_or_percent(value: Any, path: str, *, bounded: bool = False) -> list[FieldError]:
    """`ValidatePositiveIntOrPercent` and the 100% bound."""
    if isinstance(value, int):
        return [] if value >= 0 else [invalid_value(path, value, NOT_NEGATIVE)]
    if value is None:
        return []
    match = re.fullmatch(r"(\d+)%", value)
    if match is None:
        text = (
            "a valid percent string must be a numeric string followed by an ending '%' "
            "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
        )
        return [invalid_value(path, value, text)]
    return _bounded(value, path) if bounded else []


def immutable_selector(obj: Obj, old: Obj) -> list[FieldError]:
    """The selector of a workload cannot change."""
    mine, held = (obj.get("spec") or {}).get("selector"), (old.get("spec") or {}).get("selector")
    return [] if mine == held else [invalid_value("spec.selector", mine, "field is immutable")]


def replica_set(obj: Obj) -> list[FieldError]:
    """`ValidateReplicaSetSpec`."""
    spec = obj.get("spec") or {}
    return _non_negative(spec, ("replicas", "minReadySeconds")) + _selector(spec) + _template(spec)


def daemon_set(obj: Obj) -> list[FieldError]:
    """`ValidateDaemonSetSpec`."""
    spec = obj.get("spec") or {}
    selector = spec.get("selector")
    out = affinity.label_selector(selector, "spec.selector")
    empty = selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions")
    out += [] if empty else _mismatch(spec)
    if empty:
        out.append(invalid_value("spec.selector", selector, "empty selector is invalid for daemonset"))
    out += _template({"template": spec.get("template"), "selector": {}}, "DaemonSet") + _non_negative(spec, ("minReadySeconds",))
    kind = (spec.get("updateStrategy") or {}).get("type")
    if kind not in ("OnDelete", "RollingUpdate"):
        out.append(not_supported("spec.updateStrategy", {"Type": kind, "RollingUpdate": None}, ("RollingUpdate", "OnDelete")))
    elif kind == "RollingUpdate":
        out += _rolling_daemons(spec["updateStrategy"].get("rollingUpdate"), "spec.updateStrategy.rollingUpdate")
    return out + _non_negative(spec, ("revisionHistoryLimit",))


def _rolling_daemons(rolling: Obj | None, at: str) -> list[FieldError]:
    """`ValidateRollingUpdateDaemonSet`: one of the two amounts, and not both."""
    if rolling is None:
        return [required(at)]
    low, high = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    out = int_or_percent(low, f"{at}.maxUnavailable") + int_or_percent(high, f"{at}.maxSurge")
    out += _bounded(low, f"{at}.maxUnavailable") + _bounded(high, f"{at}.maxSurge")
    unavailable, surge = (_amount(value or 0) != 0 for value in (low, high))
    if unavailable and surge:
        out.append(invalid_value(f"{at}.maxSurge", high, "may not be set when maxUnavailable is non-zero"))
    elif not unavailable and not surge:
        out.append(required(f"{at}.maxUnavailable", "cannot be 0 when maxSurge is 0"))
    return out


def replication_controller(obj: Obj) -> list[FieldError]:
    """`ValidateReplicationControllerSpec`."""
    spec = obj.get("spec") or {}
    out = _non_negative(spec, ("minReadySeconds",))
    selector, template = spec.get("selector") or {}, spec.get("template")
    if not selector:
        out.append(required("spec.selector"))
    out += _non_negative(spec, ("replicas",))
    if template is None:
        return [*out, required("spec.template")]
    labels, inner = (template.get("metadata") or {}).get("labels") or {}, template.get("spec") or {}
    if any(labels.get(key) != value for key, value in selector.items()):
        out.append(invalid_value("spec.template.metadata.labels", labels or None, MISMATCH))
    out += pod.template(template, "spec.template")
    if inner.get("restartPolicy") in ("OnFailure", "Never"):
        out.append(not_supported("spec.template.spec.restartPolicy", inner["restartPolicy"], ("Always",)))
    if inner.get("activeDeadlineSeconds") is not None:
        text = "activeDeadlineSeconds in ReplicationController is not Supported"
        out.append(forbidden_field("spec.template.spec.activeDeadlineSeconds", text))
    return out


RETENTION = ("Retain", "Delete")


def stateful_set(obj: Obj, old: Obj | None = None) -> list[FieldError]:
    """`ValidateStatefulSetSpec`; an update does not look again at what cannot change, nor at a template that was wrong before."""
    spec = obj.get("spec") or {}
    out: list[FieldError] = []
    policy = spec.get("podManagementPolicy")
    if policy not in ("OrderedReady", "Parallel"):
        out.append(invalid_value("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'"))
    out += _stateful_strategy(spec.get("updateStrategy") or {}, "spec.updateStrategy")
    for name in ("whenDeleted", "whenScaled"):
        held = (spec.get("persistentVolumeClaimRetentionPolicy") or {}).get(name)
        if held not in RETENTION:
            out.append(not_supported(f"spec.persistentVolumeClaimRetentionPolicy.{name}", held, RETENTION))
    for i, item in enumerate(spec.get("volumeClaimTemplates") or () if old is None else ()):
        out += claim_spec(item.get("spec") or {}, f"spec.volumeClaimTemplates[{i}].spec")
    out += _non_negative(spec, ("replicas", "minReadySeconds"))
    out += not_negative((spec.get("ordinals") or {}).get("start"), "spec.ordinals.start")
    name = spec.get("serviceName") or ""
    if old is None and name:
        out += [invalid_value("spec.serviceName", name, text) for text in names.dns_label(name)]
    out += _selector(spec, "statefulset")
    return out + _template(_with_claims(spec), "StatefulSet", check=old is None or not stateful_set(old))


def _stateful_strategy(strategy: Obj, at: str) -> list[FieldError]:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind not in ("OnDelete", "RollingUpdate"):
        shown = {"Type": kind, "RollingUpdate": _rolling_statefuls(rolling)}
        return [invalid_value(at, shown, "must be 'RollingUpdate' or 'OnDelete'")]
    if rolling is None:
        return []
    if kind == "OnDelete":
        return [
            invalid_value(f"{at}.rollingUpdate", _rolling_statefuls(rolling), "only allowed for updateStrategy 'RollingUpdate'")
        ]
    most, place = rolling.get("maxUnavailable"), f"{at}.rollingUpdate.maxUnavailable"
    out = not_negative(rolling.get("partition"), f"{at}.rollingUpdate.partition") + int_or_percent(most, place)
    if most is not None and _amount(most) == 0:
        out.append(invalid_value(place, most, "cannot be 0"))
    return out + _bounded(most, place)


def _rolling_statefuls(rolling: Obj | None) -> Obj | None:
    """The internal RollingUpdateStatefulSetStrategy."""
    return (
        None if rolling is None else {"Partition": rolling.get("partition") or 0, "MaxUnavailable": rolling.get("maxUnavailable")}
    )


def _with_claims(spec: Obj) -> Obj:
    """The set's spec as its pods will be: a claim template is a volume, also in the place of one of its name (`updateStorage`)."""
    claims = [(claim.get("metadata") or {}).get("name") or "" for claim in spec.get("volumeClaimTemplates") or ()]
    template = spec.get("template") or {}
    inner = {name: value for name, value in (template.get("spec") or {}).items() if name not in ("subdomain", "hostname")}
    if not claims:
        return {**spec, "template": {**template, "spec": inner}}
    volumes = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims]
    volumes += [volume for volume in inner.get("volumes") or () if volume.get("name") not in claims]
    return {**spec, "template": {**template, "spec": {**inner, "volumes": volumes}}}


def stateful_set_update(obj: Obj, old: Obj) -> list[FieldError]:
    """Which fields of a StatefulSet's spec may change."""
    free = (
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    )
    mine = {k: v for k, v in (obj.get("spec") or {}).items() if k not in free}
    held = {k: v for k, v in (old.get("spec") or {}).items() if k not in free}
    if mine == held:
        return []
    listed = ", ".join(f"'{name}'" for name in free[:-1])
    return [
        forbidden_field("spec", f"updates to statefulset spec for fields other than {listed} and 'minReadySeconds' are forbidden")
    ]


def job(obj: Obj) -> list[FieldError]:
    """`ValidateJobSpec`."""
    return jobs.spec_errors(obj.get("spec") or {}, "spec")


def job_update(obj: Obj, old: Obj) -> list[FieldError]:
    """What a Job may not change."""
    spec, held = obj.get("spec") or {}, old.get("spec") or {}
    out: list[FieldError] = []
    if spec.get("completions") != held.get("completions") and spec.get("completionMode") != "Indexed":
        out.append(invalid_value("spec.completions", spec.get("completions"), "field is immutable"))
    if spec.get("selector") != held.get("selector"):
        out.append(invalid_value("spec.selector", spec.get("selector"), "field is immutable"))
    if spec.get("template") != held.get("template") and not held.get("suspend"):
        out.append(invalid_value("spec.template", spec.get("template"), "field is immutable"))
    if spec.get("completionMode") != held.get("completionMode"):
        out.append(invalid_value("spec.completionMode", spec.get("completionMode"), "field is immutable"))
    return out + _non_negative(spec, ("parallelism", "completions", "backoffLimit"))


def cron_job(obj: Obj) -> list[FieldError]:
    """`ValidateCronJobSpec`."""
    spec = obj.get("spec") or {}
    out: list[FieldError] = []
    schedule = spec.get("schedule", "")
    if not schedule:
        out.append(required("spec.schedule"))
    else:
        try:
            Schedule(schedule)
        except ValueError as bad:
            out.append(invalid_value("spec.schedule", schedule, str(bad)))
        if "TZ" in schedule:
            text = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
            out.append(invalid_value("spec.schedule", schedule, text))
    try:
        zone_of(spec.get("timeZone"))
    except ValueError as bad:
        out.append(invalid_value("spec.timeZone", spec["timeZone"], str(bad)))
    if spec.get("concurrencyPolicy") not in ("Allow", "Forbid", "Replace"):
        out.append(not_supported("spec.concurrencyPolicy", spec.get("concurrencyPolicy"), ("Allow", "Forbid", "Replace")))
    out += _non_negative(spec, ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"))
    if len(obj["metadata"].get("name", "")) > 52:
        out.append(invalid_value("metadata.name", obj["metadata"]["name"], "must be no more than 52 characters"))
    return out + jobs.spec_errors((spec.get("jobTemplate") or {}).get("spec") or {}, "spec.jobTemplate.spec")


#: Counters of a status that are not negative, and which is no greater than which: (field, other, what the message calls it).
STATUS: dict[str, tuple[tuple[str, ...], tuple[tuple[str, str, str], ...]]] = {
    "Deployment": (
        ("observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas",
         "terminatingReplicas", "collisionCount"),
        (("updatedReplicas", "replicas", "status.replicas"), ("readyReplicas", "replicas", "status.replicas"),
         ("availableReplicas", "replicas", "status.replicas"), ("availableReplicas", "readyReplicas", "readyReplicas")),
    ),
    "ReplicaSet": (
        ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration", "terminatingReplicas"),
        (("fullyLabeledReplicas", "replicas", "status.replicas"), ("readyReplicas", "replicas", "status.replicas"),
         ("availableReplicas", "replicas", "status.replicas"), ("availableReplicas", "readyReplicas", "readyReplicas")),
    ),
    "ReplicationController": (
        ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"),
        (("fullyLabeledReplicas", "replicas", "status.replicas"), ("readyReplicas", "replicas", "status.replicas"),
         ("availableReplicas", "replicas", "status.replicas"), ("availableReplicas", "readyReplicas", "readyReplicas")),
    ),
    "StatefulSet": (
        ("replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas", "observedGeneration", "collisionCount"),
        (("readyReplicas", "replicas", "status.replicas"), ("currentReplicas", "replicas", "status.replicas"),
         ("updatedReplicas", "replicas", "status.replicas"), ("availableReplicas", "replicas", "status.replicas"),
         ("availableReplicas", "readyReplicas", "status.readyReplicas")),
    ),
    "DaemonSet": (
        ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady", "observedGeneration",
         "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount"),
        (),
    ),
}  # fmt: skip


def status(kind: str, obj: Obj, old: Obj) -> list[FieldError]:
    """`Validate…StatusUpdate`."""
    counters, within = STATUS[kind]
    out = common.counts(obj, counters, within)
    return out + common.not_decremented(obj, old, "collisionCount") if "collisionCount" in counters else out
