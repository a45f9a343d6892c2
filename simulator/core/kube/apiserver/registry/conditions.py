"""Status conditions: set one by type, keeping its transition time while its status stays."""

from __future__ import annotations

from typing import Any

Obj = dict[str, Any]


def set_condition(status: Obj, wanted: Obj, now: str) -> bool:
    """Add or replace a condition in a fresh status; True when it changed (`podutil.UpdatePodCondition`)."""
    held: list[Obj] = status.setdefault("conditions", [])
    for at, item in enumerate(held):
        if item.get("type") == wanted["type"]:
            since = item.get("lastTransitionTime") if item.get("status") == wanted["status"] else now
            new = {"lastProbeTime": None, **wanted, "lastTransitionTime": since}
            if {**item, "lastProbeTime": None} == new:
                return False
            held[at] = _ordered(new)
            return True
    held.append(_ordered({"lastProbeTime": None, "lastTransitionTime": now, **wanted}))
    return True


def _ordered(item: Obj) -> Obj:
    names = ("type", "observedGeneration", "status", "lastProbeTime", "lastTransitionTime", "reason", "message")
    return {name: item[name] for name in names if name in item}
