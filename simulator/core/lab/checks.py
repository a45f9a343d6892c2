"""Evaluates an exercise's checks on a fork of the learner's world and says what was expected, found, and which events show it.

The format is that of docs/authoring.md ("The check program").  A check never changes the learner's world.
"""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, Any

from ..kernel.errors import BadInput
from ..kernel.trace import TraceEvent
from . import conditions, paths, probes, temporal, whatif
from .durations import duration

if TYPE_CHECKING:
    from ..sandbox import Sandbox

__all__ = ["duration", "evaluate"]

MAX_CHECKS = 12
#: What a `never`, `eventually` or `always` probe expects when a check says nothing.
HOLDS = {"path": "holds", "equals": True}
Verdict = dict[str, Any]


def evaluate(sandbox: Sandbox, program: dict[str, Any]) -> dict[str, Any]:
    """Verdicts of a check program, in the order of its checks; raises BadInput for a program that cannot be read."""
    checks = program.get("checks")
    if not isinstance(checks, list) or not 1 <= len(checks) <= MAX_CHECKS:
        raise BadInput(f"checks: between 1 and {MAX_CHECKS} are needed")
    fork = sandbox.fork()
    settle = duration(str(program.get("settle", "0s")))
    if settle:
        fork.advance(fork.now + settle)
    passed: set[str] = set()
    verdicts = []
    for check in checks:
        verdict = _one(fork, check, passed)
        if verdict["state"] == "passed":
            passed.add(check["id"])
        verdicts.append(verdict)
    return {"verdicts": verdicts, "passed": len(passed) == len(checks)}


def _one(sandbox: Sandbox, check: dict[str, Any], passed: set[str]) -> Verdict:
    verdict: Verdict = {"id": check["id"], "state": "waiting", "expected": "", "found": "", "message": None, "evidence": []}
    if not set(check.get("needs", ())) <= passed:
        return verdict
    try:
        world = sandbox
        if "what_if" in check:
            verdict["what_if"] = whatif.told(check["what_if"])
            world = whatif.future(sandbox, check["what_if"])
        world, value, (ok, expected, found) = _look(world, check)
        cases = [c for c in check.get("cases", ()) if not ok and _satisfied(world, value, c["when"])[0]]
    except BadInput as error:
        return {**verdict, "state": "error", "found": str(error), "message": check.get("message")}
    verdict["expected"] = check.get("expected") or expected
    verdict["found"] = found
    verdict["state"] = "passed" if ok else "failed"
    if not ok:
        verdict["message"] = cases[0]["message"] if cases else check.get("message")
        verdict["evidence"] = _evidence(world, check, value)
    return verdict


def _look(world: Sandbox, check: dict[str, Any]) -> tuple[Sandbox, Any, tuple[bool, str, str]]:
    """What a check sees at its end, or at the moments of a future that decide it, with the world it was seen in."""
    expect = check.get("expect", HOLDS)
    mode = check.get("holds", "at-end")
    if mode not in temporal.MODES:
        raise BadInput(f"holds: {mode!r} is not one of {', '.join(temporal.MODES)}")
    if mode == "at-end":
        value = probes.look(world, check)
        return world, value, _satisfied(world, value, expect)
    began = world.now
    seen = None
    for moment in whatif.moments(world if "what_if" in check else world.fork(), check):
        value = probes.look(moment, check)
        ok, expected, found = _satisfied(moment, value, expect)
        at = f"+{(moment.now - began) / 1e9:g}s"
        seen = moment, value, (ok, f"{expected} ({mode})", f"{found} ({at})")
        if ok == (mode == "sometime"):  # one counterexample, or one example, decides
            break
    assert seen is not None, "there is always a first look"
    return seen


def _satisfied(sandbox: Sandbox, value: Any, expect: Any) -> tuple[bool, str, str]:
    """Whether all conditions hold; what the first failing one (else the last) expected and found."""
    wanted = seen = ""
    for condition in expect if isinstance(expect, list) else [expect]:
        for path, operator, want in conditions.expand(condition):
            if operator == "same":
                other, _ = paths.values(probes.look(sandbox, want), str(want.get("path", "")))
                operator, want = "equals", other[0]
            ok, found = conditions.holds(value, path, operator, want)
            wanted, seen = conditions.describe(path, operator, want), conditions.show(_redact(found))
            if not ok:
                return False, wanted, seen
    return True, wanted, seen


def _redact(value: Any) -> Any:
    """Leave the data of Secrets out of what is shown."""
    if isinstance(value, dict):
        if value.get("kind") == "Secret":
            return {k: ("…" if k in ("data", "stringData") else v) for k, v in value.items()}
        return {k: _redact(v) for k, v in value.items() if k != "managedFields"}
    return [_redact(v) for v in value] if isinstance(value, list) else value


def _evidence(sandbox: Sandbox, check: dict[str, Any], value: Any) -> list[dict[str, Any]]:
    if any(name in check for name in temporal.PROBES) and isinstance(value, dict) and value["events"]:
        return [{key: event[key] for key in ("seq", "at", "actor", "action", "ref")} for event in value["events"][-3:]]
    chosen = check.get("evidence")
    wanted = [chosen.get("ref", "*")] if chosen else probes.refs(check)
    action = chosen.get("action", "*") if chosen else "*"
    found: list[TraceEvent] = [
        e
        for e in sandbox.world.trace
        if fnmatch.fnmatchcase(e.action, action) and any(fnmatch.fnmatchcase(e.ref, w) for w in wanted)
    ]
    return [{"seq": e.seq, "at": e.at, "actor": e.actor, "action": e.action, "ref": e.ref} for e in found[-3:]]
