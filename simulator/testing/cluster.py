"""A world behind a real port of this machine, in a thread of the test process, and what a test does with it.

The server, its certificate and its kubeconfig live as long as the session; each test gets a fresh copy of the world behind them: copying one
takes some ten milliseconds, and what a test before did is gone.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import RunResult, Sandbox
from simulator.gateway.tls import Material
from simulator.headless import serve

T = TypeVar("T")
#: Seconds that a call into the server's thread may take.
PATIENCE = 120.0


class Cluster:
    """The cluster of one test.

    Virtual time runs with the clock on the wall times `speed`; `advance` and `settle` let it pass at once.
    """

    def __init__(self, server: Server, kubeconfig: Path) -> None:
        self._server = server
        #: The path of an administrator's kubeconfig, as a string for clients that take one.
        self.kubeconfig = str(kubeconfig)

    @property
    def url(self) -> str:
        """The address of the API server, `https://127.0.0.1:PORT`."""
        return self._server.url

    @property
    def now(self) -> float:
        """Virtual seconds since the world's boot."""
        return self._server.call(lambda s: s.now) / SECOND

    def run(self, command: str, *, host: str = "", stdin: bytes = b"") -> RunResult:
        """Run a shell command on a machine of the cluster (default: the control plane): stdout, stderr, code."""
        return self._server.call(lambda s: s.run(command, host=host, stdin=stdin))

    def kubectl(self, arguments: str) -> str:
        """Run the simulated kubectl; its output.  Raises AssertionError with the error output when it fails."""
        result = self.run(f"kubectl {arguments}")
        if result.code:
            raise AssertionError(f"kubectl {arguments}: {result.stderr.strip() or result.stdout.strip()} (status {result.code})")
        return result.stdout

    def advance(self, seconds: float) -> None:
        """Let virtual time pass at once."""
        self._server.call(lambda s: s.advance(s.now + int(seconds * SECOND)), moves=True)

    def settle(self, most: float = 60.0) -> None:
        """Let virtual time pass until nothing visible has happened for three virtual seconds, at most `most`."""
        self._server.call(lambda s: s.settle(int(most * SECOND)), moves=True)

    def fault(self, name: str, *arguments: str) -> None:
        """A fault (docs/simulator.md): `fault("power-off", "node01")`; raises BadInput for one that cannot be."""
        self._server.call(lambda s: s.apply("fault", {"name": name, "args": list(arguments)}, s.now), moves=True)


class Server:
    """One listener for one scenario; `fresh` puts a new copy of the world behind it."""

    def __init__(self, folder: Path, scenario: str = "three-nodes", seed: int = 1, speed: float = 1.0) -> None:
        self.scenario, self.seed = scenario, seed
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"slipway {scenario}", daemon=True)
        # certificates and ages are on the clients' calendar; booting takes about half a virtual minute
        sandbox = Sandbox.build(scenario, seed, epoch=time.time_ns() - 35 * SECOND)
        self._image = sandbox.snapshot()
        self._server = serve.Server(sandbox, speed)
        material = Material(self._server.world, self._server.host)
        self._listener = serve.Listener(
            self._server, material.server_context(("localhost", "kubernetes"), ("127.0.0.1",)), "127.0.0.1", 0
        )
        self._running: asyncio.Task[None] | None = None
        self._thread.start()
        self._await(self._open())
        self.url = f"https://127.0.0.1:{self._listener.port}"
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_bytes(material.kubeconfig(self.url))
        self.kubeconfig.chmod(0o600)

    def fresh(self, speed: float = 1.0) -> Cluster:
        """A new copy of the world; connections to the one before are closed."""
        self._await(self._swap(speed))
        return Cluster(self, self.kubeconfig)

    def close(self) -> None:
        """Stop serving."""
        self._await(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def call(self, work: Callable[[Sandbox], T], *, moves: bool = False) -> T:
        """Run `work` on the world in the server's thread; `moves` says that it lets time pass by itself."""
        found: T = self._await(self._call(work, moves))
        return found

    # -- in the server's thread -----------------------------------------------------------------------------------------
    def _await(self, work: Any) -> Any:
        future: concurrent.futures.Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(PATIENCE)

    async def _open(self) -> None:
        await self._listener.open()
        self._running = asyncio.ensure_future(self._listener.run())

    async def _call(self, work: Callable[[Sandbox], T], moves: bool) -> T:
        self._server.move()
        try:
            return work(self._server.sandbox)
        finally:
            if moves:
                self._server.resume()
            self._server.changed()

    async def _swap(self, speed: float) -> None:
        await self._listener.drop()
        self._server.replace(Sandbox.restore(self._image), speed)

    async def _close(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
