"""Questions about a simulated world: read the output, give the command, bring it to a state.

None of them holds a hand-written answer of the simulator: what `output` shows and takes for right is printed by commands in a
seeded world when an attempt begins; `command` and `state` are marked by checks (docs/authoring.md, "The check program").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lessons.quizzes.types.base import FieldPath, Form, Mark, QuestionType, Spec
from lessons.quizzes.types.numeric import number
from lessons.quizzes.types.short import squeeze

MAX_LINES = 5
MAX_COMMAND = 1000
MAX_ANSWER = 200

_STEP: dict[str, Any] = {
    "type": ["string", "object"],
    "minLength": 1,
    "maxLength": 4000,
    "properties": {
        "run": {"type": "string", "minLength": 1, "maxLength": 4000},
        "host": {"$ref": "#/$defs/slug"},
        "user": {"type": "string", "minLength": 1, "maxLength": 32},
        "wait": {"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"},
    },
    "additionalProperties": False,
}
STEPS = {"type": "array", "maxItems": 20, "items": _STEP}
SCENARIO = {"type": "string", "minLength": 1, "maxLength": 64}
CHECKS = {
    "type": "array",
    "minItems": 1,
    "maxItems": 12,
    "items": {"type": "object"},
}  # lessons.loading.questions looks into them


def steps_problems(name: str, steps: list[Any]) -> Iterator[tuple[FieldPath, str]]:
    """Steps that say both or neither of `run` and `wait`."""
    for index, step in enumerate(steps):
        if isinstance(step, Mapping) and ("run" in step) == ("wait" in step):
            yield (name, index), "has either `run` or `wait`"


class _World(QuestionType):
    """What all of them share."""

    def problems(self, spec: Spec) -> Iterator[tuple[FieldPath, str]]:
        for name in ("setup", "show", "solution", "alternative"):
            yield from steps_problems(name, spec.get(name, []))


class Output(_World):
    """Commands and what they printed are shown; the learner reads the answer out of it.

    `answer: {run: …}` is a command in the same world whose output is right, without spaces at its ends.  The page never holds it.
    """

    name = "output"
    template = "quizzes/types/output.html"
    properties = {
        "scenario": SCENARIO,
        "setup": STEPS,
        "show": {**STEPS, "minItems": 1, "maxItems": 6},
        "answer": {
            "type": "object",
            "properties": {"run": {"type": "string", "minLength": 1, "maxLength": 2000}, "host": {"$ref": "#/$defs/slug"}},
            "required": ["run"],
            "additionalProperties": False,
        },
        "as": {"enum": ["text", "number", "words"]},
    }
    required = ("scenario", "show", "answer")

    def produces(self, spec: Spec) -> dict[str, Any]:
        return {
            "scenario": spec["scenario"],
            "setup": list(spec.get("setup", [])),
            "show": [*spec["show"], dict(spec["answer"])],
        }

    @staticmethod
    def wanted(spec: Spec) -> str:
        """What the world said the answer is."""
        shown = spec.get("world", {}).get("shown") or [{}]
        return squeeze(str(shown[-1].get("stdout", "")))

    def present(self, spec: Spec, language: str, seed: str, response: Any) -> dict[str, Any]:
        shown = spec.get("world", {}).get("shown", [])[:-1]
        lines = [{"host": item["host"], "run": item["run"], "out": item["stdout"] + item["stderr"]} for item in shown]
        value = response if isinstance(response, str) else ""
        return {"lines": lines, "value": value, "max": MAX_ANSWER, "numeric": spec.get("as") == "number"}

    def parse(self, form: Form, name: str, spec: Spec) -> Any:
        return squeeze(form.get(name, "")[:MAX_ANSWER]) or None

    def grade(self, spec: Spec, response: Any) -> Mark:
        wanted = self.wanted(spec)
        detail = {"given": response, "wanted": wanted, "world": spec.get("world", {}).get("evidence", {})}
        if not isinstance(response, str) or not response or not wanted:
            return Mark(0.0, detail)
        match spec.get("as", "text"):
            case "number":
                right = number(response) is not None and number(response) == number(wanted)
            case "words":
                right = sorted(response.replace(",", " ").split()) == sorted(wanted.split())
            case _:
                right = squeeze(response) == wanted
        return Mark(1.0 if right else 0.0, detail)

    def key(self, spec: Spec, language: str) -> list[str]:
        return [f"`{self.wanted(spec)}`", f"`{spec['answer']['run']}`"]

    def said(self, spec: Spec, response: Any, language: str) -> list[str]:
        return [response] if isinstance(response, str) and response else []


def verdict_mark(found: Mapping[str, Any]) -> Mark:
    """All checks or nothing; the verdicts are the evidence."""
    verdicts = list(found.get("verdicts", []))
    passed = sum(item.get("state") == "passed" for item in verdicts)
    right = bool(verdicts) and passed == len(verdicts)
    return Mark(1.0 if right else 0.0, {"verdicts": verdicts, "ran": list(found.get("ran", []))})


class Command(_World):
    """One command, or a few lines.  It is run in a fresh world; whatever has the right effect is right."""

    name = "command"
    template = "quizzes/types/command.html"
    marked_by = "world"
    properties = {
        "scenario": SCENARIO,
        "setup": STEPS,
        "host": {"$ref": "#/$defs/slug"},
        "user": {"type": "string", "minLength": 1, "maxLength": 32},
        "settle": {"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"},
        "checks": CHECKS,
        "printed": {"type": "string", "minLength": 1, "maxLength": 2000},
        "solution": {"type": "array", "minItems": 1, "maxItems": 8, "items": {"type": "string", "minLength": 1}},
        "wrong": {"type": "array", "maxItems": 12, "items": {"type": "string", "minLength": 1}},
    }
    required = ("scenario", "solution")

    def problems(self, spec: Spec) -> Iterator[tuple[FieldPath, str]]:
        yield from steps_problems("setup", spec.get("setup", []))
        if "checks" not in spec and "printed" not in spec:
            yield ("checks",), "is missing: what the command must bring about (or `printed`, a command that prints the same)"

    def present(self, spec: Spec, language: str, seed: str, response: Any) -> dict[str, Any]:
        value = response if isinstance(response, str) else ""
        return {"value": value, "max": MAX_COMMAND, "host": spec.get("host", "controlplane"), "lines": MAX_LINES}

    def parse(self, form: Form, name: str, spec: Spec) -> Any:
        lines = [line.rstrip() for line in form.get(name, "")[:MAX_COMMAND].replace("\r\n", "\n").strip().split("\n")]
        return "\n".join(lines[:MAX_LINES]) or None

    def asks(self, spec: Spec, response: Any) -> dict[str, Any]:
        """A fresh world, the set-up, the learner's lines, the checks; with `printed` also that command in the same world.

        What the learner's lines printed is compared with what `printed` prints before them.
        """
        where = {name: spec[name] for name in ("host", "user") if name in spec}
        setup = list(spec.get("setup", []))
        setup += [{"run": spec["printed"], **where}] if "printed" in spec else []
        return {
            "scenario": spec["scenario"],
            "setup": setup,
            "commands": [{"run": str(response), **where}],
            "settle": spec.get("settle", "0s"),
            "checks": list(spec.get("checks", [])),
        }

    def judged(self, spec: Spec, response: Any, found: Mapping[str, Any]) -> Mark:
        mark = verdict_mark(found) if spec.get("checks") else Mark(1.0, {"ran": list(found.get("ran", []))})
        if mark.right and "printed" in spec:
            wanted, said = (found.get(name) or [{}] for name in ("set_up", "ran"))
            right = str(wanted[-1].get("stdout", "")).split() == str(said[-1].get("stdout", "")).split()
            return Mark(1.0 if right and bool(said[-1].get("stdout")) else 0.0, mark.detail)
        return mark

    def grade(self, spec: Spec, response: Any) -> Mark:
        return Mark(0.0, {"given": response if isinstance(response, str) else None})

    def key(self, spec: Spec, language: str) -> list[str]:
        return [f"`{line}`" for line in spec["solution"]]

    def said(self, spec: Spec, response: Any, language: str) -> list[str]:
        return [f"`{line}`" for line in response.split("\n")] if isinstance(response, str) and response else []


class State(_World):
    """A cluster of the attempt's own, to be brought to a state.  An answer is where its journal stood: `{session, seq, at}`."""

    name = "state"
    template = "quizzes/types/state.html"
    marked_by = "world"
    own_cluster = True
    properties = {
        "scenario": SCENARIO,
        "hosts": {"type": "array", "minItems": 1, "maxItems": 6, "items": {"$ref": "#/$defs/slug"}},
        "setup": STEPS,
        "settle": {"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"},
        "checks": CHECKS,
        "partial": {"type": "boolean"},
        "solution": {**STEPS, "minItems": 1},
        "alternative": STEPS,
        "wrong": {"type": "array", "maxItems": 8, "items": {**STEPS, "minItems": 1}},
    }
    required = ("scenario", "checks", "solution")

    def present(self, spec: Spec, language: str, seed: str, response: Any) -> dict[str, Any]:
        return {"begun": isinstance(response, Mapping), "hosts": spec.get("hosts", ["controlplane"])}

    def parse(self, form: Form, name: str, spec: Spec) -> Any:
        """The page sends nothing: the answer is where the attempt's own cluster stood (`lessons.quizzes.clusters`)."""
        return None

    def asks(self, spec: Spec, response: Any) -> dict[str, Any]:
        program = {"settle": spec.get("settle", "0s"), "checks": list(spec["checks"])}
        return {"session": response["session"], "seq": response["seq"], "at": response["at"], "program": program}

    def judged(self, spec: Spec, response: Any, found: Mapping[str, Any]) -> Mark:
        mark = verdict_mark(found)
        if not spec.get("partial") or mark.right:
            return mark
        states = [item.get("state") for item in mark.detail["verdicts"]]
        return Mark(states.count("passed") / len(states) if states else 0.0, mark.detail)

    def grade(self, spec: Spec, response: Any) -> Mark:
        return Mark(0.0, {"given": response})

    def key(self, spec: Spec, language: str) -> list[str]:
        return [f"`{step if isinstance(step, str) else step.get('run') or 'wait ' + step['wait']}`" for step in spec["solution"]]

    def said(self, spec: Spec, response: Any, language: str) -> list[str]:
        return [f"#{response['seq']}"] if isinstance(response, Mapping) and "seq" in response else []
