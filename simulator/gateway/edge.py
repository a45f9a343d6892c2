"""What a connection needs of the world behind it, and the ways in which that world may be away."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from simulator.core.kernel.http import Request, Response
from simulator.core.kernel.world import World


class WorldStopped(Exception):
    """The world behind the gateway has failed; nothing more comes of it."""


class Edge(Protocol):
    """A world with its clock, as the connections of real clients see it."""

    @property
    def world(self) -> World:
        """The world."""

    def ask(self, request: Request) -> Response:
        """Send a request into the world.

        Raises ConnectError when the API server does not listen, WorldStopped when there is no world any more.  A request that
        breaks the server's code is answered with 500 and reported, as a panic in a real handler is.
        """

    def moved(self) -> asyncio.Future[None]:
        """A future, shared by all who wait, that is done when the world has moved."""

    def changed(self) -> None:
        """Something was done to the world from outside: run what is due and wake who waits."""


def status(code: int, reason: str, message: str) -> dict[str, Any]:
    """A Status for answers that the gateway itself gives (`apimachinery/pkg/apis/meta/v1/types.go: Status`)."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
