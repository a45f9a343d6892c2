"""The course as journals: every lesson's commands and every exercise's attempts, played row by row.

Run as a program it prints a digest a journal, so that two processes with different hash seeds can be compared.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from simulator.core.kernel.clock import MINUTE, SECOND
from simulator.core.lab.checks import duration
from simulator.core.sandbox import Sandbox

CONTENT = Path(__file__).parents[2] / "lessons" / "content"
BLOCK = re.compile(r"^```run(?: host=(\S+))?[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)

#: (terminal's host, line), (None, virtual nanoseconds to pass), or ("@", scenario) as the first row; without one it is three-nodes.
Row = tuple[str | None, str | int]


def _steps(exercise: dict[str, Any], steps: list[Any]) -> Iterator[Row]:
    if "scenario" in exercise:
        yield "@", exercise["scenario"]
    for step in [*exercise.get("setup", ()), *steps]:
        if isinstance(step, dict) and "wait" in step:
            yield None, duration(step["wait"])
            continue
        command = step["run"] if isinstance(step, dict) else step
        host = step.get("host", "controlplane") if isinstance(step, dict) else "controlplane"
        for line in command.splitlines():
            yield host, line


def _lesson(path: Path) -> Iterator[Row]:
    source = path.read_text(encoding="utf-8")
    front = yaml.safe_load(source.split("---")[1])
    if "scenario" in front:
        yield "@", front["scenario"]
    for host, text in BLOCK.findall(source):
        for line in text.splitlines():
            yield host or "controlplane", line
        yield None, 8 * SECOND


def lessons() -> dict[str, list[Row]]:
    """Every lesson's commands in order (both languages have the same: the English file is read)."""
    paths = sorted(CONTENT.glob("*/*/lesson-*.en.md"))
    return {f"{p.parent.name}/{p.name.removesuffix('.en.md')}": list(_lesson(p)) for p in paths}


def attempts() -> dict[str, list[Row]]:
    """Every exercise's solution and wrong attempts."""
    out: dict[str, list[Row]] = {}
    for path in sorted(CONTENT.glob("*/*/exercises/*.yaml")):
        exercise = yaml.safe_load(path.read_text(encoding="utf-8"))
        name = f"{path.parents[1].name}/{path.stem}"
        out[f"{name}/solution"] = list(_steps(exercise, exercise["solution"]["commands"]))
        for wrong in exercise.get("wrong", ()):
            out[f"{name}/{wrong['name']}"] = list(_steps(exercise, wrong["commands"]))
    return out


def faults() -> dict[str, list[Row]]:
    """Journals with faults; a fault is a line that begins with `!`."""
    deploy: Row = ("controlplane", "kubectl create deployment web --image=nginx --replicas=4")
    return {
        "faults/power": [
            deploy,
            (None, 20 * SECOND),
            ("!", "power-off node01"),
            (None, 7 * MINUTE),
            ("!", "power-on node01"),
            (None, MINUTE),
        ],
        "faults/etcd": [deploy, ("!", "kill etcd controlplane"), (None, 40 * SECOND), ("controlplane", "kubectl get pods")],
        "faults/cut": [
            ("!", "cut controlplane node02"),
            deploy,
            (None, 2 * MINUTE),
            ("!", "mend controlplane node02"),
            (None, MINUTE),
        ],
    }


def play(rows: list[Row], *, restore_every: int = 0) -> tuple[Sandbox, str]:
    """Play a journal; with `restore_every`, through a snapshot after so many rows.  Returns the world and all output."""
    scenario = str(rows[0][1]) if rows[0][0] == "@" else "three-nodes"
    sandbox = Sandbox.boot(scenario, 11)
    printed = []
    for number, (host, what) in enumerate(rows, 1):
        if host is None:
            assert isinstance(what, int)
            sandbox.advance(sandbox.now + what)
        elif host == "@":
            assert number == 1
        elif host == "!":
            name, *args = str(what).split()
            sandbox.apply("fault", {"name": name, "args": args}, sandbox.now)
        else:
            _type(sandbox, host, str(what))
        printed += [chunk.data for chunk in sandbox.drain()]
        if restore_every and number % restore_every == 0 and sandbox.can_snapshot():
            sandbox = Sandbox.restore(sandbox.snapshot())
    return sandbox, "".join(printed)


def _type(sandbox: Sandbox, host: str, line: str) -> None:
    if host == "controlplane" and host not in sandbox.world.section("hosts", dict):
        host = sandbox.first_host  # what names no host is typed in the first terminal
    if host not in sandbox.terminals():
        sandbox.apply("open", {"terminal": host, "host": host}, sandbox.now)
    sandbox.apply("line", {"terminal": host, "text": line}, sandbox.now)
    deadline = sandbox.now + 60 * SECOND
    while sandbox.terminals()[host].busy and sandbox.now < deadline:
        sandbox.advance(min(deadline, max(sandbox.next_due() or deadline, sandbox.now + 10_000_000)))
    if sandbox.terminals()[host].busy:
        sandbox.apply("key", {"terminal": host, "key": "ctrl-c"}, sandbox.now)


def everything() -> dict[str, list[Row]]:
    """All journals by name."""
    return {**lessons(), **attempts(), **faults()}


if __name__ == "__main__":
    for name, rows in everything().items():
        sys.stdout.write(f"{name} {play(rows)[0].digest()}\n")
