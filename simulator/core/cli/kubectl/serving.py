"""Listening sockets of a running kubectl, and who answers what arrives at them.

A command is a coroutine of the warm world; a connection is an ordinary call into the process that listens.  `PROGRAM` is what the kernel
finds for such a process, and passes the request to the function that the command registered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ...host.process import Process
from ...kernel import network
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from ...kernel.world import World
from .session import Session

#: The entry of `tables['programs']` that answers for a kubectl that listens.
NAME = "kubectl-server"
Answer = Callable[[Request, int], Response]


class Server:
    """What one process listens on."""

    def __init__(self, s: Session, answer: Answer) -> None:
        self.session, self.answer = s, answer
        self.ports: list[int] = []
        #: Rings after every connection.
        self.topic = f"kubectl:{s.inv.proc.key}"

    def listen(self, address: str, port: int) -> int:
        """Bind a port, 0 for a free one; returns it.  Raises OSError when it is taken."""
        s = self.session
        proc = s.inv.proc
        netns = proc.netns or proc.host
        for _ in range(100):
            number = port or s.world.rng("ephemeral-ports").between(32768, 60999)
            try:
                network.listen(s.world, netns, number, host=proc.host, pid=proc.pid, address=address)
            except OSError:
                if port:
                    raise
                continue
            self.ports.append(number)
            return number
        raise OSError("address already in use")


def servers(world: World) -> dict[str, Server]:
    """The listening kubectls by process; part of the warm world, as their coroutines are."""
    found: dict[str, Server] = world.warm.setdefault("kubectl-servers", {})
    return found


@contextmanager
def listening(s: Session, answer: Answer) -> Iterator[Server]:
    """Answer with `answer(request, local port)` inside the block; sockets close at its end."""
    proc = s.inv.proc
    server = Server(s, answer)
    servers(s.world)[proc.key] = server
    before, proc.program = proc.program, NAME
    try:
        yield server
    finally:
        servers(s.world).pop(proc.key, None)
        proc.program = before
        network.close_sockets(s.world, proc.netns or proc.host, proc.pid)


class Serving:
    """The behaviour of a kubectl that listens; it is started and ended as the command it is."""

    def start(self, world: World, proc: Process) -> None:
        """Never called: a command begins as a coroutine."""

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """A command has no timers of its own."""

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """A signal ends the coroutine first; this is its exit status."""
        return 128 + signal

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """A connection to one of the sockets."""
        server = servers(world).get(proc.key)
        if server is None:
            raise ConnectError("reset", proc.host)
        _, _, text = request.headers.get("host", "").rpartition(":")
        port = int(text) if text.isdigit() else 80
        try:
            return server.answer(request, port if port in server.ports else server.ports[0])
        finally:
            world.ring(server.topic)


PROGRAM = Serving()
