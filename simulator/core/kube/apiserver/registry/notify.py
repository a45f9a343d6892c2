"""Trace events for requests that change something; heartbeats and Events stay quiet.

`begin` emits the client's request and the server's admission of it and makes that the cause of the write, so that doorbells
rung by etcd, and all that follows from them, point back at the request; `end` restores the cause.
"""

from __future__ import annotations

from typing import Any

from ..call import Call

Obj = dict[str, Any]

#: Resources whose changes are not shown (heartbeats and their like).
QUIET = frozenset(("leases", "events"))


def is_quiet(call: Call) -> bool:
    """Whether this request leaves no trace."""
    if call.kind.plural in QUIET or call.strategy.quiet or call.server.booting:
        return True
    return call.kind.plural == "nodes" and call.info.subresource == "status"


def begin(call: Call, verb: str, meta: Obj) -> int:
    """Announce a write; returns the cause to restore, or -1 for a quiet one."""
    if is_quiet(call):
        return -1
    where = f"{meta['namespace']}/{meta['name']}" if meta.get("namespace") else str(meta["name"])
    ref = f"{call.kind.plural}/{where}"
    detail: Obj = {"verb": "patch" if call.request.method == "PATCH" and verb == "update" else verb, "user": call.user.name}
    if call.info.subresource:
        detail["subresource"] = call.info.subresource
    world = call.server.world
    before = world.cause
    asked = world.emit(call.actor, "request", ref, detail)
    world.cause = world.emit("kube-apiserver", "admit", ref, {"verb": detail["verb"]}, cause=asked)
    return before


#: Clients whose reads are shown too: people ask with them.  Components read all the time.
READERS = frozenset(("kubectl", "curl"))


def read(call: Call, verb: str) -> None:
    """Announce a read of somebody who waits for the answer."""
    if call.actor not in READERS or (is_quiet(call) and call.kind.plural != "events"):
        return
    parts = (call.kind.plural, call.namespace, call.info.name)
    ref = "/".join(part for part in parts if part)
    world = call.server.world
    asked = world.emit(call.actor, "request", ref, {"verb": verb, "user": call.user.name})
    served = world.emit("kube-apiserver", "read", ref, {"verb": verb}, cause=asked)
    prefix = call.kind.prefix + "".join(f"/{part}" for part in parts[1:] if part)
    world.emit("etcd", "range", prefix, {"verb": verb}, cause=served)


def end(call: Call, before: int) -> None:
    """The write is done (or failed)."""
    if before >= 0:
        call.server.world.cause = before
