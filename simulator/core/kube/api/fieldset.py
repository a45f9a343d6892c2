"""Sets of field paths in the form of FieldsV1, and typed comparison and merging (sigs.k8s.io/structured-merge-diff).

A set is a tree: `{"f:spec": {"f:replicas": {}}}`.  An empty node is a member; a node with children is a member itself when it
holds `"."`.  List items are `k:{"name":"nginx"}` (lists with map keys) or `v:"x"` (sets); atomic lists, maps and structs are
members as a whole.
"""

from __future__ import annotations

from typing import Any

import orjson

from .objects import clone
from .schema import Field, Type, struct_of

Tree = dict[str, Any]
Obj = dict[str, Any]

#: Members of metadata and of the object that nobody owns (`stripMeta`).
_UNOWNED = ("f:apiVersion", "f:kind")
_UNOWNED_META = (
    "f:name", "f:namespace", "f:creationTimestamp", "f:selfLink", "f:uid", "f:clusterName", "f:generation", "f:managedFields",
    "f:resourceVersion",
)  # fmt: skip


def _shape(field: Field | None, value: Any) -> str:
    """How a value is owned: leaf, struct, map, listmap or set."""
    if isinstance(value, dict):
        if field is None or field.kind == "any":
            return "map" if value else "leaf"
        if field.map_type == "atomic" or (field.kind == "struct" and struct_of(field).atomic):
            return "leaf"
        return "struct" if field.kind == "struct" else "map"
    if isinstance(value, list) and field is not None and field.kind == "list":
        if field.list_type == "map" and all(isinstance(item, dict) for item in value):
            return "listmap"
        if field.list_type == "set" and not any(isinstance(item, dict | list) for item in value):
            return "set"
    return "leaf"


def _child(field: Field | None, shape: str, name: str) -> Field | None:
    if field is None:
        return None
    if shape == "struct":
        return struct_of(field).fields.get(name) if field.kind == "struct" else None
    return field.elem


def item_key(field: Field, item: Obj) -> str:
    """The path element of an item of a list with map keys; missing keys take the schema's defaults (`protocol: TCP`)."""
    keys: Obj = {}
    for name in field.list_keys:
        if name in item:
            keys[name] = item[name]
        elif name == "protocol":
            keys[name] = "TCP"
    return "k:" + orjson.dumps(keys, option=orjson.OPT_SORT_KEYS).decode()


def value_key(item: Any) -> str:
    """The path element of an item of a set."""
    return "v:" + orjson.dumps(item).decode()


def members(field: Field | None, shape: str, value: Any) -> list[tuple[str, Any, Field | None]]:
    """(path element, value, field) of what a container holds."""
    if shape in ("struct", "map"):
        return [("f:" + name, item, _child(field, shape, name)) for name, item in value.items()]
    assert field is not None
    if shape == "listmap":
        return [(item_key(field, item), item, field.elem) for item in value]
    return [(value_key(item), item, None) for item in value]


def build(value: Any, field: Field | None, *, dots: bool, added: bool = False) -> Tree:
    """The set of a value.  With `dots` (what an Update adds) a container owns itself when it was not there before: below something
    that is `added` every container, elsewhere those that an object without a value does not write."""
    shape = _shape(field, value)
    if shape == "leaf":
        return {}
    out: Tree = {}
    if dots and field is not None and field.name and (added or not field.always):
        out["."] = {}
        added = True
    for key, item, child in members(field, shape, value):
        found = build(item, child, dots=dots, added=added or shape == "listmap")
        if shape == "listmap":
            found = {".": {}, **found}
        out[key] = found
    if list(out) == ["."]:
        return {}
    return {key: out[key] for key in sorted(out)}


def root(kind: Type | None) -> Field | None:
    """A field that stands for a whole object."""
    return Field("", {"$": kind.name}, "{}", kind.pack) if kind is not None else None


