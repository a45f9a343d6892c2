"""Patches of objects: JSON operations, and strategic merges as kustomize does them (`kyaml/yaml/merge2`): elements that the patch names come first, `null` takes away.

The merge differs from the API server's (`kube/api/strategic.py`) in the order of lists and knows no `$setElementOrder` or `$retainKeys`.
"""

from __future__ import annotations

from typing import Any

from ....kube.api import kinds, patch, schema
from ....kube.api.errors import ApiError
from ....kube.api.objects import clone
from ....kube.api.schema import Field, Type
from ...flags import quote
from ..errors import CommandError
from .items import Obj

PATCH = "$patch"


def merge(obj: Obj, change: Obj, given: dict[tuple[str, str, str], Obj] | None = None) -> Obj | None:
    """The object after a patch; None when the patch deletes it.  `given` are OpenAPI schemas of the kustomization's own."""
    group, version = kinds.split_api_version(str(obj.get("apiVersion") or ""))
    kind = str(obj.get("kind") or "")
    own = (given or {}).get((group, version, kind))
    merged = _map(obj, change, _given(own["schema"], own["definitions"], 0) if own else schema.type_for(group, version, kind))
    return merged if isinstance(merged, dict) else None


def _given(body: Obj, definitions: Obj, depth: int) -> Type:
    """The type of a given schema, as far as merging needs it."""
    kind = Type("", {}, {}, "")
    for name, spec in (body.get("properties") or {}).items() if depth < 20 else ():
        kind.fields[name] = _GivenField(name, spec, definitions, depth)
    return kind


class _GivenField(Field):
    """A field of a given schema."""

    __slots__ = ("given",)

    def __init__(self, name: str, spec: Obj, definitions: Obj, depth: int) -> None:
        body = definitions.get(str(spec.get("$ref") or "").rpartition("/")[2]) or spec
        super().__init__(name, {"t": "array" if "items" in body else "object"}, "", "")
        self.kind = "list" if "items" in body else "struct" if "properties" in body else "any"
        self.strategy = tuple(str(spec.get("x-kubernetes-patch-strategy") or "").split(","))
        self.merge_key = str(spec.get("x-kubernetes-patch-merge-key") or "")
        self.given = _given(body, definitions, depth + 1) if self.kind == "struct" else None
        if self.kind == "list":
            self.elem = _GivenField(
                name, {**body["items"], "properties": body["items"].get("properties") or {}}, definitions, depth + 1
            )


def _struct_of(field: Field) -> Type:
    return field.given if isinstance(field, _GivenField) and field.given is not None else schema.struct_of(field)


def _map(held: Any, change: Obj, kind: Type | None) -> Any:
    directive = change.get(PATCH)
    if directive == "delete":
        return None
    own = {key: value for key, value in change.items() if key != PATCH}
    if directive == "replace" or not isinstance(held, dict):
        return _plain(own)
    out = dict(held)
    for key, value in own.items():
        field = kind.fields.get(key) if kind is not None else None
        if value is None:
            out.pop(key, None)
        elif isinstance(value, dict):
            inner = _struct_of(field) if field is not None and field.kind == "struct" else None
            merged = _map(out.get(key), value, inner)
            if merged is None or (merged == {} and value != {}):
                out.pop(key, None)
            else:
                out[key] = merged
        elif isinstance(value, list):
            out[key] = _list(out.get(key), value, field)
        else:
            out[key] = value
    return out


def _list(held: Any, change: list[Any], field: Field | None) -> list[Any]:
    """Lists with a merge key are merged element by element, lists of values of strategy `merge` joined, others replaced."""
    if any(isinstance(one, dict) and one.get(PATCH) == "replace" for one in change):
        return [_plain(one) for one in change if not (isinstance(one, dict) and PATCH in one)]
    merges = field is not None and "merge" in field.strategy and isinstance(held, list)
    if field is None or not merges:
        return [_plain(one) for one in change]
    if not field.merge_key or field.elem is None or field.elem.kind != "struct":
        return [*change, *(one for one in held if one not in change)]
    kind, rest, out = _struct_of(field.elem), list(held), []
    for one in change:
        at = next((at for at, old in enumerate(rest) if _same(old, one, field)), -1)
        old = rest.pop(at) if at >= 0 else None
        if isinstance(one, dict) and one.get(PATCH) == "delete":
            continue
        out.append(_map(old, one, kind) if isinstance(old, dict) and isinstance(one, dict) else _plain(one))
    return [*out, *rest]


def _same(old: Any, one: Any, field: Field) -> bool:
    if not isinstance(old, dict) or not isinstance(one, dict) or field.merge_key not in one:
        return False
    keys = [key for key in (field.list_keys or (field.merge_key,)) if key == field.merge_key or (key in old and key in one)]
    return all(str(old.get(key)) == str(one.get(key)) for key in keys)


def _plain(value: Any) -> Any:
    """A new value without directives and nulls."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items() if key != PATCH and inner is not None}
    if isinstance(value, list):
        return [_plain(one) for one in value if not (isinstance(one, dict) and one.get(PATCH) == "delete")]
    return clone(value)


def operated(obj: Obj, operations: list[Any]) -> Obj:
    """An object after JSON operations; raises CommandError in the words of the library that kubectl has built in."""
    for one in operations:
        try:
            obj = patch.apply_json(obj, [one])
        except ApiError:
            raise CommandError(_refusal(obj, one)) from None
    return obj


def _refusal(obj: Obj, operation: Any) -> str:
    """Why an operation does not apply (json-patch's errors)."""
    kind, path = (operation.get("op"), str(operation.get("path"))) if isinstance(operation, dict) else (None, "")
    last = path.rpartition("/")[2]
    if kind == "test":
        return f"testing path {path} failed: test failed"
    try:
        patch.apply_json(obj, [{"op": "copy", "from": path.rpartition("/")[0], "path": path.rpartition("/")[0]}])
    except ApiError:
        verbs = {"remove": "remove operation", "add": "add operation", "replace": "replace operation"}
        return f"{verbs.get(str(kind), kind)} does not apply: doc is missing path: {quote(path)}: missing value"
    if kind == "remove":
        return f"error in remove for path: '{path}': Unable to remove nonexistent key: {last}: missing value"
    return f"replace operation does not apply: doc is missing key: {path}: missing value"
