"""Conversion between the stored version of a kind and the one that a request speaks.

Of the built-in kinds only HorizontalPodAutoscaler (autoscaling/v1 and v2) and Event (core and events.k8s.io) have more than one; for all
others a request's version is the stored one and objects pass through untouched.  Custom resources: `custom_conversion.py`.
"""

from __future__ import annotations

from typing import Any

from ..api.kinds import KindInfo
from . import custom_conversion
from .server import Server

Obj = dict[str, Any]


def needed(kind: KindInfo, version: str) -> bool:
    """Whether objects must be converted for this request."""
    return (kind.kind == "HorizontalPodAutoscaler" and version == "v1") or (kind.kind == "Event") or kind.custom


def to_storage(kind: KindInfo, version: str, obj: Obj) -> Obj:
    """The stored form of a decoded object (a new dict when converted)."""
    if kind.kind == "Event" and kind.group:
        return _event_to_core(obj)
    if kind.kind == "HorizontalPodAutoscaler" and version == "v1":
        return _hpa_to_v2(obj)
    return obj


def from_storage(server: Server, kind: KindInfo, version: str, obj: Obj) -> Obj:
    """The form that the request's version speaks; the stored object is not changed."""
    if kind.kind == "Event" and kind.group and obj.get("apiVersion") == "v1":
        return _event_to_events(obj)
    if kind.kind == "HorizontalPodAutoscaler" and version == "v1" and obj.get("apiVersion") == "autoscaling/v2":
        return _hpa_to_v1(obj)
    if kind.custom:
        return custom_conversion.convert(server, kind, [obj], version)[0]
    return obj


def all_from_storage(server: Server, kind: KindInfo, version: str, items: list[Obj]) -> list[Obj]:
    """A list in the form that the request's version speaks; a webhook that converts is asked once."""
    if kind.custom:
        return custom_conversion.convert(server, kind, items, version)
    return [from_storage(server, kind, version, item) for item in items]


# core/v1 Event ↔ events.k8s.io/v1 Event: (core name, events name)
_EVENT_NAMES = (
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
)
_TO_CORE = {new: old for old, new in _EVENT_NAMES}
_TO_EVENTS = dict(_EVENT_NAMES)


def _event_to_core(obj: Obj) -> Obj:
    out = {_TO_CORE.get(name, name): value for name, value in obj.items()}
    out["apiVersion"] = "v1"
    out.setdefault("involvedObject", {})
    out.setdefault("source", {})
    return out


def _event_to_events(obj: Obj) -> Obj:
    out = {_TO_EVENTS.get(name, name): value for name, value in obj.items()}
    out["apiVersion"] = "events.k8s.io/v1"
    return out


def _hpa_to_v2(obj: Obj) -> Obj:
    spec = dict(obj.get("spec") or {})
    percent = spec.pop("targetCPUUtilizationPercentage", None)
    if percent is not None:
        spec["metrics"] = [_cpu(percent)]
    status = dict(obj.get("status") or {})
    used = status.pop("currentCPUUtilizationPercentage", None)
    if used is not None:
        status["currentMetrics"] = [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": used}}}]
    return {**obj, "apiVersion": "autoscaling/v2", "spec": spec, "status": status}


def _cpu(percent: int) -> Obj:
    return {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": percent}}}


def _hpa_to_v1(obj: Obj) -> Obj:
    spec = {k: v for k, v in obj["spec"].items() if k in ("scaleTargetRef", "minReplicas", "maxReplicas")}
    for metric in obj["spec"].get("metrics") or ():
        found = metric.get("resource") or {}
        percent = (found.get("target") or {}).get("averageUtilization")
        if found.get("name") == "cpu" and percent is not None:
            spec["targetCPUUtilizationPercentage"] = percent
    held = obj.get("status") or {}
    names = ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")
    status = {k: held[k] for k in names if k in held}
    status.setdefault("currentReplicas", 0)
    status.setdefault("desiredReplicas", 0)
    for metric in held.get("currentMetrics") or ():
        found = metric.get("resource") or {}
        used = (found.get("current") or {}).get("averageUtilization")
        if found.get("name") == "cpu" and used is not None:
            status["currentCPUUtilizationPercentage"] = used
    return {**obj, "apiVersion": "autoscaling/v1", "spec": spec, "status": status}
