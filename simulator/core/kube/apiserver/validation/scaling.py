"""Validation of HorizontalPodAutoscalers (`pkg/apis/autoscaling/validation/validation.go` of v1.36)."""

from __future__ import annotations

from typing import Any

from ...api import names, quantity
from ...api.errors import FieldError, forbidden_field, invalid_value, not_supported, required

Obj = dict[str, Any]
SOURCES = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
#: The order in which sources are looked at; only the first is checked in depth.
MEMBERS = ("object", "external", "pods", "resource", "containerResource")
LONGEST_WINDOW, LONGEST_PERIOD = 3600, 1800


def autoscaler(obj: Obj, old: Obj | None = None) -> list[FieldError]:
    """`validateHorizontalPodAutoscalerSpec`; the target's group is looked at when it is new."""
    spec = obj.get("spec") or {}
    out: list[FieldError] = []
    low, high = spec.get("minReplicas", 1), spec.get("maxReplicas") or 0
    if low < 1:
        out.append(invalid_value("spec.minReplicas", low, "must be greater than or equal to 1"))
    if high == 0:
        out.append(required("spec.maxReplicas", "must be set and greater than 0"))
    elif high < 0:
        out.append(invalid_value("spec.maxReplicas", high, "must be greater than or equal to 1"))
    if high < low:
        out.append(invalid_value("spec.maxReplicas", high, "must be greater than or equal to `minReplicas`"))
    target, held = spec.get("scaleTargetRef") or {}, ((old or {}).get("spec") or {}).get("scaleTargetRef") or {}
    out += _reference(target, "spec.scaleTargetRef")
    if old is None or any(target.get(name) != held.get(name) for name in ("apiVersion", "kind")):
        out += _version(target, "spec.scaleTargetRef", ungrouped=target.get("kind") == "ReplicationController")
    for i, metric in enumerate(spec.get("metrics") or ()):
        out += _metric(metric, f"spec.metrics[{i}]")
    for side in ("scaleUp", "scaleDown"):
        rules = (spec.get("behavior") or {}).get(side)
        if rules is not None:
            out += _rules(rules, f"spec.behavior.{side}")
    return out


def _reference(ref: Obj, at: str) -> list[FieldError]:
    out: list[FieldError] = []
    for name in ("kind", "name"):
        if not ref.get(name):
            out.append(required(f"{at}.{name}"))
        else:
            out += [invalid_value(f"{at}.{name}", ref[name], text) for text in names.path_segment(ref[name])]
    return out


def _version(ref: Obj, at: str, *, ungrouped: bool) -> list[FieldError]:
    """`ValidateAPIVersion`."""
    version = str(ref.get("apiVersion") or "")
    if version.count("/") > 1:
        return [invalid_value(f"{at}.apiVersion", version, f"unexpected GroupVersion string: {version}")]
    if "/" not in version and not ungrouped:
        return [invalid_value(f"{at}.apiVersion", version, "apiVersion must specify API group")]
    return []


def _metric(metric: Obj, at: str) -> list[FieldError]:
    out: list[FieldError] = []
    kind = metric.get("type") or ""
    if not kind:
        out.append(required(f"{at}.type", "must specify a metric source type"))
    if kind not in SOURCES:
        out.append(not_supported(f"{at}.type", kind, tuple(SOURCES)))
    present = [name for name in MEMBERS if metric.get(name) is not None]
    if present:
        out += _source(present[0], metric[present[0]], f"{at}.{present[0]}")
    expected = SOURCES.get(kind, "")
    if not expected:
        out.append(not_supported(f"{at}.type", kind, tuple(SOURCES)))
    elif metric.get(expected) is None:
        out.append(required(f"{at}.{expected}", "must populate information for the given metric source"))
    if len(present) != 1:
        text = "must populate the given metric source only"
        out += [forbidden_field(f"{at}.{name}", text) for name in present if name != expected]
    return out


