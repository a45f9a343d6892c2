"""What a container does: `python -m coursesite web|worker NUMBER|deliver|prepare`.

`worker` without a number takes it from the end of the host name, as a StatefulSet numbers its pods: pod n serves queue n, and those
above WORKERS help out at queue n % WORKERS (two workers on one queue are harmless).
"""

from __future__ import annotations

import os
import re
import socket
import sys

from . import environment, processes


def queue(word: str, workers: int) -> str:
    """The queue of a worker by its number, or by its host's name."""
    found = re.search(r"(\d+)$", word)
    return f"cluster.{int(found[1]) % workers if found else 0}"


def main(argv: list[str]) -> int:
    """Become the process that was asked for."""
    match argv:
        case ["web"]:
            host, port = environment.text("HOST", "127.0.0.1"), environment.number("PORT", 8000, least=1, most=65_535)
            command = processes.web_argv(host, port)
        case ["worker", *rest]:
            workers = environment.number("WORKERS", min(4, os.cpu_count() or 1), least=1, most=64)
            command = processes.worker_argv(queue(rest[0] if rest else socket.gethostname(), workers))
        case ["deliver"]:
            command = processes.deliver_argv()
        case ["prepare"]:
            command = [sys.executable, "manage.py", "prepare"]
        case _:
            print("usage: python -m coursesite web|worker [NUMBER]|deliver|prepare", file=sys.stderr)
            return 2
    os.execv(command[0], command)
    raise AssertionError("execv does not come back")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