def owned(value: Obj, kind: Type | None, *, dots: bool = False) -> Tree:
    """The set of a whole object, without what nobody owns."""
    return strip(build(value, root(kind), dots=dots))


def strip(tree: Tree) -> Tree:
    """Drop what nobody owns."""
    out = {k: v for k, v in tree.items() if k not in _UNOWNED}
    meta = out.get("f:metadata")
    if meta is not None:
        kept = {k: v for k, v in meta.items() if k not in _UNOWNED_META and k != "."}
        out.pop("f:metadata")
        if kept:
            out["f:metadata"] = kept
    return {k: out[k] for k in sorted(out)}


def changed(old: Any, new: Any, field: Field | None) -> Tree | None:
    """What was added or modified from `old` to `new`; None when nothing was."""
    shape = _shape(field, new)
    if shape == "leaf" or _shape(field, old) != shape:
        return build(new, field, dots=True)
    out: Tree = {}
    if shape in ("struct", "map"):
        for name, item in new.items():
            if name in old:
                was = old[name]
                if was is item or was == item or name == "managedFields":
                    continue
                found = changed(was, item, _child(field, shape, name))
            else:
                found = build(item, _child(field, shape, name), dots=True)
            if found is not None:
                out["f:" + name] = found
        return out or None
    before = {key: item for key, item, _ in members(field, shape, old)}
    for key, item, child in members(field, shape, new):
        if key in before:
            was = before[key]
            if was is item or was == item:
                continue
            found = changed(was, item, child)
        else:
            found = build(item, child, dots=True, added=True)
            if shape == "listmap":
                found = {".": {}, **found}
        if found is not None:
            out[key] = found
    return out or None


# -- algebra ------------------------------------------------------------------------------------------------------------


def is_member(node: Tree) -> bool:
    """Whether a node itself belongs to its set."""
    return not node or "." in node


def _tidy(node: Tree) -> Tree | None:
    if not node:
        return None
    return {} if list(node) == ["."] else node


def union(a: Tree, b: Tree) -> Tree:
    """Members of either."""
    if not a or not b:
        other = a or b
        return {".": {}, **{k: v for k, v in other.items() if k != "."}} if other else {}
    out = dict(a)
    for key, node in b.items():
        out[key] = union(out[key], node) if key in out else node
    return {k: out[k] for k in sorted(out)}


def merge_roots(a: Tree, b: Tree) -> Tree:
    """The union of two whole sets (whose empty root means no members)."""
    if not a:
        return b
    return union(a, b) if b else a


def covers(a: Tree, b: Tree) -> bool:
    """Whether the union of two whole sets would be `a` itself: every member of `b` is there in the same form."""
    for key, node in b.items():
        held = a.get(key)
        if held is None or (node and not held) or (not node and held and "." not in held):
            return False
        if node and not covers(held, node):
            return False
    return True


def difference(a: Tree, b: Tree) -> Tree | None:
    """Members of `a` that are not in `b`; None when none are left."""
    out: Tree = {}
    for key, node in a.items():
        if key == ".":
            if not is_member(b):
                out["."] = {}
            continue
        other = b.get(key)
        if other is None:
            out[key] = node
        elif not node:
            if not is_member(other):
                out[key] = node
        else:
            left = difference(node, other)
            if left is not None:
                out[key] = left
    return _tidy(out)


def members_named(tree: Tree) -> Tree:
    """The set with every field that has members as a member itself (`EnsureNamedFieldsAreMembers`)."""
    out = {key: members_named(node) if node else node for key, node in tree.items()}
    if out and "." not in out:
        out["."] = {}
    return out


def intersection(a: Tree, b: Tree) -> Tree | None:
    """Members of both; None when there are none."""
    if not a or not b:
        return {} if is_member(a) and is_member(b) else None
    out: Tree = {}
    for key, node in a.items():
        if key == ".":
            if is_member(b):
                out["."] = {}
        elif key in b:
            found = intersection(node, b[key])
            if found is not None:
                out[key] = found
    return _tidy(out)


