"""Validation of kinds outside the core group: RBAC, networking, policy, scheduling, extensions."""

from __future__ import annotations

from typing import Any

from ...api import names
from ...api.errors import FieldError, forbidden_field, invalid_value, not_supported, required
from . import affinity, meta
from .workloads import int_or_percent

Obj = dict[str, Any]
SUBJECT_KINDS = ("ServiceAccount", "User", "Group")


def role(obj: Obj) -> list[FieldError]:
    """`ValidatePolicyRule`."""
    out: list[FieldError] = []
    for i, rule in enumerate(obj.get("rules") or ()):
        at = f"rules[{i}]"
        if not rule.get("verbs"):
            out.append(required(f"{at}.verbs", "verbs must contain at least one value"))
        if rule.get("nonResourceURLs"):
            if obj["kind"] == "Role":
                out.append(
                    invalid_value(
                        f"{at}.nonResourceURLs", rule["nonResourceURLs"], "namespaced rules cannot apply to non-resource URLs"
                    )
                )
            continue
        if not rule.get("apiGroups"):
            out.append(required(f"{at}.apiGroups", "resource rules must supply at least one api group"))
        if not rule.get("resources"):
            out.append(required(f"{at}.resources", "resource rules must supply at least one resource"))
    return out


def binding(obj: Obj) -> list[FieldError]:
    """`ValidateRoleBinding`."""
    out: list[FieldError] = []
    ref = obj.get("roleRef") or {}
    if ref.get("apiGroup") != "rbac.authorization.k8s.io":
        out.append(not_supported("roleRef.apiGroup", ref.get("apiGroup"), ("rbac.authorization.k8s.io",)))
    kinds = ("ClusterRole",) if obj["kind"] == "ClusterRoleBinding" else ("Role", "ClusterRole")
    if ref.get("kind") not in kinds:
        out.append(not_supported("roleRef.kind", ref.get("kind", ""), kinds))
    if not ref.get("name"):
        out.append(required("roleRef.name"))
    for i, subject in enumerate(obj.get("subjects") or ()):
        at = f"subjects[{i}]"
        if not subject.get("name"):
            out.append(required(f"{at}.name"))
        if subject.get("kind") not in SUBJECT_KINDS:
            out.append(not_supported(f"{at}.kind", subject.get("kind", ""), SUBJECT_KINDS))
        elif subject["kind"] == "ServiceAccount" and not subject.get("namespace"):
            out.append(required(f"{at}.namespace"))
    return out


def lease(obj: Obj) -> list[FieldError]:
    """`ValidateLeaseSpec`."""
    spec = obj.get("spec") or {}
    out: list[FieldError] = []
    duration, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if duration is not None and duration <= 0:
        out.append(invalid_value("spec.leaseDurationSeconds", duration, "must be greater than 0"))
    if transitions is not None and transitions < 0:
        out.append(invalid_value("spec.leaseTransitions", transitions, "must be greater than or equal to 0"))
    if spec.get("preferredHolder") and not spec.get("strategy"):
        out.append(forbidden_field("spec.preferredHolder", "may only be specified if `strategy` is defined"))
    return out


def runtime_class(obj: Obj) -> list[FieldError]:
    """`ValidateRuntimeClass`."""
    handler = obj.get("handler") or ""
    out = [invalid_value("handler", handler, text) for text in names.dns_label(handler)] if handler else [required("handler")]
    scheduling = obj.get("scheduling") or {}
    out += meta.check_labels(scheduling.get("nodeSelector"), "scheduling.nodeSelector")
    return out + affinity.tolerations(scheduling.get("tolerations") or [], "scheduling.tolerations")


def runtime_class_update(obj: Obj, old: Obj) -> list[FieldError]:
    """The handler stays."""
    mine = obj.get("handler")
    return [] if mine == old.get("handler") else [invalid_value("handler", mine, "field is immutable")]


def priority_class(obj: Obj) -> list[FieldError]:
    """`ValidatePriorityClass`."""
    out: list[FieldError] = []
    name, value = obj["metadata"].get("name", ""), obj.get("value", 0)
    if name.startswith("system-"):
        text = "priority class names with 'system-' prefix are reserved for system use only"
        out.append(forbidden_field("metadata.name", text))
    elif value > 1_000_000_000:
        out.append(forbidden_field("value", "maximum allowed value of a user defined priority is 1000000000"))
    if obj.get("preemptionPolicy") not in ("Never", "PreemptLowerPriority"):
        out.append(not_supported("preemptionPolicy", obj.get("preemptionPolicy"), ("Never", "PreemptLowerPriority")))
    return out


def priority_class_update(obj: Obj, old: Obj) -> list[FieldError]:
    """The value and the policy cannot change."""
    out: list[FieldError] = []
    if obj.get("value", 0) != old.get("value", 0):
        out.append(forbidden_field("value", "may not be changed in an update."))
    if obj.get("preemptionPolicy") != old.get("preemptionPolicy"):
        out.append(forbidden_field("preemptionPolicy", "may not be changed in an update."))
    return out


def disruption_budget(obj: Obj) -> list[FieldError]:
    """`ValidatePodDisruptionBudgetSpec`."""
    spec = obj.get("spec") or {}
    out: list[FieldError] = []
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        out.append(invalid_value("spec", spec, "minAvailable and maxUnavailable cannot be both set"))
    for name in ("minAvailable", "maxUnavailable"):
        out += int_or_percent(spec.get(name), f"spec.{name}", bounded=True)
    out += affinity.label_selector(spec.get("selector"), "spec.selector")
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None and policy not in ("AlwaysAllow", "IfHealthyBudget"):
        out.append(not_supported("spec.unhealthyPodEvictionPolicy", policy, ("AlwaysAllow", "IfHealthyBudget")))
    return out
