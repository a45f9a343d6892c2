"""`python -m tools.costs`: the CPU that one typed command costs, by what it is spent on, against a bare Celery round trip.

Everything happens in this process (no queue between the parts, no pause), on a throw-away PostgreSQL with an embedded Valkey, with the mix of `make load`
on as many clusters as `--learners` says: so the figures hardly depend on what else the machine does, where latencies under load do.
`--commands N` how many in all; `--profile FILE` writes a cProfile of the worker's side.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import random
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: Virtual seconds between two commands of a learner.
EVERY = 10


class Purse:
    """CPU seconds by purpose."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, list[float]] = defaultdict(list)

    @contextmanager
    def spend(self, purpose: str) -> Iterator[None]:
        """What is spent inside."""
        began = time.process_time()
        try:
            yield
        finally:
            self.spent[purpose].append(time.process_time() - began)


def main(argv: list[str]) -> int:
    """One run."""
    made = argparse.ArgumentParser(prog="python -m tools.costs", description="CPU of a typed command.")
    made.add_argument("--learners", type=int, default=40)
    made.add_argument("--commands", type=int, default=1200)
    made.add_argument("--profile", type=Path)
    options = made.parse_args(argv)
    from tools import postgres

    with tempfile.TemporaryDirectory(prefix="slipway-costs-", ignore_cleanup_errors=True) as folder, postgres.throwaway() as url:
        os.environ.update(DJANGO_SETTINGS_MODULE="coursesite.settings", SLIPWAY_VAR=folder, SECRET_KEY="costs", DATABASE_URL=url)
        os.environ["WORKERS"] = os.environ["QUEUES"] = "1"
        from coursesite.embedded import Valkey

        valkey = Valkey(Path(folder))
        os.environ["REDIS_URL"] = valkey.start()
        try:
            _measure(options)
        finally:
            valkey.stop()
    return 0


def _measure(options: argparse.Namespace) -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from simulator import advancing, services, worlds
    from simulator.models import ClusterSession

    from .load import people

    accounts = people.make(options.learners, quizzes=False)
    sessions = [ClusterSession.objects.get(pk=account.session) for account in accounts]
    for session in sessions:
        advancing.advance(session.pk)
    purse = Purse()
    profile = cProfile.Profile() if options.profile else None
    calls: list[tuple[Any, ...]] = []
    services.tasks.send = lambda *args, **kwargs: calls.append(args)  # type: ignore[assignment]
    _meter(purse, {worlds: ("take_effect",), advancing: ("store", "announce", "store_snapshot")})
    draw = random.Random(1)
    clocks = dict.fromkeys((session.pk for session in sessions), EVERY * 1_000_000_000)
    terminals = {session.pk: min(worlds.cache.get(session.pk).terminals) for session in sessions}  # type: ignore[union-attr]
    from .load.learner import COMMANDS

    texts = [text for weight, text in COMMANDS for _ in range(weight) if not text.endswith("-w")]
    began, wall = time.process_time(), time.perf_counter()
    for number in range(options.commands):
        session = sessions[number % len(sessions)]
        text = draw.choice(texts).format(n=number // len(sessions) // 6)
        clocks[session.pk] += EVERY * 1_000_000_000
        data = {"terminal": terminals[session.pk], "text": text}
        with purse.spend("web: journal row"):
            row = services.append_input(session, kind="line", data=data, client_id=uuid.uuid4(), at=clocks[session.pk])
        if profile:
            profile.enable()
        with purse.spend("worker, in all"):
            advancing.run_inputs(session.pk, row.carried())
        if profile:
            profile.disable()
        if number % 3 == 2:  # a look at a cluster that just stands there
            with purse.spend("worker: passing of time, a look"):
                advancing.pass_time(session.pk, clocks[session.pk] + 4_000_000_000)
    spent, wall = time.process_time() - began, time.perf_counter() - wall
    print(
        f"{options.commands} commands: {spent / options.commands * 1000:.2f} ms of CPU each, {wall / options.commands * 1000:.2f} ms in all"
    )
    for name, values in sorted(purse.spent.items()):
        print(
            f"  {name:<40} {sum(values) / options.commands * 1000:6.2f} ms a command  ({len(values)} times, {sum(values) / len(values) * 1000:.2f} ms each)"
        )
    if profile:
        profile.dump_stats(options.profile)


def _meter(purse: Purse, functions: dict[Any, tuple[str, ...]]) -> None:
    for module, names in functions.items():
        for name in names:
            setattr(module, name, _metered(purse, f"worker: {name}", getattr(module, name)))


def _metered(purse: Purse, purpose: str, function: Any) -> Any:
    def run(*args: Any, **kwargs: Any) -> Any:
        with purse.spend(purpose):
            return function(*args, **kwargs)

    return run


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
