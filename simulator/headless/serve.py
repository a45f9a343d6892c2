"""`python -m simulator serve`: one world behind HTTPS for the real kubectl, moving in real time (times `--speed`)."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time

from simulator.core.kernel import network
from simulator.core.kernel.clock import SECOND
from simulator.core.kernel.errors import BadInput
from simulator.core.kernel.http import Request, Response
from simulator.core.sandbox import Sandbox
from simulator.gateway.http import Connection
from simulator.gateway.tls import Material

#: The netns from which real clients reach the cluster: a machine outside it.
OUTSIDE = "outside"
TICK = 0.02


class Server:
    """A sandbox, its clock, and the clients that wait for it to move."""

    def __init__(self, sandbox: Sandbox, speed: float) -> None:
        self.sandbox, self.speed = sandbox, speed
        self.host = sandbox.first_host
        net = network.network(sandbox.world)
        if OUTSIDE not in net.namespaces:
            network.add_namespace(sandbox.world, OUTSIDE, OUTSIDE, ["172.30.0.100"])
        self.address = next(ip for ip in net.namespaces[self.host].ips)
        self._waiting: list[asyncio.Future[None]] = []
        self._began, self._from = time.monotonic(), sandbox.now

    def ask(self, request: Request) -> Response:
        """Send a client's request into the world; raises ConnectError when nothing listens there."""
        self.move()
        answer = network.http(self.sandbox.world, OUTSIDE, self.address, 6443, request)
        self.wake()
        return answer

    def move(self) -> None:
        """Let virtual time catch up with the clock on the wall."""
        due = self._from + int((time.monotonic() - self._began) * self.speed * SECOND)
        if due > self.sandbox.now:
            self.sandbox.advance(due)
            self.sandbox.drain()

    def moved(self) -> asyncio.Future[None]:
        """A future that is done when the world has moved."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return future

    def wake(self) -> None:
        """Tell the waiting streams."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def tick(self) -> None:
        """Move the world while nobody asks."""
        while True:
            await asyncio.sleep(TICK)
            self.move()
            self.wake()


async def _serve(args: argparse.Namespace) -> int:
    sandbox = Sandbox.boot(args.scenario, args.seed)
    server = Server(sandbox, args.speed)
    material = Material(sandbox.world, server.host)
    address, port = args.listen
    context = material.server_context(
        ("localhost", "kubernetes"), tuple({"127.0.0.1", address} if address[0].isdigit() else {"127.0.0.1"})
    )

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Connection(reader, writer, server.ask, server.moved).run()

    try:
        listener = await asyncio.start_server(client, address, port, ssl=context)
    except OSError as error:
        raise BadInput(f"--listen {address}:{port}: {error.strerror}") from None
    bound = listener.sockets[0].getsockname()[1]
    config = material.kubeconfig(f"https://{address}:{bound}")
    try:
        with open(os.open(args.kubeconfig, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(config)
    except OSError as error:
        raise BadInput(f"--kubeconfig {args.kubeconfig}: {error.strerror}") from None
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    ticking = asyncio.ensure_future(server.tick())
    print(f"ready https://{address}:{bound} kubeconfig {args.kubeconfig}", flush=True)
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait([ticking, stopping], return_when=asyncio.FIRST_COMPLETED)
    if ticking.done() and (failed := ticking.exception()) is not None:
        print(f"python -m simulator serve: the world stopped: {failed}", file=sys.stderr)
        return 1
    ticking.cancel()
    listener.close()
    return 0


def main(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM."""
    return asyncio.run(_serve(args))
