"""Small checks that many kinds share (`apimachinery/pkg/api/validation/{generic,objectmeta}.go`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...api.errors import FieldError, duplicate, invalid_value, required

Obj = dict[str, Any]
NOT_NEGATIVE = "must be greater than or equal to 0"
IMMUTABLE = "field is immutable"


def not_negative(value: Any, at: str) -> list[FieldError]:
    """`ValidateNonnegativeField`; None is fine."""
    return [invalid_value(at, value, NOT_NEGATIVE)] if isinstance(value, int) and value < 0 else []


def immutable(value: Any, before: Any, at: str) -> list[FieldError]:
    """`ValidateImmutableField`; what is empty and what is absent are alike."""
    return [] if value == before or (not value and not before) else [invalid_value(at, value, IMMUTABLE)]


def counts(obj: Obj, names: Iterable[str], within: Iterable[tuple[str, str, str]] = ()) -> list[FieldError]:
    """Errors of a workload's status: `names` are not negative; the first field of each of `within` is not greater than the second,
    which the message calls by the third."""
    status, out = obj.get("status") or {}, list[FieldError]()
    for name in names:
        out += not_negative(status.get(name), f"status.{name}")
    for name, other, words in within:
        if (status.get(name) or 0) > (status.get(other) or 0):
            out.append(invalid_value(f"status.{name}", status[name], f"cannot be greater than {words}"))
    return out


def not_decremented(obj: Obj, old: Obj, name: str) -> list[FieldError]:
    """A counter of the status only grows (`IsDecremented`)."""
    mine, before = (obj.get("status") or {}).get(name), (old.get("status") or {}).get(name)
    fewer = before is not None and (mine is None or mine < before)
    return [invalid_value(f"status.{name}", mine or 0, "cannot be decremented")] if fewer else []


def conditions(obj: Obj) -> list[FieldError]:
    """Conditions of a status have types, each once (`ValidateFlowSchemaStatus` and its like)."""
    out: list[FieldError] = []
    seen: set[str] = set()
    for i, item in enumerate((obj.get("status") or {}).get("conditions") or ()):
        at, kind = f"status.conditions[{i}].type", item.get("type") or ""
        if kind in seen:
            out.append(duplicate(at, kind))
        seen.add(kind)
        if not kind:
            out.append(required(at))
    return out
