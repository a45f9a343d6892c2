"""Field management: who set which field (`apimachinery/pkg/util/managedfields`).

Every write records its manager: an Update owns what it changed, an Apply what it states.  Others lose what was changed under
them; what no longer exists is owned by nobody.
"""

from __future__ import annotations

from typing import Any

import msgspec
import orjson

from ...kernel import clock
from ..api import errors, fieldset, schema
from ..api.fieldset import Tree
from ..api.schema import Field, Type
from . import convert
from .call import Call

Obj = dict[str, Any]


class Applying(msgspec.Struct):
    """A server-side apply under way: its manager, what it states, whether it takes what others own."""

    manager: str
    stated: Obj
    force: bool
    changed_live: bool = True
    touched: Tree | None = None


_ROOTS: dict[str, Field | None] = {}
#: The newest lists of owners that were made here, by identity: clients in the same world send back the very object.
_MADE: dict[int, list[Obj]] = {}
MADE_KEPT = 256


def type_of(call: Call) -> Type | None:
    """The type in which fields are managed: the stored version's."""
    return schema.type_for(
        "" if call.kind.kind == "Event" else call.kind.group, call.kind.version, call.kind.kind, call.server.pack
    )


def _root(call: Call) -> Field | None:
    key = f"{call.server.pack}/{call.kind.group}/{call.kind.kind}"
    if key not in _ROOTS:
        _ROOTS[key] = fieldset.root(type_of(call))
    return _ROOTS[key]


def without_owners(call: Call, body: Obj) -> Obj:
    """A body without metadata.managedFields; what the client says of owners is kept aside in `call.owners`."""
    meta = body.get("metadata")
    if isinstance(meta, dict) and "managedFields" in meta:
        if not call.info.subresource:
            call.owners = given(meta["managedFields"])
        return {**body, "metadata": {k: v for k, v in meta.items() if k != "managedFields"}}
    return body


def given(owners: Any) -> list[Obj] | None:
    """The owners that a client states: a list of one empty entry means none; None for what says nothing or is wrong
    (`decodeLiveOrNew`)."""
    if owners == [{}]:
        return []
    if not isinstance(owners, list) or not owners:
        return None
    if _MADE.get(id(owners)) is owners:
        return owners  # made here: the client sends back what it was given
    for entry in owners:
        if (
            not isinstance(entry, dict)
            or entry.get("operation") not in ("Apply", "Update")
            or not isinstance(entry.get("fieldsV1"), dict)
        ):
            return None
        if not all(isinstance(entry.get(name, ""), str) for name in ("manager", "apiVersion", "time", "subresource")):
            return None
        if entry.get("fieldsType") != "FieldsV1" or "manager" not in entry or not _tree(entry["fieldsV1"], 0):
            return None
    return owners


def _tree(fields: Any, depth: int) -> bool:
    """Whether this is a set of fields: objects in objects, named `f:`, `k:`, `v:`, `i:` or `.`."""
    return (
        isinstance(fields, dict)
        and depth < 60
        and all((key == "." or key[:2] in ("f:", "k:", "v:", "i:")) and _tree(item, depth + 1) for key, item in fields.items())
    )


def restated(call: Call, old: Obj) -> bool:
    """Whether the client names other owners than those that are recorded."""
    return call.owners is not None and call.owners != (old["metadata"].get("managedFields") or [])


def track(call: Call, obj: Obj, old: Obj | None) -> None:
    """Record the request's manager in the object's managedFields."""
    held: list[Obj] = ((old or {}).get("metadata") or {}).get("managedFields") or []
    if call.owners is not None and call.applying is None:
        held = call.owners
    if call.applying is not None:
        entries = _after_apply(call, obj, held)
    else:
        entries = _after_update(call, obj, old, held)
    if entries:
        obj["metadata"]["managedFields"] = entries
        if len(_MADE) >= MADE_KEPT:
            del _MADE[next(iter(_MADE))]
        _MADE[id(entries)] = entries
    else:
        obj["metadata"].pop("managedFields", None)


def _entry(manager: str, operation: str, version: str, tree: Tree, subresource: str, time: str) -> Obj:
    out: Obj = {"manager": manager, "operation": operation, "apiVersion": version}
    if time:
        out["time"] = time
    out["fieldsType"], out["fieldsV1"] = "FieldsV1", tree
    if subresource:
        out["subresource"] = subresource
    return out


def _version(call: Call) -> str:
    return f"{call.kind.group}/{call.version}" if call.kind.group else call.version


