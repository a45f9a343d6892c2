"""Requests and responses on the simulated network, HTTP-shaped; shared by the API server, etcd's gateway and images.

In-process clients may pass and receive decoded objects (`obj`) and skip JSON; `body` is authoritative when `obj` is None.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec
import orjson


class Request(msgspec.Struct, kw_only=True):
    """One request.  `path` has no query; header names are lower case; `client_cert` is PEM."""

    method: str
    path: str
    query: dict[str, list[str]] = {}
    headers: dict[str, str] = {}
    body: bytes = b""
    obj: Any = None
    client_cert: bytes = b""
    source: str = ""
    #: The client's address as the server sees it, after source NAT; "" where no packet was sent.
    client: str = ""
    scheme: str = "https"
    #: The port that it arrived at.
    port: int = 0

    def param(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else default


class Stream(Protocol):
    """An open response (watch, followed log): poll it after time has moved; it never blocks."""

    #: A topic that rings when there may be more (see World.ring), or "".
    topic: str

    def poll(self) -> list[Any]:
        """New items since the last poll; each is a decoded object (watch) or bytes (log)."""
        ...

    @property
    def closed(self) -> bool:
        """No more will come."""
        ...

    def close(self) -> None:
        """The client has gone."""
        ...


class Response(msgspec.Struct, kw_only=True):
    """One response; `latency` is the modelled time in nanoseconds that the server took."""

    status: int = 200
    headers: dict[str, str] = {}
    body: bytes = b""
    obj: Any = None
    stream: Any = None
    latency: int = 0


def stream_item(item: object) -> bytes:
    """The bytes of one item of a `Stream`: those of a log as they are, a watch event as a line of JSON."""
    if isinstance(item, (bytes, bytearray)):
        return bytes(item)
    kind, obj = getattr(item, "type", None), getattr(item, "object", None)
    return orjson.dumps({"type": kind, "object": obj} if kind is not None else item) + b"\n"
