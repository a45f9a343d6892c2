"""Requests under way on members of a cluster of several, and their form in the log.

A `Ticket` is state: a request that no leader has taken yet is proposed when there is one, also in a world that was stored meanwhile.
Who waits for the answer holds the ticket; the section holds it until it is answered.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..kernel.clock import SECOND
from ..kernel.world import World
from .authstore import Permission
from .client import Call
from .mvcc import Compare, Op

#: etcd's time for a request: five seconds and two election timeouts (config.go: ReqTimeout).
REQUEST_TIMEOUT = 7 * SECOND


class Ticket(msgspec.Struct, omit_defaults=True):
    """A request under way on the member whose data directory is `disk`, since `began` (virtual ns).

    `kind` is `write`, `read`, `conf` or `transfer`; `data` the entry to propose, or the encoded call of a read or a transfer; `lead` the
    leader that the member knew when it came.  `started` says that Raft has it, `done` that `result` or `error` (an EtcdError) is the
    answer of the time `at`; then it is in the section no more.
    """

    id: int
    disk: str
    began: int
    kind: str
    data: bytes = b""
    lead: int = 0
    started: bool = False
    done: bool = False
    at: int = 0
    result: Any = None
    error: Any = None

    @property
    def deadline(self) -> int:
        """When the member gives up."""
        return self.began + REQUEST_TIMEOUT

    @property
    def topic(self) -> str:
        """Rings when it is done."""
        return f"etcd-ticket:{self.id}"


def encode(world: World, call: Call) -> bytes:
    """A request as the content of an entry."""
    data = msgspec.msgpack.encode([call.method, call.args])
    _decoded(world)[data] = call
    return data


def _decoded(world: World) -> dict[bytes, Call]:
    found: dict[bytes, Call] = world.warm.setdefault("etcd-decoded", {})
    if len(found) > 512:
        for key in list(found)[:256]:
            del found[key]
    return found


def decode(world: World, data: bytes) -> Call:
    """The request in an entry; every member of a world decodes the same bytes, so the last ones are remembered."""
    known = _decoded(world)
    call = known.get(data)
    if call is None:
        method, args = msgspec.msgpack.decode(data)
        if method == "KV/Txn":
            args["compare"] = msgspec.convert(args["compare"], tuple[Compare, ...])
            for name in ("success", "failure"):
                args[name] = msgspec.convert(args[name], tuple[Op, ...])
        elif method == "Auth/RoleGrantPermission":
            args["perm"] = msgspec.convert(args["perm"], Permission)
        call = known[data] = Call(method, args)
    return call
