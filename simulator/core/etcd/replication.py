"""A member's part in a cluster of several: what follows when Raft has changed something, messages arrive, or time passes.

`requests.py` takes requests in, `ticket.py` is one under way, `applying.py` makes state of committed entries, `resting.py` knows when a group sleeps.

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

from ..kernel.clock import MS, SECOND
from ..kernel.world import World
from . import lessor, logs, membership, transport
from .applying import SNAPSHOT_COUNT, apply, compact, count, finish, install, with_snapshot
from .client import Call
from .errors import EtcdError, leader_changed
from .member import Disk, Running, section
from .raft import leader, log, node
from .raft.state import LEADER, Message, Node
from .resting import arm_wire, members_in, refresh, settle
from .ticket import REQUEST_TIMEOUT, Ticket, decode, encode
from .transport import Peer

#: How far ahead of the world a caller that cannot wait may run the group: longer than an election takes.
PATIENCE = 4 * SECOND
#: Messages to members this slow or less are delivered with the request that caused them.
NEAR = 20 * MS


# -- tickets ------------------------------------------------------------------------------------------------------------------


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
            transport.post(world, disk, with_snapshot(disk, m) if m.kind == "snap" else m, at)
    if len(raft.log) > SNAPSHOT_COUNT or len(raft.log) > count(peer.running, "snapshot-count", 10000) * 2:
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
    arm_wire(world)


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
        count(running, "heartbeat-interval", 100) * MS,
        count(running, "election-timeout", 1000) * MS,
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
