"""What a container does: `python -m coursesite web|worker [NAME]|deliver|prepare`.

Any number of workers may run: they share the queues out among themselves.  Several on one host need a name each (`worker NAME`).
"""

from __future__ import annotations

import os
import sys

from . import environment, processes


def main(argv: list[str]) -> int:
    """Become the process that was asked for."""
    match argv:
        case ["web"]:
            host, port = environment.text("HOST", "127.0.0.1"), environment.number("PORT", 8000, least=1, most=65_535)
            command = processes.web_argv(host, port)
        case ["worker"]:
            command = processes.worker_argv(0)
        case ["worker", name]:
            command = processes.worker_argv(name)
        case ["deliver"]:
            command = processes.deliver_argv()
        case ["prepare"]:
            command = [sys.executable, "manage.py", "prepare"]
        case _:
            print("usage: python -m coursesite web|worker [NAME]|deliver|prepare", file=sys.stderr)
            return 2
    os.execv(command[0], command)
    raise AssertionError("execv does not come back")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
