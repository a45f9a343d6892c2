"""What-if: the future of a fork.  Faults strike, commands run, time passes, and a check looks at what became of it.

Steps are `{fault: "node.kill node01"}` (the faults of `faults.FAULTS`, as a terminal takes them), a command (text, or `{run, host, user}`)
and `{wait: 10m}`.  The learner's world is never touched: whoever calls gives a fork.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from ..kernel.clock import HOUR, SECOND
from ..kernel.errors import BadInput, SimulatorError
from . import faults
from .durations import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..sandbox import Sandbox

MAX_STEPS = 20
#: Virtual time that one check may let pass, and the samples that it may take.
MAX_TIME = 24 * HOUR
MAX_SAMPLES = 500


def future(sandbox: Sandbox, steps: Any) -> Sandbox:
    """A fork on which `steps` have happened; raises BadInput for steps that cannot be read."""
    if not isinstance(steps, list) or not 1 <= len(steps) <= MAX_STEPS:
        raise BadInput(f"what_if: between 1 and {MAX_STEPS} steps")
    fork = sandbox.fork()
    end = fork.now + MAX_TIME
    for index, step in enumerate(steps):
        try:
            _step(fork, {"run": step} if isinstance(step, str) else step, end)
        except (BadInput, SimulatorError) as error:
            raise BadInput(f"what_if[{index}]: {error}") from None
    return fork


def _step(fork: Sandbox, step: dict[str, Any], end: int) -> None:
    if "fault" in step:
        if reason := faults.problem(step["fault"]):
            raise BadInput(reason)
        words = shlex.split(step["fault"])
        faults.inject(fork.world, words[0], words[1:])
        fork.advance(fork.now)
    elif "wait" in step:
        until = fork.now + duration(str(step["wait"]))
        if until > end:
            raise BadInput(f"wait: more than {MAX_TIME // HOUR} hours in all")
        fork.advance(until)
    elif "run" in step:
        fork.run(step["run"], host=step.get("host", fork.first_host), user=step.get("user", "root"))
    else:
        raise BadInput("a step is a command, {fault: …} or {wait: …}")


def moments(fork: Sandbox, check: dict[str, Any]) -> Iterator[Sandbox]:
    """The world at each look of a check with `holds`: now, then every `every` until `for` has passed."""
    length, every = duration(str(check.get("for", "1m"))), duration(str(check.get("every", "5s")))
    if every < SECOND // 10 or length > MAX_TIME or length // every > MAX_SAMPLES:
        raise BadInput(f"holds: at most {MAX_SAMPLES} looks in {MAX_TIME // HOUR} hours, a tenth of a second apart or more")
    end = fork.now + length
    yield fork.fork()
    while fork.now < end:
        fork.advance(min(end, fork.now + every))
        yield fork.fork()


def told(steps: Any) -> list[str]:
    """The steps in words that need no translation, for the verdict."""
    out = []
    for step in steps if isinstance(steps, list) else []:
        if isinstance(step, str):
            out.append(f"$ {step}")
        elif "wait" in step:
            out.append(f"+{step['wait']}")
        else:
            out.append(f"⚡ {step['fault']}" if "fault" in step else f"{step.get('host', '')}$ {step.get('run', '')}")
    return out
