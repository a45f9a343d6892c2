"""`make stack` and `make stack-stop` (`python -m tools.production [up|stop|status]`)."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from tools import postgres, system

from .machine import ROOT, CannotStart, Machine

FOLDER = Path(os.environ.get("SLIPWAY_STACK") or ROOT / "var" / "stack")
PACKAGES = {"postgresql": system.postgres_bin, "redis-server": system.redis_server, "nginx": system.nginx}


def missing() -> list[str]:
    """Debian's names of what is not on this machine."""
    return [package for package, there in PACKAGES.items() if not there()]


def install() -> None:
    """Install what is missing, or say plainly what that means."""
    wanted = missing()
    if not wanted or (system.apt(wanted) and not missing()):
        return
    without = {
        "postgresql": "there is no stack without PostgreSQL; `make run` keeps its data in SQLite",
        "redis-server": "the Valkey of the Python wheel takes its place",
        "nginx": "the first web process is reached directly, and the second by nobody",
    }
    for package in missing():
        print(f"{package} is missing and could not be installed (apt-get install {package}): {without[package]}", flush=True)


def up() -> int:
    """Everything, until Ctrl-C or `stop`."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    lock = (FOLDER / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print(f"The stack is running already from {FOLDER}; `make stack-stop` stops it.", file=sys.stderr)
        return 1
    install()
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    stopping = False

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        if stopping:
            raise SystemExit(130)
        stopping = True

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    began = time.monotonic()
    try:
        machine = Machine(FOLDER, port=int(os.environ.get("PORT") or 8000))
    except postgres.NoPostgres as error:
        print(error, file=sys.stderr)
        return 1
    try:
        machine.start()
        print(f"\nThe stack is up after {time.monotonic() - began:.1f} s:  {machine.url}/", flush=True)
        for role, password in accounts(machine).items():
            print(f"  {role:<11} user {role:<11} password {password}")
        print(f"  PostgreSQL  {machine.database.url}\n  Redis       {machine.redis_url}")
        print(f"  logs        {machine.log}\nCtrl-C or `make stack-stop` stops it.", flush=True)
        while not stopping:
            machine.turn()
            time.sleep(0.1)
    except (CannotStart, postgres.NoPostgres) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        machine.stop()
        lock.truncate(0)
        print("stopped", flush=True)
    return 0


def accounts(machine: Machine) -> dict[str, str]:
    """Names and passwords of the demo accounts, if there are any."""
    path = machine.folder / "demo.json"
    found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return found


def running() -> int:
    """The process that runs the stack; 0 when there is none."""
    try:
        with (FOLDER / "lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return int(lock.read() or 0)
    except FileNotFoundError:
        pass
    return 0


def stop() -> int:
    """Stop it, and wait until it has."""
    pid = running()
    if not pid:
        print("The stack is not running.")
        return 0
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 60
    while running():
        if time.monotonic() > deadline:
            print(f"process {pid} has not ended after 60 s", file=sys.stderr)
            return 1
        time.sleep(0.1)
    return 0


def main(argv: list[str]) -> int:
    """`up` (also without a word), `stop`, `status`, or `clean` (throws the folder away)."""
    match argv or ["up"]:
        case ["up"]:
            return up()
        case ["stop"]:
            return stop()
        case ["status"]:
            pid = running()
            print(f"running as process {pid}" if pid else "not running")
            return 0 if pid else 3
        case ["clean"]:
            shutil.rmtree(FOLDER, ignore_errors=True)
            return stop()
    print("usage: python -m tools.production [up|stop|status|clean]", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
