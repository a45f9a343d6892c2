"""Requests that want to leave HTTP: exec, attach and port-forward over WebSocket; anything else is refused with a reason.

The API server (and behind it the kubelet) answers such a request with 101 and says in `obj` what is to be run where; the protocol
from there on is ours.  Framing is by `websockets`; what travels in the frames is in `channels.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import h11
from websockets.exceptions import ProtocolError
from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from simulator.core.kernel.http import Request, Response

from . import channels
from .edge import Edge, status

Obj = dict[str, Any]
#: Largest message of a client: kubectl sends standard input in pieces of 32 KiB.
MAX_MESSAGE = 1024 * 1024
READ = 64 * 1024
#: Seconds that a client may take to read, and to answer a goodbye.
DRAIN, FAREWELL = 60.0, 2.0


def wanted(request: Request) -> str:
    """The protocol that a request wants to change to, in lower case ("" when none)."""
    if "upgrade" not in request.headers.get("connection", "").lower():
        return ""
    return request.headers.get("upgrade", "").strip().lower()


def refusal(request: Request, answer: Response, protocol: str) -> Obj | None:
    """The Status for an upgrade that cannot be served here, or None."""
    what = (answer.obj or {}).get("verb") or "upgrade"
    if what != "exec":
        return status(501, "NotImplemented", f"{what} is not simulated in Slipway yet")
    if protocol != "websocket":
        over = request.headers.get("upgrade", "")
        text = f"{what} over {over} is not simulated in Slipway yet: use a client that speaks WebSocket (kubectl 1.30 or newer)"
        return status(501, "NotImplemented", text)
    return None


class WebSocket:
    """The server's side of one WebSocket on an asyncio connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, protocols: tuple[str, ...]) -> None:
        self.reader, self.writer = reader, writer
        self.proto = ServerProtocol(subprotocols=[Subprotocol(name) for name in protocols], max_size=MAX_MESSAGE)
        self._parts = bytearray()

    async def accept(self, head: h11.Request, trailing: bytes) -> bool:
        """Answer the handshake; False when it was refused (the client has been told)."""
        lines = [b"GET " + head.target + b" HTTP/1.1", *(name + b": " + value for name, value in head.headers)]
        self.proto.receive_data(b"\r\n".join(lines) + b"\r\n\r\n" + trailing)
        handshake = self.proto.events_received()[0]
        assert isinstance(handshake, Handshake)
        self.proto.send_response(self.proto.accept(handshake))
        await self.flush()
        return self.proto.state is State.OPEN

    @property
    def subprotocol(self) -> str:
        """What both sides agreed on."""
        return self.proto.subprotocol or ""

    async def flush(self) -> None:
        """Write what the protocol has to say."""
        for data in self.proto.data_to_send():
            if data:
                self.writer.write(data)
        await asyncio.wait_for(self.writer.drain(), DRAIN)

    async def send(self, message: bytes) -> None:
        """One binary message."""
        if self.proto.state is State.OPEN:
            self.proto.send_binary(message)
            await self.flush()

    def receive(self, data: bytes) -> Iterator[bytes]:
        """Take bytes of the client; yields its messages, whole."""
        if data:
            self.proto.receive_data(data)
        else:
            self.proto.receive_eof()
        yield from self.messages()

    def messages(self) -> Iterator[bytes]:
        """Messages that have come, whole."""
        for event in self.proto.events_received():
            if not isinstance(event, Frame) or event.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                continue
            self._parts += event.data
            if len(self._parts) > MAX_MESSAGE:
                self.proto.fail(1009, "message too big")
                return
            if event.fin:
                whole = bytes(self._parts)
                self._parts.clear()
                yield whole

    @property
    def over(self) -> bool:
        """The client has gone or has broken the protocol."""
        return self.proto.state is not State.OPEN or isinstance(self.proto.parser_exc, ProtocolError)

    async def close(self, code: int = 1000) -> None:
        """Say goodbye and wait a little for the client's."""
        if self.proto.state is State.OPEN:
            self.proto.send_close(code)
        await self.flush()
        async with asyncio.timeout(FAREWELL):
            while self.proto.state is not State.CLOSED and (data := await self.reader.read(READ)):
                self.proto.receive_data(data)
                await self.flush()


async def serve(
    edge: Edge, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: h11.Request, target: Obj, trailing: bytes
) -> None:
    """Speak WebSocket with a client until what it asked for has ended or it has gone."""
    socket = WebSocket(reader, writer, channels.PROTOCOLS)
    if not await socket.accept(head, trailing):
        return
    session = channels.Session(edge, target, socket.subprotocol)
    incoming = asyncio.ensure_future(reader.read(READ))
    try:
        session.start()
        for message in socket.messages():
            session.take(message)
        while True:
            moved = edge.moved()
            for message in session.output():
                await socket.send(message)
            if session.over:
                break
            waits: list[asyncio.Future[Any]] = [incoming, moved]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if incoming.done():
                data = incoming.result()
                for message in socket.receive(data):
                    session.take(message)
                await socket.flush()
                if socket.over or not data:
                    return
                incoming = asyncio.ensure_future(reader.read(READ))
    finally:
        session.end()
        if not incoming.done():
            incoming.cancel()
            await asyncio.wait([incoming])
    await socket.close()