def _after_update(call: Call, obj: Obj, old: Obj | None, held: list[Obj]) -> list[Obj]:
    root = _root(call)
    made = fieldset.changed(old or {}, obj, root) if old is not None else fieldset.build(obj, root, dots=True)
    touched = fieldset.strip(made) if made is not None else {}
    if call.kind.subresource("status") is not None:
        reset = "f:spec" if call.info.subresource == "status" else "f:status"
        touched = {k: v for k, v in touched.items() if k != reset}
    gone = old is not None and _lost_members(obj, old)
    if not touched and not gone:
        return held
    manager, version, sub = call.manager, _version(call), call.info.subresource
    out: list[Obj] = []
    mine: Obj | None = None
    for entry in held:
        same = entry["manager"] == manager and entry["operation"] == "Update" and entry.get("subresource", "") == sub
        if same and entry["apiVersion"] == version:
            mine = entry
            continue
        tree: Tree | None = entry["fieldsV1"]
        if touched and tree is not None and fieldset.intersection(tree, touched) is not None:
            tree = fieldset.difference(tree, touched)
        if gone and tree is not None:
            tree = fieldset.present(tree, obj, root)
        if tree:
            out.append(entry if tree is entry["fieldsV1"] else {**entry, "fieldsV1": tree})
    before: Tree = mine["fieldsV1"] if mine is not None else {}
    total = before if fieldset.covers(before, touched) else fieldset.merge_roots(before, touched)
    if gone and total:
        total = fieldset.present(total, obj, root) or {}
    if total:
        now = clock.rfc3339(call.server.world.wall) if touched or mine is None else mine.get("time", "")
        out.append(_entry(manager, "Update", version, total, sub, now))
    return ordered(out)


def _lost_members(new: Any, old: Any) -> bool:
    """Whether something of the old value is no longer there (a quick look, arrays included)."""
    if isinstance(old, dict):
        if not isinstance(new, dict):
            return True
        for key, value in old.items():
            if key in ("managedFields", "resourceVersion"):
                continue
            if key not in new:
                return True
            other = new[key]
            if other is not value and isinstance(value, dict | list) and _lost_members(other, value):
                return True
        return False
    if isinstance(old, list):
        return not isinstance(new, list) or old != new
    return False


def ordered(entries: list[Obj]) -> list[Obj]:
    """Apply first, then by time and manager (`sortEncodedManagedFields`)."""
    return sorted(entries, key=lambda e: (e["operation"] != "Apply", e.get("time", ""), e["manager"]))


def same_owners(mine: list[Obj] | None, theirs: list[Obj] | None) -> bool:
    """Whether two managedFields name the same owners of the same fields, times aside."""
    if mine is theirs:
        return True
    bare = [[{k: v for k, v in entry.items() if k != "time"} for entry in held or ()] for held in (mine, theirs)]
    return bare[0] == bare[1]


# -- server-side apply --------------------------------------------------------------------------------------------------


def check_declared(call: Call, stated: Obj) -> None:
    """A configuration has no fields that its type has not got; raises the server's 500 (`managedfields/internal/structuredmerge.go`)."""
    unknown = fieldset.undeclared(stated, _root(call))
    if not unknown:
        return
    said = [f"{path}: field not declared in schema" for path in unknown]
    text = said[0] if len(said) == 1 else "errors:" + "".join(f"\n  {line}" for line in said)
    meta = stated.get("metadata") or {}
    version = _version(call) if call.kind.group else f"/{call.version}"
    what = f"{meta.get('namespace') or ''}/{meta.get('name') or ''}; {version}, Kind={call.kind.kind}"
    raise errors.ApiError(errors.status(500, "", f"failed to create typed patch object ({what}): {text}", {}))


def apply(call: Call, old: Obj, wanted: Obj) -> Obj:
    """The live object with the configuration merged in; raises 409 for conflicts."""
    from . import patching

    applying: Applying = call.applying
    root = _root(call)
    stated = {k: v for k, v in applying.stated.items() if k != "status" or call.info.subresource == "status"}
    if not old:
        return patching.redecode(call, {**stated, "kind": call.kind.kind, "apiVersion": _version(call)})
    live = convert.from_storage(call.server, call.kind, call.version, old)
    merged: Obj = fieldset.merge(live, {**stated, "kind": live["kind"], "apiVersion": live["apiVersion"]}, root)
    mine = _own_entry(call, old)
    if mine is not None:
        dropped = fieldset.difference(mine["fieldsV1"], fieldset.members_named(fieldset.owned(stated, type_of(call))))
        for entry in old["metadata"].get("managedFields") or ():
            if entry is not mine and dropped:
                dropped = fieldset.difference(dropped, fieldset.members_named(entry["fieldsV1"]))
        if dropped:
            merged = fieldset.remove(merged, dropped, root)
    merged["metadata"] = {**merged["metadata"], "managedFields": old["metadata"].get("managedFields")}
    result = patching.redecode(call, merged)
    _conflicts(call, old, live, merged, mine)
    _note_applied(call, result, live)
    applying.changed_live = any(result.get(k) != v for k, v in old.items() if k not in ("metadata", "status"))
    return result


def _own_entry(call: Call, old: Obj) -> Obj | None:
    for entry in old["metadata"].get("managedFields") or ():
        if (
            entry["manager"] == call.applying.manager
            and entry["operation"] == "Apply"
            and entry.get("subresource", "") == call.info.subresource
        ):
            return entry  # type: ignore[no-any-return]
    return None


