"""What a client's protocol is to the rest of the gateway: bytes of its own kind in, operations on the world out, and back.

No codec knows of sockets or of worlds: `serve` and the site drive the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from simulator.core.lab.streaming.session import Item, Op

PIECE = 32 * 1024


class BrokenClient(Exception):
    """The client does not speak the protocol that was agreed on."""


class Codec(Protocol):
    """One client's side of one session.  `over` says that all has been said and the connection is to be closed."""

    over: bool

    @property
    def ready(self) -> bool:
        """The client has said all that belongs to its request."""

    def receive(self, data: bytes) -> list[Op]:
        """A message (WebSocket) or a piece of the connection (SPDY); raises BrokenClient."""

    def say(self, items: list[Item]) -> None:
        """What the world says."""

    def take(self) -> list[bytes]:
        """Messages or pieces for the client."""


def pieces(data: bytes) -> Iterator[bytes]:
    """Data in parts that every client takes."""
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]
