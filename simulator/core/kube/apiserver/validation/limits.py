"""Validation of LimitRanges (`ValidateLimitRange`, pkg/apis/core/validation/validation.go)."""

from __future__ import annotations

from typing import Any

from ...api import names, quantity
from ...api.errors import FieldError, duplicate, forbidden_field, invalid_value, required
from .quotas import STANDARD

Obj = dict[str, Any]
TYPES = ("Pod", "Container", "PersistentVolumeClaim")
#: Names without a slash that resources of containers have; hugepages-… besides.
CONTAINER = ("cpu", "memory", "ephemeral-storage")


def limit_range(obj: Obj) -> list[FieldError]:
    """Every limit: its type, what it may bound, and that its bounds agree."""
    out: list[FieldError] = []
    seen: set[str] = set()
    for i, limit in enumerate((obj.get("spec") or {}).get("limits") or ()):
        at, kind = f"spec.limits[{i}]", str(limit.get("type") or "")
        wrong = names.qualified_name(kind)
        out += [invalid_value(f"{at}.type", kind, text) for text in wrong]
        if not wrong and "/" not in kind and kind not in TYPES:
            out.append(invalid_value(f"{at}.type", kind, "must be a standard limit type or fully qualified"))
        if kind in seen:
            out.append(duplicate(f"{at}.type", kind))
        seen.add(kind)
        out += _limit(limit, kind, at)
    return out


def _limit(limit: Obj, kind: str, at: str) -> list[FieldError]:
    out: list[FieldError] = []
    bounds = {name: dict(limit.get(name) or {}) for name in ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")}
    for name in ("max", "min"):
        out += _names(bounds[name], kind, f"{at}.{name}")
    for name in ("default", "defaultRequest"):
        if kind != "Pod":
            out += _names(bounds[name], kind, f"{at}.{name}")
        elif bounds[name]:
            out.append(forbidden_field(f"{at}.{name}", "may not be specified when `type` is 'Pod'"))
            bounds[name] = {}
    if kind == "PersistentVolumeClaim" and "storage" not in bounds["min"] and "storage" not in bounds["max"]:
        text = "either minimum or maximum storage value is required, but neither was provided"
        out.append(required(f"{at}.limits", text))
    out += _names(bounds["maxLimitRequestRatio"], kind, f"{at}.maxLimitRequestRatio")
    for resource in sorted({key for found in bounds.values() for key in found}):
        out += _agree({name: found[resource] for name, found in bounds.items() if resource in found}, resource, at)
    return out


def _names(found: Obj, kind: str, at: str) -> list[FieldError]:
    """`validateContainerResourceName`, or that of any resource."""
    out: list[FieldError] = []
    for name in sorted(found):
        wrong = names.qualified_name(name)
        out += [invalid_value(f"{at}[{name}]", name, text) for text in wrong]
        if wrong or "/" in name or name.startswith("hugepages-"):
            continue
        if name not in STANDARD and name != "storage":
            out.append(invalid_value(f"{at}[{name}]", name, "must be a standard resource type or fully qualified"))
        if kind in ("Pod", "Container") and name not in CONTAINER:
            out.append(invalid_value(f"{at}[{name}]", name, "must be a standard resource for containers"))
    return out


#: What may not be greater than what: (the greater, its name; the smaller, its name; the field that is told, whose value is told).
ORDER = (
    ("min", "min value", "max", "max value", "min", "min"),
    ("min", "min value", "defaultRequest", "default request value", "defaultRequest", "defaultRequest"),
    ("defaultRequest", "default request value", "max", "max value", "defaultRequest", "defaultRequest"),
    ("defaultRequest", "default request value", "default", "default limit value", "defaultRequest", "defaultRequest"),
    ("min", "min value", "default", "default value", "default", "min"),
    ("default", "default value", "max", "max value", "default", "max"),
)


def _agree(held: Obj, resource: str, at: str) -> list[FieldError]:
    """The bounds of one resource against each other."""
    shown = {name: quantity.canonical(value) for name, value in held.items()}
    out: list[FieldError] = []
    for first, one, second, other, told, value in ORDER:
        if first in held and second in held and quantity.compare(held[first], held[second]) > 0:
            text = f"{one} {shown[first]} is greater than {other} {shown[second]}"
            out.append(invalid_value(f"{at}.{told}[{resource}]", shown[value], text))
    if "maxLimitRequestRatio" in held:
        ratio, place = shown["maxLimitRequestRatio"], f"{at}.maxLimitRequestRatio[{resource}]"
        if quantity.compare(ratio, "1") < 0:
            out.append(invalid_value(place, ratio, f"ratio {ratio} is less than 1"))
        if "min" in held and "max" in held and quantity.nano(held["min"]):
            widest = quantity.nano(held["max"]) / quantity.nano(held["min"])
            if quantity.nano(ratio) / 10**9 > widest:
                out.append(invalid_value(place, ratio, f"ratio {ratio} is greater than max/min = {widest:f}"))
    fixed = "/" in resource or resource.startswith("hugepages-")
    if fixed and "default" in held and "defaultRequest" in held and quantity.compare(held["default"], held["defaultRequest"]):
        text = f"default value {shown['default']} must equal to defaultRequest value {shown['defaultRequest']} in {resource}"
        out.append(invalid_value(f"{at}.defaultRequest[{resource}]", shown["defaultRequest"], text))
    return out
