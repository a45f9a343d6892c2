"""Whether a pod may be on a node: tolerations and required node affinity, for controllers
(component-helpers/scheduling/corev1; the scheduler has its own, with verdicts)."""

from __future__ import annotations

from ..api.objects import Obj


def tolerates(toleration: Obj, taint: Obj) -> bool:
    """Whether a toleration covers a taint (Toleration.ToleratesTaint)."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Exists":
        return True
    return operator == "Equal" and bool(toleration.get("key")) and (toleration.get("value") or "") == (taint.get("value") or "")


def untolerated(taints: list[Obj], tolerations: list[Obj], effects: tuple[str, ...]) -> bool:
    """Whether any taint of these effects is not tolerated."""
    return any(t["effect"] in effects and not any(tolerates(item, t) for item in tolerations) for t in taints)


def _requirement(item: Obj, values: dict[str, str]) -> bool:
    have, wanted, operator = values.get(item["key"]), item.get("values") or [], item["operator"]
    if operator in ("In", "NotIn"):
        found: bool = have is not None and have in wanted
        return found if operator == "In" else not found
    if operator in ("Exists", "DoesNotExist"):
        return bool(have is not None) == bool(operator == "Exists")
    if have is None or not have.lstrip("-").isdigit():
        return False
    limit, number = int(wanted[0]), int(have)
    return (number > limit) if operator == "Gt" else (number < limit)


def fits_affinity(spec: Obj, name: str, labels: dict[str, str]) -> bool:
    """Whether nodeSelector and required node affinity allow a node."""
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    required = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return True
    for term in required.get("nodeSelectorTerms") or ():
        expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
        if not expressions and not fields:
            continue
        if all(_requirement(e, labels) for e in expressions) and all(_requirement(f, {"metadata.name": name}) for f in fields):
            return True
    return False
