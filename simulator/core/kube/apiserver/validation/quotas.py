"""Validation of resource quotas (`ValidateResourceQuotaSpec`, `pkg/apis/core/helper/helpers.go`)."""

from __future__ import annotations

from typing import Any

from ...api import names, quantity
from ...api.errors import FieldError, invalid_value, required
from .common import IMMUTABLE
from .core import resource_value

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
    out = _amounts(spec.get("hard") or {}, "spec.hard")
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


def quota_update(obj: Obj, old: Obj) -> list[FieldError]:
    """`ValidateResourceQuotaUpdate`: the scopes stay."""
    mine, held = (obj.get("spec") or {}).get("scopes"), (old.get("spec") or {}).get("scopes")
    same = set(mine or ()) == set(held or ())
    return quota(obj) + ([] if same else [invalid_value("spec.scopes", mine, IMMUTABLE)])


def quota_status(obj: Obj) -> list[FieldError]:
    """`ValidateResourceQuotaStatus`."""
    status = obj.get("status") or {}
    return _amounts(status.get("hard") or {}, "status.hard") + _amounts(status.get("used") or {}, "status.used")


def _amounts(hard: Obj, at: str) -> list[FieldError]:
    out: list[FieldError] = []
    for name, amount in sorted(hard.items()):
        place, wrong = f"{at}[{name}]", names.qualified_name(name)
        out += [invalid_value(place, name, text) for text in wrong]
        known = "/" in name or name in STANDARD or name.startswith(("hugepages-", "requests.hugepages-"))
        if not wrong and not known:
            out.append(invalid_value(place, name, "must be a standard resource for quota"))
        out += resource_value(name, amount, place)
    return out


def warnings(obj: Obj) -> list[str]:
    """Requests that may be greater than limits (`resourcequotaStrategy.WarningsOnCreate`)."""
    hard, out = (obj.get("spec") or {}).get("hard") or {}, list[str]()
    for name in ("cpu", "memory", "storage", "ephemeral-storage"):
        asked, most = f"requests.{name}", f"limits.{name}"
        if asked not in hard and name in ("cpu", "memory"):
            asked = name
        if asked in hard and most in hard and quantity.compare(hard[asked], hard[most]) > 0:
            shown = [quantity.canonical(hard[item]) for item in (asked, most)]
            out.append(f"ResourceQuota {asked} ({shown[0]}) should be less than {most} ({shown[1]})")
    return out


def _refused(scope: str, name: str) -> bool:
    return name in STANDARD and scope in SCOPES and name not in SCOPES[scope]
