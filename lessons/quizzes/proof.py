"""Proof of questions about worlds: their solutions are right, doing nothing and the listed wrong answers are not, outputs say something.

`prove(spec)` is what tests and `checkcourse` run over every question of a course.  It plays in this process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lessons.quizzes import layout
from lessons.quizzes.types import TYPES
from lessons.quizzes.types.world import Output
from simulator import trials

#: Types of questions that a world answers.
PLAYED = ("output", "command", "state")


def prove(raw: Mapping[str, Any]) -> list[str]:
    """What is wrong with a question once it is played, with the values that show it; nothing for one that asks no world."""
    if raw.get("type") not in PLAYED:
        return []
    out = []
    drawn = list(layout.extremes(raw))[:2] if "values" in raw else [{}]
    for values in drawn:
        spec = layout.fill(raw, values)
        said = f" (with {values})" if values else ""
        out += [f"{raw['id']}: {problem}{said}" for problem in _PROOFS[raw["type"]](spec)]
    return out


def _output(spec: Mapping[str, Any]) -> Iterator[str]:
    trial = TYPES["output"].produces(spec)
    assert trial is not None
    for seed in (1, 2):
        found = trials.run({**trial, "seed": seed})
        key = found["shown"][-1]
        if key["code"] != 0 and not key["stdout"].strip():
            yield f"the answer's command fails with status {key['code']}: {key['stderr'].strip()[:200]}"
        elif not Output.wanted({**spec, "world": found}):
            yield "the answer's command prints nothing"
        elif not TYPES["output"].grade({**spec, "world": found}, Output.wanted({**spec, "world": found})).right:
            yield f"its own answer {Output.wanted({**spec, 'world': found})!r} is not right (`as`)"


def _right(spec: Mapping[str, Any], answer: str) -> bool:
    kind = TYPES["command"]
    return kind.judged(spec, answer, trials.run(kind.asks(spec, answer))).right


def _command(spec: Mapping[str, Any]) -> Iterator[str]:
    for answer in spec["solution"]:
        if not _right(spec, answer):
            yield f"the solution `{answer}` does not pass"
    for answer in ("true", *spec.get("wrong", ())):
        if _right(spec, answer):
            yield f"`{answer}` passes, and should not"


def _state(spec: Mapping[str, Any]) -> Iterator[str]:
    def passes(steps: list[Any]) -> bool:
        trial = {"scenario": spec["scenario"], "setup": spec.get("setup", []), "commands": steps}
        found = trials.run({**trial, "settle": spec.get("settle", "0s"), "checks": spec["checks"]})
        return TYPES["state"].judged({**spec, "partial": False}, None, found).right

    for name in ("solution", "alternative"):
        if name in spec and not passes(spec[name]):
            yield f"the {name} does not pass"
    for steps in ([], *spec.get("wrong", ())):
        if passes(steps):
            yield f"{steps or 'doing nothing'} passes, and should not"


_PROOFS = {"output": _output, "command": _command, "state": _state}
