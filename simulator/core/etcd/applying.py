"""Committed entries become state: requests, changes of the members, the snapshot of a leader (server/etcdserver/apply)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ..kernel.clock import SECOND
from ..kernel.world import World
from . import lessor, logs, maintenance, membership, transport
from .errors import EtcdError
from .member import Alarm, Disk, MemberInfo, Running, section, store
from .mvcc import StoreState
from .raft import confchange, log
from .raft.confchange import ADD, ADD_LEARNER, REMOVE, UPDATE
from .raft.state import Entry, Message, Snapshot
from .ticket import Ticket, decode
from .transport import Peer

#: Entries kept in memory before the log is compacted, and how many of them stay for slow members (etcd: 10,000 and 5,000).
SNAPSHOT_COUNT, CATCH_UP = 1000, 500


class Replicated(msgspec.Struct, array_like=True):
    """What a snapshot carries to a member that lacks too much of the log."""

    store: StoreState
    auth: Any
    v2: Any
    alarms: Any
    members: list[MemberInfo]
    removed: list[int]
    cluster_version: str


def finish(world: World, ticket: Ticket, at: int, result: Any = None, error: EtcdError | None = None) -> None:
    """The answer is there."""
    if not ticket.done:
        ticket.done, ticket.at, ticket.result, ticket.error = True, at, result, error
        section(world).tickets.pop(ticket.id, None)
        world.ring(ticket.topic)


def apply(world: World, peer: Peer, entry: Entry, at: int) -> None:
    """One committed entry becomes state; the member that proposed it has its answer."""
    disk, running = peer.disk, peer.running
    assert disk.raft is not None
    ticket = section(world).tickets.get(entry.id) if entry.id else None
    mine = ticket is not None and ticket.disk == disk.id
    if entry.kind == "conf":
        _apply_change(world, peer, entry, at, ticket if mine else None)
        return
    if entry.kind == "empty":
        return
    call = decode(world, entry.data)
    result, error = None, None
    running.applying = 1 if mine else 2
    try:
        result = _handler(call.method)(world, disk, running, call.args)
    except EtcdError as raised:
        error = raised
    finally:
        running.applying = 0
    if call.method == "Lease/Grant":
        lessor.schedule(world, peer.proc, disk, running)
    if mine and ticket is not None:
        finish(world, ticket, at, result, error)


def _handler(method: str) -> Callable[[World, Disk, Running, dict[str, Any]], Any]:
    from .service import HANDLERS

    return _INTERNAL.get(method) or HANDLERS[method]


def _publish(world: World, disk: Disk, running: Running, args: dict[str, Any]) -> None:
    """A member has told its name and its client URLs."""
    from .service import announce_restored

    for one in disk.members:
        if one.id == args["id"]:
            one.name, one.client_urls = args["name"], list(args["client_urls"])
    if args["id"] == disk.member_id:
        disk.name, disk.client_urls = args["name"], list(args["client_urls"])
        peer = transport.peers(world).get(disk.id)
        if peer is not None and not running.ready:
            running.ready = True
            logs.serving(world, peer.proc, disk, running)
            world.ring(f"etcd:{disk.name}")
            announce_restored(world, disk)


def _cluster_version(world: World, disk: Disk, running: Running, args: dict[str, Any]) -> None:
    """The cluster has agreed on what everybody speaks."""
    fresh, disk.cluster_version = disk.cluster_version != args["version"], args["version"]
    if fresh and disk.version:
        disk.version = storage_version(running.version)


def _v2(world: World, disk: Disk, running: Running, args: dict[str, Any]) -> Any:
    from . import gateway_v2

    return gateway_v2.replay(world, disk, args)


_INTERNAL: dict[str, Callable[[World, Disk, Running, dict[str, Any]], Any]] = {
    "Member/Publish": _publish,
    "Cluster/Version": _cluster_version,
    "Alarm/Activate": maintenance.activate,
    "V2": _v2,
}


def storage_version(release: str) -> str:
    """What the database's schema calls itself: `3.6.0`; releases before 3.6 write none (storage/schema)."""
    minor = [int(part) for part in release.split(".")[:2]]
    return f"{minor[0]}.{minor[1]}.0" if minor >= [3, 6] else ""


