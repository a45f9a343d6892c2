"""`python -m tools.footprint`: what the site costs before anybody does anything, and what one page and one cluster cost.

Starts `manage.py up` in a folder of its own, twice (the first start prepares); the second start's time and every process's memory are told.
Then, in this process: CPU time of a lesson's page, and of a cluster's first output.  CPU seconds are used where others share the machine.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.e2e import site
from tools.load import processes

PAGES = 60


def main() -> int:
    """All figures."""
    with tempfile.TemporaryDirectory(prefix="slipway-footprint-", ignore_cleanup_errors=True) as folder:
        var = Path(folder)
        site.start(var).stop()
        began = time.perf_counter()
        running = site.start(var)
        print(f"second start, to an answer of /readyz  {time.perf_counter() - began:6.2f} s")
        for name, pids in _processes(running.process.pid).items():
            print(f"  memory of {name:<28} {processes.memory(pids):6.1f} MB")
        running.stop()
        _pages(var)
        _clusters()
    return 0


def _processes(root: int) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for pid in processes.tree(root):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        text = " ".join(words)
        if "valkey-server" in text:
            name = "Valkey"
        elif "uvicorn" in text:
            name = "web"
        elif "celery" in text:
            name = "worker and its pool process"
        else:
            name = "supervisor"
        found.setdefault(name, []).append(pid)
    return found


def _pages(var: Path) -> None:
    os.environ.update(DJANGO_SETTINGS_MODULE="coursesite.settings_test", SLIPWAY_VAR=str(var))
    os.environ["DATABASE_URL"] = f"sqlite:///{var / 'slipway.sqlite3'}"
    import django

    django.setup()
    from django.test import Client

    from tools.load import people

    paths = people.lesson_pages()
    client = Client()
    for path in paths:
        assert client.get(path).status_code == 200
    samples = []
    for number in range(PAGES):
        began = time.process_time()
        client.get(paths[number % len(paths)])
        samples.append((time.process_time() - began) * 1000)
    print(f"a lesson's page (nobody logged in)      {statistics.median(samples):6.2f} ms of CPU, with Django's test client")


def _clusters() -> None:
    from simulator.core.sandbox import Sandbox

    def first(sandbox: Any) -> None:
        terminal = min(sandbox.terminals())
        sandbox.apply("line", {"terminal": terminal, "text": "kubectl get pods -A"}, sandbox.now)
        assert sandbox.drain()

    first(Sandbox.boot("three-nodes", 1))  # what a worker does when it starts
    for name, make in (("a new cluster's first output", lambda: Sandbox.boot("three-nodes", 1)), *_stored(first)):
        samples = []
        for _ in range(12):
            began = time.process_time()
            first(make())
            samples.append((time.process_time() - began) * 1000)
        print(f"{name:<39} {statistics.median(samples):6.1f} ms of CPU")


def _stored(first: Any) -> list[tuple[str, Any]]:
    from simulator.core.sandbox import Sandbox

    sandbox = Sandbox.boot("three-nodes", 2)
    first(sandbox)
    blob = sandbox.snapshot()
    return [("one that was put away, its first output", lambda: Sandbox.restore(blob))]


if __name__ == "__main__":
    sys.exit(main())
