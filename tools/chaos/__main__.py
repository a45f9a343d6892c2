"""`python -m tools.chaos [--seconds S] [--learners N] [--seed N]`: the chaos test for as long as you like; `make soak` runs it long."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from tools import postgres

from .run import Report, in_a_folder


def main(argv: list[str]) -> int:
    """One run; the status is 1 when a promise does not hold."""
    made = argparse.ArgumentParser(prog="python -m tools.chaos", description="Learners work while the site breaks around them.")
    made.add_argument("--seconds", type=float, default=60)
    made.add_argument("--learners", type=int, default=8)
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--pause", type=float, default=4.0, help="mean seconds between two faults")
    made.add_argument(
        "--only", action="append", default=[], metavar="FAULT", help="draw from the named faults only; may be repeated"
    )
    options = made.parse_args(argv)
    try:
        report = in_a_folder(
            seconds=options.seconds,
            learners=options.learners,
            seed=options.seed,
            pause=options.pause,
            only=options.only,
            say=lambda text: print(text, file=sys.stderr, flush=True),
        )
    except postgres.NoPostgres as error:
        print(f"chaos: {error}", file=sys.stderr)
        return 3
    tell(report)
    return 1 if report.broken else 0


def tell(report: Report) -> None:
    """The report in words."""
    count = sum(report.faults.values())
    print(f"{count} faults, {report.inputs} inputs and {report.answers} answers acknowledged, {report.connections} connections")
    for name, wait in sorted(report.recovery.items()):
        print(f"  {name:<28} {report.faults[name]:4} times; a command sent meanwhile waited at most {wait:5.1f} s for its output")
    for text, times in Counter(report.broken).items():
        print(f"  BROKEN  {text}" + (f" ({times} times)" if times > 1 else ""))
    print("every promise holds" if not report.broken else f"{len(report.broken)} promises do not hold")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
