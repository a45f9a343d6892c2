"""`make load` (`python -m tools.load`): how the site does under many learners, and the bare floor in the same run.

`--learners N` connected at once (100), each typing every `--every S` seconds (10).  Two times are reported apart: the opening, until everybody's
cluster was opened and has run its first command, and after that `--seconds S` (30) of steady work.  `--json FILE` writes the figures;
`--set NAME=VALUE` a setting of the site.  The stack is a throw-away one on loopback ports; the driver shares its cores and says how much it took.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import resource
import statistics
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import orjson

from tools.production.machine import Machine

from . import processes
from .learner import Account, Course, Learner, Score


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m tools.load", description="Load against a throw-away production stack.")
    made.add_argument("--learners", type=int, default=100)
    made.add_argument("--every", type=float, default=10.0, help="mean seconds between two commands of a learner")
    made.add_argument("--seconds", type=float, default=30.0, help="seconds of steady work, after all clusters were opened")
    made.add_argument("--ramp", type=float, default=0.0, help="seconds in which they connect (0: 40 a second)")
    made.add_argument("--resting", type=int, default=0, help="further learners with clusters whom nobody watches")
    made.add_argument("--json", type=Path)
    made.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    made.add_argument("--no-pages", action="store_true", help="commands only")
    return made


def main(argv: list[str]) -> int:
    """One run; the status is 1 when there were errors."""
    options = parser().parse_args(argv)
    _raise_limits()
    with tempfile.TemporaryDirectory(prefix="slipway-load-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        settings = dict(item.split("=", 1) for item in options.set)
        settings.setdefault("DEMO_ACCOUNTS", "0")
        machine = Machine(Path(folder), env=settings, durable=True, say=_say)
        try:
            machine.start()
            figures = _measure(machine, options)
        finally:
            machine.stop()
    report(figures)
    if options.json:
        options.json.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    return 1 if figures["errors"] or figures["opening"]["errors"] else 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _raise_limits() -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536) if hard > 0 else 65_536, hard))


def _measure(machine: Machine, options: argparse.Namespace) -> dict[str, Any]:
    os.environ.update(machine.supervisor.env)
    import django

    django.setup()
    from . import people

    accounts = people.make(options.learners)
    size = _database_size()
    if options.resting:
        people.make(options.resting, quizzes=False)
    resting = (_database_size() - size) / options.resting if options.resting else 0.0
    pages = [] if options.no_pages else people.lesson_pages()
    figures: dict[str, Any] = {"learners": options.learners, "every": options.every, "seconds": options.seconds}
    figures["resting"] = {"learners": options.resting, "bytes_each": resting}
    figures["floor before"] = floor()
    figures |= asyncio.run(_play(machine, accounts, options, pages))
    figures["floor after"] = floor()
    return figures


#: Seconds that the opening may take in all, and that are let pass between it and the steady work.
OPENING_MOST, SETTLE = 600.0, 5.0


async def _play(machine: Machine, accounts: list[Account], options: argparse.Namespace, pages: list[str]) -> dict[str, Any]:
    course = Course(len(accounts))
    parts = {name: machine.pid(name) for name in machine.parts}
    empty = processes.usage(parts)
    ramp = options.ramp or len(accounts) / 40
    loop = asyncio.get_running_loop()
    keeping = loop.create_task(_keep(machine))
    _say("everybody connects …")
    opening = _Watch(parts, course.score)
    learners = []
    for number, account in enumerate(accounts):
        learner = Learner(machine.port, account, course, number, every=options.every, pages=pages)
        learners.append(loop.create_task(learner.run()))
        await asyncio.sleep(ramp / len(accounts))
    try:
        await asyncio.wait_for(course.all_inside.wait(), OPENING_MOST)
    except TimeoutError:
        course.score.errors["clusters that were not opened"] = course.outside
    first = opening.figures()
    await asyncio.sleep(SETTLE)
    _say("steady work …")
    course.score = Score()
    steady = _Watch(parts, course.score)
    await asyncio.sleep(options.seconds)
    figures = steady.figures()
    work, memory = _work(machine), {name: value[1] for name, value in processes.usage(parts).items()}
    course.over.set()
    await asyncio.gather(*learners)
    keeping.cancel()
    return {
        **figures,
        "opening": first,
        "work": work,
        "memory": memory,
        "memory empty": {name: value[1] for name, value in empty.items()},
        "memory a learner": (sum(memory.values()) - sum(v[1] for v in empty.values())) / len(accounts),
    }


class _Watch:
    """Latencies and CPU from now on."""

    def __init__(self, parts: dict[str, int], score: Score) -> None:
        self.parts, self.score = parts, score
        self.began, self.own, self.before = time.monotonic(), time.process_time(), processes.spent(parts)

    def figures(self) -> dict[str, Any]:
        """What came of it until now; `cpu` in cores, `cpu a command` in milliseconds."""
        score, took = self.score, time.monotonic() - self.began
        spent = {name: value - self.before[name] for name, value in processes.spent(self.parts).items()}
        spent["driver"] = time.process_time() - self.own
        commands = len(score.command)
        return {
            "took": took,
            "first": summary(score.first),
            "command": summary(score.command),
            "ack": summary(score.ack),
            "by command": {text: summary(values) for text, values in sorted(score.by_text.items())},
            "page": summary(score.page),
            "save": summary(score.save),
            "commands a second": commands / took,
            "errors": dict(score.errors),
            "cpu": {name: seconds / took for name, seconds in spent.items()},
            "cpu a command": {name: seconds * 1000 / max(commands, 1) for name, seconds in spent.items()},
        }


def _work(machine: Machine) -> dict[str, tuple[float, float]]:
    """What the workers did since they started: `{task: (how often, seconds each)}`."""
    with urllib.request.urlopen(f"http://127.0.0.1:{machine.kept['web'][0]}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found = {}
    for name in ("task", "world_load"):
        for labels, count in re.findall(rf"^slipway_{name}_seconds_count(\{{.*?\}})? (\S+)$", text, re.MULTILINE):
            total = re.search(rf"^slipway_{name}_seconds_sum{re.escape(labels)} (\S+)$", text, re.MULTILINE)
            if total and float(count):
                found[re.sub(r'[{}"]|task=', "", labels) or "load a cluster"] = (float(count), float(total[1]) / float(count))
    return found


async def _keep(machine: Machine) -> None:
    while True:
        machine.turn()
        await asyncio.sleep(0.2)


def summary(values: list[float]) -> dict[str, float]:
    """Count and percentiles in milliseconds."""
    ordered = sorted(values)
    if not ordered:
        return {"count": 0}
    at = {name: ordered[min(len(ordered) - 1, int(len(ordered) * share))] for name, share in _SHARES.items()}
    return {"count": len(ordered), **{name: value * 1000 for name, value in at.items()}, "max": ordered[-1] * 1000}


_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def floor(rounds: int = 60) -> float:
    """The bare floor: the median round trip of one Celery task with a reply in a Redis list, in milliseconds."""
    from simulator import mailbox, tasks

    samples = []
    for _ in range(rounds):
        began = time.perf_counter()
        key = mailbox.new_key()
        tasks.echo.apply_async((key, "x" * 200), queue="cluster.0")
        mailbox.take(key, 10)
        samples.append((time.perf_counter() - began) * 1000)
    return statistics.median(samples)


def _database_size() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def report(figures: dict[str, Any]) -> None:
    """The figures in words."""
    opening = figures["opening"]
    print(f"\n{figures['learners']} learners, one command every {figures['every']:g} s each")
    print(f"until every cluster was opened and had run a command: {opening['took']:.1f} s")
    _report_part(opening)
    print(f"steady work: {figures['took']:.1f} s")
    _report_part(figures)
    for text, values in figures["by command"].items():
        print(f"    {text:<58} p50 {values['p50']:7.1f}  p95 {values['p95']:7.1f} ms   ({values['count']})")
    print("in all")
    print(f"  bare Celery round trip  {figures['floor before']:.1f} ms before, {figures['floor after']:.1f} ms after")
    for task, (count, seconds) in figures["work"].items():
        print(f"  worker: {task:<15} {count:8.0f} times, {seconds * 1000:6.1f} ms each")
    print("  memory (MB)             " + "  ".join(f"{name} {value:.0f}" for name, value in figures["memory"].items()))
    print("  … before anybody came   " + "  ".join(f"{name} {value:.0f}" for name, value in figures["memory empty"].items()))
    print(f"  memory a learner        {figures['memory a learner']:.2f} MB, everything included")
    if figures["resting"]["learners"]:
        each = figures["resting"]
        print(f"  {each['learners']} more at rest        {each['bytes_each']:.0f} bytes of database each, no process")


def _report_part(figures: dict[str, Any]) -> None:
    for name in ("first", "command", "ack", "page", "save"):
        values = figures[name]
        if values["count"]:
            shown = "  ".join(f"{key} {values[key]:7.1f}" for key in ("p50", "p95", "p99", "max"))
            print(f"  {name:<8} {shown} ms   ({values['count']})")
    print(f"  commands a second       {figures['commands a second']:.1f}")
    print("  errors                  " + (", ".join(f"{k}: {v}" for k, v in figures["errors"].items()) or "none"))
    print("  CPU (cores)             " + "  ".join(f"{name} {value:.2f}" for name, value in figures["cpu"].items()))
    print("  CPU (ms a command)      " + "  ".join(f"{name} {value:.1f}" for name, value in figures["cpu a command"].items()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
