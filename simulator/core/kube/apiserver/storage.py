"""Storage over etcd: compact JSON of the versioned object at `/registry/...`, resourceVersion = the key's mod revision.

The stored JSON holds no resourceVersion; it is put in on decoding, as `etcd3/store.go` does.  Decoded objects are kept by
(key, mod revision), newest two a key, and shared with everybody: frozen by convention.
"""

from __future__ import annotations

from typing import Any

import msgspec
import orjson

from ...etcd.client import EtcdClient
from ...etcd.errors import Compacted, EtcdError, lease_not_found
from ...etcd.mvcc import Compare, Event, KeyValue, Op, key_of
from ...kernel.clock import SECOND
from ...kernel.errors import ConnectError
from ...kernel.shared import Shared
from ..api.errors import ApiError, expired, status
from . import encryption

Obj = dict[str, Any]
Events = list[Event]
Guards = list[Compare]
Operations = list[Op]

#: Members of metadata that stand before resourceVersion on the wire.
_BEFORE = frozenset(("name", "generateName", "namespace", "selfLink", "uid"))
COMPACTED = "The resourceVersion for the provided list is too old."
TOO_OLD = "The provided continue parameter is too old to display a consistent list result."

#: How long a request hangs when no etcd member can be reached (`--request-timeout`, 60 s).
UNREACHABLE_LATENCY = 60_000_000_000


def with_version(obj: Obj, revision: int) -> Obj:
    """The object with its resourceVersion in its place on the wire; shares everything but metadata."""
    meta: Obj = {}
    version = str(revision)
    placed = False
    for key, value in obj["metadata"].items():
        if not placed and key not in _BEFORE:
            meta["resourceVersion"] = version
            placed = True
        if key != "resourceVersion":
            meta[key] = value
    if not placed:
        meta["resourceVersion"] = version
    out = dict(obj)
    out["metadata"] = meta
    return out


def encode(obj: Obj) -> bytes:
    """The stored bytes of an object."""
    meta = obj["metadata"]
    if "resourceVersion" in meta:
        obj = dict(obj)
        obj["metadata"] = {k: v for k, v in meta.items() if k != "resourceVersion"}
    return orjson.dumps(obj)


def _read(value: bytes, revision: int) -> Obj:
    """The object of stored bytes, with its resourceVersion; raises ValueError."""
    obj = orjson.loads(value)
    if not isinstance(obj, dict) or not isinstance(obj.get("metadata"), dict):
        raise ValueError("not an object")
    return with_version(obj, revision)


def _read_version(kv: KeyValue) -> Obj:
    return _read(kv.value, kv.mod_revision)


def etcd_failure(error: EtcdError | ConnectError) -> ApiError:
    """What a client is told when storage fails."""
    if isinstance(error, ConnectError):
        return ApiError(status(504, "Timeout", "Timeout: request did not complete within the allotted timeout", {}))
    if isinstance(error, Compacted):
        return expired(COMPACTED)
    return ApiError(status(500, "", error.message))


#: How long, and for how many objects, one etcd lease is used.
REUSE, MOST_OBJECTS = 60 * SECOND, 1000


class EventLease(msgspec.Struct, omit_defaults=True):
    """The etcd lease that new Events get: its id, when it ends (virtual ns), how many objects have it."""

    id: int = 0
    until: int = 0
    count: int = 0


