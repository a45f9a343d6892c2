"""What a schema cannot say about an exercise: probes, operators, references between its parts."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from lessons.loading.marked import Marked
from lessons.loading.marked import Path as FieldPath
from lessons.loading.problems import Problem
from lessons.quizzes.types.short import pattern_problem
from simulator.core.lab.expressions import problem as cel_problem
from simulator.core.lab.faults import problem as fault_problem

IN_TIME = ("never", "eventually", "always")
PROBES = ("run", "object", "objects", "file", "etcd", "process", "history", "trace", *IN_TIME, "values")
OPERATORS = (
    "equals",
    "not_equals",
    "contains",
    "not_contains",
    "matches",
    "at_least",
    "at_most",
    "exists",
    "one_of",
    "length",
    "same",
    "cel",
)
SHORT_FORMS = (
    "stdout_contains", "stdout_not_contains", "stdout_equals", "stdout_matches", "stderr_contains", "stderr_matches", "code",
)  # fmt: skip


def problems(marked: Marked) -> Iterator[Problem]:
    """Cross-checks of one exercise that has passed its schema."""
    data = marked.data
    seen: list[str] = []
    yield from checks_problems(marked, ("checks",), data["checks"])
    seen += [check["id"] for check in data["checks"]]
    yield from _wrong(marked, data, seen)
    yield from steps(marked, ("setup",), data.get("setup", []))
    if "setup" in data and "scenario" not in data:
        yield marked.problem(("setup",), "only an exercise with its own `scenario` starts its own cluster")
    yield from steps(marked, ("solution", "commands"), data["solution"]["commands"])
    for index, other in enumerate(data.get("alternatives", [])):
        yield from steps(marked, ("alternatives", index, "commands"), other["commands"])


def checks_problems(marked: Marked, base: FieldPath, checks: list[dict[str, Any]]) -> Iterator[Problem]:
    """What a schema cannot say about a list of checks at `base` of a file."""
    seen: list[str] = []
    for index, check in enumerate(checks):
        here: FieldPath = (*base, index)
        if check["id"] in seen:
            yield marked.problem((*here, "id"), f"another check is already called `{check['id']}`")
        for position, need in enumerate(check.get("needs", [])):
            if need not in seen:
                yield marked.problem((*here, "needs", position), f"`{need}` is not a check before this one")
        seen.append(check["id"])
        yield from _check(marked, here, check)


def _check(marked: Marked, here: FieldPath, check: dict[str, Any]) -> Iterator[Problem]:
    probe = yield from _probe(marked, here, check)
    if "expect" in check:
        yield from _conditions(marked, (*here, "expect"), check["expect"], probe)
    elif probe not in IN_TIME:
        yield marked.problem((*here, "expect"), "is missing")
    yield from _what_if(marked, here, check)
    for name in ("for", "every"):
        if name in check and check.get("holds", "at-end") == "at-end":
            yield marked.problem((*here, name), "goes with `holds: throughout` or `holds: sometime` only")
    for index, case in enumerate(check.get("cases", [])):
        yield from _conditions(marked, (*here, "cases", index, "when"), case["when"], probe)


def _probe(marked: Marked, here: FieldPath, holder: dict[str, Any]) -> Generator[Problem, None, str]:
    """Yields what is wrong; returns the probe's name, or nothing."""
    found = [name for name in PROBES if name in holder]
    if len(found) != 1:
        said = " and ".join(found) or "none"
        yield marked.problem(here, f"needs exactly one probe ({', '.join(PROBES)}); there is {said}")
        return ""
    for name in ("host", "user"):
        if name in holder and found[0] != "run":
            yield marked.problem((*here, name), "goes with `run` only")
    yield from _expressions(marked, (*here, found[0]), holder[found[0]] if found[0] in (*IN_TIME, "trace") else {})
    for name, inner in holder["values"].items() if found[0] == "values" else ():
        yield from _probe(marked, (*here, "values", name), inner)
    if found[0] == "history" and (reason := pattern_problem(holder["history"]["matches"])):
        yield marked.problem((*here, "history", "matches"), reason)
    return found[0]


def _expressions(marked: Marked, here: FieldPath, pattern: dict[str, Any]) -> Iterator[Problem]:
    """CEL over events, here and in `since` and `until`."""
    for name in ("where", "that"):
        if name in pattern and (reason := cel_problem(pattern[name], ("event",))):
            yield marked.problem((*here, name), reason)
    for name in ("since", "until"):
        if name in pattern:
            yield from _expressions(marked, (*here, name), pattern[name])
    if "within" in pattern and "since" not in pattern:
        yield marked.problem((*here, "within"), "counts from `since`, which is not there")


def _what_if(marked: Marked, here: FieldPath, check: dict[str, Any]) -> Iterator[Problem]:
    for index, step in enumerate(check.get("what_if", [])):
        path = (*here, "what_if", index)
        if not isinstance(step, dict):
            continue
        ways = [name for name in ("run", "wait", "fault") if name in step]
        if len(ways) != 1:
            yield marked.problem(path, f"has one of run, wait, fault; there is {' and '.join(ways) or 'none'}")
        elif ways == ["fault"] and (reason := fault_problem(step["fault"])):
            yield marked.problem((*path, "fault"), reason)


def _conditions(marked: Marked, here: FieldPath, given: Any, probe: str) -> Iterator[Problem]:
    rows = [(here, given)] if isinstance(given, dict) else [((*here, index), row) for index, row in enumerate(given)]
    for path, condition in rows:
        operators = [name for name in OPERATORS if name in condition]
        short = [name for name in SHORT_FORMS if name in condition]
        if short and (operators or "path" in condition):
            yield marked.problem(path, f"{short[0]} cannot stand with {(operators or ['path'])[0]}")
        elif short and probe != "run":
            yield marked.problem((*path, short[0]), "goes with a `run` probe only")
        elif not short and len(operators) != 1:
            yield marked.problem(path, f"needs exactly one operator; there is {' and '.join(operators) or 'none'}")
        for name in ("matches", "stdout_matches", "stderr_matches"):
            if name in condition and (reason := pattern_problem(condition[name])):
                yield marked.problem((*path, name), reason)
        if "cel" in condition and (reason := cel_problem(condition["cel"], ("value",))):
            yield marked.problem((*path, "cel"), reason)
        if "same" in condition:
            yield from _probe(marked, (*path, "same"), condition["same"])


def steps(marked: Marked, here: FieldPath, given: list[Any]) -> Iterator[Problem]:
    """Steps of a set-up or a solution: each has a command or a wait."""
    for index, step in enumerate(given):
        if isinstance(step, dict) and ("run" in step) == ("wait" in step):
            yield marked.problem((*here, index), "has either `run` or `wait`")


def _wrong(marked: Marked, data: dict[str, Any], ids: list[str]) -> Iterator[Problem]:
    names: set[str] = set()
    for index, attempt in enumerate(data.get("wrong", [])):
        here: FieldPath = ("wrong", index)
        if attempt["name"] in names:
            yield marked.problem((*here, "name"), f"another one is already called `{attempt['name']}`")
        names.add(attempt["name"])
        yield from steps(marked, (*here, "commands"), attempt["commands"])
        if attempt["fails"] not in ids:
            yield marked.problem((*here, "fails"), f"there is no check `{attempt['fails']}`")
            continue
        check = data["checks"][ids.index(attempt["fails"])]
        said = [check["message"], *(case["message"] for case in check.get("cases", []))]
        if attempt["message"] not in said:
            yield marked.problem((*here, "message"), f"is not a message of the check `{check['id']}` or of one of its cases")
