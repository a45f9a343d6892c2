"""Database files: what `snapshot save` writes, what a data directory holds while no member runs on it.

A running member keeps its data in the world's etcd section, and the file `member/snap/db` only names it (`member.DB_HEADER` and
an id).  Everything else that is a database file has this format, so that files can be copied, moved, cut and lost like any other:

    b"slipway etcd database 1\\n" | length of the payload, 8 bytes big-endian | payload: msgpack of `Disk` | zeros up to the db size

A snapshot is such a file followed by its SHA-256, as etcd appends it to the bbolt file (client/v3/snapshot/v3_snapshot.go).  It is not
bbolt's own page format: the real `etcdutl` cannot read it.  Follows etcdutl/snapshot/v3_snapshot.go.
"""

from __future__ import annotations

import hashlib

import msgspec

from ..kernel.world import World
from . import bolt
from .member import DB_HEADER, Disk, MemberInfo, cluster_id, member_id, section
from .mvcc import StoreState
from .raft.state import Node

MAGIC = b"slipway etcd database 1\n"
WAL_MAGIC = b"slipway etcd wal 1\n"
PAGE = 4096
#: What an empty database holds: the meta pages and the buckets.
EMPTY = 3 * PAGE
SHA = 32


class BackupError(Exception):
    """A file that cannot be used; the text is what etcdutl prints."""


class FileStatus(msgspec.Struct):
    """`etcdutl snapshot status`; `rows` counts what all buckets hold, which is what releases before 3.6 call keys."""

    hash: int
    revision: int
    total_keys: int
    total_size: int
    version: str
    rows: int