#: How the trace calls a change of the members.
_CHANGES = {ADD: "member.add", ADD_LEARNER: "member.add-learner", REMOVE: "member.remove", UPDATE: "member.update"}


def _apply_change(world: World, peer: Peer, entry: Entry, at: int, ticket: Ticket | None) -> None:
    disk = peer.disk
    assert disk.raft is not None
    wanted, error = membership.apply(disk, entry.data)
    if wanted is not None:
        confchange.apply(disk.raft, wanted)
        transport.forget(world)
        logs.changed(world, peer.proc, disk, wanted)
        if ticket is not None:
            detail = {"id": f"{wanted.id:x}", "members": len(disk.members)}
            world.emit("etcd", _CHANGES[wanted.op], f"{peer.proc.host}/{disk.name}", detail)
        if wanted.op == REMOVE and wanted.id == disk.member_id:
            world.after(SECOND, peer.proc.target, ["removed"])
    if ticket is not None:
        finish(world, ticket, at, list(disk.members), error)


def with_snapshot(disk: Disk, m: Message) -> Message:
    """A `snap` message with the state of the member that sends it."""
    assert m.snapshot is not None
    held = Replicated(disk.store, disk.auth, disk.v2, disk.alarms, disk.members, disk.removed, disk.cluster_version)
    s = m.snapshot
    return Message(
        "snap", m.src, m.dst, m.term, snapshot=Snapshot(s.index, s.term, s.voters, s.learners, msgspec.msgpack.encode(held))
    )


def install(world: World, peer: Peer, snapshot: Snapshot) -> None:
    """Load a leader's snapshot in place of what this member has."""
    from .service import topic_of

    disk, raft = peer.disk, peer.disk.raft
    assert raft is not None
    held = msgspec.msgpack.decode(snapshot.data, type=Replicated)
    before = disk.store.revision
    disk.store = held.store
    disk.auth = msgspec.convert(held.auth, type(disk.auth))
    disk.v2 = msgspec.convert(held.v2, type(disk.v2))
    disk.alarms = msgspec.convert(held.alarms, list[Alarm])
    disk.members, disk.removed, disk.cluster_version = held.members, held.removed, held.cluster_version
    disk.index = snapshot.index
    maintenance.grow(store(world, disk), disk)
    logs.snapshot_applied(world, peer.proc, snapshot)
    world.emit("etcd", "snapshot.install", f"{peer.proc.host}/{disk.name}", {"index": snapshot.index, "term": snapshot.term})
    mine = membership.find(disk, disk.member_id)
    if mine is not None and mine.name == peer.running.flags["name"]:  # the snapshot holds what this member told of itself
        _publish(world, disk, peer.running, {"id": mine.id, "name": mine.name, "client_urls": mine.client_urls})
    for topic in sorted({topic_of(kv.key) for kv in disk.store.log if kv.mod_revision > before}):
        if topic:
            world.ring(topic)
    world.ring(f"etcd:{disk.name}")


def count(running: Running, flag: str, default: int) -> int:
    """The number that a flag gives, or its default."""
    text = running.flags.get(flag, "")
    return int(text) if text.isdigit() else default


def compact(world: World, peer: Peer) -> None:
    """Snapshot, then drop the older part of the log."""
    raft = peer.disk.raft
    assert raft is not None
    keep = min(CATCH_UP, count(peer.running, "snapshot-catchup-entries", 5000), count(peer.running, "snapshot-count", 10000))
    to = raft.applied - keep
    if to > raft.snap_index:
        logs.compacted(world, peer.proc, peer.disk, to)
        log.compact(raft, to)
