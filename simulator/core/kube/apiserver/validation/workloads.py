"""Validation of workloads (`pkg/apis/apps/validation`, `pkg/apis/batch/validation`, `pkg/apis/autoscaling/validation`)."""

from __future__ import annotations

import re
from typing import Any

from ...api import selectors
from ...api.cronspec import Schedule, zone_of
from ...api.errors import FieldError, forbidden_field, invalid_value, not_supported, required
from . import affinity, pod

Obj = dict[str, Any]
NOT_NEGATIVE = "must be greater than or equal to 0"
MISMATCH = "`selector` does not match template `labels`"


def _non_negative(spec: Obj, names: tuple[str, ...], path: str = "spec") -> list[FieldError]:
    return [
        invalid_value(f"{path}.{name}", spec[name], NOT_NEGATIVE)
        for name in names
        if isinstance(spec.get(name), int) and spec[name] < 0
    ]


def _selector(spec: Obj) -> list[FieldError]:
    out: list[FieldError] = []
    selector = spec.get("selector")
    if selector is None:
        out.append(required("spec.selector"))
    else:
        out += affinity.label_selector(selector, "spec.selector")
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            out.append(invalid_value("spec.selector", selector, "empty selector is invalid for deployment"))
    return out


def _template(spec: Obj) -> list[FieldError]:
    """The selector must match the template's labels, then the template itself."""
    template = spec.get("template")
    if template is None:
        return [required("spec.template")]
    out: list[FieldError] = []
    labels = (template.get("metadata") or {}).get("labels") or {}
    selector = spec.get("selector") or {}
    empty = not selector.get("matchLabels") and not selector.get("matchExpressions")
    if empty or not selectors.from_object(selector).matches(labels):
        out.append(invalid_value("spec.template.metadata.labels", labels or None, MISMATCH))
    out += pod.template(template, "spec.template")
    policy = (template.get("spec") or {}).get("restartPolicy")
    if policy in ("OnFailure", "Never"):
        out.append(not_supported("spec.template.spec.restartPolicy", policy, ("Always",)))
    if (template.get("spec") or {}).get("activeDeadlineSeconds") is not None:
        out.append(
            forbidden_field("spec.template.spec.activeDeadlineSeconds", "activeDeadlineSeconds in Deployment is not Supported")
        )
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
    if values == [0, 0]:
        text = "may not be 0 when `maxSurge` is 0"
        out.append(invalid_value("spec.strategy.rollingUpdate.maxUnavailable", (rolling or {}).get("maxUnavailable"), text))
    return out


def _amount(value: Any) -> int:
    if isinstance(value, int):
        return value
    match = re.fullmatch(r"(\d+)%", str(value))
    return int(match.group(1)) if match else -1


def int_or_percent(value: Any, path: str) -> list[FieldError]:
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
    if int(match.group(1)) > 100 and path.endswith("maxUnavailable"):
        return [invalid_value(path, value, "must not be greater than 100%")]
    return []


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
    out = _selector(spec) + _template(spec) + _non_negative(spec, ("minReadySeconds", "revisionHistoryLimit"))
    kind = (spec.get("updateStrategy") or {}).get("type")
    if kind not in ("OnDelete", "RollingUpdate"):
        out.append(not_supported("spec.updateStrategy", {"Type": kind, "RollingUpdate": None}, ("OnDelete", "RollingUpdate")))
    return out


def stateful_set(obj: Obj) -> list[FieldError]:
    """`ValidateStatefulSetSpec`."""
    spec = obj.get("spec") or {}
    out: list[FieldError] = []
    policy = spec.get("podManagementPolicy")
    if policy not in ("OrderedReady", "Parallel"):
        out.append(invalid_value("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'"))
    kind = (spec.get("updateStrategy") or {}).get("type")
    if kind not in ("OnDelete", "RollingUpdate"):
        out.append(
            invalid_value("spec.updateStrategy", {"Type": kind, "RollingUpdate": None}, "must be 'RollingUpdate' or 'OnDelete'")
        )
    return out + _non_negative(spec, ("replicas", "minReadySeconds")) + _selector(spec) + _template(_with_claims(spec))


def _with_claims(spec: Obj) -> Obj:
    """The set's spec as its pods will be: a claim template is a volume, also in the place of one of its name (`updateStorage`)."""
    claims = [(claim.get("metadata") or {}).get("name") or "" for claim in spec.get("volumeClaimTemplates") or ()]
    template = spec.get("template")
    if not claims or template is None:
        return spec
    inner = template.get("spec") or {}
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
    return _job_spec(obj.get("spec") or {}, "spec")


def _job_spec(spec: Obj, path: str) -> list[FieldError]:
    names = ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished")
    out = _non_negative(spec, names, path)
    template = spec.get("template") or {}
    out += pod.template(template, f"{path}.template")
    policy = (template.get("spec") or {}).get("restartPolicy")
    if policy == "Always":
        out.append(required(f"{path}.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"'))
    if spec.get("completionMode") == "Indexed" and spec.get("completions") is None:
        out.append(required(f"{path}.completions", "when completion mode is Indexed"))
    return out


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
    return out + _job_spec((spec.get("jobTemplate") or {}).get("spec") or {}, "spec.jobTemplate.spec")


def autoscaler(obj: Obj) -> list[FieldError]:
    """`ValidateHorizontalPodAutoscaler`."""
    spec = obj.get("spec") or {}
    out: list[FieldError] = []
    low, high = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if low < 1:
        out.append(invalid_value("spec.minReplicas", low, "must be greater than or equal to 1"))
    if high < 1:
        out.append(invalid_value("spec.maxReplicas", high, "must be greater than 0"))
    if high < low:
        out.append(invalid_value("spec.maxReplicas", high, "must be greater than or equal to `minReplicas`"))
    target = spec.get("scaleTargetRef") or {}
    for name in ("kind", "name"):
        if not target.get(name):
            out.append(required(f"spec.scaleTargetRef.{name}"))
    return out