def encode(disk: Disk) -> bytes:
    """A database file of this content."""
    payload = msgspec.msgpack.encode(disk)
    body = MAGIC + len(payload).to_bytes(8, "big") + payload
    size = max(disk.file_size, (len(body) + PAGE - 1) // PAGE * PAGE)
    return body.ljust(size, b"\0")


def decode(data: bytes) -> Disk | None:
    """The content of a database file; None for anything else or a damaged one."""
    if not data.startswith(MAGIC):
        return None
    start = len(MAGIC) + 8
    length = int.from_bytes(data[len(MAGIC) : start], "big")
    if len(data) < start + length:
        return None
    try:
        return msgspec.msgpack.decode(data[start : start + length], type=Disk)
    except msgspec.MsgspecError:
        return None


def reference(data: bytes) -> str:
    """The id that a running member's database file names; "" for other files."""
    return data[len(DB_HEADER) :].decode(errors="replace").strip() if data.startswith(DB_HEADER) else ""


def read(world: World, data: bytes) -> Disk | None:
    """The content of any database file, a running member's too."""
    name = reference(data)
    return section(world).disks.get(name) if name else decode(data)


def snapshot(disk: Disk) -> bytes:
    """What Maintenance/Snapshot streams: a database file and its SHA-256.  The log is not in it: that is the write-ahead log's."""
    data = encode(msgspec.structs.replace(disk, raft=None))
    return data + hashlib.sha256(data).digest()


def _parts(data: bytes) -> tuple[bytes, bytes]:
    """The database and its checksum, b"" when there is none (the size of a database is a multiple of 512)."""
    return (data[:-SHA], data[-SHA:]) if len(data) % 512 == SHA else (data, b"")


def content_hash(state: StoreState, revision: int = 0) -> int:
    """HashKV up to a revision (0: all): CRC-32C of the `key` bucket's records, each its revision and its protobuf (mvcc/hash.go)."""
    parts = [b"key"]
    for kv in state.log:
        if revision and kv.mod_revision > revision:
            break
        parts.append(bolt.revision_key(kv) + bolt.key_value(kv))
    return crc32c(b"".join(parts))


def _table() -> tuple[int, ...]:
    rows = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        rows.append(value)
    return tuple(rows)


_CASTAGNOLI = _table()


def crc32c(data: bytes) -> int:
    """CRC-32 with Castagnoli's polynomial."""
    value, table = 0xFFFFFFFF, _CASTAGNOLI
    for byte in data:
        value = table[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF


def status(world: World, data: bytes) -> FileStatus:
    """What a snapshot or a database file holds; raises BackupError.

    The hash is over every bucket, its name, keys and values: what the real tool prints for a cluster of one with the same history.
    """
    disk = read(world, _parts(data)[0])
    if disk is None:
        raise BackupError("invalid database")
    live: set[bytes] = set()
    for kv in disk.store.log:
        (live.add if kv.version else live.discard)(kv.key)
    buckets = bolt.buckets_of(disk)
    text = b"".join(name + b"".join(key + value for key, value in sorted(rows)) for name, rows in sorted(buckets.items()))
    rows = sum(map(len, buckets.values()))
    return FileStatus(crc32c(text), disk.store.revision, len(live), max(disk.file_size, PAGE), disk.version, rows)


class Restore(msgspec.Struct):
    """The flags of `etcdutl snapshot restore` that shape the new member."""

    name: str
    cluster: str
    token: str
    peer_urls: list[str]
    skip_hash_check: bool = False
    bump: int = 0


def bootstrap_error(wanted: Restore) -> str:
    """What is wrong with the member's own part of `--initial-cluster` (server/config: VerifyBootstrap); "" when nothing."""
    members = dict(part.partition("=")[::2] for part in wanted.cluster.split(",") if part)
    if wanted.name not in members:
        return f'couldn\'t find local name "{wanted.name}" in the initial cluster configuration'
    if sorted(
        url for part in wanted.cluster.split(",") for name, _, url in [part.partition("=")] if name == wanted.name
    ) != sorted(wanted.peer_urls):
        return (
            f"--initial-cluster has {wanted.name}={members[wanted.name]} but missing from --initial-advertise-peer-urls="
            f"{','.join(wanted.peer_urls)} (failed to resolve)"
        )
    return ""


def restore(world: World, data: bytes, wanted: Restore) -> tuple[bytes, bytes]:
    """The database file and the log's file of a new cluster's member with a snapshot's keys; raises BackupError.

    Of a cluster of one the second is empty.
    """
    if len(data) < SHA:
        raise BackupError("invalid argument")
    body, checksum = _parts(data)
    if not checksum and not wanted.skip_hash_check:
        raise BackupError("snapshot missing hash but --skip-hash-check=false")
    if checksum and not wanted.skip_hash_check:
        have = hashlib.sha256(body).digest()
        if have != checksum:
            raise BackupError(f"expected sha256 [{' '.join(map(str, checksum))}], got [{' '.join(map(str, have))}]")
    found = read(world, body)
    if found is None:
        raise BackupError("invalid database")
    disk = msgspec.msgpack.decode(msgspec.msgpack.encode(msgspec.structs.replace(found, raft=None)), type=Disk)
    wanted_members = clusters(wanted.cluster)
    ids = {name: member_id(urls, wanted.token) for name, urls in wanted_members.items()}
    disk.id, disk.name, disk.peer_urls, disk.client_urls = "", wanted.name, wanted.peer_urls, []
    disk.member_id, disk.cluster_id = ids[wanted.name], cluster_id(list(ids.values()))
    disk.term, disk.index, disk.alarms, disk.members, disk.removed = 1, 3, [], [], []
    disk.cluster_version = ""
    if wanted.bump:
        disk.store.revision += wanted.bump
        disk.store.compacted = disk.store.revision
    if len(ids) == 1:
        return encode(disk), b""
    disk.members = sorted(
        (MemberInfo(ids[name], name, urls, []) for name, urls in wanted_members.items()), key=lambda one: one.id
    )
    raft = Node(disk.member_id, sorted(ids.values()), term=1, commit=len(ids), applied=len(ids), snap_index=len(ids), snap_term=1)
    disk.index = len(ids)
    return encode(disk), encode_wal(raft)


def clusters(text: str) -> dict[str, list[str]]:
    """`--initial-cluster`: the peer URLs by name."""
    found: dict[str, list[str]] = {}
    for part in text.split(","):
        name, _, url = part.partition("=")
        if url:
            found.setdefault(name.strip(), []).append(url.strip())
    return found


def encode_wal(raft: Node) -> bytes:
    """A log's file: the entries, the term and the vote of a member that does not run."""
    payload = msgspec.msgpack.encode(raft)
    return WAL_MAGIC + crc32c(payload[:4096]).to_bytes(4, "big") + len(payload).to_bytes(8, "big") + payload


def decode_wal(data: bytes) -> Node | None:
    """The content of a log's file; None for a damaged one."""
    start = len(WAL_MAGIC) + 12
    payload = data[start : start + int.from_bytes(data[start - 8 : start], "big")]
    if not data.startswith(WAL_MAGIC) or crc32c(payload[:4096]) != int.from_bytes(data[start - 12 : start - 8], "big"):
        return None
    try:
        return msgspec.msgpack.decode(payload, type=Node)
    except msgspec.MsgspecError:
        return None


def compact_file(disk: Disk) -> tuple[int, int]:
    """Defragment: give the free pages of a database back; returns its size before and the bytes in use."""
    before = disk.file_size
    used = EMPTY + sum(len(kv.key) + len(kv.value) + 40 for kv in disk.store.log) // PAGE * PAGE
    disk.file_size = used + 2 * PAGE
    return before, used
