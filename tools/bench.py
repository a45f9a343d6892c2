"""`make bench`: the simulator's own figures, what moving in time costs (`tools.timebench`), then the round trip of a typed command against a bare Celery round trip.

Both round trips are measured in the same run, with the same processes, one after the other in turns, so that their ratio says
something on any machine: WebSocket frame → journal row → Celery → worker → simulator → rows → doorbell → last byte, against
`task.apply_async().get()` with Celery's own result backend.  A stricter floor is shown too: `apply_async` → worker → reply in a
Redis list, the leanest that can be made of Celery.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROUNDS = 120
WARM = 15


def main(argv: list[str]) -> int:
    """All figures; `--site` only the round trips, `--rounds N` how many."""
    rounds = int(argv[argv.index("--rounds") + 1]) if "--rounds" in argv else ROUNDS
    code = 0
    if "--site" not in argv:
        print("simulator", flush=True)
        code = subprocess.run([sys.executable, "-m", "simulator", "bench"], check=False).returncode
    from . import pagebench

    with tempfile.TemporaryDirectory(prefix="slipway-bench-", ignore_cleanup_errors=True) as folder:
        _set_up(Path(folder))
        if "--site" not in argv:
            print("\nmoving in time (milliseconds, in the worker)", flush=True)
            code = code or int(not _in_time())
            print("\nin the browser (milliseconds)", flush=True)
            code = code or int(not pagebench.report())
        print("\nsite (round trips in milliseconds)", flush=True)
        _site(Path(folder), rounds)
    return code


def _in_time() -> bool:
    import logging

    from . import timebench

    logging.disable(logging.WARNING)  # nobody hears these sessions' doorbells
    try:
        return timebench.report()
    finally:
        logging.disable(logging.NOTSET)


def _set_up(var: Path) -> None:
    os.environ.update(DJANGO_SETTINGS_MODULE="coursesite.settings", SLIPWAY_VAR=str(var), WORKERS="1", SECRET_KEY="bench")
    os.environ.pop("REDIS_URL", None)
    os.environ["DATABASE_URL"] = f"sqlite:///{var / 'bench.sqlite3'}"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _site(var: Path, rounds: int) -> None:
    from django.conf import settings
    from django.contrib.auth import get_user_model

    from simulator import services

    from .stack import Stack

    stack = Stack(var, sandbox=settings.SLIPWAY_SANDBOX, debug=False)
    try:
        stack.start()
        user = get_user_model().objects.create_user("bench")
        session = services.session_for(user, "three-nodes")
        with stack.browser(session.pk, user) as browser:
            browser.connection.settimeout(10)
            terminal = _greet(browser)
            commands = {"echo hello": "echo hello", "kubectl get pods": "kubectl get pods -n kube-system"}
            samples: dict[str, list[float]] = {_BARE: [], _LEAN: [], **{name: [] for name in commands}}
            for number in range(WARM + rounds):
                taken = {name: _typed(browser, terminal, text) for name, text in commands.items()}
                _echo()  # the worker may still draw the map of the last command: that is not this one's time
                taken[_BARE] = _answer()
                taken[_LEAN] = _echo()
                if number >= WARM:
                    for name, seconds in taken.items():
                        samples[name].append(seconds * 1000)
        _report(samples)
    finally:
        stack.stop()


def _greet(browser: Any) -> str:
    browser.send(t="hello", cursor=0, trace=0)
    while True:
        for frame in browser.receive():
            if frame["t"] == "state" and frame["terminals"]:
                return str(sorted(frame["terminals"])[0])


_BARE, _LEAN = "bare Celery", "leanest Celery"


def _answer() -> float:
    """One task and its result, as Celery's documentation has it."""
    from simulator import tasks

    began = time.perf_counter()
    tasks.answer.apply_async(("x" * 200,), queue="cluster.0").get(timeout=10)
    return time.perf_counter() - began


def _echo() -> float:
    """One task and its reply, as lean as Celery can be made."""
    from simulator import mailbox, tasks

    began = time.perf_counter()
    key = mailbox.new_key()
    tasks.echo.apply_async((key, "x" * 200), queue="cluster.0")
    mailbox.take(key, 10)
    return time.perf_counter() - began


def _typed(browser: Any, terminal: str, text: str) -> float:
    """From sending the frame to the output after which the terminal is ready again."""
    _echo()
    began = time.perf_counter()
    frame_id = browser.line(text, terminal)
    sequence, answered = None, 0.0
    while True:
        for frame in browser.receive():
            if frame["t"] == "out":
                answered = time.perf_counter()
            elif frame["t"] == "ack" and frame["id"] == frame_id:
                sequence = frame["seq"]
            elif frame["t"] == "error":
                raise SystemExit(f"bench: {frame['message']}")
            elif _settled(frame, terminal) and answered and sequence:
                return answered - began


def _settled(frame: dict[str, Any], terminal: str) -> bool:
    return frame["t"] == "state" and not frame["pending"] and not frame["terminals"][terminal]["busy"]


def _report(samples: dict[str, list[float]]) -> None:
    base, lean = statistics.median(samples[_BARE]), statistics.median(samples[_LEAN])
    for name, values in samples.items():
        ordered = sorted(values)
        median, high = statistics.median(ordered), ordered[int(len(ordered) * 0.95)]
        print(
            f"  {name:<18} median {median:7.2f}   95 % {high:7.2f}   × bare {median / base:5.2f}   × leanest {median / lean:5.2f}"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
