"""What an informer's copy held, read from an etcd member's disk past every process.

A copy is warm: after a restore it is made again, and then the API server or etcd may be away, while the world that was never
restored still has it.  So it is read as it was, without a request: nothing is logged, drawn, or waited for.
"""

from __future__ import annotations

from typing import Any

from ...etcd import member
from ...kernel.http import Request
from ...kernel.world import World
from . import past, request_info, resource
from .call import Call, User
from .server import Config, Server

Obj = dict[str, Any]


def possible(world: World) -> bool:
    """Could copies be made again in a world restored now?  Not while every etcd member is stopped: their data is in files then."""
    return bool(member.section(world).disks)


def objects(world: World, path: str, query: dict[str, list[str]], version: str) -> list[Obj] | None:
    """The objects of a collection as they were at a resourceVersion, as the API server gives them; None when they cannot be had.

    Where that revision has been compacted they are those of the oldest one left: an informer that is older has seen no change of
    its resource since, or would have been woken.
    """
    disk = past.reader(world, int(version))
    if disk is None:
        return None
    server = Server(world, Config(), disk)  # type: ignore[arg-type]
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
