"""Validation of Events (`pkg/apis/core/validation/events.go`): lenient through the core group, strict through events.k8s.io."""

from __future__ import annotations

from typing import Any

from ...api import names
from ...api.errors import FieldError, invalid_value, required
from .common import immutable

Obj = dict[str, Any]
#: The longest fields, in characters: reportingInstance, action, reason, message.
LIMITS = {"reportingInstance": 128, "action": 128, "reason": 128, "message": 1024}


def legacy(obj: Obj, controller: str = "reportingController") -> list[FieldError]:
    """`legacyValidateEvent`; `controller` is what the group calls the field."""
    involved, namespace = (obj.get("involvedObject") or {}).get("namespace") or "", obj["metadata"].get("namespace") or ""
    at, odd, out = "involvedObject.namespace", "does not match event.namespace", list[FieldError]()
    if not obj.get("eventTime"):
        if (involved and involved != namespace) or (not involved and namespace not in ("", "default")):
            out.append(invalid_value(at, involved, odd))
    else:
        if not involved and namespace not in ("default", "kube-system"):
            out.append(invalid_value(at, involved, odd))
        name = obj.get("reportingComponent") or ""
        out += [] if name else [required(controller)]
        out += [invalid_value(controller, name, text) for text in names.qualified_name(name)]
        for field, most in LIMITS.items():
            value = obj.get(field) or ""
            if not value and field != "message":
                out.append(required(field))
            if len(value) > most:
                out.append(invalid_value(field, "", f"can have at most {most} characters"))
    return out + [invalid_value("namespace", namespace, text) for text in names.dns_subdomain(namespace)]


def create(obj: Obj) -> list[FieldError]:
    """`ValidateEventCreate` of events.k8s.io/v1."""
    out = legacy(obj) + _series(obj)
    if not obj.get("eventTime"):
        out.append(required("eventTime"))
    kind = obj.get("type") or ""
    if kind not in ("Normal", "Warning"):
        out.append(invalid_value("type", "", f"has invalid value: {kind}"))
    for name in ("firstTimestamp", "lastTimestamp", "count"):
        if obj.get(name):
            out.append(invalid_value(name, "", "needs to be unset"))
    if any((obj.get("source") or {}).values()):
        out.append(invalid_value("source", "", "needs to be unset"))
    return out


def _series(obj: Obj) -> list[FieldError]:
    series = obj.get("series")
    if series is None:
        return []
    out = [invalid_value("series.count", "", "should be at least 2")] if (series.get("count") or 0) < 2 else []
    return out if series.get("lastObservedTime") else [*out, required("series.lastObservedTime")]


def update(obj: Obj, old: Obj) -> list[FieldError]:
    """`ValidateEventUpdate` of events.k8s.io/v1."""
    out = legacy(obj) + (_series(obj) if obj.get("series") != old.get("series") else [])
    for name in ("involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count", "type", "eventTime",
                 "action", "related", "reportingComponent", "reportingInstance"):  # fmt: skip
        shown = "reportingController" if name == "reportingComponent" else name
        out += immutable(obj.get(name), old.get(name), shown)
    return out
