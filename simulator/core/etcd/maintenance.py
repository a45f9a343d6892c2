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
from .errors import EtcdError, no_space
from .member import Alarm, Disk, Running, store
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
    if disk.alarms and any(one.alarm == "NOSPACE" for one in disk.alarms):
        raise no_space()
    if running.quota and not running.applying and disk.file_size + cost >= running.quota:
        activate(world, disk, running, {"member": disk.member_id, "alarm": "NOSPACE"})
        raise no_space()


def activate(world: World, disk: Disk, running: Running, args: dict[str, Any]) -> None:
    """Raise an alarm of a member."""
    found = Alarm(args["member"], args["alarm"])
    if found not in disk.alarms:
        disk.alarms.append(found)
        if found.member_id == disk.member_id:
            world.emit("etcd", "alarm", disk.name, {"alarm": found.alarm, "size": disk.file_size, "quota": running.quota})


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
        leader=disk.member_id if disk.raft is None else disk.raft.lead,
        raft_term=disk.term,
        raft_index=disk.index,
        revision=disk.store.revision,
        is_learner=any(one.is_learner and one.id == disk.member_id for one in disk.members),
        errors=(["etcdserver: no leader"] if disk.raft is not None and not disk.raft.lead else [])
        + [str(one) for one in disk.alarms],
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
    wanted = args.get("member", 0)
    found = [one for one in disk.alarms if args.get("alarm", "NONE") in ("NONE", one.alarm) and wanted in (0, one.member_id)]
    if args.get("action", "GET") == "DEACTIVATE":
        disk.alarms = [one for one in disk.alarms if one not in found]
        if disk.raft is None and not wanted:
            disk.index += len(found)  # clients list first, then send one request for each
    return found


def snapshot(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> tuple[bytes, str]:
    """Maintenance/Snapshot: the database with its checksum, and the storage version ("" before 3.6)."""
    return backup.snapshot(disk), disk.version


def downgrade(world: World, disk: Disk, running: Running, args: dict[str, Any]) -> str:
    """Maintenance/Downgrade: the cluster's version where a downgrade to `version` would be allowed ("": only tell); one minor release at a time."""
    cluster = disk.cluster_version or running.version
    major, minor = (int(part) for part in cluster.split(".")[:2])
    if args["version"]:
        parts = args["version"].split(".")
        if len(parts) not in (2, 3) or not all(part.isdigit() for part in parts):
            raise EtcdError("etcdserver: wrong downgrade target version format", "InvalidArgument")
        if (int(parts[0]), int(parts[1])) != (major, minor - 1):
            raise EtcdError("etcdserver: invalid downgrade target version", "InvalidArgument")
    return f"{major}.{minor}"
