"""What a schema cannot say about an exercise: probes, operators, references between its parts."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from lessons.loading.marked import Marked
from lessons.loading.marked import Path as FieldPath
from lessons.loading.problems import Problem
from lessons.quizzes.types.short import pattern_problem

PROBES = ("run", "object", "objects", "file", "etcd", "process", "history", "trace")
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
)
SHORT_FORMS = (
    "stdout_contains", "stdout_not_contains", "stdout_equals", "stdout_matches", "stderr_contains", "stderr_matches", "code",
)  # fmt: skip


def problems(marked: Marked) -> Iterator[Problem]:
    """Cross-checks of one exercise that has passed its schema."""
    data = marked.data
    seen: list[str] = []
    for index, check in enumerate(data["checks"]):
        here: FieldPath = ("checks", index)
        if check["id"] in seen:
            yield marked.problem((*here, "id"), f"another check is already called `{check['id']}`")
        for position, need in enumerate(check.get("needs", [])):
            if need not in seen:
                yield marked.problem((*here, "needs", position), f"`{need}` is not a check before this one")
        seen.append(check["id"])
        yield from _check(marked, here, check)
    yield from _wrong(marked, data, seen)
    yield from _steps(marked, ("setup",), data.get("setup", []))
    if "setup" in data and "scenario" not in data:
        yield marked.problem(("setup",), "only an exercise with its own `scenario` starts its own cluster")
    yield from _steps(marked, ("solution", "commands"), data["solution"]["commands"])


def _check(marked: Marked, here: FieldPath, check: dict[str, Any]) -> Iterator[Problem]:
    probe = yield from _probe(marked, here, check)
    yield from _conditions(marked, (*here, "expect"), check["expect"], probe)
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
    if found[0] == "history" and (reason := pattern_problem(holder["history"]["matches"])):
        yield marked.problem((*here, "history", "matches"), reason)
    return found[0]


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
        if "same" in condition:
            yield from _probe(marked, (*path, "same"), condition["same"])


def _steps(marked: Marked, here: FieldPath, steps: list[Any]) -> Iterator[Problem]:
    for index, step in enumerate(steps):
        if isinstance(step, dict) and ("run" in step) == ("wait" in step):
            yield marked.problem((*here, index), "has either `run` or `wait`")


def _wrong(marked: Marked, data: dict[str, Any], ids: list[str]) -> Iterator[Problem]:
    names: set[str] = set()
    for index, attempt in enumerate(data.get("wrong", [])):
        here: FieldPath = ("wrong", index)
        if attempt["name"] in names:
            yield marked.problem((*here, "name"), f"another one is already called `{attempt['name']}`")
        names.add(attempt["name"])
        yield from _steps(marked, (*here, "commands"), attempt["commands"])
        if attempt["fails"] not in ids:
            yield marked.problem((*here, "fails"), f"there is no check `{attempt['fails']}`")
            continue
        check = data["checks"][ids.index(attempt["fails"])]
        said = [check["message"], *(case["message"] for case in check.get("cases", []))]
        if attempt["message"] not in said:
            yield marked.problem((*here, "message"), f"is not a message of the check `{check['id']}` or of one of its cases")
