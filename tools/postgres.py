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
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from coursesite.children import die_with_parent

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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def throwaway() -> Iterator[str]:
    """A running server; yields its DATABASE_URL."""
    programs = system.postgres_bin()
    if programs is None:
        raise NoPostgres("PostgreSQL is not installed")
    user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="slipway-pg-"))
    password, port = secrets.token_hex(12), _free_port()
    pwfile = folder / "password"
    pwfile.write_text(password)

    def become() -> None:
        if user is not None:
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
        die_with_parent(signal.SIGQUIT)  # after setuid, which clears it

    if user is not None:
        for path in (folder, pwfile):
            os.chown(path, user.pw_uid, user.pw_gid)
    data, log = folder / "data", folder / "log"
    server: subprocess.Popen[bytes] | None = None
    try:
        made = subprocess.run(
            [
                programs / "initdb",
                "-D",
                data,
                "-U",
                "slipway",
                "-A",
                "scram-sha-256",
                "--pwfile",
                pwfile,
                "-E",
                "UTF8",
                "--no-locale",
                "-N",
            ],
            preexec_fn=become,
            cwd=folder,
            capture_output=True,
            check=False,
        )
        if made.returncode:
            raise NoPostgres(f"initdb: {made.stderr.decode(errors='replace')}")
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "fsync": "off",
            "full_page_writes": "off",
        }
        flags = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with log.open("wb") as file:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, *flags],
                preexec_fn=become,
                cwd=folder,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        url = f"postgres://slipway:{password}@127.0.0.1:{port}/postgres"
        _wait(url, server, log)
        yield url
    finally:
        if server is not None and server.poll() is None:
            server.send_signal(signal.SIGINT)  # fast shutdown
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
            return
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise NoPostgres(f"{error}\n{log.read_text(errors='replace')[-2000:]}") from error
            time.sleep(0.05)


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
