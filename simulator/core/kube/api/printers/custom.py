"""Printers of custom resources: Name, then the definition's additional columns (`apiextensions-apiserver/.../tableconvertor`)."""

from __future__ import annotations

import json
import re
from typing import Any

from .base import Printer, age, name, since

Obj = dict[str, Any]
#: A field, an index, all items, a quoted field, or the items with a field of a value (`[?(@.type=="Ready")]`).
_STEP = re.compile(
    r"""\.?([A-Za-z0-9_\-\\./]+?(?=[.\[]|$)) | \[(\d+|\*)\] | \[['"]([^'"]+)['"]\]
    | \[\?\(\s*@\.?([\w.\-/]+)\s*(==|!=)\s*(?:"([^"]*)"|'([^']*)'|([\w.\-]+))\s*\)\]""",
    re.X,
)


def read(obj: Any, path: str) -> Any:
    """The first value at a simple JSONPath such as `.status.conditions[?(@.type=="Ready")].status`; None when absent."""
    found = [obj]
    for match in _STEP.finditer(path):
        found = [value for one in found for value in _step(one, match) if value is not None]
    return found[0] if found else None


def _step(obj: Any, match: re.Match[str]) -> list[Any]:
    """The values one step further."""
    key, at, field = match.group(1) or match.group(3), match.group(2), match.group(4)
    if key:
        return [obj.get(key.replace("\\.", "."))] if isinstance(obj, dict) else []
    if not isinstance(obj, list):
        return []
    if field:
        wanted = next(text for text in match.group(6, 7, 8) if text is not None)
        return [one for one in obj if (_text(read(one, field)) == wanted) == (match.group(5) == "==")]
    return obj if at == "*" else obj[int(at) : int(at) + 1]


def _text(value: Any) -> str:
    """A value as the jsonpath printer writes it: objects and lists as JSON."""
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


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
            elif value is None or (column.get("type") in ("integer", "number", "boolean") and not isinstance(value, dict | list)):
                out.append(value)
            else:
                out.append(_text(value))
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
