"""The Maintenance service: status, hashes, alarms, defragmentation, snapshots, and the quota of the database.

Sizes are modelled on bbolt's pages of 4 KiB: a write takes new pages before old ones are free, compaction frees pages inside the
file, and only a defragmentation gives them back.  Over quota, writes fail and the NOSPACE alarm stands until it is disarmed; deletions
still work (server/storage/quota.go, server/etcdserver/apply: applierV3Capped, api/v3rpc/maintenance.go).
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..kernel.world import World
from . import backup
from .errors import no_space
from .member import Disk, Running, store
from .mvcc import Op, Store

PAGE = backup.PAGE
EMPTY = backup.EMPTY
DEFAULT_QUOTA = 2 * 1024 * 1024 * 1024
#: What the quota reckons for a put besides key and value, and for a lease (storage/quota.go).
PUT_COST, LEASE_COST = 256, 64


class Status(msgspec.Struct):
    """Maintenance/Status, as `etcdctl endpoint status` shows it."""

    cluster_id: int
    member_id: int
    version: str
    db_size: int
    db_size_in_use: int
    leader: int
    raft_term: int
    raft_index: int
    revision: int
    is_learner: bool = False
    errors: list[str] = []
    quota: int = DEFAULT_QUOTA
    storage_version: str = ""


class Alarm(msgspec.Struct):
    """One alarm of one member; `str` is protobuf's text."""

    member_id: int
    alarm: str

    def __str__(self) -> str:
        return f"memberID:{self.member_id} alarm:{self.alarm} "


def in_use(view: Store) -> int:
    """Bytes of the database that hold something."""
    return EMPTY + view.size // PAGE * PAGE


def grow(view: Store, disk: Disk) -> None:
    """Make the database file as large as a write has needed it."""
    need = EMPTY + view.size // PAGE * PAGE + 4 * PAGE
    if need > disk.file_size:
        disk.file_size = need


def charge(world: World, disk: Disk, running: Running, cost: int) -> None:
    """Refuse a write of `cost` bytes when the NOSPACE alarm stands or the quota is reached, which raises the alarm."""
    if not cost:
        return
    if disk.alarms and "NOSPACE" in disk.alarms:
        raise no_space()
    if running.quota and disk.file_size + cost >= running.quota:
        disk.alarms.append("NOSPACE")
        world.emit("etcd", "alarm", disk.name, {"alarm": "NOSPACE", "size": disk.file_size, "quota": running.quota})
        raise no_space()


def txn_cost(success: tuple[Op, ...], failure: tuple[Op, ...]) -> int:
    """What the quota reckons for a transaction: the dearer of its branches."""
    return max(sum(_op_cost(op) for op in success), sum(_op_cost(op) for op in failure))


def _op_cost(op: Op) -> int:
    if op.kind == "put":
        return PUT_COST + len(op.key) + len(op.value)
    return txn_cost(op.success, op.failure) if op.kind == "txn" else 0


def status(world: World, disk: Disk, running: Running, args: dict[str, Any]) -> Status:
    """Maintenance/Status."""
    return Status(
        cluster_id=disk.cluster_id,
        member_id=disk.member_id,
        version=running.version,
        db_size=disk.file_size,
        db_size_in_use=in_use(store(world, disk)),
        leader=disk.member_id,
        raft_term=disk.term,
        raft_index=disk.index,
        revision=disk.store.revision,
        errors=[str(Alarm(disk.member_id, name)) for name in disk.alarms],
        quota=running.quota,
        storage_version=disk.version,
    )


def hash_kv(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> tuple[int, int]:
    """Maintenance/HashKV: a 32-bit hash of the history up to a revision, and the compact revision."""
    revision = args.get("revision", 0)
    store(world, disk).check_revision(revision)
    return backup.content_hash(disk.store, revision), disk.store.compacted


def defragment(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> int:
    """Maintenance/Defragment: give free pages back; returns how many bytes the file lost."""
    before, _size = backup.compact_file(disk)
    return before - disk.file_size


def alarm(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> list[Alarm]:
    """Maintenance/Alarm: `action` GET lists; DEACTIVATE takes alarms away and lists those."""
    found = [Alarm(disk.member_id, name) for name in disk.alarms if args.get("alarm", "NONE") in ("NONE", name)]
    if args.get("action", "GET") == "DEACTIVATE":
        disk.alarms = [name for name in disk.alarms if name not in {one.alarm for one in found}]
        disk.index += 1 if found else 0
    return found


def snapshot(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> tuple[bytes, str]:
    """Maintenance/Snapshot: the database with its checksum, and the storage version ("" before 3.6)."""
    return backup.snapshot(disk), disk.version
