"""A throw-away PostgreSQL on a loopback port: `python -m tools.postgres COMMAND …` runs COMMAND with its DATABASE_URL.

`initdb` refuses to run as root, so root hands it to an unprivileged user.  The server dies with this process.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from coursesite import children, ports

from . import system


class NoPostgres(Exception):
    """There is no PostgreSQL on this machine, or it did not start."""


def _unprivileged() -> pwd.struct_passwd | None:
    """Who runs the server: None for ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoPostgres("root needs an unprivileged user (postgres or nobody) to run the server")


class Cluster:
    """A data directory of PostgreSQL, and the command line that serves it on a loopback port.

    `durable` keeps what was committed through a power cut, as PostgreSQL does by default; throw-away servers do without.
    """

    def __init__(self, folder: Path, *, port: int, password: str, durable: bool) -> None:
        programs = system.postgres_bin()
        if programs is None:
            raise NoPostgres("PostgreSQL is not installed")
        self.programs = programs
        self.folder, self.port, self.password, self.durable = folder, port, password, durable
        self.user = _unprivileged()
        self.url = f"postgres://slipway:{password}@127.0.0.1:{port}/postgres"
        self.log = folder / "log"

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    def make(self) -> None:
        """`initdb`, unless that was done; raises `NoPostgres` with its words."""
        if (self.data / "PG_VERSION").exists():
            return
        shutil.rmtree(self.data, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        pwfile = self.folder / "password"
        pwfile.write_text(self.password)
        if self.user is not None:
            for path in (self.folder, pwfile):
                os.chown(path, self.user.pw_uid, self.user.pw_gid)
        options = ["-U", "slipway", "-A", "scram-sha-256", "--pwfile", str(pwfile), "-E", "UTF8", "--no-locale"]
        argv = [str(self.programs / "initdb"), "-D", str(self.data), *options, *([] if self.durable else ["-N"])]
        try:
            made = children.start(argv, log=self.log, cwd=self.folder, user=self.user)
        except (OSError, subprocess.SubprocessError) as error:
            raise NoPostgres(f"{self.folder}: the user that runs PostgreSQL cannot enter this folder ({error})") from error
        if made.wait(120):
            raise NoPostgres(f"initdb: {self.log.read_text(errors='replace')[-2000:]}")
        pwfile.unlink()

    def argv(self) -> list[str]:
        """The server's command line."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
        }
        if not self.durable:
            options |= {"fsync": "off", "full_page_writes": "off"}
        flags = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return [str(self.programs / "postgres"), "-D", str(self.data), *flags]

    def answers(self) -> bool:
        """Does the server take connections?"""
        import psycopg

        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextlib.contextmanager
def throwaway() -> Iterator[str]:
    """A running server; yields its DATABASE_URL."""
    folder = Path(tempfile.mkdtemp(prefix="slipway-pg-"))
    server: subprocess.Popen[bytes] | None = None
    try:
        cluster = Cluster(folder, port=ports.free(), password=secrets.token_hex(12), durable=False)
        cluster.make()
        server = children.start(cluster.argv(), log=cluster.log, cwd=folder, user=cluster.user, how=signal.SIGQUIT)
        deadline = time.monotonic() + 60
        while not cluster.answers():
            if server.poll() is not None or time.monotonic() > deadline:
                raise NoPostgres(cluster.log.read_text(errors="replace")[-2000:])
            time.sleep(0.05)
        yield cluster.url
    finally:
        if server is not None:
            children.stop(server, patience=20, how=signal.SIGINT)  # fast shutdown
        shutil.rmtree(folder, ignore_errors=True)


def main(argv: list[str]) -> int:
    """Run a command with a server of its own."""
    try:
        with throwaway() as url:
            return subprocess.run(argv, env=dict(os.environ, DATABASE_URL=url), check=False).returncode
    except NoPostgres as error:
        print(f"*** no PostgreSQL: {error} ***", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
