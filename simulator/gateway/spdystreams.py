"""exec, attach and port-forward on the streams of SPDY/3.1, as client-go opens them.

A command has a stream for each of its descriptors, named by the header `streamType` (`client-go/tools/remotecommand/v1.go … v5.go`); a port
has two for each connection, `error` and `data`, paired by `requestID` (`client-go/tools/portforward`).  kubectl since 1.31 speaks the latter
inside of a WebSocket (`SPDY/3.1+portforward.k8s.io`, KEP-4006): the same bytes in its messages.
"""

from __future__ import annotations

import orjson

from simulator.core.lab.streaming.session import Item, Op

from . import spdy
from .codec import BrokenClient, pieces
from .discipline import Discipline, resized

#: Versions of the remote command protocol, the best first; port-forward has one.
COMMAND_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io")
FORWARD_PROTOCOL = "portforward.k8s.io"
TUNNEL = "SPDY/3.1+" + FORWARD_PROTOCOL


class Command:
    """A command's descriptors (`Codec`)."""

    def __init__(self, *, tty: bool, protocol: str, streams: set[str]) -> None:
        self.over = False
        self._wanted = streams
        self.protocol = protocol
        self._spdy = spdy.Connection()
        self._keyboard = Discipline() if tty else None
        self._streams: dict[str, int] = {}
        self._names: dict[int, str] = {}

    @property
    def ready(self) -> bool:
        """The client has opened every stream that its request speaks of (`waitForStreams`)."""
        return self._wanted <= self._streams.keys()

    def receive(self, data: bytes) -> list[Op]:
        """Bytes of the connection."""
        ops: list[Op] = []
        for event in self._spdy.receive(data):
            if isinstance(event, spdy.Opened):
                self._opened(event)
            elif isinstance(event, spdy.Reset):
                if self._names.get(event.stream) == "stdin":
                    ops.append(Op("end"))
            else:
                ops += self._data(event)
        return ops

    def say(self, items: list[Item]) -> None:
        """Output, and how it ended on the error stream."""
        for item in items:
            if item.what == "final":
                self._end(item.data)
            else:
                data = self._keyboard.shown(item) if self._keyboard is not None else item.data
                name = "stderr" if item.what == "err" and self._keyboard is None else "stdout"
                for piece in pieces(data):
                    self._send(name, piece)

    def take(self) -> list[bytes]:
        """Bytes for the connection."""
        data = self._spdy.take()
        return [data] if data else []

    def _opened(self, event: spdy.Opened) -> None:
        name = event.headers.get("streamtype", "")
        if name not in ("stdin", "stdout", "stderr", "error", "resize") or name in self._streams:
            raise BrokenClient(f"stream type {name!r}")
        self._spdy.reply(event.stream)
        self._streams[name] = event.stream
        self._names[event.stream] = name

    def _data(self, event: spdy.Data) -> list[Op]:
        name = self._names.get(event.stream)
        if name == "resize":
            return resized(event.data)
        if name != "stdin":
            return []
        if self._keyboard is not None:
            ops = self._keyboard.type(event.data)
            if self._keyboard.echo:
                self._send("stdout", bytes(self._keyboard.echo))
                self._keyboard.echo.clear()
            return ops
        return [Op("data", data=event.data)] * bool(event.data) + [Op("end")] * event.fin

    def _send(self, name: str, data: bytes) -> None:
        if name in self._streams:
            self._spdy.send(self._streams[name], data)

    def _end(self, outcome: bytes) -> None:
        self.over = True
        for name, stream in self._streams.items():
            if name in ("stdout", "stderr"):
                self._spdy.send(stream, b"", fin=True)
        error = self._streams.get("error")
        if error is not None:
            self._spdy.send(error, self._words(outcome), fin=True)

    def _words(self, outcome: bytes) -> bytes:
        """A Status from version 4 on; before, only the message of what went wrong."""
        if self.protocol in COMMAND_PROTOCOLS[:2]:
            return outcome
        status = orjson.loads(outcome)
        return b"" if status["status"] == "Success" else str(status.get("message", "")).encode()


def streams_of(query: dict[str, list[str]], protocol: str) -> set[str]:
    """The streams that a client opens for a command (`remotecommand.NewOptions`)."""
    asked = {name: query.get(name, ["false"])[0] in ("true", "1") for name in ("stdin", "stdout", "stderr", "tty")}
    found = {"error"} | {name for name in ("stdin", "stdout", "stderr") if asked[name]}
    if asked["tty"]:
        found -= {"stderr"}
        found |= {"resize"} if protocol in COMMAND_PROTOCOLS[:3] else set()
    return found


class Ports:
    """Connections to a pod's ports (`Codec`)."""

    ready = True

    def __init__(self) -> None:
        self.over = False
        self._spdy = spdy.Connection()
        self._kinds: dict[int, tuple[str, str]] = {}  # stream → (kind, requestID)
        self._pairs: dict[str, dict[str, int]] = {}  # requestID → kind → stream
        self._numbers: dict[int, str] = {}

    def receive(self, data: bytes) -> list[Op]:
        """Bytes of the connection."""
        ops: list[Op] = []
        for event in self._spdy.receive(data):
            if isinstance(event, spdy.Opened):
                ops += self._opened(event)
                continue
            kind, pair = self._kinds.get(event.stream, ("", ""))
            if isinstance(event, spdy.Reset):
                if kind == "data":
                    ops.append(Op("reset", number=event.stream))
                    self._finish(pair)
            elif kind == "data":
                ops += [Op("data", number=event.stream, data=event.data)] * bool(event.data)
                ops += [Op("end", number=event.stream)] * event.fin
        if self._spdy.gone:
            self.over = True
        return ops

    def say(self, items: list[Item]) -> None:
        """What servers say, and why a connection failed."""
        for item in items:
            pair = self._pairs.get(self._numbers.get(item.number, ""), {})
            if item.what == "data":
                for piece in pieces(item.data):
                    self._spdy.send(item.number, piece)
            elif item.what == "error" and "error" in pair:
                self._spdy.send(pair["error"], item.data)
            elif item.what == "end" and pair:
                self._spdy.send(pair["error"], b"", fin=True)
                self._spdy.send(item.number, b"", fin=True)
                self._finish(self._numbers[item.number])
            elif item.what == "final":
                self.over = True

    def take(self) -> list[bytes]:
        """Bytes for the connection."""
        return list(pieces(self._spdy.take()))

    def _opened(self, event: spdy.Opened) -> list[Op]:
        kind, port = event.headers.get("streamtype", ""), event.headers.get("port", "")
        # clients before requestID was invented open the error stream first, and the data stream next to it
        pair = event.headers.get("requestid") or str(event.stream if kind == "error" else event.stream - 2)
        if kind not in ("error", "data") or kind in self._pairs.get(pair, {}):
            raise BrokenClient(f"stream type {kind!r}")
        if not port.isdecimal() or not 1 <= int(port) <= 65535:
            raise BrokenClient(f"port {port!r}")
        self._spdy.reply(event.stream)
        self._kinds[event.stream] = (kind, pair)
        both = self._pairs.setdefault(pair, {})
        both[kind] = event.stream
        if len(both) < 2:
            return []
        self._numbers[both["data"]] = pair
        return [Op("connect", number=both["data"], port=int(port))]

    def _finish(self, pair: str) -> None:
        for stream in self._pairs.pop(pair, {}).values():
            self._kinds.pop(stream, None)
            self._numbers.pop(stream, None)
            self._spdy.forget(stream)
