"""Strategic merge patch (`apimachinery/pkg/util/strategicpatch/patch.go`).

Lists of structs with a merge key merge by it, lists of scalars with the merge strategy unite, everything else replaces.
Directives: `$patch: replace|delete|merge`, `$deleteFromPrimitiveList/<field>`, `$setElementOrder/<field>`, `$retainKeys`.
"""

from __future__ import annotations

from typing import Any

from .errors import ApiError, bad_request, status
from .objects import clone
from .schema import Field, Type, struct_of

PATCH = "$patch"
DELETE_LIST = "$deleteFromPrimitiveList/"
ORDER = "$setElementOrder/"
RETAIN = "$retainKeys"
Obj = dict[str, Any]


def strategic_merge(target: Obj, patch: Any, kind: Type) -> Obj:
    """The merged object; neither argument is changed."""
    if not isinstance(patch, dict):
        raise bad_request(f"json: cannot unmarshal {_json_name(patch)} into Go value of type map[string]interface {{}}")
    return _merge_map(target, patch, kind)


def _json_name(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "number"


def _bad(message: str) -> ApiError:
    return ApiError(status(500, "InternalError", message))


def _field(kind: Type | None, name: str) -> Field | None:
    return kind.fields.get(name) if kind is not None else None


def _child(field: Field | None) -> Type | None:
    return struct_of(field) if field is not None and field.kind == "struct" else None


def _without_directives(value: Any) -> Any:
    """What a patch adds where nothing was: itself, its directives dropped."""
    if isinstance(value, dict):
        if value.get(PATCH) == "delete":
            return {}
        return {k: _without_directives(v) for k, v in value.items() if not k.startswith("$") and v is not None}
    if isinstance(value, list):
        return [_without_directives(v) for v in value if not (isinstance(v, dict) and v.get(PATCH) == "delete")]
    return value


def _merge_map(target: Obj, patch: Obj, kind: Type | None) -> Obj:
    directive = patch.get(PATCH)
    if directive == "replace":
        return {k: clone(v) for k, v in patch.items() if k != PATCH}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise _bad(f"invalid map patch directive: {directive}" if isinstance(directive, str) else "map")
    out = dict(target)
    retain = patch.get(RETAIN)
    if isinstance(retain, list):
        out = {k: v for k, v in out.items() if k in retain}
    for name, value in patch.items():
        if name in (PATCH, RETAIN):
            continue
        if name.startswith(DELETE_LIST):
            _delete_primitives(out, name[len(DELETE_LIST) :], value)
        elif name.startswith(ORDER):
            continue
        elif value is None:
            out.pop(name, None)
        else:
            _merge_member(out, name, value, _field(kind, name), patch.get(ORDER + name))
    for name, value in patch.items():
        if name.startswith(ORDER) and name[len(ORDER) :] not in patch:
            field = _field(kind, name[len(ORDER) :])
            held = out.get(name[len(ORDER) :])
            if isinstance(held, list) and isinstance(value, list):
                out[name[len(ORDER) :]] = _ordered(held, value, field.merge_key if field is not None else "")
    return out


def _merge_member(out: Obj, name: str, value: Any, field: Field | None, order: Any) -> None:
    held = out.get(name)
    if isinstance(value, dict):
        if isinstance(held, dict) and not (field is not None and "replace" in field.strategy):
            out[name] = _merge_map(held, value, _child(field))
        elif value.get(PATCH) != "delete":
            out[name] = _without_directives(value)
        return
    if isinstance(value, list) and isinstance(held, list) and field is not None and "merge" in field.strategy:
        merged = _merge_list(held, value, field)
        out[name] = _ordered(merged, order, field.merge_key) if isinstance(order, list) else merged
        return
    out[name] = _without_directives(value)


def _delete_primitives(out: Obj, name: str, values: Any) -> None:
    held = out.get(name)
    if isinstance(held, list) and isinstance(values, list):
        out[name] = [item for item in held if item not in values]


def _merge_list(held: list[Any], patch: list[Any], field: Field) -> list[Any]:
    elem = field.elem
    if elem is None or elem.kind != "struct":
        extra = [clone(item) for item in patch if item not in held]
        return [*held, *extra]
    if any(isinstance(item, dict) and item.get(PATCH) == "replace" for item in patch):
        return [_without_directives(item) for item in patch if not (isinstance(item, dict) and PATCH in item)]
    key, kind = field.merge_key, struct_of(elem)
    out = list(held)
    fresh: list[Any] = []
    for item in patch:
        if not isinstance(item, dict):
            raise bad_request(f"expected an object in list {field.name}")
        if key not in item:
            if item.get(PATCH) == "merge":
                continue
            raise _bad(f"map: {_go_map(item)} does not contain declared merge key: {key}")
        at = next((i for i, old in enumerate(out) if isinstance(old, dict) and _same_key(old.get(key), item[key])), None)
        if item.get(PATCH) == "delete":
            out = [old for old in out if not (isinstance(old, dict) and _same_key(old.get(key), item[key]))]
        elif at is None:
            fresh.append(_without_directives(item))
        else:
            out[at] = _merge_map(out[at], item, kind)
    # Without an order directive the real merge puts new items before the old ones.
    return [*fresh, *out]


def _same_key(a: Any, b: Any) -> bool:
    return str(a) == str(b)


def _ordered(items: list[Any], order: list[Any], key: str) -> list[Any]:
    """Items in the order of the directive; those that it does not name keep their place relative to their neighbours."""
    wanted: dict[str, int] = {}
    for at, entry in enumerate(order):
        wanted.setdefault(str(entry.get(key) if key and isinstance(entry, dict) else entry), at)

    def name(item: Any) -> str:
        return str(item.get(key) if key and isinstance(item, dict) else item)

    named = sorted((item for item in items if name(item) in wanted), key=lambda item: wanted[name(item)])
    server_only = [item for item in items if name(item) not in wanted]
    if not server_only:
        return named
    original = {id(item): at for at, item in enumerate(items)}
    out: list[Any] = []
    rest = list(named)
    for item in server_only:
        while rest and original[id(rest[0])] < original[id(item)]:
            out.append(rest.pop(0))
        out.append(item)
    return [*out, *rest]


def _go_map(item: Obj) -> str:
    return "map[" + " ".join(f"{k}:{v}" for k, v in sorted(item.items())) + "]"
