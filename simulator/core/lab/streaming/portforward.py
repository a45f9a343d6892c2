"""port-forward: connections from outside to the loopback of a pod (`kubelet/pkg/cri/streaming/portforward`, containerd's `sandbox_portforward`).

Servers of the simulated network are asked whole requests, so bytes are read here as the protocol that they are: HTTP/1.1 by h11, and
Redis's by `resp.py`.  A connection that speaks anything else is told that it is not simulated.
"""

from __future__ import annotations

from typing import Any

import h11

from ...cli.forwarding import refused, reset
from ...kernel import http1, network
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response, stream_item
from ...kernel.world import World
from ...kube.apiserver import wire
from . import resp
from .session import Held, Item, Op, Outbox

#: Connections that a client may hold open at once, and the longest request.
MOST = 100
MAX_BODY = 3 * 1024 * 1024
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")


class Broken(Exception):
    """A connection into the pod has failed: what the client is told."""


class Http:
    """HTTP/1.1 to a server of the simulated network."""

    def __init__(self, ask: Any) -> None:
        self._ask = ask
        self._http = h11.Connection(h11.SERVER)
        self._head: h11.Request | None = None
        self._body = bytearray()
        self._stream: Any = None
        self.over = False

    @property
    def idle(self) -> bool:
        """Between two requests: a new connection would do as well."""
        return self._stream is None and self._http.their_state is h11.IDLE and not self._http.trailing_data[0]

    def receive(self, data: bytes) -> bytes:
        """Answer the requests that are whole."""
        out = b""
        try:
            if self._http.their_state is not h11.CLOSED:
                self._http.receive_data(data)
            while not self.over and self._stream is None:
                event = self._http.next_event()
                if event is h11.NEED_DATA or event is h11.PAUSED:
                    break
                if isinstance(event, h11.ConnectionClosed):
                    self.over = True
                elif isinstance(event, h11.Request):
                    self._head = event
                    self._body.clear()
                    if self._http.they_are_waiting_for_100_continue:
                        out += self._http.send(h11.InformationalResponse(status_code=100, headers=[])) or b""
                elif isinstance(event, h11.Data):
                    self._body += event.data
                    if len(self._body) > MAX_BODY:
                        raise h11.RemoteProtocolError("request too large", error_status_hint=413)
                elif isinstance(event, h11.EndOfMessage):
                    out += self._answer()
        except h11.RemoteProtocolError as error:
            self.over = True
            return out + http1.refusal(error.error_status_hint or 400, str(error))
        return out

    def poll(self) -> bytes:
        """More of a streamed answer."""
        if self._stream is None:
            return b""
        body = b"".join(stream_item(item) for item in self._stream.poll())
        out = (self._http.send(h11.Data(data=body)) or b"") if body else b""
        if self._stream.closed:
            self._stream = None
            out += self._finish()
        return out

    def close(self) -> None:
        """The client has gone."""
        if self._stream is not None:
            self._stream.close()

    def _answer(self) -> bytes:
        assert self._head is not None
        request = http1.request_of(self._head, bytes(self._body), "http")
        answer: Response = self._ask(request)
        status = answer.status if 200 <= answer.status < 600 else 501
        headers = {name: value for name, value in answer.headers.items() if name not in ("x-pretty", "transfer-encoding")}
        headers["content-type"] = wire.content_type(answer)
        if answer.stream is not None:
            headers.pop("content-length", None)
            self._stream = answer.stream
            return (self._http.send(http1.head(status, {**headers, "transfer-encoding": "chunked"})) or b"") + self.poll()
        body = wire.body_of(answer)
        headers.setdefault("content-length", str(len(body)))
        out = self._http.send(http1.head(status, headers)) or b""
        if request.method != "HEAD" and body and status not in (204, 304):
            out += self._http.send(h11.Data(data=body)) or b""
        return out + self._finish()

    def _finish(self) -> bytes:
        out = self._http.send(h11.EndOfMessage()) or b""
        if self._http.our_state is h11.MUST_CLOSE or self._http.their_state is not h11.DONE:
            self.over = True
        else:
            self._http.start_next_cycle()
        return out


