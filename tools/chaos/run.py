"""One run: a stack, learners, faults one after another, quiet, and the promises."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.load.learner import Account
from tools.production.machine import Machine

from .actors import Learner
from .faults import CLOCKS, Faults
from .surroundings import Surroundings


@dataclass(slots=True)
class Report:
    """What a run came to."""

    #: What does not hold, by learner; empty when everything does.
    broken: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    inputs: int = 0
    answers: int = 0
    connections: int = 0
    #: The longest that a command waited for its output when it was sent within 3 s of a fault, by fault (seconds).
    recovery: dict[str, float] = field(default_factory=dict)


#: A short run does these in this order, so that each is met; a long one draws at random from all.
FIRST = (
    *("kill a worker", "flush Redis", "drop database connections", "double and reorder messages", "kill a pool process"),
    *("kill a web process", "pause a worker", "fill Redis' disk", "set one clock", "kill Redis", "kill nginx"),
    *("fill PostgreSQL's disk", "set all clocks", "kill PostgreSQL"),
)


#: How many inputs and answers of each learner are acknowledged at least before a run ends.
LEAST = 4


#: Seconds within which what is on its way takes effect once the faults are over; longer only than any machine needs that is just busy.
PATIENCE = 300


#: A question's id and the values of its form field.
Question = tuple[str, list[str]]


def run(
    folder: Path,
    *,
    seconds: float,
    learners: int = 4,
    seed: int = 1,
    pause: float = 2.0,
    only: Sequence[str] = (),
    say: Callable[[str], None] = print,
) -> Report:
    """Play for so many seconds; `pause` is the mean time between two faults, `only` names those to draw from (none: all)."""
    folder.chmod(0o755)
    surroundings = Surroundings(folder)
    try:
        return _run(folder, surroundings, seconds, learners, seed, pause, only, say)
    finally:
        surroundings.end()


def _run(
    folder: Path,
    surroundings: Surroundings,
    seconds: float,
    learners: int,
    seed: int,
    pause: float,
    only: Sequence[str],
    say: Callable[[str], None],
) -> Report:
    for text in surroundings.missing():
        say(text)
    # killed processes lose nothing that the kernel has; only a power cut would ask for fsync
    machine = Machine(folder, env={"DEMO_ACCOUNTS": "0"}, say=say, durable=False, scenarios=False)
    if surroundings.clocks.library is not None:
        for name, part in machine.parts.items():
            if name.split(".")[0] in CLOCKS:
                part.argv = surroundings.clocks.wrap(name, part.argv)
    try:
        machine.start()
        os.environ.update(machine.supervisor.env)
        import django

        django.setup()
        from tools.load import people

        accounts = people.make(learners)
        questions = [_question(account.attempt) for account in accounts]
        report = Report()
        faults = Faults(machine, surroundings, [account.session for account in accounts], seed)
        actors = asyncio.run(_play(machine, faults, accounts, questions, report, seconds, pause, only, say))
        _settle(machine, accounts)
        _judge(accounts, actors, questions, report)
        return report
    finally:
        machine.stop()


#: Question types that are answered with one value, and the values of a question's form field.
_VALUES: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "single": lambda spec: [str(number) for number in range(len(spec["choices"]))],
    "multiple": lambda spec: [str(number) for number in range(len(spec["choices"]))],
    "truefalse": lambda spec: ["true", "false"],
    "short": lambda spec: ["etcd", "kubelet", "something else"],
}


def _question(attempt: int) -> Question:
    """A question answered with one value among those that an attempt has drawn: its id, and the values of its form field."""
    from lessons.quizzes.models import QuizAttempt

    row = QuizAttempt.objects.select_related("version").get(pk=attempt)
    specs = {item["id"]: item for item in row.version.data["questions"]}
    drawn = [specs[item["id"]] for item in row.layout] if row.layout else list(specs.values())
    spec = next(item for item in drawn if item["type"] in _VALUES)
    return str(spec["id"]), _VALUES[spec["type"]](spec)


async def _play(
    machine: Machine,
    faults: Faults,
    accounts: list[Account],
    questions: list[Question],
    report: Report,
    seconds: float,
    pause: float,
    only: Sequence[str],
    say: Callable[[str], None],
) -> list[Learner]:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    actors = [Learner(machine.port, account, faults.seed * 1000 + number) for number, account in enumerate(accounts)]
    tasks = [loop.create_task(actor.run(stop)) for actor in actors]
    for actor, (slug, values) in zip(actors, questions, strict=True):
        tasks.append(loop.create_task(actor.answer(stop, f"q.{slug}", values)))

    async def keep() -> None:
        while True:
            machine.turn()
            await asyncio.sleep(0.05)

    keeping = loop.create_task(keep())
    draw = random.Random(faults.seed)
    table = {name: fault for name, fault in faults.table().items() if not only or name in only}
    order = [name for name in FIRST if name in table]
    happened: list[tuple[float, str]] = []
    with contextlib.suppress(TimeoutError):  # everybody sees their terminals before the first fault
        await asyncio.wait_for(asyncio.gather(*(actor.arrived.wait() for actor in actors)), 60)
    await asyncio.sleep(1)
    until = time.monotonic() + seconds
    while order or time.monotonic() < until:  # each of the first ones happens, however slow the machine is
        name = order.pop(0) if order else draw.choice(sorted(table))
        say(f"{name} …")
        report.faults[name] += 1
        happened.append((time.monotonic(), name))
        await loop.run_in_executor(None, table[name])
        await asyncio.sleep(draw.uniform(0.5, 1.5) * pause)
        faults.wake()
    # A slow machine may have spent the time on the faults: nobody is judged before everybody has worked.
    for _ in range(1200):
        if all(min(len(actor.record.acked), actor.record.stored) >= LEAST for actor in actors):
            break
        await asyncio.sleep(0.1)
    stop.set()
    try:
        await asyncio.wait_for(asyncio.gather(*tasks), 120)
    except TimeoutError:
        report.broken.append("an input was not acknowledged within 120 s of the last fault")
    machine.turn()
    keeping.cancel()
    for at, name in happened:
        waits = [wait for actor in actors for sent, wait in actor.record.answered if at - 0.5 <= sent <= at + 3]
        report.recovery[name] = max([report.recovery.get(name, 0.0), *waits])
    return actors


def _settle(machine: Machine, accounts: list[Account]) -> None:
    """Until every input has taken effect: whoever watches would ask for that, so we do."""
    from django.db import DatabaseError, close_old_connections

    from simulator import services
    from simulator.models import ClusterSession

    def done() -> bool:
        close_old_connections()
        with contextlib.suppress(DatabaseError):
            rows = list(ClusterSession.objects.filter(pk__in=[account.session for account in accounts]))
            late = [row for row in rows if row.pending or not row.booted]
            for row in late:
                services.schedule(row.pk)
            return not late
        return False

    deadline = time.monotonic() + PATIENCE
    while not done() and time.monotonic() < deadline:
        machine.turn()
        time.sleep(0.5)


def _judge(accounts: list[Account], actors: list[Learner], questions: list[Question], report: Report) -> None:
    from . import promises

    asyncio.run(_last_look(actors))
    for number, (account, actor, (slug, _)) in enumerate(zip(accounts, actors, questions, strict=True)):
        found = promises.broken(account.session, actor.record)
        found += promises.wrong_answers(account.attempt, slug, actor.record)
        found += promises.wrong_grade(account.attempt, slug)
        report.broken += [f"learner {number}: {text}" for text in found]
        report.inputs += len(actor.record.acked)
        report.answers += actor.record.stored
        report.connections += actor.record.connections


async def _last_look(actors: list[Learner]) -> None:
    """Everybody opens the page once more, with what they have, and reads on."""
    stop = asyncio.Event()

    async def look(actor: Learner) -> None:
        reading = asyncio.create_task(actor.run(stop))
        await asyncio.sleep(2)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

    for actor in actors:
        actor.terminal = ""  # nothing more is typed
    await asyncio.gather(*(look(actor) for actor in actors))


def in_a_folder(**options: Any) -> Report:
    """The same in a folder that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="slipway-chaos-", ignore_cleanup_errors=True) as folder:
        return run(Path(folder), **options)
