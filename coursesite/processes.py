"""Command lines of the site's processes, wherever they are started: `make run`, `make stack`, tests, containers."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request


def web_argv(host: str, port: int) -> list[str]:
    """The command line of the web process."""
    from simulator.frames import FRAME_LIMIT

    options = ["--host", host, "--port", str(port), "--no-access-log", "--lifespan", "off", "--ws-max-size", str(FRAME_LIMIT)]
    options += ["--ws", "coursesite.websockets:Protocol"]
    options += ["--ws-per-message-deflate", "false"]  # frames are small; it costs 30 KB a connection and time a frame
    return [sys.executable, "-m", "uvicorn", "coursesite.asgi:application", *options, "--timeout-graceful-shutdown", "3"]


def worker_argv(name: str | int) -> list[str]:
    """The command line of one worker; no other on this host has its name, and it keeps its queues when it is started again under it."""
    options = ["-n", f"worker.{name}@%h", "-P", "prefork", "-c", "1", "-l", "INFO"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return [sys.executable, "-m", "celery", "-A", "coursesite", "worker", *options, *quiet]


def deliver_argv() -> list[str]:
    """The command line of the process that empties the outbox."""
    return [sys.executable, "manage.py", "deliver"]


def shelve_argv() -> list[str]:
    """The command line of the process that builds scenarios before anybody asks for them, and ends."""
    return [sys.executable, "manage.py", "shelve", "--gently"]


def ready(host: str, port: int) -> bool:
    """Does `/readyz` say yes?"""
    target = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    try:
        with urllib.request.urlopen(f"http://{target}:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
