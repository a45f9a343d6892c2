"""`python -m simulator serve`: one world behind HTTPS for the real kubectl, moving in real time (times `--speed`)."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import os
import signal
import ssl
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path, PurePath

from simulator.core.kernel import network
from simulator.core.kernel.clock import MS, SECOND
from simulator.core.kernel.errors import BadInput, ConnectError
from simulator.core.kernel.http import Request, Response
from simulator.core.kernel.world import World
from simulator.core.lab import bare
from simulator.core.sandbox import Sandbox
from simulator.gateway.edge import WorldStopped, status
from simulator.gateway.http import Connection
from simulator.gateway.tls import Material

#: The netns from which real clients reach the cluster: a machine outside it.
OUTSIDE = "outside"
PORT = 6443
TICK = 0.02
#: Virtual time moves in steps of at most this, and one turn of moving takes at most so many seconds: a world that is too slow for
#: the asked speed runs as fast as it can, and its clients are served in between.
STEP, TURN = 500 * MS, 0.1
MAX_SPEED = 10_000.0
MAX_CLIENTS = 1000
#: Seconds that a client may take to begin and to end its TLS session.
HANDSHAKE, FAREWELL = 15.0, 2.0


class Server:
    """A sandbox, its clock, and the clients that wait for it to move (`gateway.edge.Edge`)."""

    def __init__(self, sandbox: Sandbox, speed: float) -> None:
        self._waiting: asyncio.Future[None] | None = None
        self.replace(sandbox, speed)

    def replace(self, sandbox: Sandbox, speed: float) -> None:
        """Serve another world from now on; the clients of the one before must have gone."""
        self.sandbox, self.speed = sandbox, speed
        self.host = sandbox.first_host
        self.failure: BaseException | None = None
        net = network.network(sandbox.world)
        if OUTSIDE not in net.namespaces:
            network.add_namespace(sandbox.world, OUTSIDE, OUTSIDE, ["172.30.0.100"])
        self.address = next(ip for ip in net.namespaces[self.host].ips)
        self.resume()

    def resume(self) -> None:
        """Count time from here: somebody else has let it pass."""
        self._began, self._from = time.monotonic(), self.sandbox.now

    @property
    def world(self) -> World:
        """The world."""
        return self.sandbox.world

    def listening(self) -> bool:
        """Whether the simulated API server can be reached."""
        try:
            network.connect(self.world, OUTSIDE, self.address, PORT)
        except ConnectError:
            return False
        return True

    def ask(self, request: Request) -> Response:
        """Send a client's request into the world; see `gateway.edge.Edge`."""
        self.move()
        try:
            answer = network.http(self.world, OUTSIDE, self.address, PORT, request)
        except ConnectError:
            raise
        except Exception as error:
            report(f"{request.method} {request.path}: {describe(error)}")
            text = "This request caused apiserver to panic. Look in the logs for details."
            return Response(status=500, obj=status(500, "InternalError", text))
        self.changed()
        return answer

    def move(self) -> None:
        """Let virtual time catch up with the clock on the wall; raises WorldStopped when the world cannot go on."""
        if self.failure is not None:
            raise WorldStopped
        began = time.monotonic()
        due = self._from + int((began - self._began) * self.speed * SECOND)
        try:
            while self.sandbox.now < due:
                self.sandbox.advance(min(due, self.sandbox.now + STEP))
                if time.monotonic() - began > TURN:
                    self._began, self._from = time.monotonic(), self.sandbox.now
                    break
            self.sandbox.drain()
            self.sandbox.drain_trace()
        except Exception as error:
            self.failure = error
            raise WorldStopped from error

    def moved(self) -> asyncio.Future[None]:
        """A future, shared by all who wait, that is done when the world has moved."""
        if self._waiting is None or self._waiting.done():
            self._waiting = asyncio.get_running_loop().create_future()
        return self._waiting

    def changed(self) -> None:
        """Wake the waiting streams."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)


class Listener:
    """The real socket: open while the simulated API server listens, closed (connections are refused) while it does not."""

    def __init__(self, server: Server, context: ssl.SSLContext, address: str, port: int) -> None:
        self.server, self.context, self.address, self.port = server, context, address, port
        self._open: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Bind; raises OSError."""
        self._open = await asyncio.start_server(
            self._client,
            self.address,
            self.port,
            ssl=self.context,
            ssl_handshake_timeout=HANDSHAKE,
            ssl_shutdown_timeout=FAREWELL,
            backlog=256,
        )
        self.port = self._open.sockets[0].getsockname()[1]

    async def follow(self) -> None:
        """Open or close as the simulated API server does."""
        up = self.server.listening()
        if up and self._open is None:
            with contextlib.suppress(OSError):  # somebody else took the port meanwhile: try again at the next turn
                await self.open()
        elif not up and self._open is not None:
            self._open.close()
            self._open = None

    async def run(self) -> None:
        """Move the world while nobody asks, until it fails or this task is cancelled."""
        try:
            while True:
                await asyncio.sleep(TICK)
                self.server.move()
                self.server.changed()
                await self.follow()
        finally:
            await self.close()

    async def close(self) -> None:
        """Let the clients go."""
        if self._open is not None:
            self._open.close()
            self._open = None
        await self.drop()

    async def drop(self) -> None:
        """Let the clients go, and listen on."""
        clients = list(self._clients)
        for task in clients:
            task.cancel()
        await asyncio.gather(*clients, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._clients) >= MAX_CLIENTS:
            writer.transport.abort()
            return
        self._clients.add(task)
        try:
            await Connection(reader, writer, self.server).run()
        except asyncio.CancelledError:
            writer.transport.abort()
        except Exception as error:
            report(f"a connection failed: {describe(error)}")
            writer.transport.abort()
        finally:
            self._clients.discard(task)


