"""Proof of questions about worlds: their solutions are right, doing nothing and the listed wrong answers are not, outputs say something.

`prove(spec)` is what tests and `checkcourse` run over every question of a course; it plays in this process.  The editor in the browser
plays through the workers (`shortcomings(spec, run)`), and says what it finds in the page's language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from lessons.quizzes import layout
from lessons.quizzes.types import TYPES
from lessons.quizzes.types.world import Output
from simulator import trials

#: Types of questions that a world answers.
PLAYED = ("output", "command", "state")
#: Plays a trial (`simulator.trials`) and gives what came of it.
Run = Callable[[dict[str, Any]], Mapping[str, Any]]
#: What is wrong: a sentence, to be translated, and what stands in its places.
Shortcoming = tuple[str, dict[str, Any]]

FAILS = gettext_noop("the answer's command fails with status %(code)s: %(error)s")
SILENT = gettext_noop("the answer's command prints nothing")
UNREAD = gettext_noop("its own answer %(answer)s is not right (`as`)")
UNSOLVED = gettext_noop("the solution `%(answer)s` does not pass")
STEPS_FAIL = gettext_noop("the solution does not pass")
OTHER_FAILS = gettext_noop("the alternative does not pass")
PASSES = gettext_noop("`%(answer)s` passes, and should not")
IDLE = gettext_noop("doing nothing passes, and should not")


def shortcomings(raw: Mapping[str, Any], run: Run = trials.run) -> Iterator[tuple[Shortcoming, dict[str, Any]]]:
    """What is wrong with a question once it is played, with the drawn values that show it; nothing for one that asks no world."""
    if raw.get("type") not in PLAYED:
        return
    for values in list(layout.extremes(raw))[:2] if "values" in raw else [{}]:
        for found in _PROOFS[raw["type"]](layout.fill(raw, values), run):
            yield found, values


def prove(raw: Mapping[str, Any]) -> list[str]:
    """The same as sentences for authors."""
    return [
        f"{raw['id']}: {text % about}" + (f" (with {values})" if values else "") for (text, about), values in shortcomings(raw)
    ]


def _output(spec: Mapping[str, Any], run: Run) -> Iterator[Shortcoming]:
    trial = TYPES["output"].produces(spec)
    assert trial is not None
    for seed in (1, 2):
        found = run({**trial, "seed": seed})
        key, wanted = found["shown"][-1], Output.wanted({**spec, "world": found})
        if key["code"] != 0 and not key["stdout"].strip():
            yield FAILS, {"code": key["code"], "error": key["stderr"].strip()[:200]}
        elif not wanted:
            yield SILENT, {}
        elif not TYPES["output"].grade({**spec, "world": found}, wanted).right:
            yield UNREAD, {"answer": repr(wanted)}


def _command(spec: Mapping[str, Any], run: Run) -> Iterator[Shortcoming]:
    kind = TYPES["command"]

    def right(answer: str) -> bool:
        return kind.judged(spec, answer, run(kind.asks(spec, answer))).right

    for answer in spec["solution"]:
        if not right(answer):
            yield UNSOLVED, {"answer": answer}
    for answer in ("true", *spec.get("wrong", ())):
        if right(answer):
            yield PASSES, {"answer": answer}


def _state(spec: Mapping[str, Any], run: Run) -> Iterator[Shortcoming]:
    def passes(steps: list[Any]) -> bool:
        trial = {"scenario": spec["scenario"], "setup": spec.get("setup", []), "commands": steps}
        found = run({**trial, "settle": spec.get("settle", "0s"), "checks": spec["checks"]})
        return TYPES["state"].judged({**spec, "partial": False}, None, found).right

    for name, said in (("solution", STEPS_FAIL), ("alternative", OTHER_FAILS)):
        if name in spec and not passes(spec[name]):
            yield said, {}
    if passes([]):
        yield IDLE, {}
    for steps in spec.get("wrong", ()):
        if passes(steps):
            yield PASSES, {"answer": "; ".join(TYPES["state"].key({**spec, "solution": steps}, "en")).replace("`", "")}


_PROOFS = {"output": _output, "command": _command, "state": _state}
