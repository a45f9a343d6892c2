"""The chaos test in its small form: every fault once, in seconds; `make soak` draws from them for as long as one likes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools import system

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.stack,
    pytest.mark.xdist_group("stack"),
    pytest.mark.skipif(system.postgres_bin() is None, reason="PostgreSQL is not installed"),
]


def test_no_fault_costs_an_answer_or_doubles_an_effect() -> None:
    options = ["--seconds", "15", "--learners", "3", "--pause", "1.0", "--seed", "7"]
    run = subprocess.run(
        [sys.executable, "-m", "tools.chaos", *options], cwd=ROOT, capture_output=True, text=True, timeout=1200, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "every promise holds" in run.stdout
    found = re.search(r"(\d+) faults, (\d+) inputs and (\d+) answers", run.stdout)
    assert found is not None
    faults, inputs, answers = (int(word) for word in found.groups())
    assert faults >= 10
    assert inputs > 10
    assert answers > 5
