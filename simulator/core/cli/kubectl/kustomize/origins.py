"""`buildMetadata`: where objects come from and what has changed them, in annotations, and a label (`api/resource/origin.go`)."""

from __future__ import annotations

from .items import Item, Obj

ORIGIN = "config.kubernetes.io/origin"
TRANSFORMATIONS = "alpha.config.kubernetes.io/transformations"
MANAGED_BY = "app.kubernetes.io/managed-by"


def origin(path: str = "", configured_in: str = "", configured_by: Obj | None = None) -> str:
    """An origin as YAML, in the order of its type."""
    lines = [f"path: {path}"] if path else []
    if configured_in:
        lines.append(f"configuredIn: {configured_in}")
    if configured_by:
        lines.append("configuredBy:")
        lines += [
            f"  {key}: {configured_by[key]}" for key in ("apiVersion", "kind", "name", "namespace") if configured_by.get(key)
        ]
    return "".join(f"{line}\n" for line in lines)


def annotate(items: list[Item], asked: frozenset[str], version: str) -> None:
    """Write what the options ask for into objects that are done."""
    for item in items:
        notes: Obj = {}
        if "transformerAnnotations" in asked and item.changes:
            listed = [one.splitlines() for one in item.changes]
            notes[TRANSFORMATIONS] = "".join(
                f"{'- ' if at == 0 else '  '}{line}\n" for lines in listed for at, line in enumerate(lines)
            )
        if "originAnnotations" in asked and item.origin:
            notes[ORIGIN] = item.origin
        meta = item.obj.setdefault("metadata", {})
        if notes:
            meta["annotations"] = {**(meta.get("annotations") or {}), **notes}
        if "managedByLabel" in asked:
            meta["labels"] = {**(meta.get("labels") or {}), MANAGED_BY: f"kustomize-{version}"}
