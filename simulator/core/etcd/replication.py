"""A member's part in a cluster of several: requests become proposals and linearizable reads, committed entries become state.

Time.  A request is a call (docs/architecture.md, decision 2): messages that it causes are delivered at once, each at its own modelled time, and the
answer's latency is when the last one that mattered arrived.  Whatever else moves (elections, heartbeats while something is amiss, messages to
slow members) is timers.  Where nobody can answer yet, the request is a `Ticket`: who can wait does (etcdctl), who cannot sees a time-out.

Sleep.  In a group that is at rest (a leader, a quorum that holds the same log, nothing under way) heartbeats change nothing but deadlines.
The group then sleeps without any timer.  `refresh` computes what the deadlines are at a later time, exactly as if each heartbeat had been
sent; whatever happens to the group (a request, a message, a process or a link that changes) refreshes it first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ..kernel.clock import MS, SECOND
from ..kernel.world import World
from . import lessor, logs, maintenance, membership, transport
from .client import Call
from .errors import EtcdError, Waiting, leader_changed, not_for_learners
from .member import Alarm, Disk, Group, MemberInfo, Running, section, store
from .mvcc import Lease, StoreState
from .raft import confchange, leader, log, node
from .raft.confchange import ADD, ADD_LEARNER, REMOVE, UPDATE
from .raft.state import LEADER, REPLICATE, Entry, Message, Node, Snapshot
from .ticket import REQUEST_TIMEOUT, Ticket, decode, encode
from .transport import Peer

#: How far ahead of the world a caller that cannot wait may run the group: longer than an election takes.
PATIENCE = 4 * SECOND
#: Messages to members this slow or less are delivered with the request that caused them.
NEAR = 20 * MS
HEALTH = 5 * SECOND
#: Entries kept in memory before the log is compacted, and how many of them stay for slow members (etcd: 10,000 and 5,000).
SNAPSHOT_COUNT, CATCH_UP = 1000, 500

#: Answered by the member itself, whatever the others do.
LOCAL = frozenset(
    {"Header", "Watch/Events", "Watch/Named", "Maintenance/Status", "Maintenance/HashKV", "Maintenance/Defragment", "Maintenance/Snapshot", "Auth/AuthStatus",
     "Lease/Leases"}
)  # fmt: skip
READS = frozenset({"KV/Range", "Cluster/MemberList"})
LEADERS = frozenset({"Lease/KeepAlive", "Lease/TimeToLive"})
#: Methods that concern the cluster itself.
GROUP = frozenset(
    {"Cluster/MemberAdd", "Cluster/MemberRemove", "Cluster/MemberUpdate", "Cluster/MemberPromote", "Maintenance/MoveLeader"}
)


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


def group_of(world: World, disk: Disk) -> Group:
    """The group that a member belongs to."""
    groups = section(world).groups
    found = groups.get(disk.cluster_id)
    if found is None:
        found = groups[disk.cluster_id] = Group()
    return found


# -- requests -----------------------------------------------------------------------------------------------------------------
def answer(world: World, disk: Disk, running: Running, call: Call) -> Any:
    """Answer a request; raises EtcdError, `Waiting` where the answer needs time."""
    return timed(world, disk, running, call)[0]


def timed(world: World, disk: Disk, running: Running, call: Call) -> tuple[Any, int]:
    """The answer and how long it took, in ns."""
    from .service import HANDLERS

    method = call.method
    if disk.raft is None:
        found_group(world, disk, running)
    assert disk.raft is not None
    free = method in ("Maintenance/Status", "Header") or (method == "KV/Range" and call.args.get("serializable"))
    if disk.member_id in disk.raft.learners and not free:
        raise not_for_learners()
    if method in LOCAL or (method in READS and call.args.get("serializable")):
        return HANDLERS[method](world, disk, running, {k: v for k, v in call.args.items() if k != "serializable"}), 0
    if method in LEADERS:
        return _by_leader(world, disk, call), MS
    ticket = begin(world, disk, running, call)
    if not ticket.done:
        if call.sync and can_elect(world, disk):
            run_ahead(world, ticket)
        if not ticket.done:
            settle(world, disk)
            raise Waiting(ticket)
    settle(world, disk)
    if ticket.error is not None:
        raise ticket.error
    return ticket.result, max(0, ticket.at - world.now)


def begin(world: World, disk: Disk, running: Running, call: Call) -> Ticket:
    """Start a request and deliver what it causes."""
    refresh(world, disk)
    ticket = make_ticket(world, disk, running, call)
    known = section(world).tickets
    for stale in [t.id for t in known.values() if t.deadline < world.now]:
        del known[stale]
    known[ticket.id] = ticket
    try_start(world, ticket, world.now)
    pump(world, world.now + REQUEST_TIMEOUT, lambda: ticket.done)
    pump(world, (ticket.at or world.now) + NEAR)
    return ticket


def make_ticket(world: World, disk: Disk, running: Running, call: Call) -> Ticket:
    """What a request asks of Raft; raises what is refused before."""
    held = section(world)
    held.requests += 1
    method, args = call.method, dict(call.args)
    if method in READS or (method == "KV/Txn" and all(op.kind == "range" for op in (*args["success"], *args["failure"]))):
        return _ticket(world, disk, "read", encode(world, call))
    if method == "Maintenance/MoveLeader":
        return _transfer_ticket(world, disk, call)
    if method in GROUP:
        return _ticket(world, disk, "conf", _change(world, disk, method, args))
    _check_early(world, disk, running, method, args)
    if method == "Lease/Grant" and not args.get("id"):
        args["id"] = world.rng("etcd-lease").bits64() >> 1
    elif method == "Auth/Authenticate":
        from .auth import LETTERS

        args["token"] = world.rng("etcd-auth").token(16, LETTERS)
    elif method in ("Auth/UserAdd", "Auth/UserChangePassword"):
        args["salt"] = world.rng("etcd-auth").hex(16)
    call = Call(method, args)
    return _ticket(world, disk, "write", encode(world, call))


def _check_early(world: World, disk: Disk, running: Running, method: str, args: dict[str, Any]) -> None:
    """What the member's API refuses before anything is proposed: bad arguments, and the quota, which raises the alarm."""
    from .mvcc import check_txn

    cost = 0
    if method == "KV/Put":
        cost = maintenance.PUT_COST + len(args["key"]) + len(args["value"])
    elif method == "KV/Txn":
        check_txn(args["compare"], args["success"], args["failure"])
        cost = maintenance.txn_cost(args["success"], args["failure"])
    elif method == "Lease/Grant":
        cost = maintenance.LEASE_COST
    over = running.quota and disk.file_size + cost >= running.quota and not disk.alarms
    if cost and over:
        submit(world, disk, running, Call("Alarm/Activate", {"member": disk.member_id, "alarm": "NOSPACE"}))


