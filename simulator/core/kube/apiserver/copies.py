"""What an informer's copy held, read from an etcd member's disk past every process.

A copy is warm: after a restore it is made again, and then the API server or etcd may be away, while the world that was never
restored still has it.  So it is read as it was, without a request: nothing is logged, drawn, or waited for.
"""

from __future__ import annotations

from typing import Any

from ...etcd import member
from ...etcd.mvcc import RangeResult, Store
from ...kernel.http import Request
from ...kernel.world import World
from . import request_info, resource
from .call import Call, User
from .server import Config, Server

Obj = dict[str, Any]

REGISTRY = b"/registry/"


class _Disk:
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


def possible(world: World) -> bool:
    """Could copies be made again in a world restored now?  Not while every etcd member is stopped: their data is in files then."""
    return bool(member.section(world).disks)


def _store(world: World, revision: int) -> Store | None:
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


def objects(world: World, path: str, query: dict[str, list[str]], version: str) -> list[Obj] | None:
    """The objects of a collection as they were at a resourceVersion, as the API server gives them; None when they cannot be had.

    Where that revision has been compacted they are those of the oldest one left: an informer that is older has seen no change of
    its resource since, or would have been woken.
    """
    wanted = int(version)
    store = _store(world, wanted)
    if store is None:
        return None
    server = Server(world, Config(), _Disk(store, max(wanted, store.state.compacted)))  # type: ignore[arg-type]
    for serving in world.warm.get("apiservers", {}).values():
        server.storage.share(serving.storage)
    info = request_info.parse("GET", path)
    kind = server.kind(info.group, info.version, info.resource)
    if kind is None:
        return None
    request = Request(method="GET", path=path, query=query)
    answer = resource.list_(Call(server, request, info, User("system:apiserver"), kind, server.strategy(kind)))
    items: list[Obj] = (answer.obj or {})["items"]
    return items
