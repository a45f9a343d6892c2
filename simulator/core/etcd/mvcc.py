"""The multi-version store: every change has a revision, and until compaction every older version can be read.

`StoreState` is the plain data: an ordered log of key versions.  `Store` is a view on it with indexes that are rebuilt from
the log when a snapshot is restored.  After `put a 1`, `put b 2`, `del a` (revisions 2, 3, 4) the log holds

    (a, "1", create 2, mod 2, version 1) (b, "2", create 3, mod 3, version 1) (a, tombstone, mod 4, version 0)

so a read at revision 3 sees both keys, a read at 4 only b, and a watch from 3 gets the put of b and the deletion of a.
A compaction at 4 drops both versions of a; at 3 it drops nothing, because a's first version is the newest not after 3.
Follows server/storage/mvcc (kvstore.go, kvstore_txn.go, index.go) and lease/lessor.go of etcd 3.6.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import TYPE_CHECKING

import msgspec

from .errors import Compacted, EtcdError, duplicate_key, empty_key, future_revision, lease_not_found

if TYPE_CHECKING:
    from .named import Named


class KeyValue(msgspec.Struct, array_like=True, frozen=True):
    """One version of one key.  `version` 0 marks a tombstone; `sub` orders changes inside one transaction."""

    key: bytes
    value: bytes
    create_revision: int
    mod_revision: int
    version: int
    lease: int = 0
    sub: int = 0


def key_of(kv: KeyValue) -> tuple[bytes, int, int]:
    """What one version of one key is known by, for worlds that share it (`kernel.shared`)."""
    return kv.key, kv.mod_revision, kv.sub


class Event(msgspec.Struct, array_like=True, frozen=True):
    """What a watch delivers: `type` is PUT or DELETE; `prev` is the version before, where it is still kept."""

    type: str
    kv: KeyValue
    prev: KeyValue | None = None


class Lease(msgspec.Struct):
    """A lease: seconds granted, and the virtual time (ns) at which it expires."""

    id: int
    ttl: int
    expires: int
    keys: list[bytes] = []


class StoreState(msgspec.Struct):
    """The plain data of a store.  A new store stands at revision 1, as etcd's does."""

    revision: int = 1
    compacted: int = 0
    log: list[KeyValue] = []
    leases: dict[int, Lease] = {}


class Compare(msgspec.Struct, array_like=True, frozen=True):
    """One guard of a transaction: `target` in version, create, mod, value, lease; `op` in =, !=, <, >."""

    key: bytes
    target: str
    op: str
    value: int | bytes
    range_end: bytes = b""


