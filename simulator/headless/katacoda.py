"""`python -m simulator katacoda`: scenarios of others, played without the site (docs/scenarios.md)."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from simulator.core.kernel.errors import BadInput
from simulator.katacoda import package, reporting
from simulator.katacoda.files import Folder
from simulator.katacoda.notes import Note
from simulator.katacoda.player import Player, Report


def main(args: argparse.Namespace) -> int:
    """0: everything ran and every verify script passed; 1: something did not; 2 (BadInput): nothing here can be read."""
    folder = Folder(Path(args.directory))
    indexes = package.indexes(folder)
    if not indexes:
        raise BadInput(f"{args.directory}: no {', '.join(package.INDEX)} in it or below")
    courses, notes = package.courses(folder)
    reports: list[Report] = []
    readable = 0
    for index in _ordered(indexes, courses):
        try:
            scenario = package.read(folder, index)
        except BadInput as error:
            notes.append(Note(index, 0, str(error).removeprefix(f"{index}: ")))
            continue
        readable += 1
        report = Player(folder, scenario, with_answers=args.answers, seed=args.seed).play()
        reports.append(report)
        if not args.json:
            for line in reporting.as_text(report):
                print(line, flush=True)
    if not readable:
        raise BadInput("; ".join(map(str, notes)))
    if args.json:
        print(json.dumps(reporting.as_json(reports, notes), ensure_ascii=False, indent=1))
    else:
        for note in notes:
            print(f"note: {note}")
        counts = reporting.summary(reports)
        print(
            f"{counts['scenarios']} scenarios; {counts['steps_simulated']} of {counts['steps']} steps ran without anything that is "
            f"not simulated (of those with kubectl and the shell alone {counts['steps_kubectl_shell_simulated']} of "
            f"{counts['steps_kubectl_shell']}); {counts['verifies_passed']} of {counts['verifies']} verify scripts passed"
        )
    return 0 if all(report.passed for report in reports) else 1


def _ordered(indexes: list[str], courses: list[package.Course]) -> list[str]:
    """The index files in the order of the courses that name them, then the others."""
    order = {path: n for n, path in enumerate(one for course in courses for one in course.scenarios)}
    return sorted(indexes, key=lambda index: (order.get(index.rpartition("/")[0], len(order)), index))
