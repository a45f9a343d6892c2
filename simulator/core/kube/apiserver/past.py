"""What etcd held at a revision, read from a member's disk past every process.

For what is warm and has to be made again as it was, without a request: nothing is logged, drawn, or waited for, and it works while
every member that the reader would ask is away.
"""

from __future__ import annotations

from ...etcd import member
from ...etcd.mvcc import RangeResult, Store
from ...kernel.world import World

REGISTRY = b"/registry/"


class Disk:
    """The reading half of an etcd client, on a store at one revision."""

    write_latency = 0

    def __init__(self, store: Store, revision: int) -> None:
        self.store = store
        self.revision = revision

    def range(
        self, key: bytes, range_end: bytes = b"", *, revision: int = 0, limit: int = 0, serializable: bool = True
    ) -> RangeResult:
        return self.store.range(key, range_end, revision=revision or self.revision, limit=limit)

    def current_revision(self) -> int:
        return self.revision


def store_of(world: World, revision: int) -> Store | None:
    """The store that the cluster's objects are in, of a member that has got to `revision`; a running one first, stopped ones last.

    One that still has that revision comes before one that has compacted it away: data that was restored with its revision moved on knows
    nothing of what was seen before, but the member that was stopped for it does.
    """
    held = member.section(world)
    running = {run.disk for run in held.running.values()}
    stopped: dict[str, member.Disk] = world.warm.get("etcd-stopped", {})
    disks = {**stopped, **held.disks}

    def order(disk: member.Disk) -> tuple[bool, bool, bool, str]:
        return disk.store.compacted > revision, disk.id not in running, disk.id not in held.disks, disk.id

    for disk in sorted(disks.values(), key=order):
        store = member.store(world, disk)
        if store.state.revision >= revision and store.range(REGISTRY, REGISTRY[:-1] + b"0", limit=1, keys_only=True).kvs:
            return store
    return None


def reader(world: World, revision: int) -> Disk | None:
    """Something to read at a revision with; at the oldest one that is left where that has been compacted, None when nobody has it."""
    found = store_of(world, revision)
    return None if found is None else Disk(found, max(revision, found.state.compacted))