class Op(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of a transaction: `kind` in put, range, delete, txn."""

    kind: str
    key: bytes = b""
    value: bytes = b""
    range_end: bytes = b""
    lease: int = 0
    prev_kv: bool = False
    ignore_value: bool = False
    ignore_lease: bool = False
    revision: int = 0
    limit: int = 0
    keys_only: bool = False
    count_only: bool = False
    compare: tuple[Compare, ...] = ()
    success: tuple[Op, ...] = ()
    failure: tuple[Op, ...] = ()


class RangeResult(msgspec.Struct):
    """The answer of a range: `count` is the number of keys in the range whatever the limit was."""

    kvs: list[KeyValue]
    count: int
    more: bool
    revision: int


class PutResult(msgspec.Struct):
    """The answer of a put."""

    revision: int
    prev: KeyValue | None = None


class DeleteResult(msgspec.Struct):
    """The answer of a deletion."""

    deleted: int
    revision: int
    prevs: list[KeyValue] = []


class TxnResult(msgspec.Struct):
    """The answer of a transaction: one response an operation, in order."""

    succeeded: bool
    responses: list[RangeResult | PutResult | DeleteResult | TxnResult]
    revision: int


MAX_TXN_OPS = 128


class Store:
    """Reads and writes on one `StoreState`.  Not thread-safe; values are never copied and never changed."""

    def __init__(self, state: StoreState) -> None:
        self.state = state
        self.versions: dict[bytes, list[KeyValue]] = {}
        self.keys: list[bytes] = []
        self.size = 0
        self._next_sub = 0
        #: The log by `/registry/<kind>/`, so that a watch of one kind does not go through the others' changes.
        self.by_kind: dict[bytes, list[KeyValue]] = {}
        self._named: dict[tuple[bytes, bytes], Named] = {}
        for kv in state.log:
            self._index(kv)
        self.keys = sorted(key for key, held in self.versions.items() if held[-1].version)
        #: Deleted keys of which older versions are still kept.
        self.gone: set[bytes] = {key for key, held in self.versions.items() if not held[-1].version}

    # -- reads ----------------------------------------------------------------------------------------------------------
    def get(self, key: bytes) -> KeyValue | None:
        """The present version of one key."""
        held = self.versions.get(key)
        return held[-1] if held and held[-1].version else None

    def get_at(self, key: bytes, revision: int) -> KeyValue | None:
        """The version of a key as of a revision."""
        held = self.versions.get(key)
        if not held:
            return None
        at = bisect_right(held, revision, key=lambda kv: kv.mod_revision)
        return held[at - 1] if at and held[at - 1].version else None

    def check_revision(self, revision: int) -> None:
        """Raise when a revision is in the future or compacted."""
        if revision > self.state.revision:
            raise future_revision()
        if 0 < revision < self.state.compacted:
            raise Compacted(self.state.compacted)

    def range(
        self,
        key: bytes,
        range_end: bytes = b"",
        *,
        revision: int = 0,
        limit: int = 0,
        keys_only: bool = False,
        count_only: bool = False,
    ) -> RangeResult:
        """Keys in [key, range_end), or one key when `range_end` is empty; `b"\\0"` as end means no end."""
        self.check_revision(revision)
        historic = bool(revision) and revision < self.state.revision
        if not range_end:
            one = self.get_at(key, revision) if historic else self.get(key)
            found = [one] if one is not None else []
        elif historic:
            found = self._range_at(key, range_end, revision)
        else:
            low, high = self._between(key, range_end)
            if count_only:
                return RangeResult([], max(0, high - low), False, self.state.revision)
            versions = self.versions
            stop = min(high, low + limit) if limit else high
            kvs = [versions[name][-1] for name in self.keys[low:stop]]
            if keys_only:
                kvs = [_without_value(kv) for kv in kvs]
            return RangeResult(kvs, max(0, high - low), stop < high, self.state.revision)
        count = len(found)
        if count_only:
            return RangeResult([], count, False, self.state.revision)
        more = bool(limit) and count > limit
        if more:
            found = found[:limit]
        if keys_only:
            found = [_without_value(kv) for kv in found]
        return RangeResult(found, count, more, self.state.revision)

    def _between(self, key: bytes, range_end: bytes) -> tuple[int, int]:
        """Where the present keys of a range begin and end in `keys`."""
        high = len(self.keys) if range_end == b"\0" else bisect_left(self.keys, range_end)
        return bisect_left(self.keys, key), high

    def _range_at(self, key: bytes, range_end: bytes, revision: int) -> list[KeyValue]:
        """The versions of a range's keys as of an older revision, by key."""
        low, high = self._between(key, range_end)
        names = self.keys[low:high]
        gone = [name for name in self.gone if name >= key and (range_end == b"\0" or name < range_end)]
        if gone:
            names = sorted(names + gone)
        return [kv for name in names if (kv := self.get_at(name, revision)) is not None]

    def events(self, prefix: bytes, since: int, *, range_end: bytes | None = None) -> list[Event]:
        """Changes of keys with a prefix (or in a range) after revision `since`, in order; raises Compacted."""
        if since + 1 < self.state.compacted:
            raise Compacted(self.state.compacted)
        log = self.state.log
        if range_end is None and prefix.startswith(b"/registry/") and prefix.count(b"/") >= 3:
            log = self.by_kind.get(_kind_of(prefix), [])
        at = bisect_right(log, since, key=_mod_revision)
        out = []
        for kv in log[at:] if at < len(log) else ():
            key = kv.key
            if key.startswith(prefix) if range_end is None else in_range(key, prefix, range_end):
                out.append(Event("PUT" if kv.version else "DELETE", kv, self.before(kv)))
        return out

    def named_events(self, prefix: bytes, since: int, member: bytes, value: bytes) -> tuple[list[Event], int] | None:
        """Those changes of a kind (`/registry/<kind>/`) after `since` that name a value in a JSON member, and the revision of its last
        change (at least `since`); None where the index cannot tell.  Raises Compacted."""
        if since + 1 < self.state.compacted:
            raise Compacted(self.state.compacted)
        log = self.by_kind.get(prefix, [])
        index = self._named.get((prefix, member))
        if index is None:
            from .named import Named

            index = self._named[prefix, member] = Named(member)
        found = index.events(self, log, value, since)
        return None if found is None else (found, max(since, log[-1].mod_revision if log else 0))

    def before(self, kv: KeyValue) -> KeyValue | None:
        """The version of a key that another of its versions replaced, or None where the key was not there."""
        held = self.versions.get(kv.key, [])
        at = bisect_left(held, (kv.mod_revision, kv.sub), key=lambda v: (v.mod_revision, v.sub))
        prev = held[at - 1] if at else None
        return prev if prev is not None and prev.version else None

    # -- writes ---------------------------------------------------------------------------------------------------------
    def put(self, key: bytes, value: bytes, *, lease: int = 0, prev_kv: bool = False) -> PutResult:
        """Write one key at the next revision."""
        revision = self.state.revision + 1
        self._next_sub = 0
        prev = self._put(revision, key, value, lease)
        self.state.revision = revision
        return PutResult(revision, prev if prev_kv else None)

    def delete(self, key: bytes, range_end: bytes = b"", *, prev_kv: bool = False) -> DeleteResult:
        """Delete a key or a range; nothing found leaves the revision as it was."""
        revision = self.state.revision + 1
        self._next_sub = 0
        prevs = self._delete(revision, key, range_end)
        if prevs:
            self.state.revision = revision
        return DeleteResult(len(prevs), self.state.revision, prevs if prev_kv else [])

    def txn(self, compare: tuple[Compare, ...], success: tuple[Op, ...], failure: tuple[Op, ...]) -> TxnResult:
        """Compare, then run one branch; all its changes share one revision."""
        check_txn(compare, success, failure)
        self._next_sub = 0
        revision = self.state.revision + 1
        before = len(self.state.log)
        result = self._txn(revision, compare, success, failure)
        if len(self.state.log) > before:
            self.state.revision = revision
        result.revision = self.state.revision
        return result

    def _txn(self, revision: int, compare: tuple[Compare, ...], success: tuple[Op, ...], failure: tuple[Op, ...]) -> TxnResult:
        succeeded = all(self._holds(guard) for guard in compare)
        responses: list[RangeResult | PutResult | DeleteResult | TxnResult] = []
        for op in success if succeeded else failure:
            if op.kind == "put":
                prev = self._put(revision, op.key, op.value, op.lease, ignore_value=op.ignore_value, ignore_lease=op.ignore_lease)
                responses.append(PutResult(revision, prev if op.prev_kv else None))
            elif op.kind == "delete":
                prevs = self._delete(revision, op.key, op.range_end)
                responses.append(DeleteResult(len(prevs), revision, prevs if op.prev_kv else []))
            elif op.kind == "range":
                responses.append(
                    self.range(
                        op.key,
                        op.range_end,
                        revision=op.revision,
                        limit=op.limit,
                        keys_only=op.keys_only,
                        count_only=op.count_only,
                    )
                )
            else:
                responses.append(self._txn(revision, op.compare, op.success, op.failure))
        return TxnResult(succeeded, responses, revision)

    def _holds(self, guard: Compare) -> bool:
        if guard.range_end:
            return all(_compare(guard, kv) for kv in self.range(guard.key, guard.range_end).kvs)
        return _compare(guard, self.get(guard.key))

    def _put(
        self, revision: int, key: bytes, value: bytes, lease: int, *, ignore_value: bool = False, ignore_lease: bool = False
    ) -> KeyValue | None:
        if not key:
            raise empty_key()
        held = self.versions.get(key)
        prev = held[-1] if held and held[-1].version else None
        if (ignore_value or ignore_lease) and prev is None:
            raise EtcdError("etcdserver: key not found", "InvalidArgument")
        if prev is not None and ignore_value:
            value = prev.value
        if prev is not None and ignore_lease:
            lease = prev.lease
        if lease and lease not in self.state.leases:
            raise lease_not_found()
        if prev is None:
            kv = KeyValue(key, value, revision, revision, 1, lease, self._next_sub)
            insort(self.keys, key)
            self.gone.discard(key)
        else:
            kv = KeyValue(key, value, prev.create_revision, revision, prev.version + 1, lease, self._next_sub)
        self._next_sub += 1
        self._log(kv)
        self.size += len(key) + len(value) + 40
        if held is None:
            self.versions[key] = [kv]
        else:
            held.append(kv)
        old_lease = prev.lease if prev is not None else 0
        if old_lease != lease:
            if old_lease in self.state.leases:
                self.state.leases[old_lease].keys.remove(key)
            if lease:
                insort(self.state.leases[lease].keys, key)
        return prev

    def _delete(self, revision: int, key: bytes, range_end: bytes) -> list[KeyValue]:
        prevs = self.range(key, range_end).kvs
        for prev in prevs:
            tombstone = KeyValue(prev.key, b"", 0, revision, 0, 0, self._next_sub)
            self._next_sub += 1
            self._log(tombstone)
            self.versions[prev.key].append(tombstone)
            self.size += len(prev.key) + 40
            del self.keys[bisect_left(self.keys, prev.key)]
            self.gone.add(prev.key)
            if prev.lease in self.state.leases:
                self.state.leases[prev.lease].keys.remove(prev.key)
        return prevs

    # -- compaction -----------------------------------------------------------------------------------------------------
    def compact(self, revision: int) -> None:
        """Drop every version that a newer one not after `revision` supersedes, and tombstones up to it."""
        if revision > self.state.revision:
            raise future_revision()
        if revision <= self.state.compacted:
            raise Compacted(self.state.compacted)
        self.state.compacted = revision
        newest: dict[bytes, KeyValue] = {}
        for kv in self.state.log:
            if kv.mod_revision > revision:
                break
            newest[kv.key] = kv
        kept = [kv for kv in self.state.log if kv.mod_revision > revision or (newest[kv.key] is kv and kv.version)]
        dropped = {kv.key for kv in self.state.log if kv.mod_revision <= revision and not (newest[kv.key] is kv and kv.version)}
        self.state.log = kept
        self.by_kind, self._named = {}, {}
        for kv in kept:
            if kv.key.startswith(b"/registry/"):
                self.by_kind.setdefault(_kind_of(kv.key), []).append(kv)
        for key in dropped:
            held = [kv for kv in self.versions[key] if kv.mod_revision > revision or (newest[key] is kv and kv.version)]
            if held:
                self.versions[key] = held
            else:
                del self.versions[key]
                self.gone.discard(key)
        self.size = sum(len(kv.key) + len(kv.value) + 40 for kv in kept)

    def _log(self, kv: KeyValue) -> None:
        self.state.log.append(kv)
        if kv.key.startswith(b"/registry/"):
            self.by_kind.setdefault(_kind_of(kv.key), []).append(kv)

    def _index(self, kv: KeyValue) -> None:
        if kv.key.startswith(b"/registry/"):
            self.by_kind.setdefault(_kind_of(kv.key), []).append(kv)
        self.versions.setdefault(kv.key, []).append(kv)
        self.size += len(kv.key) + len(kv.value) + 40

    # -- leases ---------------------------------------------------------------------------------------------------------
    def grant(self, lease_id: int, ttl: int, expires: int) -> Lease:
        """Make a lease; raises when the id is taken."""
        if lease_id in self.state.leases:
            raise EtcdError("etcdserver: lease already exists", "FailedPrecondition")
        lease = self.state.leases[lease_id] = Lease(lease_id, ttl, expires, [])
        return lease

    def revoke(self, lease_id: int) -> int:
        """Drop a lease and delete its keys in one revision; returns how many went."""
        lease = self.state.leases.get(lease_id)
        if lease is None:
            raise lease_not_found()
        revision = self.state.revision + 1
        self._next_sub = 0
        count = 0
        for key in list(lease.keys):
            count += len(self._delete(revision, key, b""))
        if count:
            self.state.revision = revision
        del self.state.leases[lease_id]
        return count


def _mod_revision(kv: KeyValue) -> int:
    return kv.mod_revision


def _kind_of(key: bytes) -> bytes:
    """`/registry/pods/` of `/registry/pods/default/web`."""
    return key[: key.find(b"/", 10) + 1]


def _without_value(kv: KeyValue) -> KeyValue:
    return KeyValue(kv.key, b"", kv.create_revision, kv.mod_revision, kv.version, kv.lease, kv.sub)


def in_range(key: bytes, start: bytes, end: bytes) -> bool:
    """Whether a key lies in [start, end); an empty end means the one key, `b"\\0"` no end."""
    if not end:
        return key == start
    return key >= start and (end == b"\0" or key < end)


def prefix_end(prefix: bytes) -> bytes:
    """The end of the range of all keys with a prefix (clientv3.GetPrefixRangeEnd)."""
    for at in range(len(prefix) - 1, -1, -1):
        if prefix[at] < 0xFF:
            return prefix[:at] + bytes([prefix[at] + 1])
    return b"\0"


def _compare(guard: Compare, kv: KeyValue | None) -> bool:
    have: int | bytes
    if guard.target == "value":
        if kv is None:
            return False
        have = kv.value
    elif guard.target == "version":
        have = kv.version if kv else 0
    elif guard.target == "create":
        have = kv.create_revision if kv else 0
    elif guard.target == "mod":
        have = kv.mod_revision if kv else 0
    else:
        have = kv.lease if kv else 0
    want = guard.value
    if guard.op == "=":
        return have == want
    if guard.op == "!=":
        return have != want
    if isinstance(have, bytes) or isinstance(want, bytes):
        left, right = bytes(have) if isinstance(have, bytes) else b"", bytes(want) if isinstance(want, bytes) else b""
        return left < right if guard.op == "<" else left > right
    return have < want if guard.op == "<" else have > want


def check_txn(compare: tuple[Compare, ...], success: tuple[Op, ...], failure: tuple[Op, ...]) -> None:
    """Refuse a transaction that is too large or writes one key twice (server/etcdserver/api/v3rpc/key.go)."""
    if max(len(compare), len(success), len(failure)) > MAX_TXN_OPS:
        raise EtcdError("etcdserver: too many operations in txn request", "InvalidArgument")
    for branch in (success, failure):
        puts: set[bytes] = set()
        for op in branch:
            if op.kind == "put":
                if op.key in puts:
                    raise duplicate_key()
                puts.add(op.key)
            elif op.kind == "txn":
                check_txn(op.compare, op.success, op.failure)
        for op in branch:
            if op.kind == "delete" and any(in_range(key, op.key, op.range_end) for key in puts):
                raise duplicate_key()
