"""Three-way merges of `kubectl apply` (`apimachinery/pkg/util/strategicpatch/patch.go`: `CreateThreeWayMergePatch`; `jsonmergepatch`).

The patch holds what the new manifest adds or changes against the live object, and deletes what the last manifest had and the new one has
not.  Built-in kinds use strategic merge (lists of structs merge by key), custom ones plain JSON merge.
"""

from __future__ import annotations

from typing import Any

from ...kube.api.schema import Field, Type, struct_of

Obj = dict[str, Any]


def _field(kind: Type | None, name: str) -> Field | None:
    return kind.fields.get(name) if kind is not None else None


def _child(field: Field | None) -> Type | None:
    return struct_of(field) if field is not None and field.kind == "struct" else None


def _merges(field: Field | None) -> bool:
    return field is not None and "merge" in field.strategy


def _elements(field: Field | None) -> Type | None:
    """The struct of a merge list, None for scalars."""
    elem = field.elem if field is not None else None
    return struct_of(elem) if elem is not None and elem.kind == "struct" else None


def strategic(original: Obj, modified: Obj, current: Obj, kind: Type | None) -> Obj:
    """The strategic merge patch."""
    return _combine(_deletions(original, modified, kind), _delta(current, modified, kind), kind)


def json_merge(original: Obj, modified: Obj, current: Obj) -> Obj:
    """The JSON merge patch."""
    return _combine(_deletions(original, modified, None), _delta(current, modified, None), None)


def _delta(current: Obj, modified: Obj, kind: Type | None) -> Obj:
    """Additions and changes."""
    out: Obj = {}
    for key, value in modified.items():
        field = _field(kind, key)
        if key not in current:
            out[key] = value
            continue
        held = current[key]
        if isinstance(value, dict) and isinstance(held, dict) and field is not None and "replace" in field.strategy:
            out[key] = value  # told whole, changed or not
        elif isinstance(value, dict) and isinstance(held, dict):
            inner = _delta(held, value, _child(field))
            if inner:
                if field is not None and "retainKeys" in field.strategy:
                    inner["$retainKeys"] = sorted(value)
                out[key] = inner
        elif isinstance(value, list) and isinstance(held, list) and _merges(field) and field is not None:
            _list_delta(out, key, held, value, field)
        elif (value != held or type(value) is not type(held)) and not (_number(value) and _number(held) and value == held):
            out[key] = value
    return out


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _list_delta(out: Obj, key: str, held: list[Any], value: list[Any], field: Field) -> None:
    kind = _elements(field)
    if kind is None:
        added = [item for item in value if item not in held]
        if added:
            out[key] = added
        if added or [item for item in held if item in value] != value:
            out["$setElementOrder/" + key] = value
        return
    name = field.merge_key
    by_key = {str(item.get(name)): item for item in held if isinstance(item, dict)}
    changes = []
    for item in value:
        old = by_key.get(str(item.get(name)))
        if old is None:
            changes.append(item)
            continue
        inner = _delta(old, item, kind)
        if inner:
            changes.append({**inner, name: item.get(name)})
    if changes:
        out[key] = changes
    wanted = [str(item.get(name)) for item in value]
    if changes or [str(item.get(name)) for item in held if str(item.get(name)) in wanted] != wanted:
        out["$setElementOrder/" + key] = [{name: item.get(name)} for item in value]


def _deletions(original: Obj, modified: Obj, kind: Type | None) -> Obj:
    """What the last manifest had and the new one lacks."""
    out: Obj = {}
    for key, value in original.items():
        if key not in modified or modified[key] is None:
            if value is not None:
                out[key] = None
            continue
        field, new = _field(kind, key), modified[key]
        if field is not None and "replace" in field.strategy:
            continue
        if isinstance(value, dict) and isinstance(new, dict):
            inner = _deletions(value, new, _child(field))
            if inner:
                out[key] = inner
        elif isinstance(value, list) and isinstance(new, list) and _merges(field) and field is not None:
            _list_deletions(out, key, value, new, field)
    return out


def _list_deletions(out: Obj, key: str, value: list[Any], new: list[Any], field: Field) -> None:
    kind, name = _elements(field), field.merge_key
    if kind is None:
        gone = [item for item in value if item not in new]
        if gone:
            out["$deleteFromPrimitiveList/" + key] = gone
            out["$setElementOrder/" + key] = new
        return
    by_key = {str(item.get(name)): item for item in new if isinstance(item, dict)}
    changes = []
    for item in value:
        kept = by_key.get(str(item.get(name)))
        if kept is None:
            changes.append({"$patch": "delete", name: item.get(name)})
            continue
        inner = _deletions(item, kept, kind)
        if inner:
            changes.append({**inner, name: item.get(name)})
    if changes:
        out[key] = changes
        out["$setElementOrder/" + key] = [{name: item.get(name)} for item in new]


def _combine(deletions: Obj, delta: Obj, kind: Type | None) -> Obj:
    """Both halves as one patch; a change wins over a deletion."""
    out = dict(deletions)
    for key, value in delta.items():
        held = out.get(key)
        field = _field(kind, key)
        if isinstance(held, dict) and isinstance(value, dict):
            out[key] = _combine(held, value, _child(field))
        elif (
            isinstance(held, list)
            and isinstance(value, list)
            and not key.startswith("$")
            and _merges(field)
            and field is not None
        ):
            out[key] = _combine_lists(held, value, field)
        else:
            out[key] = value
    return out


def _combine_lists(held: list[Any], value: list[Any], field: Field) -> list[Any]:
    kind, name = _elements(field), field.merge_key
    if kind is None:
        return value
    out = list(held)
    for item in value:
        at = next((i for i, old in enumerate(out) if str(old.get(name)) == str(item.get(name))), None)
        if at is None:
            out.append(item)
        else:
            out[at] = _combine(out[at], item, kind)
    return out
