"""Requests that want to leave HTTP: exec, attach and port-forward over WebSocket or SPDY; anything else is refused with a reason.

The API server (and behind it the kubelet) answers such a request with 101 and says in `obj` what is to be run where; the protocol
from there on is ours.  WebSocket framing is by `websockets`, SPDY's by `spdy.py`; what travels in the frames is a codec's matter.
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

from simulator.core.kernel.errors import BudgetExceeded
from simulator.core.kernel.http import Request, Response
from simulator.core.lab.streaming import held
from simulator.core.lab.streaming.session import Held, Op

from . import channels, spdystreams
from .codec import BrokenClient, Codec
from .edge import Edge, status

Obj = dict[str, Any]
#: Largest message of a client: kubectl sends standard input in pieces of 32 KiB.
MAX_MESSAGE = 1024 * 1024
READ = 64 * 1024
#: Seconds that a client may take to read, and to answer a goodbye.
DRAIN, FAREWELL = 60.0, 2.0
#: Stands for the agreed protocol while `websockets` looks at the handshake: kubectl's tunnel has a slash in its name, which is no token.
PLACEHOLDER = "agreed"


def wanted(request: Request) -> str:
    """The protocol that a request wants to change to, in lower case ("" when none)."""
    if "upgrade" not in request.headers.get("connection", "").lower():
        return ""
    return request.headers.get("upgrade", "").strip().lower()


def offered(request: Request) -> list[str]:
    """The subprotocols (WebSocket) or stream protocols (SPDY) that a client would speak, in its order."""
    listed = request.headers.get("sec-websocket-protocol", "") + "," + request.headers.get("x-stream-protocol-version", "")
    return [name.strip() for name in listed.split(",") if name.strip()]


def chosen(verb: str, kind: str, names: list[str]) -> str:
    """The protocol that both sides speak, "" for none; a WebSocket that offers nothing is taken for the first there was."""
    if verb == "port-forward":
        known: tuple[str, ...] = (
            (spdystreams.FORWARD_PROTOCOL,) if kind != "websocket" else (spdystreams.TUNNEL, "v4.channel.k8s.io")
        )
    else:
        known = channels.PROTOCOLS if kind == "websocket" else spdystreams.COMMAND_PROTOCOLS
    return next((name for name in known if name in names), "")


def codec_for(target: Obj, kind: str, protocol: str, query: dict[str, list[str]]) -> Codec:
    """The client's side of a target; raises ValueError for a query that makes no sense."""
    if target["verb"] != "port-forward":
        tty = bool(target.get("tty"))
        if kind == "websocket":
            return channels.Command(tty=tty)
        return spdystreams.Command(tty=tty, protocol=protocol, streams=spdystreams.streams_of(query, protocol))
    return channels.Ports(channels.ports_of(query)) if protocol == "v4.channel.k8s.io" else spdystreams.Ports()


def refusal(request: Request, answer: Response, kind: str) -> Obj | None:
    """The Status for an upgrade that cannot be served here, or None."""
    verb = (answer.obj or {}).get("verb") or "upgrade"
    if verb not in ("exec", "attach", "port-forward") or kind not in ("websocket", "spdy/3.1"):
        return status(501, "NotImplemented", f"{verb} over {request.headers.get('upgrade', '')} is not simulated in Slipway yet")
    names = offered(request)
    if not chosen(verb, kind, names):
        # apimachinery/pkg/util/httpstream: Handshake
        return status(403, "Forbidden", f"unable to upgrade: unable to negotiate protocol: client supports {names}")
    if verb == "port-forward" and chosen(verb, kind, names) == "v4.channel.k8s.io":
        try:
            channels.ports_of(request.query)
        except ValueError as error:
            return status(400, "BadRequest", str(error))
    return None


