"""Server-side Tables and PartialObjectMetadata (`pkg/printers/internalversion`, `endpoints/handlers/response.go`)."""

from __future__ import annotations

from typing import Any

from ..api.printers import columns_of
from .call import Call

Obj = dict[str, Any]


def table_of(call: Call, items: list[Obj], meta: Obj, *, include: str = "Metadata", columns: bool = True) -> Obj:
    """The Table of some objects; `include` is None, Metadata or Object."""
    printer = columns_of(call.kind, call.version, call.server.columns(call.kind, call.version))
    wall = call.server.world.wall
    rows = []
    for item in items:
        made = printer.row(item, wall)
        row: Obj = {"cells": made.cells}
        if made.conditions:
            row["conditions"] = made.conditions
        row["object"] = embedded(item, include)
        rows.append(row)
    kept: Obj = {k: meta[k] for k in ("resourceVersion", "continue", "remainingItemCount") if k in meta}
    if "annotations" in meta and include == "None" and not items:
        kept["annotations"] = meta["annotations"]
    out: Obj = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": kept}
    out["columnDefinitions"] = printer.definitions if columns else []
    if not columns:
        out["columnDefinitions"] = None
    out["rows"] = rows
    return out


def embedded(item: Obj, include: str) -> Any:
    """What a row says of its object."""
    if include == "Object":
        return item
    return None if include == "None" else partial(item)


def partial(obj: Obj) -> Obj:
    """PartialObjectMetadata of an object."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def partial_list(listed: Obj) -> Obj:
    """PartialObjectMetadataList of a list."""
    items = [partial(item) for item in listed["items"]]
    return {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": listed["metadata"], "items": items}


def plain_table(items: list[Obj]) -> Obj:
    """A Table of objects that have no printer: name and creation time."""
    definitions = [
        {"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0},
        {"name": "Created At", "type": "date", "format": "", "description": "", "priority": 0},
    ]
    rows = []
    for item in items:
        meta = item["metadata"]
        rows.append({"cells": [meta.get("name", ""), meta.get("creationTimestamp", "")], "object": partial(item)})
    return {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "columnDefinitions": definitions, "rows": rows}
