"""Databases in bbolt's own page format, so that the real `etcdctl snapshot status` and `etcdutl` can read what a simulated member saves.

A file is pages of 4 KiB: two meta pages, a free list, and B+trees.  The root tree holds the buckets; a bucket is a tree of its own.  Here everything is
written once, in order: leaves are filled one after the other, branches above them until one page is left.  Values larger than a page take
overflow pages.  Follows bbolt's page.go, node.go and bucket.go; buckets as etcd's schema package names them.
"""

from __future__ import annotations

import hashlib
import struct

import orjson

from .authstore import READ, READWRITE, WRITE, Permission, User
from .member import Disk, MemberInfo
from .membership import members_of
from .mvcc import KeyValue
from .protobuf import varint

PAGE = 4096
_HEADER = struct.Struct("<QHHI")
_LEAF = struct.Struct("<IIII")
_BRANCH = struct.Struct("<IIQ")
_META = struct.Struct("<IIIIQQQQQ")
BRANCH, LEAF, META, FREELIST = 0x01, 0x02, 0x04, 0x10
MAGIC, VERSION = 0xED0CDAED, 2
#: By their numbers in etcd's protobuf.
PERMISSIONS = (READ, WRITE, READWRITE)
ALARMS = ("NONE", "NOSPACE", "CORRUPT")

Rows = list[tuple[bytes, bytes]]


def _fnv(data: bytes) -> int:
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


