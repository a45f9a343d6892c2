"""Requests to a member of a cluster of several: what is refused at once, what becomes a ticket, and how its answer comes about."""

from __future__ import annotations

from typing import Any

from ..kernel.clock import MS, SECOND
from ..kernel.world import World
from . import lessor, maintenance, membership, transport
from .client import Call
from .errors import EtcdError, Waiting, not_for_learners
from .member import Disk, MemberInfo, Running, section
from .mvcc import Lease
from .raft.confchange import ADD, ADD_LEARNER, REMOVE, UPDATE
from .raft.state import LEADER
from .replication import NEAR, can_elect, found_group, pump, run_ahead, try_start
from .resting import refresh, settle
from .ticket import REQUEST_TIMEOUT, Ticket, encode

HEALTH = 5 * SECOND


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
    if ticket.done:
        return ticket
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
    ticket = _ticket(world, disk, "transfer", encode(world, call))
    if member.id == disk.member_id:  # it leads already
        ticket.done, ticket.at = True, world.now
    return ticket


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
