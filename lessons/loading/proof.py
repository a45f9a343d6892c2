"""Proof of exercises: typed into a fresh world as a learner would, solutions pass, doing nothing does not, wrong attempts get their message.

`manage.py checkcourse` and the tests of the course run it; questions about worlds have `lessons.quizzes.proof`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from simulator.core.kernel.clock import MINUTE, SECOND
from simulator.core.lab import checks
from simulator.core.sandbox import Sandbox
from simulator.headless.run import Session

Step = str | dict[str, str]


def world_of(exercise: dict[str, Any], default: str) -> Sandbox:
    """The world in which the exercise starts: its own scenario, or the `default` of its lesson."""
    sandbox = Sandbox.boot(exercise.get("scenario", default))
    set_up(sandbox, exercise.get("setup", ()))
    return sandbox


def set_up(sandbox: Sandbox, steps: Iterable[Step]) -> None:
    """Run the steps before a learner comes (`text`, `{host, run}`, `{wait}`), and let what follows from each come to rest."""
    for step in steps:
        if isinstance(step, dict) and "wait" in step:
            sandbox.advance(sandbox.now + checks.duration(step["wait"]))
            continue
        command, host = (step["run"], step.get("host", "")) if isinstance(step, dict) else (step, "")
        sandbox.run(command, host=host, settle=30 * SECOND)


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


def attempts(exercise: dict[str, Any]) -> Iterator[tuple[str, list[Step], bool]]:
    """(what it is, what is typed, whether it must pass) of everything that an exercise says of itself but its wrong attempts."""
    yield "the solution", exercise["solution"]["commands"], True
    for other in exercise.get("alternatives", ()):
        yield f"the alternative “{other['title']['en']}”", other["commands"], True
    yield "doing nothing", [], False


def prove(exercise: dict[str, Any], default: str) -> Iterator[str]:
    """What is wrong with an exercise once it is played."""
    for what, steps, passes in attempts(exercise):
        sandbox = world_of(exercise, default)
        play(sandbox, steps)
        found = verdicts(sandbox, exercise)
        open_ = [check for check, verdict in found.items() if verdict["state"] != "passed"]
        if passes and open_:
            said = ", ".join(f"{check} is {found[check]['state']}" for check in open_)
            yield f"{what} does not pass: {said}"
        elif not passes and not open_:
            yield f"{what} passes every check"
    for wrong in exercise.get("wrong", ()):
        sandbox = world_of(exercise, default)
        play(sandbox, wrong["commands"])
        first = next((v for v in verdicts(sandbox, exercise).values() if v["state"] == "failed"), None)
        if first is None:
            yield f"the wrong attempt {wrong['name']} passes"
        elif first["id"] != wrong["fails"]:
            yield f"the wrong attempt {wrong['name']} fails at {first['id']}, not at {wrong['fails']}"
        elif first["message"] != wrong["message"]:
            yield f"the wrong attempt {wrong['name']} gets another message: {first['message']['en']}"
