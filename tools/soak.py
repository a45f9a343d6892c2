"""`make soak` (`python -m tools.soak raft`): long runs over many seeds; see docs/simulator.md.

`--seeds N` how many (10,000), `--first N` where to begin (0).  A failure names its seed, and `--first SEED --seeds 1` shows it again.
"""

from __future__ import annotations

import sys
import time

from tools import raft_soak

RUNS = {"raft": raft_soak.run}


def main(argv: list[str]) -> int:
    """Run what is named, or everything; returns the exit status."""
    names = [word for word in argv if not word.startswith("-") and not word.isdigit()] or sorted(RUNS)
    unknown = [name for name in names if name not in RUNS]
    if unknown:
        print(f"soak: no run {unknown[0]!r}; there are: {', '.join(sorted(RUNS))}", file=sys.stderr)
        return 2
    count, first = _number(argv, "--seeds", 10_000), _number(argv, "--first", 0)
    for name in names:
        began = time.perf_counter()
        total: dict[str, int] = {}
        for start in range(first, first + count, 500):
            for key, value in RUNS[name](start, min(500, first + count - start)).items():
                total[key] = total.get(key, 0) + value
        figures = ", ".join(f"{value:,} {key}" for key, value in total.items())
        print(f"{name}: {count:,} seeds in {time.perf_counter() - began:.0f} s: {figures}", flush=True)
    return 0


def _number(argv: list[str], flag: str, default: int) -> int:
    return int(argv[argv.index(flag) + 1]) if flag in argv else default


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
