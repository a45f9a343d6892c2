"""Patches on the client's side: applying them locally, and sending them (`kubectl/pkg/cmd/patch/patch.go`, `cli-runtime` `Helper.Patch`)."""

from __future__ import annotations

from typing import Any

from ...kernel.versions import MINOR
from ...kube.api import patch as patching
from ...kube.api.decode import DecodeError, Decoder
from ...kube.api.packs import pack_of
from ...kube.api.schema import Type, type_for
from ...kube.api.strategic import strategic_merge
from ...kube.client import PATCH_TYPES
from ..flags import quote
from .errors import CommandError
from .mapper import Mapping
from .session import Session

Obj = dict[str, Any]


def type_of(mapping: Mapping) -> Type | None:
    """The schema of a built-in kind, None for custom ones."""
    return (
        None
        if mapping.kind.custom
        else type_for(mapping.kind.group, mapping.version, mapping.kind.kind, mapping.kind.since or MINOR)
    )


def typed(s: Session, mapping: Mapping, obj: Obj, source: str = "") -> Obj:
    """An object as its Go type of this kubectl's release is written: with the members that are never left out; CommandError naming
    its `source`."""
    found = mapping.kind
    kind = None if found.custom else type_for(found.group, mapping.version, found.kind, pack_of(s.mapper.release))
    if kind is None:
        return obj
    try:
        return {"apiVersion": obj.get("apiVersion"), "kind": obj.get("kind"), **Decoder().decode(kind, obj)}
    except DecodeError as error:
        raise CommandError(f"unable to decode {quote(source)}: {error}" if source else str(error)) from None


def apply_local(mapping: Mapping, obj: Obj, patch: Any, kind: str) -> Obj:
    """The object after a patch, without asking the server."""
    found = type_of(mapping)
    if kind == "json":
        result: Obj = patching.apply_json(obj, patch)
        return result
    if kind == "strategic" and found is not None:
        return strategic_merge(obj, patch, found)
    merged: Obj = patching.merge(obj, patch)
    return merged


def send(
    s: Session,
    mapping: Mapping,
    namespace: str,
    name: str,
    patch: Any,
    kind: str,
    *,
    manager: str,
    dry: bool = False,
    subresource: str = "",
    directive: str = "",
    force: bool | None = None,
) -> Obj:
    """PATCH an object."""
    query = {"fieldManager": manager} if manager else {}
    if dry:
        query["dryRun"] = "All"
    if directive:
        query["fieldValidation"] = directive
    if force is not None:
        query["force"] = "true" if force else "false"
    answer: Obj = s.call("PATCH", mapping.path(namespace, name, subresource), query=query, obj=patch, content=PATCH_TYPES[kind])
    return answer


def merge_diff(before: Any, after: Any) -> Obj:
    """The JSON merge patch from one object to another."""
    out: Obj = {}
    for key in sorted({*before, *after}):
        if key not in after:
            out[key] = None
        elif key not in before:
            out[key] = after[key]
        elif isinstance(before[key], dict) and isinstance(after[key], dict):
            inner = merge_diff(before[key], after[key])
            if inner:
                out[key] = inner
        elif before[key] != after[key]:
            out[key] = after[key]
    return out


def update_diff(mapping: Mapping, before: Obj, after: Obj) -> tuple[Obj, str]:
    """The patch that turns one object into another, and its kind: strategic for built-in kinds, else merge."""
    from .threeway import strategic

    found = type_of(mapping)
    if found is None:
        return merge_diff(before, after), "merge"
    if before == after:  # lists whose merge keys repeat differ from themselves
        return {}, "strategic"
    return strategic(before, after, before, found), "strategic"
