"""What `apply --server-side` does for objects that were applied by the client before (`client-go/util/csaupgrade`, `apply.go`).

The fields that client-side apply owns go to the manager of the server-side apply, so that dropping them from the manifest removes
them; the annotation with what was last applied is kept alive by a manager of its own.
"""

from __future__ import annotations

from typing import Any

from .builder import Info
from .create.base import LAST_APPLIED
from .patches import send
from .session import Session

Obj = dict[str, Any]
#: The default manager of server-side apply, and the one that keeps the annotation.
DEFAULT, KEEPER = "kubectl", "kubectl-last-applied"


def _owners(obj: Obj, operation: str) -> list[Obj]:
    """The entries that own the annotation."""
    found = []
    for entry in obj["metadata"].get("managedFields") or ():
        annotations = ((entry.get("fieldsV1") or {}).get("f:metadata") or {}).get("f:annotations") or {}
        if entry.get("operation") == operation and f"f:{LAST_APPLIED}" in annotations:
            found.append(entry)
    return found


def keep_annotation(s: Session, info: Info, obj: Obj, manager: str) -> Obj:
    """Own the annotation by an apply of its own, unless somebody does; the object afterwards."""
    text = (obj["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    if manager != DEFAULT or text is None or _owners(obj, "Apply"):
        return obj
    meta = {"name": info.name, **({"namespace": info.namespace} if info.namespace else {}), "annotations": {LAST_APPLIED: text}}
    only = {"apiVersion": info.mapping.api_version, "kind": info.mapping.kind.kind, "metadata": meta}
    return send(s, info.mapping, info.namespace, info.name, only, "apply", manager=KEEPER)


def migrate(s: Session, info: Info, obj: Obj, manager: str) -> bool:
    """Give the client-side managers' fields to `manager`; whether there was anything to do."""
    entries = [dict(entry) for entry in obj["metadata"].get("managedFields") or ()]
    names = sorted({entry["manager"] for entry in _owners(obj, "Update")})
    upgraded = entries
    for name in names:
        upgraded = _upgraded(upgraded, name, manager)
    if not names or upgraded == obj["metadata"].get("managedFields"):
        return False
    patch = [
        {"op": "replace", "path": "/metadata/managedFields", "value": upgraded},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": obj["metadata"]["resourceVersion"]},
    ]
    send(s, info.mapping, info.namespace, info.name, patch, "json", manager=manager)
    return True


def _upgraded(entries: list[Obj], older: str, manager: str) -> list[Obj]:
    """The entries with those of client-side manager `older` joined to `manager`'s (`upgradedManagedFields`)."""

    def at(name: str, operation: str, version: str = "") -> int | None:
        for index, entry in enumerate(entries):
            same = (entry.get("manager"), entry.get("operation"), entry.get("subresource", "")) == (name, operation, "")
            if same and version in ("", entry.get("apiVersion")):
                return index
        return None

    target = at(manager, "Apply")
    if target is None:
        target = at(older, "Update")
        if target is None:
            return entries
        entries[target] = {**entries[target], "operation": "Apply", "manager": manager}
    source = at(older, "Update", entries[target].get("apiVersion", ""))
    if source is not None:
        joined = _union(entries[target].get("fieldsV1") or {}, entries[source].get("fieldsV1") or {})
        entries[target] = {**entries[target], "fieldsV1": joined}
    return [
        entry
        for entry in entries
        if (entry.get("manager"), entry.get("operation"), entry.get("subresource", "")) != (older, "Update", "")
    ]


def _union(one: Obj, two: Obj) -> Obj:
    """Two sets of fields as one."""
    out = dict(one)
    for key, value in two.items():
        out[key] = _union(out[key], value) if key in out else value
    return out
