"""`make soak` (`python -m tools.soak [raft|chaos|fuzz|properties]`): long runs; see docs/simulator.md and docs/operations.md.

`raft`: `--seeds N` how many schedules (10,000), `--first N` where to begin (0).  A failure names its seed, and `--first SEED --seeds 1`
shows it again.  `chaos`, `fuzz` and `properties` run `--seconds S` (600) each: the site under random faults, every reader under mutilated input, and
all properties with examples that `make test`, which draws the same ones every time, has not seen.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

from tools import raft_soak

RUNS = {"raft": raft_soak.run}
FUZZ = ("tests/production/test_fuzz.py", "tests/core/test_shell_fuzz.py", "tests/gateway/test_robustness.py")


def chaos(seconds: int, seed: int) -> int:
    """The site under random faults (`tools.chaos`), in a process of its own."""
    argv = ["--seconds", str(seconds), "--learners", "12", "--seed", str(seed + 1)]
    return subprocess.run([sys.executable, "-m", "tools.chaos", *argv], check=False).returncode


def fuzz(seconds: int, seed: int) -> int:
    """The fuzz tests again and again with other seeds, until the time is over or one fails."""
    return _explore("fuzz", FUZZ, seconds, seed)


def properties(seconds: int, seed: int) -> int:
    """Everything that Hypothesis draws examples for, likewise."""
    return _explore("properties", ("-m", "hypothesis and not e2e", "tests"), seconds, seed)


def _explore(name: str, tests: Sequence[str], seconds: int, seed: int) -> int:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        print(f"{name}: seed {seed}", flush=True)
        options = ["-q", "--hypothesis-profile=explore", f"--hypothesis-seed={seed}", "--ds=coursesite.settings_test"]
        code = subprocess.run([sys.executable, "-m", "pytest", *options, *tests], check=False).returncode
        if code:
            return code
        seed += 1
    return 0


LONG = {"chaos": chaos, "fuzz": fuzz, "properties": properties}


def main(argv: list[str]) -> int:
    """Run what is named, or everything; returns the exit status."""
    names = [word for word in argv if not word.startswith("-") and not word.isdigit()] or [*sorted(RUNS), *LONG]
    unknown = [name for name in names if name not in (*RUNS, *LONG)]
    if unknown:
        print(f"soak: no run {unknown[0]!r}; there are: {', '.join([*sorted(RUNS), *LONG])}", file=sys.stderr)
        return 2
    count, first = _number(argv, "--seeds", 10_000), _number(argv, "--first", 0)
    for name in names:
        if name in LONG:
            code = LONG[name](_number(argv, "--seconds", 600), first)
            if code:
                return code
            continue
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
