"""Validation of workloads (`pkg/apis/apps/validation`, `pkg/apis/batch/validation`, `pkg/apis/autoscaling/validation`)."""

from __future__ import annotations

import re
from typing import Any

from ...api import selectors
from ...api.cronspec import Schedule, zone_of
from ...api.errors import FieldError, forbidden_field, invalid_value, not_supported, required
from . import affinity, jobs, pod

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
    if int(match.group(1)) > 100 and (bounded or path.endswith("maxUnavailable")):
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
        out.append(not_supported("spec.updateStrategy", {"Type": kind, "RollingUpdate": None}, ("RollingUpdate", "OnDelete")))
    elif kind == "RollingUpdate":
        out += _rolling_daemons(spec["updateStrategy"].get("rollingUpdate"), "spec.updateStrategy.rollingUpdate")
    return out


def _rolling_daemons(rolling: Obj | None, at: str) -> list[FieldError]:
    """`ValidateRollingUpdateDaemonSet`: one of the two amounts, and not both."""
    if rolling is None:
        return [required(at)]
    low, high = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    out = int_or_percent(low, f"{at}.maxUnavailable") + int_or_percent(high, f"{at}.maxSurge")
    if isinstance(high, str) and _amount(high) > 100:
        out.append(invalid_value(f"{at}.maxSurge", high, "must not be greater than 100%"))
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