def submit(world: World, disk: Disk, running: Running, call: Call) -> Ticket:
    """Propose something that nobody waits for."""
    ticket = make_ticket(world, disk, running, call)
    section(world).tickets[ticket.id] = ticket
    try_start(world, ticket, world.now)
    pump(world, world.now + NEAR)
    settle(world, disk)
    return ticket


def _ticket(world: World, disk: Disk, kind: str, data: bytes) -> Ticket:
    """A request of the number that was given last."""
    lead = disk.raft.lead if disk.raft is not None else 0
    return Ticket(section(world).requests, disk.id, world.now, kind, data, lead)


def _transfer_ticket(world: World, disk: Disk, call: Call) -> Ticket:
    """Maintenance/MoveLeader, which only the leader takes."""
    assert disk.raft is not None
    if disk.raft.role != LEADER:
        raise EtcdError("etcdserver: not leader", "FailedPrecondition")
    member = membership.find(disk, call.args["target"])
    if member is None or member.is_learner:
        raise EtcdError("etcdserver: bad leader transferee", "FailedPrecondition")
    return _ticket(world, disk, "transfer", encode(world, call))


def _change(world: World, disk: Disk, method: str, args: dict[str, Any]) -> bytes:
    """The conf entry of a change of members; raises what the checks refuse."""
    assert disk.raft is not None
    near = transport.connected(world, disk, world.now - HEALTH)
    if method == "Cluster/MemberAdd":
        urls, learner = list(args["peer_urls"]), bool(args.get("is_learner"))
        membership.may_add(disk, learner, near)
        member = MemberInfo(membership.new_id(urls, world.wall // SECOND), "", urls, [], learner)
        return membership.change(ADD_LEARNER if learner else ADD, member)
    ident = args["id"]
    if method == "Cluster/MemberRemove":
        membership.may_remove(disk, ident, transport.connected(world, disk, world.now - HEALTH))
        return membership.change(REMOVE, MemberInfo(ident, "", [], []))
    if method == "Cluster/MemberUpdate":
        return membership.change(UPDATE, MemberInfo(ident, "", list(args["peer_urls"]), []))
    chief = disk if disk.raft.role == LEADER else _leader(world, disk)
    if chief is None or chief.raft is None:
        raise EtcdError("etcdserver: request timed out", "Unavailable")
    held = chief.raft.progress.get(ident)
    match = chief.raft.last_index if ident == chief.raft.id else held.match if held is not None else None
    membership.may_promote(chief, ident, match, chief.raft.last_index)
    return membership.change(ADD, MemberInfo(ident, "", [], []), promote=True)


def _leader(world: World, disk: Disk) -> Disk | None:
    """The leader's data directory, when this member knows and reaches it."""
    assert disk.raft is not None
    if disk.raft.lead == disk.member_id:
        return disk
    found = transport.reach(world, disk, disk.raft.lead) if disk.raft.lead else None
    return found.disk if found is not None else None


def _by_leader(world: World, disk: Disk, call: Call) -> Any:
    """What only the primary lessor knows."""
    from .service import HANDLERS

    chief = _leader(world, disk)
    peer = transport.peers(world).get(chief.id) if chief is not None else None
    if peer is None:
        raise EtcdError("etcdserver: no leader", "Unavailable")
    found: Lease | tuple[Lease, int] = HANDLERS[call.method](world, peer.disk, peer.running, call.args)
    lessor.schedule(world, peer.proc, peer.disk, peer.running)
    return found


def try_start(world: World, ticket: Ticket, at: int) -> None:
    """Hand a request to Raft, which takes none while there is no leader."""
    disk = section(world).disks.get(ticket.disk)
    raft = disk.raft if disk is not None else None
    if disk is None or raft is None or ticket.started or ticket.done:
        return
    if ticket.kind == "read":
        ticket.started = node.read(raft, ticket.id)
    elif ticket.kind == "transfer":
        node.transfer(raft, decode(world, ticket.data).args["target"], at)
        ticket.started = True
    else:
        ticket.started = node.propose(raft, "conf" if ticket.kind == "conf" else "normal", ticket.data, ticket.id)
    if ticket.started:
        ready(world, disk, at)


# -- entries ------------------------------------------------------------------------------------------------------------------
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


# -- after every change ---------------------------------------------------------------------------------------------------------
def ready(world: World, disk: Disk, at: int) -> None:
    """Raft has changed something: load a snapshot, apply, answer reads, send, and keep the log short."""
    peer = transport.peers(world).get(disk.id)
    raft = disk.raft
    if peer is None or raft is None:
        return
    if raft.installed is not None:
        install(world, peer, raft.installed)
        raft.installed = None
    if raft.role != peer.running.role or raft.lead != peer.running.lead or raft.term != disk.term:
        _look(world, peer, raft, at)
    while raft.applied < raft.commit:
        for entry in node.take_committed(raft):
            raft.applied = disk.index = entry.index
            apply(world, peer, entry, at)
        leader.release_reads(raft)
    while raft.reads and raft.reads[0][1] <= raft.applied:
        context, _ = raft.reads.pop(0)
        _read(world, peer, context, at)
    if raft.out:
        out, raft.out = raft.out, []
        for m in out:
            transport.post(world, disk, _with_snapshot(disk, m) if m.kind == "snap" else m, at)
    if len(raft.log) > SNAPSHOT_COUNT or len(raft.log) > _count(peer.running, "snapshot-count", 10000) * 2:
        compact(world, peer)
    if not peer.running.ready:
        publish(world, peer, at)
    elif (
        raft.role == LEADER
        and not disk.cluster_version
        and peer.running.agreed != raft.term
        and log.term_at(raft, raft.applied) == raft.term
    ):
        _agree(world, peer)


def _look(world: World, peer: Peer, raft: Node, at: int) -> None:
    """The role, the leader or the term is another than when it was last looked at: log it, trace it, wake who waits."""
    disk, running = peer.disk, peer.running
    before = running.lead
    logs.raft(world, peer.proc, disk, running.role, running.lead, at)
    disk.term = raft.term
    if raft.role == LEADER and running.role != LEADER:
        world.emit("etcd", "elected", f"{peer.proc.host}/{disk.name}", {"term": raft.term, "member": f"{disk.member_id:x}"})
        lessor.promote(world, disk)
        lessor.schedule(world, peer.proc, disk, running)
    elif raft.role != running.role and raft.role in ("pre-candidate", "candidate"):
        world.emit("etcd", "campaign", f"{peer.proc.host}/{disk.name}", {"term": raft.term, "role": raft.role})
    elif running.role == LEADER:
        world.emit("etcd", "leader.lost", f"{peer.proc.host}/{disk.name}", {"term": raft.term})
    running.role, running.lead = raft.role, raft.lead
    if raft.lead != before:
        running.lead_since = at
        world.ring(f"etcd:{disk.name}")
    if raft.lead:
        for ticket in [t for t in section(world).tickets.values() if t.disk == disk.id]:
            if ticket.kind == "transfer":
                if raft.lead == decode(world, ticket.data).args["target"]:
                    finish(world, ticket, at)
            elif ticket.kind == "read" and (ticket.started or ticket.lead != raft.lead):
                finish(world, ticket, at, error=leader_changed())
            else:
                try_start(world, ticket, at)


def _read(world: World, peer: Peer, context: int, at: int) -> None:
    from .service import HANDLERS

    ticket = section(world).tickets.get(context)
    if ticket is None or ticket.disk != peer.disk.id:
        return
    try:
        call = decode(world, ticket.data)
        args = {k: v for k, v in call.args.items() if k != "serializable"}
        finish(world, ticket, at, HANDLERS[call.method](world, peer.disk, peer.running, args))
    except EtcdError as error:
        finish(world, ticket, at, error=error)


def publish(world: World, peer: Peer, at: int) -> None:
    """Tell the cluster the name and the client URLs, again and again until it is committed (server.go: publishV3)."""
    raft = peer.disk.raft
    assert raft is not None
    if not raft.lead or at < peer.running.publish_at:
        return
    flags = peer.running.flags
    args = {"id": peer.disk.member_id, "name": flags["name"], "client_urls": flags["advertise-client-urls"].split(",")}
    held = section(world)
    held.requests += 1
    if node.propose(raft, "normal", encode(world, Call("Member/Publish", args)), held.requests):
        peer.running.publish_at = at + REQUEST_TIMEOUT
        ready(world, peer.disk, at)


def _agree(world: World, peer: Peer) -> None:
    """The leader sets the cluster's version when every member has told its own."""
    disk, raft = peer.disk, peer.disk.raft
    assert raft is not None
    releases = [peer.running.version]
    for one in disk.members:
        if one.id == disk.member_id:
            continue
        other = transport.reach(world, disk, one.id)
        if other is None:
            return
        releases.append(other.running.version)
    lowest = min(tuple(int(part) for part in release.split(".")[:2]) for release in releases)
    held = section(world)
    held.requests += 1
    peer.running.agreed = raft.term
    call = Call("Cluster/Version", {"version": f"{lowest[0]}.{lowest[1]}.0"})
    node.propose(raft, "normal", encode(world, call), held.requests)
    ready(world, disk, world.now)


def _with_snapshot(disk: Disk, m: Message) -> Message:
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


def _count(running: Running, flag: str, default: int) -> int:
    text = running.flags.get(flag, "")
    return int(text) if text.isdigit() else default


def compact(world: World, peer: Peer) -> None:
    """Snapshot, then drop the older part of the log."""
    raft = peer.disk.raft
    assert raft is not None
    keep = min(CATCH_UP, _count(peer.running, "snapshot-catchup-entries", 5000), _count(peer.running, "snapshot-count", 10000))
    to = raft.applied - keep
    if to > raft.snap_index:
        logs.compacted(world, peer.proc, peer.disk, to)
        log.compact(raft, to)


# -- time -----------------------------------------------------------------------------------------------------------------------
def take(world: World, peer: Peer, m: Message, at: int) -> None:
    """A message arrives."""
    disk = peer.disk
    assert disk.raft is not None
    refresh(world, disk)
    if m.src in disk.removed:
        source = next(
            (p for p in transport.peers(world).values() if p.disk.member_id == m.src and p.disk.cluster_id == disk.cluster_id),
            None,
        )
        if source is not None:
            world.after(MS, source.proc.target, ["removed"])
        return
    try:
        node.step(disk.raft, m, at, world.rng("etcd-raft"))
    except log.LostLog as error:
        logs.raft_line(world, peer.proc, str(error), "panic")
        world.after(MS, peer.proc.target, ["panic"])
        return
    ready(world, disk, at)


def pump(world: World, until: int, stop: Callable[[], bool] | None = None) -> None:
    """Deliver what is under way."""
    transport.deliver(world, until, take, stop)


def can_elect(world: World, disk: Disk) -> bool:
    """Whether a quorum of the voters runs and is connected to this member, so that waiting would help."""
    voters = membership.voters(disk)
    near = [v for v in voters if v.id == disk.member_id or transport.reach(world, disk, v.id) is not None]
    return len(near) >= len(voters) // 2 + 1


def run_ahead(world: World, ticket: Ticket) -> None:
    """Let a caller that cannot wait see what time would bring: messages and deadlines of the group, but nothing else of the world."""
    end = world.now + PATIENCE
    held = section(world)
    cluster = held.disks[ticket.disk].cluster_id
    while not ticket.done:
        members = [p for p in transport.peers(world).values() if p.disk.cluster_id == cluster and p.disk.raft is not None]
        due, first = min(
            ((node.next_due(p.disk.raft), p.disk.id) for p in members if p.disk.raft is not None), default=(end + 1, "")
        )
        arrives = held.wire[0].at if held.wire else end + 1
        if min(due, arrives) > end:
            return
        if arrives <= due:
            pump(world, arrives)
            continue
        peer = transport.peers(world)[first]
        assert peer.disk.raft is not None
        node.tick(peer.disk.raft, due, world.rng("etcd-raft"))
        ready(world, peer.disk, due)


def tick(world: World, peer: Peer) -> None:
    """A deadline of a member."""
    peer.running.raft_timer = 0
    raft = peer.disk.raft
    if raft is None:
        return
    node.tick(raft, world.now, world.rng("etcd-raft"))
    ready(world, peer.disk, world.now)
    settle(world, peer.disk)


def arrive(world: World, _: str, __: Any) -> None:
    """Timer handler of `etcd:wire`: messages arrive."""
    held = section(world)
    held.wire_timer = 0
    clusters = {held.disks[f.target].cluster_id: f.target for f in held.wire if f.at <= world.now and f.target in held.disks}
    pump(world, world.now)
    for target in clusters.values():
        if target in held.disks:
            settle(world, held.disks[target])
    _arm_wire(world)


def _arm_wire(world: World) -> None:
    held = section(world)
    if not held.wire:
        return
    timer = world.timers.get(held.wire_timer)
    if timer is not None:
        if timer.at <= held.wire[0].at:
            return
        world.cancel(held.wire_timer)
    held.wire_timer = world.at(held.wire[0].at, "etcd:wire")


def members_in(world: World, disk: Disk) -> list[Peer]:
    """The running members of a cluster."""
    return [p for p in transport.peers(world).values() if p.disk.cluster_id == disk.cluster_id and p.disk.raft is not None]


def settle(world: World, disk: Disk) -> None:
    """Send the group to sleep when it is at rest, or set its members' timers."""
    group = group_of(world, disk)
    peers = members_in(world, disk)
    good = _at_rest(world, peers)
    group.asleep = bool(good)
    if good:
        group.leader, group.good = good[0], good[1:]
    resting = set(good)
    for peer in peers:
        running, raft = peer.running, peer.disk.raft
        assert raft is not None
        timer = world.timers.get(running.raft_timer) if running.raft_timer else None
        if peer.disk.id in resting:
            if timer is not None:
                world.cancel(running.raft_timer)
            running.raft_timer = 0
            continue
        due = node.next_due(raft)
        if timer is not None:
            if timer.at == max(due, world.now):
                continue
            world.cancel(running.raft_timer)
        running.raft_timer = world.at(due, peer.proc.target, ["raft"])
    _arm_wire(world)


def _at_rest(world: World, peers: list[Peer]) -> list[str]:
    """The leader's data directory and those of its quiet followers, or nothing while anything is under way."""
    if section(world).wire:
        return []
    chief = max(
        (p for p in peers if p.disk.raft is not None and p.disk.raft.role == LEADER), key=lambda p: p.disk.term, default=None
    )
    if chief is None:
        return []
    raft = chief.disk.raft
    assert raft is not None
    last = raft.last_index
    busy = raft.transferee or raft.waiting_reads or raft.early_reads or raft.commit != last or raft.applied != last
    if busy or not chief.running.ready or raft.id not in raft.voters:
        return []
    disks = section(world).disks
    for ticket in section(world).tickets.values():
        asked = disks.get(ticket.disk)
        if ticket.deadline > world.now and asked is not None and asked.cluster_id == chief.disk.cluster_id:
            return []
    good, voting = [chief.disk.id], 1
    for peer in peers:
        other = peer.disk.raft
        if peer is chief or other is None:
            continue
        held = raft.progress.get(other.id)
        if held is None or transport.reach(world, chief.disk, other.id) is not peer:
            continue
        same = (
            other.lead == raft.id
            and other.term == raft.term
            and other.last_index == last
            and other.commit == last == other.applied
        )
        if not same or held.match != last or held.state != REPLICATE or held.inflight or not peer.running.ready:
            return []
        if transport.reach(world, peer.disk, raft.id) is not chief or transport.shaped(world, chief.proc.host, peer.proc.host):
            return []
        good.append(peer.disk.id)
        voting += other.id in raft.voters
    return good if voting >= confchange.quorum(raft) else []


def refresh(world: World, disk: Disk) -> None:
    """Wake a sleeping group: set every deadline to what it would be, had each heartbeat been sent and answered."""
    group = section(world).groups.get(disk.cluster_id)
    if group is None or not group.asleep:
        return
    group.asleep = False
    held = section(world)
    chief = held.disks.get(group.leader)
    if chief is None or chief.raft is None:
        return
    raft, now = chief.raft, world.now
    if now >= raft.heartbeat_at:
        raft.heartbeat_at += (now - raft.heartbeat_at) // raft.heartbeat * raft.heartbeat + raft.heartbeat
    beat = raft.heartbeat_at - raft.heartbeat
    if now >= raft.quorum_at:
        raft.quorum_at += (now - raft.quorum_at) // raft.election * raft.election + raft.election
    for ident in group.good:
        other = held.disks.get(ident)
        if other is None or other.raft is None:
            continue
        other.raft.heard_at = min(now, max(other.raft.heard_at, beat + MS // 2))
        other.raft.election_at = other.raft.heard_at + other.raft.timeout
        if other.raft.id in raft.progress:
            raft.progress[other.raft.id].active = True


def wake(world: World, disk: Disk) -> None:
    """Processes or links have changed: compute the deadlines, then look again who is at rest."""
    transport.forget(world)
    if disk.raft is not None:
        refresh(world, disk)
        settle(world, disk)


# -- the first log ----------------------------------------------------------------------------------------------------------------
def found_group(world: World, disk: Disk, running: Running) -> None:
    """A cluster of one begins to keep a log and a list of members: what was before is its snapshot."""
    disk.members = membership.members_of(disk)
    me = disk.member_id
    disk.cluster_version = disk.cluster_version or ".".join(running.version.split(".")[:2]) + ".0"
    raft = disk.raft = Node(
        me, [me], term=disk.term, vote=me, commit=disk.index, applied=disk.index, snap_index=disk.index, snap_term=disk.term
    )
    raft.role, raft.lead = LEADER, me
    raft.heartbeat_at, raft.quorum_at = world.now + raft.heartbeat, world.now + raft.election
    running.role, running.lead = LEADER, me
    transport.forget(world)


def start(world: World, disk: Disk, running: Running) -> None:
    """A member of several starts: as a follower, with the deadlines that its flags ask for."""
    assert disk.raft is not None
    raft = disk.raft
    raft.heartbeat, raft.election = (
        _count(running, "heartbeat-interval", 100) * MS,
        _count(running, "election-timeout", 1000) * MS,
    )
    node.restart(raft, world.now, world.rng("etcd-raft"))
    running.role, running.lead, running.publish_at, running.started = raft.role, 0, 0, world.now
    disk.term = raft.term
    transport.forget(world)
    if raft.voters == [raft.id]:
        raft.election_at -= 9 * raft.heartbeat  # a lone voter need not wait for a leader to speak up
    else:
        for peer in members_in(world, disk):  # whoever reaches two others now knows that it is not alone (server.go: adjustTicks)
            _fast_forward(world, peer)
    for peer in members_in(
        world, disk
    ):  # a stream to a member that knows better ends the one that was removed (rafthttp: stream.go)
        for other in members_in(world, disk):
            gone = peer.disk.member_id in other.disk.removed and transport.reach(world, peer.disk, other.disk.member_id) is other
            if gone:
                world.after(100 * MS, peer.proc.target, ["removed"])
                break
    ready(world, disk, world.now)
    refresh(world, disk)
    settle(world, disk)


def _fast_forward(world: World, peer: Peer) -> None:
    """A starting member that has a connection to two others has waited long enough for a leader to speak up: two ticks are left."""
    raft, running = peer.disk.raft, peer.running
    if raft is None or raft.lead or running.ready or running.role != "follower" or running.publish_at < 0:
        return
    others = [one for one in membership.members_of(peer.disk) if one.id != raft.id]
    if sum(1 for one in others if transport.reach(world, peer.disk, one.id) is not None) > 1:
        raft.election_at = max(world.now + raft.heartbeat, raft.election_at - raft.election + 2 * raft.heartbeat)
        running.publish_at = -1


def stop(world: World, peer: Peer) -> None:
    """A member is asked to stop: a leader hands over first to whom it has been connected to for longest."""
    disk, raft = peer.disk, peer.disk.raft
    if raft is None:
        return
    if raft.role == LEADER and len(raft.voters) > 1:
        refresh(world, disk)
        heirs = sorted(
            (p.running.started, p.disk.member_id)
            for v in raft.voters
            if v != raft.id and (p := transport.reach(world, disk, v)) is not None
        )
        if heirs:
            logs.handing_over(world, peer.proc, disk, heirs[0][1])
            leader.hand_over(raft, heirs[0][1], world.now)
            ready(world, disk, world.now)
            pump(world, world.now + NEAR, lambda: raft.lead == heirs[0][1])


def gone(world: World, disk: Disk) -> None:
    """A member's process has ended: whoever still runs must notice in time."""
    held = section(world)
    for ticket in [t for t in section(world).tickets.values() if t.disk == disk.id]:
        del section(world).tickets[ticket.id]
    group = held.groups.get(disk.cluster_id)
    if group is not None and group.asleep:
        refresh(world, disk)
    transport.forget(world)
    rest = members_in(world, disk)
    if rest:
        settle(world, rest[0].disk)
    else:
        held.groups.pop(disk.cluster_id, None)


__all__ = ["GROUP", "answer", "gone", "ready", "start", "stop", "tick", "timed", "wake"]
