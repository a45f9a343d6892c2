"""Validation of tolerations, affinity and topology spread (`pkg/apis/core/validation/validation.go`)."""

from __future__ import annotations

from typing import Any

from ...api import names
from ...api.errors import FieldError, forbidden_field, invalid_value, not_supported, required

Obj = dict[str, Any]
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def tolerations(held: Any, path: str) -> list[FieldError]:
    """`ValidateTolerations`."""
    out: list[FieldError] = []
    for i, item in enumerate(held):
        at = f"{path}[{i}]"
        key, operator = item.get("key", ""), item.get("operator", "")
        if key:
            out += [invalid_value(f"{at}.key", key, text) for text in names.qualified_name(key)]
        elif operator != "Exists":
            text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            out.append(invalid_value(f"{at}.operator", operator, text))
        if item.get("tolerationSeconds") is not None and item.get("effect") != "NoExecute":
            out.append(
                invalid_value(
                    f"{at}.effect", item.get("effect", ""), "effect must be 'NoExecute' when `tolerationSeconds` is set"
                )
            )
        if operator in ("", "Equal"):
            out += [
                invalid_value(f"{at}.operator", item.get("value", ""), text) for text in names.label_value(item.get("value", ""))
            ]
        elif operator == "Exists":
            if item.get("value"):
                out.append(invalid_value(f"{at}.operator", item["value"], "value must be empty when `operator` is 'Exists'"))
        else:
            out.append(not_supported(f"{at}.operator", operator, ("Equal", "Exists")))
        if item.get("effect") and item["effect"] not in EFFECTS:
            out.append(not_supported(f"{at}.effect", item["effect"], EFFECTS))
    return out


def affinity(held: Obj, path: str) -> list[FieldError]:
    """`validateAffinity`."""
    out: list[FieldError] = []
    node = held.get("nodeAffinity") or {}
    where = f"{path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
    needed = node.get("requiredDuringSchedulingIgnoredDuringExecution")
    if needed is not None:
        terms = needed.get("nodeSelectorTerms") or ()
        if not terms:
            out.append(required(f"{where}.nodeSelectorTerms", "must have at least one node selector term"))
        for i, term in enumerate(terms):
            out += _node_term(term, f"{where}.nodeSelectorTerms[{i}]")
    where = f"{path}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution"
    for i, item in enumerate(node.get("preferredDuringSchedulingIgnoredDuringExecution") or ()):
        out += _weight(item, f"{where}[{i}]")
        out += _node_term(item.get("preference") or {}, f"{where}[{i}].preference")
    for kind in ("podAffinity", "podAntiAffinity"):
        found = held.get(kind) or {}
        where = f"{path}.{kind}.requiredDuringSchedulingIgnoredDuringExecution"
        for i, term in enumerate(found.get("requiredDuringSchedulingIgnoredDuringExecution") or ()):
            out += _pod_term(term, f"{where}[{i}]")
        where = f"{path}.{kind}.preferredDuringSchedulingIgnoredDuringExecution"
        for i, item in enumerate(found.get("preferredDuringSchedulingIgnoredDuringExecution") or ()):
            out += _weight(item, f"{where}[{i}]")
            out += _pod_term(item.get("podAffinityTerm") or {}, f"{where}[{i}].podAffinityTerm")
    return out


def _weight(item: Obj, at: str) -> list[FieldError]:
    weight = item.get("weight", 0)
    return [] if 1 <= weight <= 100 else [invalid_value(f"{at}.weight", weight, "must be in the range 1-100")]


def _node_term(term: Obj, at: str) -> list[FieldError]:
    out: list[FieldError] = []
    for i, item in enumerate(term.get("matchExpressions") or ()):
        where, operator, values = f"{at}.matchExpressions[{i}]", item.get("operator", ""), item.get("values") or ()
        if operator in ("In", "NotIn"):
            if not values:
                out.append(required(f"{where}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                out.append(
                    forbidden_field(f"{where}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
                )
        elif operator in ("Gt", "Lt"):
            if len(values) != 1:
                out.append(required(f"{where}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'"))
        else:
            out.append(invalid_value(f"{where}.operator", operator, "not a valid selector operator"))
        out += [invalid_value(f"{where}.key", item.get("key", ""), text) for text in names.qualified_name(item.get("key", ""))]
    return out


def _pod_term(term: Obj, at: str) -> list[FieldError]:
    out = label_selector(term.get("labelSelector"), f"{at}.labelSelector")
    key = term.get("topologyKey", "")
    if not key:
        out.append(required(f"{at}.topologyKey", "can not be empty"))
    else:
        out += [invalid_value(f"{at}.topologyKey", key, text) for text in names.qualified_name(key)]
    return out


def label_selector(selector: Obj | None, path: str) -> list[FieldError]:
    """`unversionedvalidation.ValidateLabelSelector`."""
    out: list[FieldError] = []
    if selector is None:
        return out
    for key, value in sorted((selector.get("matchLabels") or {}).items()):
        out += [invalid_value(f"{path}.matchLabels", key, text) for text in names.qualified_name(key)]
        out += [invalid_value(f"{path}.matchLabels", value, text) for text in names.label_value(value)]
    for i, item in enumerate(selector.get("matchExpressions") or ()):
        at, operator, values = f"{path}.matchExpressions[{i}]", item.get("operator", ""), item.get("values") or ()
        if operator in ("In", "NotIn"):
            if not values:
                out.append(required(f"{at}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                out.append(forbidden_field(f"{at}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
        else:
            out.append(invalid_value(f"{at}.operator", operator, "not a valid selector operator"))
        out += [invalid_value(f"{at}.key", item.get("key", ""), text) for text in names.qualified_name(item.get("key", ""))]
    return out


def spread(held: Any, path: str) -> list[FieldError]:
    """`validateTopologySpreadConstraints`."""
    out: list[FieldError] = []
    for i, item in enumerate(held):
        at = f"{path}[{i}]"
        if item.get("maxSkew", 0) <= 0:
            out.append(invalid_value(f"{at}.maxSkew", item.get("maxSkew", 0), "must be greater than zero"))
        if not item.get("topologyKey"):
            out.append(required(f"{at}.topologyKey", "can not be empty"))
        if item.get("whenUnsatisfiable") not in ("DoNotSchedule", "ScheduleAnyway"):
            out.append(
                not_supported(f"{at}.whenUnsatisfiable", item.get("whenUnsatisfiable", ""), ("DoNotSchedule", "ScheduleAnyway"))
            )
        out += label_selector(item.get("labelSelector"), f"{at}.labelSelector")
    return out
