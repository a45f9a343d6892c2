"""Validation of resource quotas (`ValidateResourceQuotaSpec`, `pkg/apis/core/helper/helpers.go`)."""

from __future__ import annotations

from typing import Any

from ...api.errors import FieldError, invalid_value, required

Obj = dict[str, Any]
PODS = frozenset({"pods"})
COMPUTE = frozenset({"cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"})
CLAIMS = frozenset({"persistentvolumeclaims", "requests.storage"})
#: What each scope may limit; None for anything.
SCOPES: dict[str, frozenset[str]] = {
    "Terminating": PODS | COMPUTE, "NotTerminating": PODS | COMPUTE, "NotBestEffort": PODS | COMPUTE, "PriorityClass": PODS | COMPUTE,
    "CrossNamespacePodAffinity": PODS | COMPUTE, "BestEffort": PODS, "VolumeAttributesClass": CLAIMS,
}  # fmt: skip
#: Resources that quotas know by name; others (`count/…`, extended ones) go with every scope.
STANDARD = PODS | COMPUTE | CLAIMS | {
    "requests.ephemeral-storage", "limits.ephemeral-storage", "ephemeral-storage", "resourcequotas", "services", "replicationcontrollers", "secrets",
    "configmaps", "services.nodeports", "services.loadbalancers",
}  # fmt: skip
EXCLUSIVE = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
EXISTS = ("must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
          "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity")  # fmt: skip


def quota(obj: Obj) -> list[FieldError]:
    """The scopes of a quota, and what they go with."""
    spec = obj.get("spec") or {}
    hard = sorted(spec.get("hard") or {})
    scopes = list(spec.get("scopes") or ())
    out: list[FieldError] = []
    for scope in scopes:
        if scope not in SCOPES or scope == "CrossNamespacePodAffinity":
            out.append(invalid_value("spec.scopes", scopes, "unsupported scope"))
        out += [
            invalid_value("spec.scopes", scopes, "unsupported scope applied to resource")
            for name in hard
            if _refused(scope, name)
        ]
    out += [invalid_value("spec.scopes", scopes, "conflicting scopes") for pair in EXCLUSIVE if set(pair) <= set(scopes)]
    at = "spec.scopeSelector.matchExpressions"
    for item in (spec.get("scopeSelector") or {}).get("matchExpressions") or ():
        scope, operator, values = item.get("scopeName"), item.get("operator"), item.get("values") or []
        if scope not in SCOPES:
            out.append(invalid_value(f"{at}.scopeName", scope, "unsupported scope"))
        out += [
            invalid_value(at, spec["scopeSelector"], "unsupported scope applied to resource")
            for name in hard
            if _refused(str(scope), name)
        ]
        if scope in SCOPES and scope not in ("PriorityClass", "VolumeAttributesClass") and operator != "Exists":
            out.append(invalid_value(f"{at}.operator", operator, EXISTS))
        if operator in ("In", "NotIn"):
            if not values:
                text = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
                out.append(required(f"{at}.values", text))
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                text = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
                out.append(invalid_value(f"{at}.values", values, text))
        else:
            out.append(invalid_value(f"{at}.operator", operator, "not a valid selector operator"))
    return out


def _refused(scope: str, name: str) -> bool:
    return name in STANDARD and scope in SCOPES and name not in SCOPES[scope]
