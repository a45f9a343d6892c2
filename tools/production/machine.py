"""A production site on one machine, in a folder of its own, every part on a loopback port.

PostgreSQL, Redis (or Valkey), the web processes, the workers and nginx are children of one supervisor, which starts again what ends.
`make stack` runs it in the foreground; the load and chaos tools use it as an object.
"""

from __future__ import annotations

import functools
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import redis

from coursesite import embedded, environment, ports
from coursesite.processes import ready, web_argv, worker_argv
from coursesite.supervisor import Child, Supervisor
from tools import postgres, system

from . import nginx

ROOT = Path(__file__).resolve().parents[2]


class CannotStart(Exception):
    """A part is missing or did not come up; the message says which and why."""


class Machine:
    """The whole set; `start`, then `turn` (or `run`) while it is wanted, then `stop`."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        webs: int = 2,
        workers: int = 2,
        env: Mapping[str, str] | None = None,
        durable: bool = True,
        scenarios: bool = True,
        say: Callable[[str], None] = print,
    ) -> None:
        self.folder = folder.resolve()
        self.log = self.folder / "log"
        self.log.mkdir(parents=True, exist_ok=True)
        self.say = say
        self.prepares = ["prepare"] if scenarios else ["prepare", "--no-scenarios"]
        self.kept = self._kept(port, webs)
        self.workers = workers
        self.database = postgres.Cluster(
            self.folder / "postgresql", port=self.kept["postgresql"], password=self.kept["password"], durable=durable
        )
        self.redis_url = f"redis://:{self.kept['password']}@127.0.0.1:{self.kept['redis']}/0"
        self.nginx = system.nginx()
        self.port: int = self.kept["nginx"] if self.nginx else self.kept["web"][0]
        self.supervisor = Supervisor(env={**self.env(), **(env or {})}, cwd=ROOT, say=say)
        self._children(webs, workers)

    def _kept(self, port: int, webs: int) -> dict[str, Any]:
        """Ports and passwords, chosen at the first start and kept: what is running knows them."""
        path = self.folder / "stack.json"

        def given(kept: dict[str, Any]) -> list[int]:
            return [*kept["web"], *(value for value in kept.values() if isinstance(value, int))]

        kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"password": secrets.token_hex(16), "web": []}
        for name in ("postgresql", "redis", "nginx"):
            kept[name] = kept.get(name) or ports.free(besides=given(kept))
        while len(kept["web"]) < webs:
            kept["web"].append(ports.free(besides=given(kept)))
        kept["nginx"] = port or kept["nginx"]
        environment.write_private(path, json.dumps(kept, indent=2) + "\n")
        return kept

    def env(self) -> dict[str, str]:
        """What every process of the site is told."""
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "coursesite.settings",
            "SLIPWAY_VAR": str(self.folder),
            "DATABASE_URL": self.database.url,
            "REDIS_URL": self.redis_url,
            "WORKERS": str(self.workers),
            "SECRET_KEY": environment.secret_key(self.folder),
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "DEBUG": "0",
        }

    def _children(self, webs: int, workers: int) -> None:
        add = self.supervisor.add
        database = self.database
        self.parts: dict[str, Child] = {}
        self.parts["postgresql"] = add(
            "postgresql", database.argv(), database.log, patience=20, how=signal.SIGINT, user=database.user, cwd=database.folder
        )
        self.parts["redis"] = add("redis", self._redis_argv(), self.log / "redis.log")
        for number in range(webs):
            name = f"web.{number}"
            self.parts[name] = add(name, web_argv("127.0.0.1", self.kept["web"][number]), self.log / f"{name}.log")
        for number in range(workers):
            name = f"worker.{number}"
            self.parts[name] = add(name, worker_argv(number), self.log / f"{name}.log", patience=15)
        if self.nginx:
            upstreams = [f"127.0.0.1:{port}" for port in self.kept["web"][:webs]]
            config = nginx.write(self.folder / "nginx", f"127.0.0.1:{self.port}", upstreams, self.folder / "static")
            self.parts["nginx"] = add("nginx", nginx.argv(self.nginx, config), self.log / "nginx.log", how=signal.SIGQUIT)

    def _redis_argv(self) -> list[str]:
        program = system.redis_server() or str(embedded.binary())
        data = self.folder / "redis"
        data.mkdir(exist_ok=True)
        lines = ["bind 127.0.0.1", f"port {self.kept['redis']}", f"requirepass {self.kept['password']}", f'dir "{data}"']
        lines += ["appendonly yes", "appendfsync everysec", 'save ""', "maxmemory-policy noeviction", "daemonize no"]
        environment.write_private(data / "redis.conf", "\n".join(lines) + "\n")
        return [program, str(data / "redis.conf")]

    # -- starting ----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Stores first, then what `manage.py prepare` does, then the rest; returns when `/readyz` says yes."""
        stores = [self.parts["postgresql"], self.parts["redis"]]
        rest = [part for part in self.parts.values() if part not in stores]
        for part in rest:
            part.due = None
        self.database.make()
        self.wait("PostgreSQL", self.database.answers)
        self.wait("Redis", self._redis_answers)
        code = self.manage(*self.prepares)
        if code:
            raise CannotStart(f"`manage.py prepare` ended with {code}")
        for part in rest:
            part.due = 0.0
        for number, port in enumerate(self.kept["web"][: sum(name.startswith("web.") for name in self.parts)]):
            self.wait(f"web.{number}", functools.partial(ready, "127.0.0.1", port))
        self.wait("the site", self.answers)

    def manage(self, *argv: str, **options: Any) -> int:
        """A command of manage.py in the site's own environment."""
        command = [sys.executable, "manage.py", *argv]
        return subprocess.run(command, cwd=ROOT, env=dict(self.supervisor.env), check=False, **options).returncode

    def _redis_answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.redis_url, socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def answers(self) -> bool:
        """Does the public address answer?"""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    @property
    def url(self) -> str:
        """The public address."""
        return f"http://127.0.0.1:{self.port}"

    def turn(self) -> None:
        """Look after the processes once."""
        self.supervisor.turn(time.monotonic())

    def wait(self, what: str, check: Callable[[], Any], seconds: float = 90) -> None:
        """Until `check` is true, looking after the processes meanwhile; raises `CannotStart` with the ends of the logs."""
        deadline = time.monotonic() + seconds
        while True:
            self.turn()
            if check():
                return
            if time.monotonic() > deadline:
                raise CannotStart(f"{what} did not answer within {seconds:g} s\n{self.logs()}")
            time.sleep(0.05)

    def logs(self) -> str:
        """The ends of all logs."""
        paths = [self.database.log, *sorted(self.log.glob("*.log"))]
        return "\n".join(f"--- {path.name}\n{embedded.tail(path, 12)}" for path in paths if path.exists())

    def pid(self, name: str) -> int:
        """The process of a part now; 0 when it is between two starts."""
        process = self.parts[name].process
        return process.pid if process is not None and process.poll() is None else 0

    def stop(self) -> None:
        """nginx and web first, so that nothing new comes in; workers; the stores last."""
        order = ("nginx", "web", "worker", "redis", "postgresql")
        for kind in order:
            self.supervisor.end([part for name, part in self.parts.items() if name.split(".")[0] == kind])
