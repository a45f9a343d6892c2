"""Validation of FlowSchemas and PriorityLevelConfigurations (`pkg/apis/flowcontrol/validation/validation.go`)."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from ...api import names
from ...api.errors import FieldError, forbidden_field, invalid_value, not_supported, required
from ..bootstrap import flowcontrol as bootstrap
from . import common

Obj = dict[str, Any]
VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch")
SUBJECTS = {"Group": "group", "ServiceAccount": "serviceAccount", "User": "user"}
METHODS = ("ByNamespace", "ByUser")
#: Bits of the hash that shuffle sharding deals hands with; the highest precedence; the most queues.
HASH_BITS, PRECEDENCE, QUEUES = 60, 10000, 10_000_000


@lru_cache(maxsize=1)
def _mandatory() -> dict[tuple[str, str], Obj]:
    """The specs that are fixed, by (kind, name)."""
    return {
        (item["kind"], item["metadata"]["name"]): item["spec"]
        for item in bootstrap.objects()
        if item["metadata"]["name"] in ("exempt", "catch-all")
    }


def flow_schema(obj: Obj) -> list[FieldError]:
    """`ValidateFlowSchema`."""
    spec, name = obj.get("spec") or {}, obj["metadata"].get("name", "")
    precedence, at, out = spec.get("matchingPrecedence") or 0, "spec.matchingPrecedence", list[FieldError]()
    if precedence <= 0:
        out.append(invalid_value(at, precedence, "must be a positive value"))
    if precedence > PRECEDENCE:
        out.append(invalid_value(at, precedence, f"must not be greater than {PRECEDENCE}"))
    if precedence == 1 and name != "exempt":
        out.append(invalid_value(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"))
    method = spec.get("distinguisherMethod")
    if method is not None and method.get("type") not in METHODS:
        out.append(not_supported("spec.distinguisherMethod.type", {"Type": method.get("type", "")}, METHODS))
    level = (spec.get("priorityLevelConfiguration") or {}).get("name") or ""
    at = "spec.priorityLevelConfiguration.name"
    out += (
        [invalid_value(at, level, text) for text in names.dns_subdomain(level)]
        if level
        else [required(at, "must reference a priority level")]
    )
    for i, rule in enumerate(spec.get("rules") or ()):
        out += _rules(rule, f"spec.rules[{i}]")
    fixed = _mandatory().get(("FlowSchema", name))
    if fixed is not None and spec != fixed:
        out.append(invalid_value("spec", spec, f"spec of '{name}' must equal the fixed value"))
    return out + common.conditions(obj)


def _rules(rule: Obj, at: str) -> list[FieldError]:
    out: list[FieldError] = []
    if not rule.get("subjects"):
        out.append(required(f"{at}.subjects", "subjects must contain at least one value"))
    for i, subject in enumerate(rule.get("subjects") or ()):
        out += _subject(subject, f"{at}.subjects[{i}]")
    if not rule.get("resourceRules") and not rule.get("nonResourceRules"):
        out.append(required(at, "at least one of resourceRules and nonResourceRules has to be non-empty"))
    for i, item in enumerate(rule.get("resourceRules") or ()):
        out += _resources(item, f"{at}.resourceRules[{i}]")
    for i, item in enumerate(rule.get("nonResourceRules") or ()):
        out += _paths(item, f"{at}.nonResourceRules[{i}]")
    return out


def _subject(subject: Obj, at: str) -> list[FieldError]:
    kind = subject.get("kind") or ""
    member = SUBJECTS.get(kind)
    if member is None:
        return [not_supported(f"{at}.kind", kind, tuple(sorted(SUBJECTS)))]
    held, out = subject.get(member), list[FieldError]()
    if held is None:
        out.append(required(f"{at}.{member}", f"{member} is required when subject kind is '{kind}'"))
    else:
        name = held.get("name") or ""
        if not name:
            out.append(required(f"{at}.{member}.name"))
        if kind == "ServiceAccount":
            if name and name != "*":
                out += [invalid_value(f"{at}.{member}.name", name, text) for text in names.dns_subdomain(name)]
            namespace, place = held.get("namespace") or "", f"{at}.{member}.namespace"
            if namespace:
                out += [invalid_value(place, namespace, text) for text in names.dns_label(namespace)]
            else:
                out.append(required(place, "must specify namespace for service account"))
    return out + [
        forbidden_field(f"{at}.{other}", f"{other} is forbidden when subject kind is not '{of}'")
        for of, other in (("ServiceAccount", "serviceAccount"), ("User", "user"), ("Group", "group"))
        if other != member and subject.get(other) is not None
    ]


def _verbs(held: list[str], at: str) -> list[FieldError]:
    if not held:
        return [required(f"{at}.verbs", "verbs must contain at least one value")]
    if "*" in held:
        return [] if len(held) == 1 else [invalid_value(f"{at}.verbs", held, "if '*' is present, must not specify other verbs")]
    return [] if set(held) <= set(VERBS) else [not_supported(f"{at}.verbs", held, VERBS)]


def _resources(rule: Obj, at: str) -> list[FieldError]:
    out = _verbs(rule.get("verbs") or [], at)
    for member, one, many in (("apiGroups", "api group", "api groups"), ("resources", "resource", "resources")):
        held = rule.get(member) or []
        if not held:
            out.append(required(f"{at}.{member}", f"resource rules must supply at least one {one}"))
        elif len(held) > 1 and "*" in held:
            out.append(invalid_value(f"{at}.{member}", held, f"if '*' is present, must not specify other {many}"))
    held = rule.get("namespaces") or []
    if not held and not rule.get("clusterScope"):
        text = "resource rules that are not cluster scoped must supply at least one namespace"
        out.append(required(f"{at}.namespaces", text))
    elif "*" in held:
        if len(held) > 1:
            out.append(invalid_value(f"{at}.namespaces", held, "if '*' is present, must not specify other namespaces"))
    else:
        intro = "each member of this list must be '*' or a DNS-1123 label; "
        for i, name in enumerate(held):
            out += [invalid_value(f"{at}.namespaces[{i}]", name, intro + text) for text in names.dns_label(name)]
    return out


def _paths(rule: Obj, at: str) -> list[FieldError]:
    out, held, place = _verbs(rule.get("verbs") or [], at), rule.get("nonResourceURLs") or [], f"{at}.nonResourceURLs"
    if not held:
        return [*out, required(place, "nonResourceURLs must contain at least one value")]
    if "*" in held:
        text = "if '*' is present, must not specify other non-resource URLs"
        return [*out, invalid_value(place, held, text)] if len(held) > 1 else out
    for i, path in enumerate(held):
        why = _bad_path(path)
        if why:
            out.append(invalid_value(f"{place}[{i}]", path, why))
    return out


def _bad_path(path: str) -> str:
    """`ValidateNonResourceURLPath`."""
    if not path:
        return "must not be empty"
    if path == "/":
        return ""
    if not path.startswith("/"):
        return "must start with slash"
    if " " in path:
        return "must not contain white-space"
    if "//" in path:
        return "must not contain double slash"
    stars = path.count("*")
    return "wildcard can only do suffix matching" if stars > 1 or (stars == 1 and not path.endswith("/*")) else ""


def priority_level(obj: Obj) -> list[FieldError]:
    """`ValidatePriorityLevelConfiguration`."""
    spec, name = obj.get("spec") or {}, obj["metadata"].get("name", "")
    kind, limited, exempt, out = spec.get("type") or "", spec.get("limited"), spec.get("exempt"), list[FieldError]()
    if (name == "exempt") != (kind == "Exempt"):
        out.append(invalid_value("spec.type", kind, "must be 'Exempt' if and only if `name` is 'exempt'"))
    if kind == "Exempt":
        if limited is not None:
            out.append(forbidden_field("spec.limited", "must be nil if the type is not Limited"))
        out += _shares(exempt, "spec.exempt") + _percent(exempt, "spec.exempt") if exempt is not None else []
    elif kind == "Limited":
        if exempt is not None:
            out.append(forbidden_field("spec.exempt", "must be nil if the type is Limited"))
        if limited is None:
            out.append(required("spec.limited", "must not be empty when type is Limited"))
        else:
            out += _limited(limited, "spec.limited")
    else:
        out.append(not_supported("spec.type", kind, ("Exempt", "Limited")))
    fixed = _mandatory().get(("PriorityLevelConfiguration", name))
    if fixed is not None and name == "exempt":
        if {**spec, "exempt": None} != {**fixed, "exempt": None}:
            out.append(invalid_value("spec", spec, "spec of 'exempt' except the 'spec.exempt' field must equal the fixed value"))
    elif fixed is not None and spec != fixed:
        out.append(invalid_value("spec", spec, f"spec of '{name}' must equal the fixed value"))
    return out + common.conditions(obj)


def _shares(held: Obj, at: str) -> list[FieldError]:
    shares = held.get("nominalConcurrencyShares")
    if shares is not None and shares < 0:
        return [invalid_value(f"{at}.nominalConcurrencyShares", shares, "must be a non-negative integer")]
    return []


def _percent(held: Obj, at: str) -> list[FieldError]:
    lent = held.get("lendablePercent")
    if lent is not None and not 0 <= lent <= 100:
        return [invalid_value(f"{at}.lendablePercent", lent, "must be between 0 and 100, inclusive")]
    return []


def _limited(limited: Obj, at: str) -> list[FieldError]:
    out, response = _shares(limited, at), limited.get("limitResponse") or {}
    kind, queuing, place = response.get("type") or "", response.get("queuing"), f"{at}.limitResponse"
    if kind == "Reject":
        if queuing is not None:
            text = "must be nil if limited.limitResponse.type is not Limited"
            out.append(forbidden_field(f"{place}.queuing", text))
    elif kind == "Queue":
        if queuing is None:
            out.append(required(f"{place}.queuing", "must not be empty if limited.limitResponse.type is Limited"))
        else:
            out += _queuing(queuing, f"{place}.queuing")
    else:
        out.append(not_supported(f"{place}.type", kind, ("Queue", "Reject")))
    out += _percent(limited, at)
    borrowed = limited.get("borrowingLimitPercent")
    if borrowed is not None and borrowed < 0:
        out.append(invalid_value(f"{at}.borrowingLimitPercent", borrowed, "if specified, must be a non-negative integer"))
    return out


def _queuing(held: Obj, at: str) -> list[FieldError]:
    queues, hand, length, out = (
        held.get("queues") or 0,
        held.get("handSize") or 0,
        held.get("queueLengthLimit") or 0,
        list[FieldError](),
    )
    if length <= 0:
        out.append(invalid_value(f"{at}.queueLengthLimit", length, "must be positive"))
    if queues <= 0:
        out.append(invalid_value(f"{at}.queues", queues, "must be positive"))
    elif queues > QUEUES:
        out.append(invalid_value(f"{at}.queues", queues, f"must not be greater than {QUEUES}"))
    if hand <= 0:
        out.append(invalid_value(f"{at}.handSize", hand, "must be positive"))
    elif hand > queues:
        out.append(invalid_value(f"{at}.handSize", hand, f"should not be greater than queues ({queues})"))
    elif math.ceil(math.log2(queues) * hand) > HASH_BITS:
        text = f"required entropy bits of deckSize {queues} and handSize {hand} should not be greater than {HASH_BITS}"
        out.append(invalid_value(f"{at}.handSize", hand, text))
    return out
