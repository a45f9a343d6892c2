"""A played scenario as text and as JSON (docs/scenarios.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from .notes import Note
from .player import Page, Played, Report


def summary(reports: list[Report]) -> dict[str, Any]:
    """Counts over all scenarios: steps are pages with something to run or to verify; those that call no other project's program are
    counted once more, as kubectl-and-shell steps."""
    pages = [page for report in reports for page in report.steps if page.played or page.verify]
    verified = [page.verify for page in pages if page.verify is not None]
    commands = [one for page in pages for one in page.commands]
    own = [page for page in pages if not page.others]
    others = Counter(name for page in pages for name in page.others)
    return {
        "scenarios": len(reports),
        "scenarios_passed": sum(report.passed for report in reports),
        "steps": len(pages),
        "steps_simulated": sum(page.clean for page in pages),
        "steps_kubectl_shell": len(own),
        "steps_kubectl_shell_simulated": sum(page.clean for page in own),
        "steps_other_programs": dict(sorted(others.items(), key=lambda one: (-one[1], one[0]))),
        "commands": len(commands),
        "commands_skipped": sum(one.state == "skipped" for one in commands),
        "verifies": len(verified),
        "verifies_passed": sum(one.passed for one in verified),
        "verifies_idle": sum(one.before is True for one in verified),
    }


def as_json(reports: list[Report], notes: list[Note]) -> dict[str, Any]:
    """The document that `--json` prints."""
    scenarios = []
    for report in reports:
        one: dict[str, Any] = msgspec.to_builtins(report)
        one["passed"] = report.passed
        for page, data in zip(report.steps, one["steps"], strict=True):
            data["simulated"] = page.clean
        scenarios.append(one)
    return {"scenarios": scenarios, "notes": msgspec.to_builtins(notes), "summary": summary(reports)}


def as_text(report: Report) -> Iterator[str]:
    """The lines for people."""
    yield f"{report.scenario}: {report.title} ({report.image or 'no image'} → {report.world})"
    for note in report.notes:
        yield f"  note: {note}"
    for page in report.steps:
        if not (page.played or page.verify or page.quizzes):
            continue
        yield f"  {page.name}{': ' + page.title if page.title else ''}"
        for one in page.played:
            yield from _played(one)
        yield from _verify(page)
        if page.others:
            yield f"    calls other projects' programs: {', '.join(page.others)}"
        if page.quizzes:
            yield f"    quiz: {len(page.quizzes)} question{'s' if len(page.quizzes) > 1 else ''}"


def _played(one: Played) -> Iterator[str]:
    place = f"{one.file}:{one.line}" if one.line else one.file
    first = one.text.strip().split("\n")[0]
    more = " …" if "\n" in one.text.strip() else ""
    state = f"[{one.status}]" if one.state == "done" else f"[{one.state}]"
    yield f"    {state} {place}: {first}{more}"
    for text in one.not_simulated:
        yield f"        not simulated: {text}"
    for name in one.missing:
        yield f"        no such command: {name}"


def _verify(page: Page) -> Iterator[str]:
    found = page.verify
    if found is None:
        return
    said = "passed" if found.passed else "FAILED"
    again = f" at try {found.tries}" if found.tries > 1 else ""
    idle = ", as it did before anything was done" if found.passed and found.before else ""
    yield f"    verify: {said}{again} (status {found.status}){idle}"
    if not found.passed:
        for line in found.output.strip().splitlines()[-3:]:
            yield f"        {line}"
    for text in found.not_simulated:
        yield f"        not simulated: {text}"
    for name in found.missing:
        yield f"        no such command: {name}"