def present(tree: Tree, value: Any, field: Field | None) -> Tree | None:
    """The part of a set whose paths still exist in a value."""
    if not tree:
        return tree
    shape = _shape(field, value)
    if shape == "leaf":
        return {} if is_member(tree) else None
    held = {key: (item, child) for key, item, child in members(field, shape, value)}
    out: Tree = {}
    for key, node in tree.items():
        if key == ".":
            out["."] = {}
        elif key in held:
            found = present(node, *held[key])
            if found is not None:
                out[key] = found
    return _tidy(out)


def leaves(tree: Tree, path: str = "") -> list[str]:
    """The members of a set as text: `.spec.template.spec.containers[name="nginx"].image`."""
    out: list[str] = []
    for key, node in tree.items():
        if key == ".":
            continue
        if key.startswith("f:"):
            shown = f"{path}.{key[2:]}"
        elif key.startswith("k:"):
            keys = orjson.loads(key[2:])
            shown = path + "[" + ",".join(f"{k}={orjson.dumps(v).decode()}" for k, v in sorted(keys.items())) + "]"
        else:
            shown = f"{path}[={key[2:]}]"
        if is_member(node):
            out.append(shown)
        out += leaves(node, shown)
    return out


def undeclared(value: Any, field: Field | None, path: str = "") -> list[str]:
    """The paths of members that the schema does not know (`structured-merge-diff/typed/validate.go`)."""
    if field is None:
        return []
    out: list[str] = []
    if isinstance(value, dict) and field.kind == "struct":
        known = struct_of(field).fields
        for name, item in value.items():
            out += undeclared(item, known[name], f"{path}.{name}") if name in known else [f"{path}.{name}"]
    elif isinstance(value, dict) and field.kind == "map":
        for name, item in value.items():
            out += undeclared(item, field.elem, f"{path}.{name}")
    elif isinstance(value, list) and field.kind == "list":
        keyed = field.list_type == "map" and all(isinstance(item, dict) for item in value)
        for i, item in enumerate(value):
            step = leaves({item_key(field, item): {}})[0] if keyed else f"[{i}]"
            out += undeclared(item, field.elem, path + step)
    return out


# -- merging ------------------------------------------------------------------------------------------------------------


def merge(live: Any, wanted: Any, field: Field | None) -> Any:
    """What server-side apply makes of a live value and a configuration: granular containers merge, the rest is replaced."""
    shape = _shape(field, wanted)
    if shape == "leaf" or not isinstance(live, type(wanted)):
        return clone(wanted)
    if shape in ("struct", "map"):
        out = dict(live)
        for name, item in wanted.items():
            child = _child(field, shape, name)
            out[name] = merge(live[name], item, child) if name in live else clone(item)
        return out
    assert field is not None
    if shape == "set":
        return [*live, *(item for item in wanted if item not in live)]
    held = {item_key(field, item): item for item in live}
    stated = {item_key(field, item): item for item in wanted}
    items = [merge(item, stated[key], field.elem) if key in stated else item for key, item in held.items()]
    return items + [clone(item) for key, item in stated.items() if key not in held]


def remove(value: Any, tree: Tree, field: Field | None) -> Any:
    """A value without the members of a set."""
    shape = _shape(field, value)
    if shape == "leaf":
        return value
    if shape in ("struct", "map"):
        out = {}
        for name, item in value.items():
            node = tree.get("f:" + name)
            if node is None:
                out[name] = item
            elif node and not (is_member(node) and not isinstance(item, dict | list)):
                kept = remove(item, node, _child(field, shape, name))
                if kept or not is_member(node):
                    out[name] = kept
        return out
    assert field is not None
    if shape == "set":
        return [item for item in value if value_key(item) not in tree]
    items = []
    for item in value:
        node = tree.get(item_key(field, item))
        if node is None:
            items.append(item)
        elif not is_member(node):
            items.append(remove(item, node, field.elem))
    return items