class Storage:
    """Typed reads and guarded writes of one API server."""

    def __init__(self, client: EtcdClient, sealed: list[Any] | None = None, shared: Shared | None = None) -> None:
        self.client = client
        self._shared = shared or Shared()
        self.lease = EventLease()
        self._sealed = sealed or []
        self._newest: dict[bytes, tuple[int, Obj]] = {}
        self._older: dict[bytes, tuple[int, Obj]] = {}

    def share(self, other: Storage) -> None:
        """Use what another has decoded already: the objects are the same ones."""
        self._newest, self._older = other._newest, other._older

    # -- decoding -------------------------------------------------------------------------------------------------------
    def decode(self, kv: KeyValue) -> Obj:
        """The object of a stored version, shared."""
        key, revision = kv.key, kv.mod_revision
        found = self._newest.get(key)
        if found is not None and found[0] == revision:
            return found[1]
        older = self._older.get(key)
        if older is not None and older[0] == revision:
            return older[1]
        try:
            value = kv.value
            if self._sealed or value[:8] == encryption.MARK:
                obj = _read(self._open(key, value), revision)
            else:
                obj = self._shared.derive(key_of(kv), kv, "object", _read_version)
        except ValueError:
            text = f'unable to decode object at "{key.decode("utf-8", "replace")}": illegal data'
            raise ApiError(status(500, "InternalError", f"Internal error occurred: {text}")) from None
        if found is None or found[0] < revision:
            self.remember(key, revision, obj)
        return obj

    def _seal(self, key: bytes, obj: Obj) -> bytes:
        """The stored bytes, encrypted where that is configured."""
        plain = encode(obj)
        keys = encryption.keys_for(self._sealed, key) if self._sealed else []
        return encryption.seal(keys, key, plain, self._draw) if keys else plain

    def _draw(self, count: int) -> bytes:
        return bytes.fromhex(self.client.world.rng("apiserver/encryption").hex(2 * count))

    def _open(self, key: bytes, stored: bytes) -> bytes:
        try:
            return encryption.unseal(encryption.keys_for(self._sealed, key), key, stored)
        except ValueError as error:
            text = f'unable to transform key "{key.decode("utf-8", "replace")}": {error}'
            raise ApiError(status(500, "InternalError", f"Internal error occurred: {text}")) from None

    def remember(self, key: bytes, revision: int, obj: Obj) -> None:
        """Keep a decoded object as the newest of its key."""
        found = self._newest.get(key)
        if found is not None:
            self._older[key] = found
        self._newest[key] = (revision, obj)

    # -- reads ----------------------------------------------------------------------------------------------------------
    def get(self, key: bytes) -> tuple[Obj, int] | None:
        """The object at a key and its mod revision, or None."""
        try:
            found = self.client.range(key)
        except (EtcdError, ConnectError) as error:
            raise etcd_failure(error) from None
        if not found.kvs:
            return None
        kv = found.kvs[0]
        return self.decode(kv), kv.mod_revision

    def known(self, prefix: bytes) -> tuple[list[Obj], int]:
        """Objects under a prefix and the revision, as the member at hand has them.

        For the server's own copies, which the real one keeps by watching: making them again costs no word between members, so that a
        restored world does what the unbroken one does.
        """
        try:
            found = self.client.range(prefix, prefix_end(prefix), serializable=True)
        except (EtcdError, ConnectError) as error:
            raise etcd_failure(error) from None
        return [self.decode(kv) for kv in found.kvs], found.revision

    def get_at(self, key: bytes, revision: int) -> Obj | None:
        """The object at a key as of a revision."""
        try:
            found = self.client.range(key, revision=revision)
        except (EtcdError, ConnectError) as error:
            raise etcd_failure(error) from None
        return self.decode(found.kvs[0]) if found.kvs else None

    def list(self, prefix: bytes, *, start: bytes = b"", revision: int = 0, limit: int = 0) -> tuple[list[Obj], int, bool, int]:
        """Objects under a prefix from `start`: (objects, revision, whether there are more, how many in the range)."""
        try:
            found = self.client.range(start or prefix, prefix_end(prefix), revision=revision, limit=limit)
        except Compacted:
            raise expired(TOO_OLD if start else COMPACTED) from None
        except (EtcdError, ConnectError) as error:
            if isinstance(error, EtcdError) and error.grpc_code == "OutOfRange":
                raise too_large(revision, self.revision()) from None
            raise etcd_failure(error) from None
        newest = self._newest
        out: list[Obj] = []
        for kv in found.kvs:
            held = newest.get(kv.key)
            out.append(held[1] if held is not None and held[0] == kv.mod_revision else self.decode(kv))
        return out, revision or found.revision, found.more, found.count

    def events(self, prefix: bytes, since: int) -> Events:
        """Changes under a prefix after a revision; raises Compacted."""
        return self.client.events(prefix, since)

    def revision(self) -> int:
        """The store's revision."""
        try:
            return self.client.current_revision()
        except (EtcdError, ConnectError) as error:
            raise etcd_failure(error) from None

    # -- writes ---------------------------------------------------------------------------------------------------------
    def create(self, key: bytes, obj: Obj, lease: int = 0) -> Obj | None:
        """Store a new object; None when the key is taken."""
        result = self._txn([Compare(key, "mod", "=", 0)], [Op(kind="put", key=key, value=self._seal(key, obj), lease=lease)])
        return self._stored(key, obj, result)

    def update(self, key: bytes, obj: Obj, expected: int, lease: int = 0) -> Obj | None:
        """Replace the version `expected`; None when another has come between."""
        put = Op(kind="put", key=key, value=self._seal(key, obj), lease=lease, ignore_lease=not lease)
        result = self._txn([Compare(key, "mod", "=", expected)], [put])
        return self._stored(key, obj, result)

    def delete(self, key: bytes, expected: int) -> int | None:
        """Delete the version `expected`; the revision of the deletion, or None when another version is there."""
        return self._txn([Compare(key, "mod", "=", expected)], [Op(kind="delete", key=key)])

    def _txn(self, compare: Guards, success: Operations) -> int | None:
        try:
            result = self.client.txn(compare, success, [])
        except (EtcdError, ConnectError) as error:
            if isinstance(error, EtcdError) and error.message == lease_not_found().message:
                self.lease.until = 0  # the store was put back to a time before it
            raise etcd_failure(error) from None
        return result.revision if result.succeeded else None

    def _stored(self, key: bytes, obj: Obj, revision: int | None) -> Obj | None:
        if revision is None:
            return None
        out = with_version(obj, revision)
        self.remember(key, revision, out)
        return out

    def grant(self, ttl_seconds: int) -> int:
        """An etcd lease for an object that expires (an Event): the last one for up to a minute and 1,000 objects, else a new one that
        lives so much longer (`storage/etcd3/lease_manager.go`)."""
        held, now = self.lease, self.client.world.now
        ttl, reuse = ttl_seconds * SECOND, min(REUSE, ttl_seconds * SECOND // 20)
        held.count += 1
        if now + ttl < held.until < now + ttl + reuse and held.count <= MOST_OBJECTS:
            return held.id
        try:
            held.id = self.client.lease_grant((ttl + reuse) // SECOND)
        except (EtcdError, ConnectError) as error:
            held.until = 0
            raise etcd_failure(error) from None
        held.until, held.count = now + ttl + reuse, 1
        return held.id


def too_large(wanted: int, current: int) -> ApiError:
    """The resourceVersion lies in the future (`storage.NewTooLargeResourceVersionError`)."""
    details: Obj = {
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    }
    return ApiError(status(504, "Timeout", f"Timeout: Too large resource version: {wanted}, current: {current}", details))


def prefix_end(prefix: bytes) -> bytes:
    """The end of the range of a prefix: its last byte plus one."""
    return prefix[:-1] + bytes([prefix[-1] + 1])