class Connection:
    """One connection: silent until the client has said enough to know its protocol."""

    def __init__(self, forward: PortForward, port: int) -> None:
        self.forward, self.port = forward, port
        self.speaker: Http | resp.Redis | None = None
        self.first = b""

    def receive(self, data: bytes) -> bytes:
        """Bytes of the client (b"" is their end); raises Broken."""
        if self.speaker is None:
            self.first += data
            if not self.first:
                return b""
            self.speaker = self._speaker(self.first, ended=not data)
            if self.speaker is None:
                return b""
            data, self.first = self.first, b""
        return self.speaker.receive(data)

    @property
    def idle(self) -> bool:
        """A new connection in its place would do as well."""
        return not self.first if self.speaker is None else self.speaker.idle

    def _speaker(self, first: bytes, *, ended: bool) -> Http | resp.Redis | None:
        if first[:1] == b"*":
            return resp.Redis(self.ask)
        word = first[:8].split(b" ")[0].decode("latin-1")
        if word in METHODS and b" " in first[:8]:
            return Http(self.ask)
        if not ended and any(name.startswith(word) for name in METHODS):
            return None
        what = "TLS" if first[:1] == b"\x16" else "a protocol other than HTTP and Redis's"
        raise Broken(f"{what} through a forwarded port is not simulated in Slipway yet")

    def ask(self, request: Request) -> Response:
        """Send a request to the pod's own loopback."""
        try:
            return network.http(self.forward.world, self.forward.netns, "127.0.0.1", self.port, request)
        except ConnectError as error:
            if error.kind == "refused":
                raise Broken(refused(self.forward.netns, self.port)) from None
            raise Broken(reset(self.forward.netns, self.port)) from None


class PortForward:
    """A client's tunnel to one pod."""

    busy = False  # servers answer at once

    def __init__(self, world: World, held: Held) -> None:
        self.world, self.held, self.netns = world, held, str(held.target["netns"])
        self.outbox = Outbox()
        self.over = False
        self.connections = {number: Connection(self, port) for number, port in held.ports.items()}

    def start(self) -> None:
        """Nothing happens before the first connection."""

    def take(self, op: Op) -> None:
        """A connection is opened, written to, or closed."""
        self._look()
        if op.what == "connect":
            self._connect(op.number, op.port)
            return
        found = self.connections.get(op.number)
        if found is None:
            return
        if op.what == "reset":
            self._drop(op.number)
        elif op.what in ("data", "end"):
            try:
                answer = found.receive(op.data)
            except Broken as error:
                self._break(op.number, str(error))
                return
            if answer:
                self.outbox.put("data", answer, op.number)
            if op.what == "end" or (found.speaker is not None and found.speaker.over):
                self._close(op.number)

    def poll(self) -> list[Item]:
        """What the servers say; the tunnel is over when the pod's sandbox has gone."""
        self._look()
        items = self.outbox.take()
        if not self.over and self.netns not in network.network(self.world).namespaces:
            self.over = True
            items.append(Item("final"))
        return items

    def end(self) -> None:
        """The client has gone."""
        for number in list(self.connections):
            self._drop(number)

    @property
    def idle(self) -> bool:
        """No request is half said or half answered, and none has been kept back by its protocol."""
        return not self.outbox.items and all(found.idle for found in self.connections.values())

    def _look(self) -> None:
        """Answers that go on and on."""
        for number, found in list(self.connections.items()):
            if isinstance(found.speaker, Http):
                self.outbox.found("data", found.speaker.poll(), number)
                if found.speaker.over:
                    self._close(number)

    def _connect(self, number: int, port: int) -> None:
        if number in self.connections:
            return
        if len(self.connections) >= MOST:
            self._break(number, f"error forwarding port {port}: more than {MOST} connections at once")
            return
        self.connections[number] = Connection(self, port)
        self.held.ports[number] = port
        try:
            network.connect(self.world, self.netns, "127.0.0.1", port)
        except ConnectError as error:
            self._break(number, (refused if error.kind == "refused" else reset)(self.netns, port))

    def _break(self, number: int, message: str) -> None:
        self.outbox.put("error", message.encode(), number)
        self._close(number)

    def _close(self, number: int) -> None:
        self.outbox.found("end", b"", number)
        self._drop(number)

    def _drop(self, number: int) -> None:
        found = self.connections.pop(number, None)
        self.held.ports.pop(number, None)
        if found is not None and isinstance(found.speaker, Http):
            found.speaker.close()
