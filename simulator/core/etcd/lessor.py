"""When leases end: the leader (or the only member) wakes at the next expiry and revokes through Raft (server/lease/lessor.go)."""

from __future__ import annotations

from ..host.process import Process
from ..kernel.clock import SECOND
from ..kernel.world import World
from .member import Disk, Running
from .raft.state import LEADER


def leads(disk: Disk) -> bool:
    """Whether this member is the primary lessor."""
    return disk.raft is None or disk.raft.role == LEADER


def schedule(world: World, proc: Process, disk: Disk, running: Running) -> None:
    """Set the timer of the next expiry; followers keep none."""
    if not disk.store.leases or not leads(disk):
        return
    due = max(min(lease.expires for lease in disk.store.leases.values()), world.now + SECOND // 2)
    if running.lease_timer:
        if running.lease_due <= due:
            return
        world.cancel(running.lease_timer)
    running.lease_due = due
    running.lease_timer = world.at(due, proc.target, ["leases"])


def promote(world: World, disk: Disk) -> None:
    """A new leader does not know when leases were last kept alive: it gives each its whole time again."""
    for lease in disk.store.leases.values():
        lease.expires = world.now + max(lease.ttl, 2) * SECOND
