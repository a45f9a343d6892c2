"""The generic registry: get, create, update, delete on any kind (`apiserver/pkg/registry/generic/registry/store.go`).

Functions take a `Call` and give the stored object.  Objects that come out are shared; those that go in are fresh.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....kernel import clock
from ...api import errors, names
from ...api.errors import ApiError, FieldError
from ...api.objects import clone
from .. import admission, custom_conversion, managed
from ..call import Call
from ..storage import with_version
from ..validation import meta as validate_meta
from ..validation import privileged
from . import notify

Obj = dict[str, Any]
Change = Callable[[Obj], Obj]

#: Members of metadata that only the server sets.
_SYSTEM = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink")


def get(call: Call) -> Obj:
    """One object, or 404."""
    found = call.server.storage.get(call.key(call.namespace, call.info.name))
    if found is None:
        raise errors.not_found(call.kind.group_resource, call.info.name)
    return found[0]


# -- create -------------------------------------------------------------------------------------------------------------


def create(call: Call, obj: Obj) -> Obj:
    """Store a new object; a taken generated name is tried 8 times as the real one does."""
    generated = bool(obj["metadata"].get("generateName")) and not obj["metadata"].get("name")
    attempts = 8 if generated else 1
    for attempt in range(attempts):
        candidate = clone(obj) if generated and attempt < attempts - 1 else obj
        try:
            return _create_once(call, candidate)
        except ApiError as error:
            if error.reason != "AlreadyExists" or not generated:
                raise
            taken = str(candidate["metadata"]["name"])
    raise errors.generate_name_conflict(call.kind.group_resource, taken)


def _create_once(call: Call, obj: Obj) -> Obj:
    call.operation = "CREATE"
    server, strategy, meta = call.server, call.strategy, obj["metadata"]
    for member in (*_SYSTEM, "resourceVersion", "generation"):
        meta.pop(member, None)
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = names.generate(meta["generateName"], server.world.rng("apiserver/names"))
    if not call.info.subresource and call.kind.namespaced:
        meta["namespace"] = call.namespace
    meta["uid"] = server.world.rng("apiserver/uids").uuid()
    meta["creationTimestamp"] = clock.rfc3339(server.world.wall)
    if strategy.generation:
        meta["generation"] = 1
    obj["metadata"] = meta = order_metadata(meta)
    for member in strategy.status_fields:
        if member in obj and call.kind.subresource("status") is not None:
            obj[member] = {}
    strategy.default(obj)
    managed.track(call, obj, None)  # before what the server and admission add, which belongs to no client (`handlers/create.go`)
    strategy.prepare_create(call, obj)
    admission.mutate(call, obj, None)
    check_metadata(call, obj)
    strategy.begin(call, obj)
    problems = validate_meta.object_meta(call.kind, meta, strategy.check_name) + strategy.validate(obj)
    problems += strategy.check(call, obj, None)
    if not server.config.allow_privileged:
        problems += privileged.check(call.kind.kind, obj)
    if problems:
        strategy.refused(call, obj)
        raise errors.invalid(call.kind.kind, call.kind.group, str(meta.get("name", "")), problems)
    call.warnings.extend(strategy.warnings(obj, None))
    try:
        admission.validate(call, obj, None)
    except ApiError:
        strategy.refused(call, obj)
        raise
    strategy.allocate(call, obj, None)
    obj["metadata"] = meta = order_metadata(obj["metadata"])
    key = call.key(meta.get("namespace", ""), meta["name"])
    if call.dry_run:
        if server.storage.get(key) is not None:
            raise errors.already_exists(call.kind.group_resource, meta["name"])
        return obj
    obj = custom_conversion.storable(server, call.kind, obj)
    before = notify.begin(call, "create", meta)
    try:
        stored = server.storage.create(key, obj, _lease(call))
        if stored is None:
            strategy.released(call, obj)
            raise errors.already_exists(call.kind.group_resource, meta["name"])
        strategy.stored(call, stored, None)
    finally:
        notify.end(call, before)
    return stored


_META_ORDER = (
    "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp",
    "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers", "managedFields",
)  # fmt: skip


def order_metadata(meta: Obj) -> Obj:
    """Metadata in wire order."""
    return {name: meta[name] for name in _META_ORDER if name in meta}


def check_metadata(call: Call, obj: Obj) -> None:
    """The object must be what the path says (`rest.EnsureObjectNamespaceMatchesRequestNamespace`, name checks)."""
    meta = obj["metadata"]
    if call.info.name and not call.info.subresource and meta.get("name") != call.info.name:
        raise errors.bad_request(
            f"the name of the object ({meta.get('name', '')}) does not match the name on the URL ({call.info.name})"
        )


# -- update -------------------------------------------------------------------------------------------------------------


def update(call: Call, change: Change, *, create_missing: bool | None = None) -> tuple[Obj, bool]:
    """Read, change, check, store; `change` gets the shared old object and returns a fresh new one.

    Returns (object, whether it was created).
    """
    server, strategy, name = call.server, call.strategy, call.info.name
    key = call.key(call.namespace, name)
    found = server.storage.get(key)
    if found is None:
        allowed = strategy.create_on_update if create_missing is None else create_missing
        if not allowed or call.info.subresource:
            raise errors.not_found(call.kind.group_resource, name)
        fresh = change({})
        uid = fresh["metadata"].get("uid")
        if uid:  # what is put back was there and has gone (`Preconditions.Check` of an empty object)
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: "
            why = f"StorageError: invalid object, Code: 4, Key: {key.decode()}, ResourceVersion: 0, AdditionalErrorMsg: {why}"
            raise errors.conflict(call.kind.group_resource, name, why)
        fresh["metadata"].pop("resourceVersion", None)
        return _create_once(call, fresh), True
    old, revision = custom_conversion.live(server, call.kind, found[0], call.version), found[1]
    obj = change(old)
    meta, old_meta = obj["metadata"], old["metadata"]
    _check_version(call, meta, old_meta)
    wanted_uid = meta.get("uid")
    if wanted_uid and wanted_uid != old_meta["uid"]:
        if call.request.method == "PATCH":  # which has no preconditions: it is a change of what cannot change
            problem = errors.invalid_value("metadata.uid", wanted_uid, "field is immutable")
            raise errors.invalid(call.kind.kind, call.kind.group, name, [problem])
        why = f"Precondition failed: UID in precondition: {wanted_uid}, UID in object meta: {old_meta['uid']}"
        raise errors.conflict(call.kind.group_resource, name, why)
    _carry_over(call, obj, old)
    meta = obj["metadata"]
    problems: list[FieldError] = validate_meta.update_meta(call.kind, meta, old_meta)
    problems += (
        strategy.validate_update(obj, old)
        if not call.info.subresource
        else strategy.validate_subresource(call.info.subresource, obj, old)
    )
    problems += strategy.check(call, obj, old)
    if not server.config.allow_privileged and call.info.subresource in ("", "ephemeralcontainers"):
        problems += privileged.check(call.kind.kind, obj)
    if problems:
        raise errors.invalid(call.kind.kind, call.kind.group, name, problems)
    call.warnings.extend(strategy.warnings(obj, old))
    admission.validate(call, obj, old)
    if call.applying is None:
        if unchanged(obj, old) and not managed.restated(call, old):
            return old, False
        if call.info.subresource != "binding":  # BindingREST writes past the field manager
            managed.track(call, obj, old)
    else:
        managed.track(call, obj, old)
        if unchanged(obj, old) and managed.same_owners(obj["metadata"].get("managedFields"), old_meta.get("managedFields")):
            return old, False
    if not call.dry_run:
        strategy.allocate(call, obj, old)
    return _store_update(call, key, obj, old, revision), False


def _lease(call: Call) -> int:
    """The etcd lease of an object that goes by itself (Events, after `--event-ttl`), or 0."""
    return call.server.storage.grant(call.server.config.event_ttl) if call.strategy.expires else 0


def _store_update(call: Call, key: bytes, obj: Obj, old: Obj, revision: int) -> Obj:
    meta = obj["metadata"]
    if call.dry_run:
        # Nothing was stored, so the answer carries the version that is.
        meta["resourceVersion"] = old["metadata"]["resourceVersion"]
        return obj
    if finished(call, obj):
        return remove(call, key, obj, revision)
    strategy = call.strategy
    obj = custom_conversion.storable(call.server, call.kind, obj)
    before = notify.begin(call, "update", meta)
    try:
        stored = call.server.storage.update(key, obj, revision, _lease(call))
        if stored is None:
            raise errors.conflict(call.kind.group_resource, str(meta["name"]))
        strategy.stored(call, stored, old)
    finally:
        notify.end(call, before)
    return stored


def finished(call: Call, obj: Obj) -> bool:
    """Whether an object that is being deleted has nothing left that holds it (`deleteWithoutFinalizers`)."""
    meta = obj["metadata"]
    if not meta.get("deletionTimestamp") or meta.get("finalizers"):
        return False
    if call.kind.kind == "Namespace":
        return not (obj.get("spec") or {}).get("finalizers")
    return not meta.get("deletionGracePeriodSeconds")


def _check_version(call: Call, meta: Obj, old_meta: Obj) -> None:
    wanted = meta.get("resourceVersion")
    if not wanted or wanted == "0":
        if call.strategy.unconditional_update or call.request.method == "PATCH":
            return
        problem = errors.invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
        raise errors.invalid(call.kind.kind, call.kind.group, call.info.name, [problem])
    if not str(wanted).isdigit():
        problem = errors.invalid_value("metadata.resourceVersion", wanted, _not_a_number(str(wanted)))
        raise errors.invalid(call.kind.kind, call.kind.group, call.info.name, [problem])
    if wanted != old_meta["resourceVersion"]:
        raise errors.conflict(call.kind.group_resource, call.info.name)


def _not_a_number(text: str) -> str:
    return f'strconv.ParseUint: parsing "{text}": invalid syntax'


def _carry_over(call: Call, obj: Obj, old: Obj) -> None:
    """What an update does not change: system metadata, status (or, through the status subresource, the rest)."""
    strategy, meta, old_meta = call.strategy, obj["metadata"], old["metadata"]
    sub = call.info.subresource
    for member in _SYSTEM:
        if member in old_meta:
            meta[member] = old_meta[member]
        else:
            meta.pop(member, None)
    meta.pop("resourceVersion", None)
    has_status = call.kind.subresource("status") is not None
    if sub == "status":
        for member in list(obj):
            if member not in ("kind", "apiVersion", "metadata", *strategy.status_fields):
                del obj[member]
        for member, value in old.items():
            if member not in ("metadata", *strategy.status_fields):
                obj[member] = value
        meta["ownerReferences"] = old_meta.get("ownerReferences")
        meta["finalizers"] = old_meta.get("finalizers")
    elif has_status and not sub:
        for member in strategy.status_fields:
            if member in old:
                obj[member] = old[member]
            else:
                obj.pop(member, None)
    if sub == "ephemeralcontainers":
        strategy.default(obj)
    if not sub:
        strategy.default(obj)
        admission.mutate(call, obj, old)
    strategy.prepare_update(call, obj, old)
    if strategy.generation:
        changed = sub not in ("status", "binding") and (
            spec_changed(obj, old, strategy.status_fields)
            or (strategy.generation_by_annotations and (meta.get("annotations") or {}) != (old_meta.get("annotations") or {}))
        )
        meta["generation"] = old_meta.get("generation", 1) + int(changed)
    for member in [m for m in meta if meta[m] is None]:
        del meta[member]
    obj["metadata"] = order_metadata(meta)
    wire = {m: obj[m] for m in ("kind", "apiVersion", "metadata", *old) if m in obj}
    wire.update(obj)
    obj.clear()
    obj.update(wire)


def spec_changed(obj: Obj, old: Obj, status_fields: tuple[str, ...]) -> bool:
    """Whether anything but metadata and status differs."""
    skip = ("kind", "apiVersion", "metadata", *status_fields)
    return {k: v for k, v in obj.items() if k not in skip} != {k: v for k, v in old.items() if k not in skip}


def unchanged(obj: Obj, old: Obj) -> bool:
    """Whether storing would write what is there (managed fields aside, `fieldmanager/equality.go`)."""
    if any(obj.get(k) != v for k, v in old.items() if k != "metadata") or len(obj) != len(old):
        return False
    skip = ("resourceVersion", "managedFields")
    mine = {k: v for k, v in obj["metadata"].items() if k not in skip}
    theirs = {k: v for k, v in old["metadata"].items() if k not in skip}
    return mine == theirs


# -- delete -------------------------------------------------------------------------------------------------------------


def delete(call: Call, options: Obj) -> tuple[Obj, bool]:
    """Delete one object; (what is left or was deleted, whether it is gone)."""
    call.operation = "DELETE"
    key = call.key(call.namespace, call.info.name)
    found = call.server.storage.get(key)
    if found is None:
        raise errors.not_found(call.kind.group_resource, call.info.name)
    return delete_found(call, key, found[0], found[1], options)


def delete_found(call: Call, key: bytes, old: Obj, revision: int, options: Obj) -> tuple[Obj, bool]:
    """Delete an object that has been read (`rest.BeforeDelete`, `Store.Delete`)."""
    _preconditions(call, old, options)
    admission.validate(call, None, old)
    left = call.strategy.delete(call, old, revision)
    if left is not None:
        return left, False
    obj = clone(old)
    meta = obj["metadata"]
    meta.pop("resourceVersion", None)
    asked = options.get("gracePeriodSeconds")
    if isinstance(asked, int) and asked < 0:
        asked = 1
    grace = call.strategy.grace_period(old, asked)
    pending = meta.get("deletionTimestamp")
    held = meta.get("deletionGracePeriodSeconds") or 0
    if pending is not None and grace is not None:
        if asked is None or grace >= held:
            if held or meta.get("finalizers"):
                return old, False
        else:  # only ever shorter, counted from the first request
            meta["deletionTimestamp"] = clock.rfc3339(clock.parse_rfc3339(pending) + (grace - held) * clock.SECOND)
            meta["deletionGracePeriodSeconds"] = grace
    finalizers = wanted_finalizers(call, meta, options)
    if finalizers:
        meta["finalizers"] = finalizers
    else:
        meta.pop("finalizers", None)
    spec_finalizers = call.kind.kind == "Namespace" and (obj.get("spec") or {}).get("finalizers")
    at_once = not grace and not finalizers and not spec_finalizers
    if at_once and call.dry_run:
        return old, True
    if at_once and (grace is None or (pending is not None and not held)):
        return remove(call, key, obj, revision), True
    if pending is None:
        meta["deletionTimestamp"] = clock.rfc3339(call.server.world.wall + (grace or 0) * clock.SECOND)
        meta["deletionGracePeriodSeconds"] = grace or 0
        if call.strategy.generation and meta.get("generation"):
            meta["generation"] += 1
        call.strategy.prepare_update(call, obj, old)
    obj["metadata"] = order_metadata(meta)
    if unchanged(obj, old) or call.dry_run:
        return (obj if call.dry_run else old), False
    before = notify.begin(call, "delete", meta)
    try:
        stored = call.server.storage.update(key, obj, revision)
        if stored is None:
            raise errors.conflict(call.kind.group_resource, call.info.name)
        if not at_once:
            return stored, False
        # A graceful deletion without grace is two writes: whoever watches sees it marked, then gone (`Store.Delete`).
        return _take(call, key, stored, int(stored["metadata"]["resourceVersion"])), True
    finally:
        notify.end(call, before)


def wanted_finalizers(call: Call, meta: Obj, options: Obj) -> list[str]:
    """The finalizers after a deletion with this propagation policy (`deletionFinalizersForGarbageCollection`)."""
    policy = options.get("propagationPolicy")
    if policy is None and options.get("orphanDependents") is not None:
        policy = "Orphan" if options["orphanDependents"] else "Background"
    held = list(meta.get("finalizers") or ())
    if policy is None:
        return held
    out = [item for item in held if item not in ("orphan", "foregroundDeletion")]
    if call.kind.custom and policy in ("Orphan", "Foreground"):
        return out  # the garbage collector here does not watch custom resources: nobody would take its finalizer away
    if policy == "Orphan":
        out.append("orphan")
    elif policy == "Foreground":
        out.append("foregroundDeletion")
    return out


def _preconditions(call: Call, old: Obj, options: Obj) -> None:
    wanted = options.get("preconditions") or {}
    meta = old["metadata"]
    name, resource = str(meta["name"]), call.kind.group_resource
    if wanted.get("uid") and wanted["uid"] != meta["uid"]:
        why = f"Precondition failed: UID in precondition: {wanted['uid']}, UID in object meta: {meta['uid']}"
        raise errors.conflict(resource, name, why)
    version = wanted.get("resourceVersion")
    if version and version != meta["resourceVersion"]:
        text = "Precondition failed: ResourceVersion in precondition: {}, ResourceVersion in object meta: {}"
        raise errors.conflict(resource, name, text.format(version, meta["resourceVersion"]))


def remove(call: Call, key: bytes, obj: Obj, revision: int) -> Obj:
    """Take the object out of storage."""
    before = notify.begin(call, "delete", obj["metadata"])
    try:
        return _take(call, key, obj, revision)
    finally:
        notify.end(call, before)


def _take(call: Call, key: bytes, obj: Obj, revision: int) -> Obj:
    gone = call.server.storage.delete(key, revision)
    if gone is None:
        raise errors.conflict(call.kind.group_resource, call.info.name)
    out = with_version(obj, gone)
    call.strategy.released(call, out)
    return out
