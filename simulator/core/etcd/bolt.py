"""Databases in bbolt's own page format, so that the real `etcdctl snapshot status` and `etcdutl` can read what a simulated member saves.

A file is pages of 4 KiB: two meta pages, a free list, and B+trees.  The root tree holds the buckets; a bucket is a tree of its own.  Here everything is
written once, in order: leaves are filled one after the other, branches above them until one page is left.  Values larger than a page take
overflow pages.  Follows bbolt's page.go, node.go and bucket.go; buckets as etcd's schema package names them.
"""

from __future__ import annotations

import hashlib
import struct

import orjson

from .member import Disk
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


def buckets_of(disk: Disk) -> dict[bytes, list[tuple[bytes, bytes]]]:
    """What etcd's backend holds, bucket by bucket (server/storage/schema)."""
    version = disk.cluster_version or (disk.version[:3] + ".0" if disk.version else "3.5.0")
    meta = [(b"consistent_index", disk.index.to_bytes(8, "big")), (b"term", disk.term.to_bytes(8, "big"))]
    voters = [one.id for one in members_of(disk) if not one.is_learner]
    learners = [one.id for one in members_of(disk) if one.is_learner]
    conf = {"voters": voters, "auto_leave": False, **({"learners": learners} if learners else {})}
    meta.append((b"confState", orjson.dumps(conf)))
    if disk.version:
        meta.append((b"storageVersion", disk.version.encode()))
    if disk.store.compacted:
        at = disk.store.compacted.to_bytes(8, "big") + b"_" + bytes(8)
        meta += [(b"finishedCompactRev", at), (b"scheduledCompactRev", at)]
    members = []
    for one in members_of(disk):
        row = {"id": one.id, "peerURLs": one.peer_urls, **({"isLearner": True} if one.is_learner else {}), "name": one.name}
        members.append((f"{one.id:x}".encode(), orjson.dumps({**row, "clientURLs": one.client_urls})))
    leases = []
    for lease in disk.store.leases.values():
        leases.append(((lease.id).to_bytes(8, "big"), b"\x08" + varint(lease.id) + b"\x10" + varint(lease.ttl)))
    return {
        b"alarm": [],
        b"auth": [
            (b"authEnabled", b"\x01" if disk.auth.enabled else b"\x00"),
            (b"authRevision", disk.auth.revision.to_bytes(8, "big")),
        ],
        b"authRoles": [],
        b"authUsers": [],
        b"cluster": [(b"clusterVersion", version.encode())],
        b"key": [(revision_key(kv), key_value(kv)) for kv in disk.store.log],
        b"lease": leases,
        b"members": members,
        b"members_removed": [(f"{one:x}".encode(), b"removed") for one in disk.removed],
        b"meta": meta,
    }


def database(disk: Disk) -> bytes:
    """The database file of a member."""
    return Writer().file(buckets_of(disk), disk.file_size)


def snapshot(disk: Disk) -> bytes:
    """What Maintenance/Snapshot streams to a real client: the database and its SHA-256."""
    data = database(disk)
    return data + hashlib.sha256(data).digest()
