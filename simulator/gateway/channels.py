"""exec, attach and port-forward on the channels of a WebSocket (`v5.channel.k8s.io`, `v4.channel.k8s.io`).

Each message begins with the number of its channel.  Of a command: 0 standard input, 1 output, 2 error output, 3 the final Status, 4 the
size of the client's terminal; with v5, 255 closes a channel (`apimachinery/pkg/util/remotecommand/constants.go`,
`kubelet/pkg/cri/streaming/remotecommand`).  Of ports: two channels each, the bytes and the error, both beginning with the port's
number in two bytes, little-endian (`kubelet/pkg/cri/streaming/portforward/websocket.go`, which the Python client speaks).
"""

from __future__ import annotations

import struct

from simulator.core.lab.streaming.session import Item, Op

from .codec import BrokenClient, pieces
from .discipline import Discipline, resized

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
#: Ports that one request may name.
MAX_PORTS = 64


class Command:
    """A command's descriptors (`Codec`)."""

    ready = True

    def __init__(self, *, tty: bool) -> None:
        self.over = False
        self._keyboard = Discipline() if tty else None
        self._out: list[bytes] = []

    def receive(self, data: bytes) -> list[Op]:
        """A message of the client; what is not understood is ignored, as the real server does."""
        if not data:
            return []
        channel, rest = data[0], data[1:]
        if channel == STDIN and self._keyboard is not None:
            ops = self._keyboard.type(rest)
            if self._keyboard.echo:
                self._out.append(bytes([STDOUT]) + bytes(self._keyboard.echo))
                self._keyboard.echo.clear()
            return ops
        if channel == STDIN:
            return [Op("data", data=rest)] if rest else []
        if channel == CLOSE and rest == bytes([STDIN]):
            return [Op("end")]
        return resized(rest) if channel == RESIZE else []

    def say(self, items: list[Item]) -> None:
        """Output, and the Status at the end."""
        for item in items:
            if item.what == "final":
                self._out.append(bytes([ERROR]) + item.data)
                self.over = True
            else:
                data = self._keyboard.shown(item) if self._keyboard is not None else item.data
                channel = STDERR if item.what == "err" else STDOUT
                self._out += [bytes([channel]) + piece for piece in pieces(data)]

    def take(self) -> list[bytes]:
        """Messages for the client."""
        found, self._out = self._out, []
        return found


class Ports:
    """A pod's ports, each from the first byte on (`Codec`); `ports` are those of the request's query."""

    ready = True

    def __init__(self, ports: list[int]) -> None:
        self.over = False
        self._ports = ports
        self._open = dict.fromkeys(range(len(ports)), True)
        self._out = [bytes([2 * number + side]) + struct.pack("<H", port) for number, port in enumerate(ports) for side in (0, 1)]

    def opening(self) -> list[Op]:
        """What is done before the client has said anything."""
        return [Op("connect", number=number, port=port) for number, port in enumerate(self._ports)]

    def receive(self, data: bytes) -> list[Op]:
        """A message of the client."""
        if not data or data[0] % 2 or data[0] // 2 >= len(self._ports):
            raise BrokenClient("no such channel")
        return [Op("data", number=data[0] // 2, data=data[1:])] if len(data) > 1 else []

    def say(self, items: list[Item]) -> None:
        """Bytes and errors of the ports."""
        for item in items:
            if item.what == "data":
                self._out += [bytes([2 * item.number]) + piece for piece in pieces(item.data)]
            elif item.what == "error":
                self._out.append(bytes([2 * item.number + 1]) + item.data)
            elif item.what == "end":
                self._open.pop(item.number, None)
        self.over = self.over or not self._open or any(item.what == "final" for item in items)

    def take(self) -> list[bytes]:
        """Messages for the client."""
        found, self._out = self._out, []
        return found


def ports_of(query: dict[str, list[str]]) -> list[int]:
    """The ports that a request's query names; raises ValueError as the kubelet refuses them (`NewV4Options`)."""
    words = [word for value in query.get("ports", query.get("port", [])) for word in value.split(",")]
    if not words:
        raise ValueError('query parameter "port" is required')
    found = []
    for word in words[:MAX_PORTS]:
        if not word.isdecimal() or not 1 <= int(word) <= 65535:
            raise ValueError(f'unable to parse "{word}" as a port: must be 1 to 65535')
        found.append(int(word))
    return found
