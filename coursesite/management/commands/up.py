"""`manage.py up`: the whole site in one command: Valkey (unless REDIS_URL names a server), web, workers and the outbox, until Ctrl-C."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from coursesite import children, demo, embedded, environment, metrics, preparing
from coursesite.processes import deliver_argv, ready, shelve_argv, web_argv, worker_argv
from coursesite.supervisor import Supervisor


def address(host: str, port: int) -> str:
    """The site's address as somebody at this machine types it, without a path."""
    if host in ("127.0.0.1", "0.0.0.0", "::", "::1"):
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Command(BaseCommand):
    """Start everything, watch it, stop it."""

    help = "Start the site: embedded Valkey, web and one worker a queue. Ctrl-C stops all of it."
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        """`--host` and `--port`, else HOST and PORT."""
        parser.add_argument("--host", default=environment.text("HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=environment.number("PORT", 8000, least=1, most=65_535))

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare, start, wait."""
        host, port = options["host"], options["port"]
        var = Path(settings.VAR_DIR)
        (var / "log").mkdir(exist_ok=True)
        lock = self._lock(var)
        metrics.forget(var / "metrics")
        self._check_port(host, port)
        if not environment.text("SITE_URL"):  # links, LTI and xAPI name the site as it can be reached here
            os.environ["SITE_URL"] = settings.SLIPWAY_SITE_URL = address(host, port)
        began = time.monotonic()
        valkey = None if environment.text("REDIS_URL") else embedded.Valkey(var)
        try:
            if valkey is not None:
                try:
                    os.environ["REDIS_URL"] = settings.REDIS_URL = valkey.start()
                except embedded.CannotStart as error:
                    raise CommandError(str(error)) from error
            accounts = preparing.prepare(self._say)
            self._supervise(host, port, var, valkey, accounts, began)
        finally:
            if valkey is not None:
                valkey.stop()
                (var / "redis.url").unlink(missing_ok=True)
            lock.close()

    def _supervise(
        self, host: str, port: int, var: Path, valkey: embedded.Valkey | None, accounts: demo.Accounts | None, began: float
    ) -> None:
        supervisor = Supervisor(env=dict(os.environ), cwd=settings.BASE_DIR, say=self._say)
        supervisor.add("web", web_argv(host, port), var / "log" / "web.log")
        for number in range(settings.WORKERS):
            supervisor.add(f"worker {number}", worker_argv(number), var / "log" / f"worker-{number}.log", patience=15)
        if settings.SLIPWAY_INTEGRATION_HOSTS:  # without hosts that may be contacted there is nobody to tell
            supervisor.add("deliver", deliver_argv(), var / "log" / "deliver.log", patience=15)
        announced = False
        shelving: subprocess.Popen[bytes] | None = None

        def watch() -> bool:
            nonlocal announced, shelving
            if valkey is not None and valkey.process is not None and valkey.process.poll() is not None:
                self._say(f"Valkey ended with {valkey.process.returncode}; starting it again")
                valkey.start()
            if not announced and ready(host, port):
                announced = True
                self._announce(host, port, accounts, time.monotonic() - began)
                if environment.flag("SLIPWAY_SHELVE", default=True):
                    shelving = children.start(
                        shelve_argv(), log=var / "log" / "shelve.log", env=os.environ, cwd=settings.BASE_DIR
                    )
            return True

        supervisor.watch = watch
        try:
            supervisor.run()
        finally:
            if shelving is not None:
                children.stop(shelving, patience=2.0)
        self._say("stopped")

    def _announce(self, host: str, port: int, accounts: demo.Accounts | None, seconds: float) -> None:
        self.stdout.write(f"\nSlipway is up after {seconds:.1f} s:  {address(host, port)}/\n")
        if accounts is not None:
            for role, (name, password) in (("learner", accounts.learner), ("instructor", accounts.instructor)):
                self.stdout.write(f"  {role:<11} user {name:<11} password {password}")
        self.stdout.write("Ctrl-C stops it; everything is kept under var/.\n")
        self.stdout.flush()

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _lock(self, var: Path) -> IO[str]:
        """One `up` a folder."""
        lock = (var / "up.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CommandError(f"The site is running already from {var}. Stop it first (Ctrl-C in its terminal).") from error
        return lock

    def _check_port(self, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    raise CommandError(
                        f"Port {port} is taken by another program. Choose another: PORT={port + 1} make run"
                    ) from error
                raise CommandError(f"Cannot listen on {host}:{port}: {error.strerror}") from error