def _source(name: str, source: Obj, at: str) -> list[FieldError]:
    """One source of metrics with its target."""
    target = source.get("target") or {}
    out: list[FieldError] = []
    if name in ("resource", "containerResource"):
        if not source.get("name"):
            out.append(required(f"{at}.name", "must specify a resource name"))
        if name == "containerResource":
            container = source.get("container") or ""
            if not container:
                out.append(required(f"{at}.container", "must specify a container"))
            else:
                out += [invalid_value(f"{at}.container", container, text) for text in names.dns_label(container)]
        out += _target(target, f"{at}.target")
        utilization, average = target.get("averageUtilization"), target.get("averageValue")
        if utilization is None and average is None:
            out.append(required(f"{at}.target.averageUtilization", "must set either a target raw value or a target utilization"))
        if utilization is not None and average is not None:
            text = "may not set both a target raw value and a target utilization"
            out.append(forbidden_field(f"{at}.target.averageValue", text))
        return out
    if name == "object":
        described = source.get("describedObject") or {}
        out += _reference(described, f"{at}.describedObject")
        out += _version(described, f"{at}.describedObject", ungrouped=True)
    out += _identifier(source.get("metric") or {}, f"{at}.metric") + _target(target, f"{at}.target")
    value, average = target.get("value"), target.get("averageValue")
    if name == "pods":
        if average is None:
            out.append(required(f"{at}.target.averageValue", "must specify a positive target averageValue"))
    elif value is None and average is None:
        rest = "averageValue" if name == "object" else "for metric or a per-pod target"
        text = f"must set either a target value {'or ' if name == 'object' else ''}{rest}"
        out.append(required(f"{at}.target.averageValue", text))
    if name == "external" and value is not None and average is not None:
        text = "may not set both a target value for metric and a per-pod target"
        out.append(forbidden_field(f"{at}.target.value", text))
    return out


def _identifier(metric: Obj, at: str) -> list[FieldError]:
    if not metric.get("name"):
        return [required(f"{at}.name", "must specify a metric name")]
    return [invalid_value(f"{at}.name", metric["name"], text) for text in names.path_segment(metric["name"])]


def _target(target: Obj, at: str) -> list[FieldError]:
    kind = target.get("type") or ""
    out: list[FieldError] = []
    if not kind:
        out.append(required(f"{at}.type", "must specify a metric target type"))
    if kind not in ("Utilization", "Value", "AverageValue"):
        out.append(invalid_value(f"{at}.type", kind, "must be either Utilization, Value, or AverageValue"))
    for name in ("value", "averageValue"):
        if target.get(name) is not None and quantity.nano(target[name]) <= 0:
            out.append(invalid_value(f"{at}.{name}", quantity.canonical(target[name]), "must be positive"))
    if target.get("averageUtilization") is not None and target["averageUtilization"] < 1:
        out.append(invalid_value(f"{at}.averageUtilization", target["averageUtilization"], "must be greater than 0"))
    return out


def _rules(rules: Obj, at: str) -> list[FieldError]:
    """`validateScalingRules`."""
    out: list[FieldError] = []
    window = rules.get("stabilizationWindowSeconds")
    if window is not None and window < 0:
        out.append(invalid_value(f"{at}.stabilizationWindowSeconds", window, "must be greater than or equal to zero"))
    if window is not None and window > LONGEST_WINDOW:
        out.append(invalid_value(f"{at}.stabilizationWindowSeconds", window, f"must be less than or equal to {LONGEST_WINDOW}"))
    chosen = rules.get("selectPolicy")
    if chosen is not None and chosen not in ("Disabled", "Max", "Min"):
        out.append(not_supported(f"{at}.selectPolicy", chosen, ("Disabled", "Max", "Min")))
    if not rules.get("policies"):
        out.append(required(f"{at}.policies", "must specify at least one Policy"))
    for i, policy in enumerate(rules.get("policies") or ()):
        place = f"{at}.policies[{i}]"
        if policy.get("type") not in ("Pods", "Percent"):
            out.append(not_supported(f"{place}.type", policy.get("type") or "", ("Percent", "Pods")))
        for name in ("value", "periodSeconds"):
            if policy.get(name, 0) <= 0:
                out.append(invalid_value(f"{place}.{name}", policy.get(name, 0), "must be greater than zero"))
        if policy.get("periodSeconds", 0) > LONGEST_PERIOD:
            text = f"must be less than or equal to {LONGEST_PERIOD}"
            out.append(invalid_value(f"{place}.periodSeconds", policy["periodSeconds"], text))
    return out