def report(text: str) -> None:
    """One line on standard error."""
    with contextlib.suppress(OSError, ValueError):
        print(f"python -m simulator serve: {text}", file=sys.stderr, flush=True)


def describe(error: BaseException) -> str:
    """An unforeseen error in one line, with the place where it arose."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({PurePath(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def names_of(address: str) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """DNS names and addresses for the certificate of a listener, and the host part of its URL."""
    if address in ("", "0.0.0.0", "::"):
        return ("localhost", "kubernetes"), ("127.0.0.1",), "127.0.0.1"
    if ":" in address:
        return ("localhost", "kubernetes"), ("127.0.0.1", address), f"[{address}]"
    if address[0].isdigit():
        return ("localhost", "kubernetes"), tuple(dict.fromkeys(("127.0.0.1", address))), address
    return tuple(dict.fromkeys(("localhost", "kubernetes", address))), ("127.0.0.1",), address


#: Flags of the API server whose files are taken over from this machine.
FILES = ("audit-policy-file", "encryption-provider-config")


def bare_world(args: argparse.Namespace) -> Callable[[World], None]:
    """How the scenario `bare` is built with the flags given; raises BadInput."""
    tokens = bare.TOKENS
    if args.token_auth_file:
        try:
            tokens = Path(args.token_auth_file).read_text()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise BadInput(f"--token-auth-file {args.token_auth_file}: {reason}") from None
    flags: dict[str, str] = {}
    contents: dict[str, bytes] = {}
    for item in args.apiserver:
        name, equals, value = item.removeprefix("--").partition("=")
        if not equals or not name:
            raise BadInput(f"--apiserver {item}: write NAME=VALUE")
        flags[name] = value
        if name in FILES:
            try:
                contents[value] = Path(value).read_bytes()
            except OSError as error:
                raise BadInput(f"--apiserver {item}: {error.strerror}") from None
    return lambda world: bare.build(world, flags, tokens, contents)


def _write(path: str, data: bytes) -> None:
    """A file that only its owner reads."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(data)


async def _serve(args: argparse.Namespace) -> int:
    address, port = args.listen[0].strip("[]"), args.listen[1]
    dns, ips, shown = names_of(address)
    # on the clients' calendar, because kubectl works some ages out itself; booting takes about half a virtual minute
    boot, prepare = (10 * SECOND, bare_world(args)) if args.scenario == "bare" else (35 * SECOND, None)
    if prepare is None and (args.apiserver or args.token_auth_file):
        raise BadInput(f"--scenario {args.scenario}: --apiserver and --token-auth-file are for the scenario bare")
    sandbox = Sandbox.build(args.scenario, args.seed, epoch=time.time_ns() - boot, prepare=prepare)
    server = Server(sandbox, args.speed)
    if not server.listening():
        raise BadInput(f"--scenario {args.scenario}: no API server listens in this world")
    material = Material(server.world, server.host)
    listener = Listener(server, material.server_context(dns, ips), address, port)
    try:
        await listener.open()
    except OSError as error:
        raise BadInput(f"--listen {address}:{port}: {error.strerror or error}") from None
    url = f"https://{shown}:{listener.port}"
    try:
        _write(args.kubeconfig, material.kubeconfig(url, "system:masters" if prepare else "kubeadm:cluster-admins"))
    except OSError as error:
        await listener.close()
        raise BadInput(f"--kubeconfig {args.kubeconfig}: {error.strerror}") from None
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    running = asyncio.ensure_future(listener.run())
    print(f"ready {url} kubeconfig {args.kubeconfig}", flush=True)
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not running.done():
        running.cancel()
    (failed,) = await asyncio.gather(running, return_exceptions=True)
    reason = server.failure or failed
    if reason is not None and not isinstance(reason, asyncio.CancelledError):
        report(f"the world stopped: {describe(reason)}")
        return 1
    return 0


def main(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; 1 when the world fails, BadInput for what cannot be used."""
    if not (math.isfinite(args.speed) and 0 < args.speed <= MAX_SPEED):
        raise BadInput(f"--speed {args.speed:g}: must be more than 0 and at most {MAX_SPEED:g}")
    return asyncio.run(_serve(args))