class Writer:
    """Pages in order; the first four are the metas, the free list and the root."""

    def __init__(self) -> None:
        self.pages: list[bytes] = []
        self.next = 3

    def _put(self, flags: int, elements: list[bytes], body: bytes) -> int:
        """One page (and its overflow); returns its id."""
        size = _HEADER.size + len(body)
        overflow = (size - 1) // PAGE
        ident = self.next
        self.next += overflow + 1
        page = _HEADER.pack(ident, flags, len(elements), overflow) + body
        self.pages.append(page.ljust((overflow + 1) * PAGE, b"\0"))
        return ident

    def _leaf(self, rows: list[tuple[bytes, bytes, int]]) -> int:
        heads, data = [], bytearray()
        table = _LEAF.size * len(rows)
        for at, (key, value, flags) in enumerate(rows):
            heads.append(_LEAF.pack(flags, table - at * _LEAF.size + len(data), len(key), len(value)))
            data += key + value
        return self._put(LEAF, heads, b"".join(heads) + bytes(data))

    def _branch(self, rows: list[tuple[bytes, int]]) -> int:
        heads, data = [], bytearray()
        table = _BRANCH.size * len(rows)
        for at, (key, ident) in enumerate(rows):
            heads.append(_BRANCH.pack(table - at * _BRANCH.size + len(data), len(key), ident))
            data += key
        return self._put(BRANCH, heads, b"".join(heads) + bytes(data))

    def tree(self, rows: list[tuple[bytes, bytes, int]]) -> int:
        """A B+tree of sorted (key, value, flags); returns its root page."""
        level: list[tuple[bytes, int]] = []
        part: list[tuple[bytes, bytes, int]] = []
        used = _HEADER.size
        for row in rows:
            need = _LEAF.size + len(row[0]) + len(row[1])
            if part and used + need > PAGE:
                level.append((part[0][0], self._leaf(part)))
                part, used = [], _HEADER.size
            part.append(row)
            used += need
        if part or not level:
            level.append((part[0][0] if part else b"", self._leaf(part)))
        while len(level) > 1:
            above: list[tuple[bytes, int]] = []
            for start in range(0, len(level), 100):
                some = level[start : start + 100]
                above.append((some[0][0], self._branch(some)))
            level = above
        return level[0][1]

    def file(self, buckets: dict[bytes, list[tuple[bytes, bytes]]], size: int) -> bytes:
        """The whole database, at least `size` bytes."""
        roots = [(name, self.tree([(k, v, 0) for k, v in sorted(rows)])) for name, rows in sorted(buckets.items())]
        root = self.tree([(name, struct.pack("<QQ", ident, 0), 1) for name, ident in roots])
        total = max(self.next, -(-size // PAGE))
        metas = []
        for ident in (0, 1):
            fields = _META.pack(MAGIC, VERSION, PAGE, 0, root, 0, 2, total, ident)
            page = _HEADER.pack(ident, META, 0, 0) + fields + struct.pack("<Q", _fnv(fields))
            metas.append(page.ljust(PAGE, b"\0"))
        free = list(range(self.next, total))
        listed = struct.pack(f"<{len(free)}Q", *free)
        if _HEADER.size + len(listed) > PAGE:  # the free list must fit its page here: a file that is mostly free is cut instead
            return self._cut(metas, root)
        freelist = (_HEADER.pack(2, FREELIST, len(free), 0) + listed).ljust(PAGE, b"\0")
        data = b"".join([*metas, freelist, *self.pages])
        return data.ljust(total * PAGE, b"\0")

    def _cut(self, metas: list[bytes], root: int) -> bytes:
        again = []
        for ident in range(len(metas)):
            fields = _META.pack(MAGIC, VERSION, PAGE, 0, root, 0, 2, self.next, ident)
            again.append((_HEADER.pack(ident, META, 0, 0) + fields + struct.pack("<Q", _fnv(fields))).ljust(PAGE, b"\0"))
        return b"".join([*again, _HEADER.pack(2, FREELIST, 0, 0).ljust(PAGE, b"\0"), *self.pages])


def key_value(kv: KeyValue) -> bytes:
    """mvccpb.KeyValue, as the `key` bucket holds it."""
    if not kv.version:
        return b"\n" + varint(len(kv.key)) + kv.key
    out = b"\n" + varint(len(kv.key)) + kv.key + b"\x10" + varint(kv.create_revision) + b"\x18" + varint(kv.mod_revision)
    out += b"\x20" + varint(kv.version)
    if kv.value:
        out += b"\x2a" + varint(len(kv.value)) + kv.value
    return out + (b"\x30" + varint(kv.lease) if kv.lease else b"")


def revision_key(kv: KeyValue) -> bytes:
    """The key of a version: its revision, and `t` for a tombstone."""
    mark = b"" if kv.version else b"t"
    return kv.mod_revision.to_bytes(8, "big") + b"_" + kv.sub.to_bytes(8, "big") + mark


def _field(number: int, data: bytes) -> bytes:
    """A length-delimited field of protobuf."""
    return bytes([number << 3 | 2]) + varint(len(data)) + data


def _user(user: User) -> bytes:
    """authpb.User; its options are always there."""
    out = _field(1, user.name.encode()) + (_field(2, user.password.encode()) if user.password else b"")
    return out + b"".join(_field(3, role.encode()) for role in user.roles) + _field(4, b"\x08\x01" if user.no_password else b"")


def _role(name: str, permissions: list[Permission]) -> bytes:
    """authpb.Role."""
    out = _field(1, name.encode())
    for one in permissions:
        kind = PERMISSIONS.index(one.kind)
        body = (b"\x08" + varint(kind) if kind else b"") + _field(2, one.key)
        out += _field(2, body + (_field(3, one.range_end) if one.range_end else b""))
    return out


def _meta(disk: Disk) -> Rows:
    """The bucket `meta`; etcd 3.4 keeps only the index of the last write of a key."""
    meta: Rows = []
    if disk.kv_index:
        meta.append((b"consistent_index", disk.kv_index.to_bytes(8, "big")))
    else:
        meta += [(b"consistent_index", disk.index.to_bytes(8, "big")), (b"term", disk.term.to_bytes(8, "big"))]
        voters = [one.id for one in members_of(disk) if not one.is_learner]
        learners = [one.id for one in members_of(disk) if one.is_learner]
        conf = {"voters": voters, **({"learners": learners} if learners else {}), "auto_leave": False}
        meta.append((b"confState", orjson.dumps(conf)))
    if disk.version:
        meta.append((b"storageVersion", disk.version.encode()))
    if disk.store.compacted:
        at = disk.store.compacted.to_bytes(8, "big") + b"_" + bytes(8)
        meta += [(b"finishedCompactRev", at), (b"scheduledCompactRev", at)]
    return meta


def _member(one: MemberInfo) -> bytes:
    """A member as Go's JSON writes it: what is empty is left out."""
    row: dict[str, object] = {"id": one.id, "peerURLs": one.peer_urls}
    more = {"isLearner": one.is_learner, "name": one.name, "clientURLs": one.client_urls}
    return orjson.dumps(row | {key: value for key, value in more.items() if value})


def buckets_of(disk: Disk) -> dict[bytes, Rows]:
    """What etcd's backend holds, bucket by bucket (server/storage/schema)."""
    old = "3.4.0" if disk.kv_index else "3.5.0"
    version = disk.cluster_version or (disk.version[:3] + ".0" if disk.version else old)
    auth: Rows = [(b"authEnabled", b"\x01")] if disk.auth.enabled else []
    return {
        b"alarm": [(b"\x08" + varint(one.member_id) + b"\x10" + varint(ALARMS.index(one.alarm)), b"") for one in disk.alarms],
        b"auth": [*auth, (b"authRevision", disk.auth.revision.to_bytes(8, "big"))],
        b"authRoles": [(name.encode(), _role(name, held)) for name, held in disk.auth.roles.items()],
        b"authUsers": [(user.name.encode(), _user(user)) for user in disk.auth.users.values()],
        b"cluster": [(b"clusterVersion", version.encode())],
        b"key": [(revision_key(kv), key_value(kv)) for kv in disk.store.log],
        b"lease": [
            (lease.id.to_bytes(8, "big"), b"\x08" + varint(lease.id) + b"\x10" + varint(lease.ttl))
            for lease in disk.store.leases.values()
        ],
        b"members": [(f"{one.id:x}".encode(), _member(one)) for one in members_of(disk)],
        b"members_removed": [(f"{one:x}".encode(), b"removed") for one in disk.removed],
        b"meta": _meta(disk),
    }


def database(disk: Disk) -> bytes:
    """The database file of a member."""
    return Writer().file(buckets_of(disk), disk.file_size)


def snapshot(disk: Disk) -> bytes:
    """What Maintenance/Snapshot streams to a real client: the database and its SHA-256."""
    data = database(disk)
    return data + hashlib.sha256(data).digest()
