"""Plays an exercise's commands in a fresh world as a learner would: typed into terminals, with virtual time between."""

from __future__ import annotations

from typing import Any

from simulator.core.kernel.clock import MINUTE, SECOND
from simulator.core.lab import checks
from simulator.core.sandbox import Sandbox
from simulator.headless.run import Session

Step = str | dict[str, str]


def world_of(exercise: dict[str, Any], default: str) -> Sandbox:
    """The world in which the exercise starts."""
    sandbox = Sandbox.boot(exercise.get("scenario", default))
    for command in exercise.get("setup", ()):
        sandbox.run(command, settle=30 * SECOND)
    return sandbox


def play(sandbox: Sandbox, steps: list[Step]) -> None:
    """Type each step; `{host, run}` names the terminal, `{wait}` lets time pass."""
    session = Session(sandbox, "", 0, 10 * MINUTE)
    for step in steps:
        if isinstance(step, dict) and "wait" in step:
            sandbox.advance(sandbox.now + checks.duration(step["wait"]))
            continue
        command = step["run"] if isinstance(step, dict) else step
        session.steer(f"#! host {step.get('host', sandbox.first_host) if isinstance(step, dict) else sandbox.first_host}")
        for line in command.splitlines():
            session.type_line(line)


def verdicts(sandbox: Sandbox, exercise: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The verdicts of the exercise's checks by id, in order."""
    program = {"settle": exercise.get("settle", "0s"), "checks": exercise["checks"]}
    return {v["id"]: v for v in checks.evaluate(sandbox, program)["verdicts"]}
