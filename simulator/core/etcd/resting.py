"""When a group of members sleeps: who is at rest, the timers of those that are not, and what deadlines are when it wakes (replication.py tells why)."""

from __future__ import annotations

from ..kernel.clock import MS
from ..kernel.world import World
from . import transport
from .member import Disk, Group, section
from .raft import confchange, node
from .raft.state import LEADER, REPLICATE
from .transport import Peer


def group_of(world: World, disk: Disk) -> Group:
    """The group that a member belongs to."""
    groups = section(world).groups
    found = groups.get(disk.cluster_id)
    if found is None:
        found = groups[disk.cluster_id] = Group()
    return found


def arm_wire(world: World) -> None:
    """Have the one timer for the message that arrives next."""
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
    arm_wire(world)


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
