"""Printers of custom resources: Name, then the definition's additional columns (`apiextensions-apiserver/.../tableconvertor`)."""

from __future__ import annotations

import re
from typing import Any

from .base import Printer, age, name, since

Obj = dict[str, Any]
_STEP = re.compile(r"\.?([A-Za-z0-9_\-\\.]+?(?=[.\[]|$))|\[(\d+|\*)\]|\['([^']+)'\]")


def read(obj: Any, path: str) -> Any:
    """The value at a simple JSONPath such as `.spec.replicas` or `.status.conditions[0].type`; None when absent."""
    for match in _STEP.finditer(path):
        key = match.group(1) or match.group(3)
        if key:
            obj = obj.get(key.replace("\\.", ".")) if isinstance(obj, dict) else None
        elif isinstance(obj, list):
            at = 0 if match.group(2) == "*" else int(match.group(2))
            obj = obj[at] if at < len(obj) else None
        else:
            return None
        if obj is None:
            return None
    return obj


def printer(columns: list[Obj]) -> Printer:
    """The printer of a version's `additionalPrinterColumns`; Name and Age when there are none."""
    if not columns:
        return Printer("Name|Age", lambda obj, wall: [name(obj), age(obj, wall)])

    def cells(obj: Obj, wall: int) -> list[Any]:
        out: list[Any] = [name(obj)]
        for column in columns:
            value = read(obj, column.get("jsonPath", ""))
            if column.get("type") == "date":
                out.append(since(value, wall) if value else "<unknown>")
            elif isinstance(value, dict | list) or value is None:
                out.append(None if value is None else str(value))
            elif column.get("type") in ("integer", "number", "boolean"):
                out.append(value)
            else:
                out.append(str(value).lower() if isinstance(value, bool) else str(value))
        return out

    made = Printer("Name", cells)
    for column in columns:
        made.definitions.append(
            {
                "name": column.get("name", ""),
                "type": column.get("type", "string"),
                "format": column.get("format", ""),
                "description": column.get("description")
                or f"Custom resource definition column (in JSONPath format): {column.get('jsonPath', '')}",
                "priority": column.get("priority", 0),
            }
        )
    return made