def _conflicts(call: Call, old: Obj, live: Obj, merged: Obj, mine: Obj | None) -> None:
    made = fieldset.changed(live, merged, _root(call))
    if made is None:
        return
    touched = call.applying.touched = fieldset.strip(made)
    if call.applying.force:
        return
    found: list[tuple[str, list[str]]] = []
    allowed = _client_side(call, live)
    for entry in old["metadata"].get("managedFields") or ():
        if entry is mine:
            continue
        shared = fieldset.intersection(entry["fieldsV1"], touched)
        if shared and allowed:
            shared = fieldset.difference(shared, allowed)
        if shared:
            shown = {**entry, "apiVersion": "autoscaling/v1"} if call.info.subresource == "scale" else entry
            found.append((_named(shown), fieldset.leaves(shared)))
    if not found:
        call.applying.force = True  # whatever conflicts were the client-side apply's own
        return
    count = sum(len(paths) for _, paths in found)
    parts, causes = [], []
    for manager, paths in sorted(found):
        if len(paths) == 1:
            parts.append(f"conflict with {manager}: {paths[0]}")
        else:
            parts.append(f"conflicts with {manager}:\n" + "\n".join(f"- {path}" for path in paths))
        causes += [{"reason": "FieldManagerConflict", "message": f"conflict with {manager}", "field": path} for path in paths]
    plural = "" if count == 1 else "s"
    raise errors.apply_conflict(causes, f"Apply failed with {count} conflict{plural}: " + "\n".join(parts))


LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def _client_side(call: Call, live: Obj) -> Tree | None:
    """What `kubectl apply` set before and nobody has changed since: its server-side apply takes it over without conflict
    (`lastappliedmanager.go`)."""
    text = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    if call.applying.manager != "kubectl" or not text:
        return None
    try:
        applied = orjson.loads(text)
        if not isinstance(applied, dict) or not isinstance(applied.get("metadata", {}), dict):
            return None
        tree = fieldset.owned(applied, type_of(call))
        meta = {k: v for k, v in (applied.get("metadata") or {}).items() if k != "annotations" or v}
        since = fieldset.changed({**live, "metadata": live["metadata"]}, {**applied, "metadata": meta}, _root(call))
    except (ValueError, TypeError, AttributeError, KeyError):
        return None
    return fieldset.difference(tree, fieldset.strip(since)) if since else tree


def _note_applied(call: Call, result: Obj, live: Obj) -> None:
    """kubectl's server-side apply keeps the annotation of its client-side apply current (`lastappliedupdater.go`)."""
    if call.applying.manager != "kubectl" or LAST_APPLIED not in (live["metadata"].get("annotations") or {}):
        return
    stated = dict(call.applying.stated)
    meta = dict(stated.get("metadata") or {})
    notes = {k: v for k, v in (meta.get("annotations") or {}).items() if k != LAST_APPLIED}
    meta["annotations"] = notes
    stated["metadata"] = meta
    text = orjson.dumps(stated, option=orjson.OPT_SORT_KEYS).decode() + "\n"
    result["metadata"]["annotations"] = {**(result["metadata"].get("annotations") or {}), LAST_APPLIED: text}


def _named(entry: Obj) -> str:
    shown = f'"{entry["manager"]}"'
    if entry.get("subresource"):
        shown += f' with subresource "{entry["subresource"]}"'
    if entry["operation"] == "Update":
        shown += f" using {entry['apiVersion']}"
    return shown


def _after_apply(call: Call, obj: Obj, held: list[Obj]) -> list[Obj]:
    applying: Applying = call.applying
    root, sub = _root(call), call.info.subresource
    stated = {k: v for k, v in applying.stated.items() if k != "status" or sub == "status"}
    tree = fieldset.owned(stated, type_of(call))
    out: list[Obj] = []
    mine: Obj | None = None
    for entry in held:
        if entry["manager"] == applying.manager and entry["operation"] == "Apply" and entry.get("subresource", "") == sub:
            mine = entry
            continue
        kept: Tree | None = entry["fieldsV1"]
        if applying.force and kept is not None:
            taken = _taken(call, kept, tree, obj)
            if taken is not None:
                kept = fieldset.difference(kept, taken)
        if kept:
            kept = fieldset.present(kept, obj, root)
        if kept:
            out.append(entry if kept == entry["fieldsV1"] else {**entry, "fieldsV1": kept})
    if not tree:
        return ordered(out)
    if mine is not None and mine["fieldsV1"] == tree and not applying.changed_live:
        out.append(mine)
    else:
        now = clock.rfc3339(call.server.world.wall) if applying.changed_live else ""
        out.append(_entry(applying.manager, "Apply", _version(call), tree, sub, now))
    return ordered(out)


def _taken(call: Call, kept: Tree, tree: Tree, obj: Obj) -> Tree | None:
    """With force: what another manager owned and this configuration changed."""
    touched = call.applying.touched
    if touched is None:
        return None
    shared = fieldset.intersection(tree, touched)
    return fieldset.intersection(kept, shared) if shared is not None else None
