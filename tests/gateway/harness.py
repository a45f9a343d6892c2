"""Worlds behind HTTPS for tests: `Process` is `python -m simulator serve`, `Thread` the same server with its world in our hands."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from simulator.core.sandbox import Sandbox
from simulator.gateway.tls import Material
from simulator.headless.serve import Listener, Server

ROOT = Path(__file__).parents[2]
KUBECTL = shutil.which("kubectl")
T = TypeVar("T")


def need_kubectl() -> None:
    """Skip, and say so, when there is no real kubectl."""
    if KUBECTL is None:
        pytest.skip("NO kubectl ON THE PATH: the tests with the real client did not run", allow_module_level=True)


class Client:
    """The real kubectl with a kubeconfig of its own; its caches go to a directory of the test."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.env = {"PATH": os.environ["PATH"], "HOME": str(config.parent), "KUBECONFIG": str(config), "TZ": "UTC"}

    def start(self, *args: str, **more: Any) -> subprocess.Popen[str]:
        """Start it with pipes."""
        pipe = subprocess.PIPE
        options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": pipe, "stderr": pipe, "cwd": self.config.parent, **more}
        return subprocess.Popen([KUBECTL or "kubectl", *args], env=self.env, text=True, **options)

    def run(self, *args: str, stdin: str = "", code: int | None = 0, timeout: float = 240) -> tuple[str, str, int]:
        """Run it to its end; the exit status must be `code` unless that is None."""
        proc = self.start(*args, stdin=subprocess.PIPE)
        try:
            out, err = proc.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            proc.kill()
            out, err = proc.communicate()
            pytest.fail(f"kubectl {' '.join(args)} did not end: {out!r} {err!r}")
        if code is not None:
            assert proc.returncode == code, f"kubectl {' '.join(args)}: {proc.returncode}\n{out}\n{err}"
        return out, err, proc.returncode

    def out(self, *args: str, stdin: str = "") -> str:
        """Standard output of a run that must succeed."""
        return self.run(*args, stdin=stdin)[0]


class Process:
    """`python -m simulator serve` on a free port."""

    def __init__(self, folder: Path, speed: float) -> None:
        self.config, self.log = folder / "kubeconfig", folder / "serve.err"
        with self.log.open("wb") as err:
            self.proc = subprocess.Popen(
                [sys.executable, "-m", "simulator", "serve", "--listen", "127.0.0.1:0", "--kubeconfig", str(self.config), "--speed", str(speed)],
                cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err, text=True,
            )  # fmt: skip
        assert self.proc.stdout is not None
        self.ready = self.proc.stdout.readline()
        assert self.ready.startswith("ready https://127.0.0.1:"), self.log.read_text()

    def stop(self) -> int:
        """End it as Ctrl-C would and return its exit status."""
        self.proc.terminate()
        try:
            return self.proc.wait(120)
        finally:
            self.proc.kill()
            self.proc.wait()
            if self.proc.stdout is not None:
                self.proc.stdout.close()

    def complaints(self) -> str:
        """What it has written on standard error."""
        return self.log.read_text()


class Thread:
    """A served world on a thread; `call` runs a function of the sandbox there, between the requests of clients."""

    def __init__(self, folder: Path, speed: float = 1.0, seed: int = 1) -> None:
        self.config = folder / "kubeconfig"
        self.loop = asyncio.new_event_loop()
        self.server = Server(self.boot(seed), speed)
        self.material = Material(self.server.world, self.server.host)
        self.listener = Listener(self.server, self.material.server_context(("localhost",), ("127.0.0.1",)), "127.0.0.1", 0)
        self.unforeseen: list[dict[str, Any]] = []
        self.loop.set_exception_handler(lambda _, context: self.unforeseen.append(context))
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.wait(self.listener.open())
        self.port = self.listener.port
        self.running = asyncio.run_coroutine_threadsafe(self.listener.run(), self.loop)
        self.config.write_bytes(self.material.kubeconfig(f"https://127.0.0.1:{self.port}"))

    def boot(self, seed: int) -> Sandbox:
        """The world that is served."""
        return Sandbox.boot("three-nodes", seed)

    def wait(self, steps: Any) -> Any:
        """The result of a coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(steps, self.loop).result(240)

    def call(self, function: Callable[[Sandbox], T]) -> T:
        """The result of a function of the sandbox."""

        async def there() -> T:
            return function(self.server.sandbox)

        found: T = self.wait(there())
        return found

    def shell(self, line: str) -> str:
        """Run a command on the control plane; its standard output."""
        result = self.call(lambda sandbox: sandbox.run(line))
        return str(result.stdout)

    def clients(self) -> int:
        """Connections that are served now."""
        return len(self.listener._clients)

    def stop(self) -> None:
        """End it."""
        self.running.cancel()
        self.wait(self.listener.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(60)
        self.loop.close()


def until(what: Callable[[], Any], seconds: float = 180) -> Any:
    """Ask until the answer is true."""
    ask = threading.Event()
    deadline = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > deadline:
            pytest.fail("it did not happen in time")
        ask.wait(0.05)
    return found


def objects(text: str) -> list[str]:
    """Names in the first column of a table, without what is random in pod names."""
    return [re.sub(r"-[0-9a-f]{6,10}(-\w{5})?$", "", line.split()[0]) for line in text.splitlines()[1:]]
