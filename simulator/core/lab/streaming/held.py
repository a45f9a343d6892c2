"""The sessions of a world: by kind of target, and (on the site) by the id that their journal rows name.

`Streams` is a section of the state, there from the first session on; the live sessions stand beside it in the warm world.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from typing import Any

import msgspec
import orjson

from ...kernel.errors import BadInput
from ...kernel.world import World
from .. import edge
from .portforward import PortForward
from .remotecommand import Attach, Exec
from .session import MAX_DATA, Held, Item, Op

#: Sessions that may be open at once in one world; one more ends the oldest, so that clients that vanished leave no more than these.
MOST = 16


class Row(msgspec.Struct, forbid_unknown_fields=True):
    """A journal row of kind `stream`: the request that opens a session, what its client does, or that it has gone."""

    id: str
    open: edge.Call | None = None
    ops: list[Op] = []
    close: bool = False


def parse(data: dict[str, Any]) -> Row:
    """A row's data; raises BadInput naming the field."""
    try:
        row = msgspec.convert(data, Row)
    except msgspec.ValidationError as error:
        raise BadInput(f"stream: {error}") from None
    if not 1 <= len(row.id) <= 64:
        raise BadInput("stream: id: must have 1 to 64 characters")
    if sum(len(op.data) for op in row.ops) > MAX_DATA:
        raise BadInput(f"stream: ops: more than {MAX_DATA} bytes")
    if row.open is not None:
        edge.check(row.open)
    return row


def play(world: World, host: str, row: Row) -> edge.Answer | None:
    """Let a row take effect; the API server's answer when it was one that opens."""
    answer = None
    if row.open is not None:
        response = edge.send(world, host, row.open)
        answer = edge.answer_of(response)
        if response is not None and response.status == 101:
            begin(world, row.id, response.obj)
            answer.body = base64.b64encode(
                orjson.dumps({key: response.obj.get(key) for key in ("verb", "tty", "stdin")})
            ).decode()
    take(world, row.id, row.ops)
    if row.close:
        close(world, row.id)
    return answer


class Streams(msgspec.Struct):
    """The open sessions, and a running digest of what the world said in any of them."""

    items: dict[str, Held] = {}
    digest: bytes = b"\0" * 16


Session = Exec | Attach | PortForward


def make(world: World, held: Held) -> Session:
    """The session for a target that the kubelet gave."""
    kinds: dict[str, Any] = {"exec": Exec, "attach": Attach, "port-forward": PortForward}
    found: Session = kinds[held.target["verb"]](world, held)
    return found


def begin(world: World, ident: str, target: dict[str, Any]) -> None:
    """Begin a session under an id; raises BadInput."""
    streams = world.section("streams", Streams)
    if ident in streams.items:
        raise BadInput(f"stream: id: {ident} is open already")
    if len(streams.items) >= MOST:
        close(world, next(iter(streams.items)))
    streams.items[ident] = Held(target)
    _session(world, ident).start()


def take(world: World, ident: str, ops: list[Op]) -> None:
    """What a client did, in order; a session that is not open takes nothing."""
    if ident in _items(world):
        found = _session(world, ident)
        for op in ops:
            found.take(op)


def close(world: World, ident: str) -> None:
    """The client has gone, or has heard the end: only this takes a session away, whoever looked when."""
    if ident in _items(world):
        _session(world, ident).end()
        _items(world).pop(ident, None)
        world.warm.get("streams", {}).pop(ident, None)


def drain(world: World) -> list[tuple[str, int, list[Item]]]:
    """What the sessions have to say: id, the bytes that were said before, items."""
    out = []
    for ident in sorted(_items(world)):
        items = _session(world, ident).poll()
        if items:
            held = _items(world)[ident]
            out.append((ident, held.said, items))
            held.said += sum(len(item.data) for item in items)
    return out


def busy(world: World, ident: str) -> bool:
    """Something runs in that session that does not wait for its client."""
    return ident in _items(world) and _session(world, ident).busy


def idle(world: World) -> bool:
    """All of them stand in the state, so the world can be stored."""
    return all(_session(world, ident).idle for ident in _items(world))


def digest(world: World) -> bytes:
    """The running digest; nothing in a world that nobody has reached into."""
    found: Streams | None = world.sections.get("streams")
    return found.digest if found is not None else b""


def _items(world: World) -> dict[str, Held]:
    found: Streams | None = world.sections.get("streams")
    return found.items if found is not None else {}


def _session(world: World, ident: str) -> Session:
    warm: dict[str, Session] = world.warm.setdefault("streams", {})
    if ident not in warm:
        found = make(world, _items(world)[ident])
        found.outbox.noted = functools.partial(_note, world, ident)
        warm[ident] = found
    return warm[ident]


def _note(world: World, ident: str, what: str, data: bytes, number: int) -> None:
    streams = world.section("streams", Streams)
    line = f"{world.now}\0{ident}\0{what}\0{number}\0".encode() + data
    streams.digest = hashlib.blake2b(line, key=streams.digest, digest_size=16).digest()