class WebSocket:
    """The server's side of one WebSocket on an asyncio connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, protocol: str) -> None:
        self.reader, self.writer, self.protocol = reader, writer, protocol
        self.proto = ServerProtocol(subprotocols=[Subprotocol(PLACEHOLDER)], max_size=MAX_MESSAGE)
        self._parts = bytearray()

    async def accept(self, head: h11.Request, trailing: bytes) -> bool:
        """Answer the handshake; False when it was refused (the client has been told)."""
        kept = [(name, value) for name, value in head.headers if name != b"sec-websocket-protocol"]
        kept.append((b"sec-websocket-protocol", PLACEHOLDER.encode()))
        lines = [b"GET " + head.target + b" HTTP/1.1", *(name + b": " + value for name, value in kept)]
        self.proto.receive_data(b"\r\n".join(lines) + b"\r\n\r\n" + trailing)
        handshake = self.proto.events_received()[0]
        assert isinstance(handshake, Handshake)
        response = self.proto.accept(handshake)
        if "Sec-WebSocket-Protocol" in response.headers:
            del response.headers["Sec-WebSocket-Protocol"]
            response.headers["Sec-WebSocket-Protocol"] = self.protocol
        self.proto.send_response(response)
        await self.flush()
        return self.proto.state is State.OPEN

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


class Spdy:
    """The server's side of an upgraded connection whose bytes are the codec's own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, protocol: str) -> None:
        self.reader, self.writer, self.protocol = reader, writer, protocol
        self._first = b""
        self.over = False

    async def accept(self, head: h11.Request, trailing: bytes) -> bool:
        """Answer the handshake."""
        self._first = trailing
        lines = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: SPDY/3.1\r\n"
        self.writer.write(f"{lines}x-stream-protocol-version: {self.protocol}\r\n\r\n".encode())
        await self.flush()
        return True

    async def flush(self) -> None:
        """Wait until the client takes what was written."""
        await asyncio.wait_for(self.writer.drain(), DRAIN)

    async def send(self, data: bytes) -> None:
        """A piece of the connection."""
        self.writer.write(data)
        await self.flush()

    def receive(self, data: bytes) -> Iterator[bytes]:
        """Bytes of the client."""
        if data:
            yield data

    def messages(self) -> Iterator[bytes]:
        """What came with the handshake."""
        if self._first:
            yield self._first
        self._first = b""

    async def close(self) -> None:
        """The client closes once it has read the end of its streams."""
        async with asyncio.timeout(FAREWELL):
            while await self.reader.read(READ):
                pass


async def serve(
    edge: Edge,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    head: h11.Request,
    request: Request,
    target: Obj,
    trailing: bytes,
) -> None:
    """Speak with a client until what it asked for has ended or it has gone."""
    kind = wanted(request)
    protocol = chosen(target["verb"], kind, offered(request))
    link: WebSocket | Spdy = WebSocket(reader, writer, protocol) if kind == "websocket" else Spdy(reader, writer, protocol)
    if not await link.accept(head, trailing):
        return
    codec = codec_for(target, kind, protocol, request.query)
    session = held.make(edge.world, Held(target))

    started, early = False, list[Op]()

    def act(ops: list[Op]) -> None:
        if not started:
            early.extend(ops)  # typed ahead while the client is still opening its streams
            return
        for op in ops:
            session.take(op)
        edge.changed()

    incoming = asyncio.ensure_future(reader.read(READ))
    try:
        for message in link.messages():
            act(codec.receive(message))
        while True:
            if codec.ready and not started:
                started = True
                session.start()
                act([*(codec.opening() if isinstance(codec, channels.Ports) else ()), *early])
            moved = edge.moved()
            codec.say(session.poll() if started else [])
            for message in codec.take():
                await link.send(message)
            if codec.over:
                break
            waits: list[asyncio.Future[Any]] = [incoming, moved]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if incoming.done():
                data = incoming.result()
                for message in link.receive(data):
                    act(codec.receive(message))
                await link.flush()
                if link.over or not data:
                    return
                incoming = asyncio.ensure_future(reader.read(READ))
    except (BrokenClient, BudgetExceeded):
        return
    finally:
        session.end()
        edge.changed()
        if not incoming.done():
            incoming.cancel()
            await asyncio.wait([incoming])
    await link.close()
