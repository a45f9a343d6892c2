"""Trials: a fresh world, commands run in it, checks on it.  Nothing of it is stored and no learner's cluster is touched.

A trial is `{scenario, seed, setup, commands, show, settle, checks}`, of which only `scenario` must be there.  `setup` and `commands`
are steps as exercises have them (`text`, `{run, host, user}`, `{wait: 30s}`); `show` are steps whose output is wanted.  Its answer
is `{set_up, ran, shown: lists of {run, host, stdout, stderr, code}, verdicts, passed, evidence: {scenario, seed, engine, now,
digest}}`.

`judge` runs checks on a learner's cluster as it was at a row of its journal, which replays the same whenever it is asked.
"""

from __future__ import annotations

import uuid
from typing import Any, cast

from . import engine, shelf, worlds
from .core.kernel.errors import BadInput, SimulatorError
from .models import ClusterSession
from .packing import without_nul

#: Characters of one command's output that are kept.
MAX_SHOWN = 20_000
MAX_STEPS = 40


class Unavailable(Exception):
    """The world could not be asked now; nothing was decided."""


def version() -> str:
    """The simulator's version, which is part of what a trial shows."""
    return engine.version()


def _step(sandbox: Any, step: Any) -> dict[str, Any]:
    from .core.lab import checks

    step = {"run": step} if isinstance(step, str) else step
    if "wait" in step:
        sandbox.advance(sandbox.now + checks.duration(step["wait"]))
        return {"wait": step["wait"]}
    host = step.get("host", sandbox.first_host)
    result = sandbox.run(step["run"], host=host, user=step.get("user", "root"))
    said = {"stdout": result.stdout[:MAX_SHOWN], "stderr": result.stderr[:MAX_SHOWN], "code": result.code}
    return {"run": step["run"], "host": host, **said}


def run(trial: dict[str, Any]) -> dict[str, Any]:
    """Do a trial in this process.  Raises `BadInput` for one that cannot be read, `Unavailable` when the world breaks."""
    from .core.lab import checks

    if trial["scenario"] not in engine.scenarios():
        raise BadInput(f"scenario: there is none named {trial['scenario']!r}")
    parts = [list(trial.get(name, ())) for name in ("setup", "commands", "show")]
    if sum(len(part) for part in parts) > MAX_STEPS:
        raise BadInput(f"a trial has at most {MAX_STEPS} steps")
    sandbox: Any = shelf.boot(trial["scenario"], int(trial.get("seed", 1)))
    try:
        setup, commands, shown = ([_step(sandbox, step) for step in part] for part in parts)
        found: dict[str, Any] = {}
        if trial.get("checks"):
            found = dict(checks.evaluate(sandbox, {"settle": trial.get("settle", "0s"), "checks": trial["checks"]}))
    except SimulatorError as error:
        raise Unavailable(str(error)) from error
    evidence = {
        "scenario": trial["scenario"],
        "seed": int(trial.get("seed", 1)),
        "engine": engine.version(),
        "now": sandbox.now,
        "digest": sandbox.digest(),
    }
    answer = {"set_up": setup, "ran": commands, "shown": [item for item in shown if "run" in item], "evidence": evidence, **found}
    return cast(dict[str, Any], without_nul(answer))


def judge(session_id: uuid.UUID, seq: int, at: int, program: dict[str, Any]) -> dict[str, Any]:
    """Verdicts on a cluster as it was with `seq` rows of its journal applied, at virtual time `at` or when the last of them took
    effect; raises `Unavailable`."""
    from .core.lab import checks

    session = ClusterSession.objects.filter(pk=session_id).first()
    if session is None:
        raise Unavailable("this cluster is no longer there")
    if session.applied_seq < seq:
        from . import advancing

        advancing.advance(session_id)
        session.refresh_from_db()
        if session.applied_seq < seq:
            raise Unavailable(session.frozen_reason or "its last inputs have not taken effect")
    last = session.journal.filter(seq=seq).values_list("applied_at", flat=True).first()
    try:
        sandbox: Any = worlds.past(session, seq, max(at, last or 0))
    except worlds.Frozen as error:
        raise Unavailable(str(error)) from error
    found = dict(checks.evaluate(sandbox, program))
    found["evidence"] = {
        "session": str(session_id),
        "journal_seq": seq,
        "now": sandbox.now,
        "digest": sandbox.digest(),
        "engine": engine.version(),
    }
    return cast(dict[str, Any], without_nul(found))
