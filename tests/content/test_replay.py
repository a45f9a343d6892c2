"""The course's journals replay alike: in processes with different hash seeds, and through snapshots."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from . import journals

ROOT = Path(__file__).parents[2]


def _digests(seed: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONHASHSEED": seed}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.content.journals"], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
    )


def test_every_journal_has_the_same_digest_under_two_hash_seeds() -> None:
    one, two = _digests("1"), _digests("4242")
    try:
        first, second = one.communicate(timeout=1800)[0], two.communicate(timeout=1800)[0]
    finally:
        one.kill()
        two.kill()
    assert one.returncode == 0
    assert two.returncode == 0
    assert len(first.splitlines()) == len(journals.everything())
    assert first == second


@pytest.mark.parametrize("name", sorted({*journals.lessons(), *journals.faults()}))
def test_a_journal_played_through_snapshots_ends_in_the_same_world(name: str) -> None:
    rows = journals.everything()[name]
    plain, text = journals.play(rows)
    stored, again = journals.play(rows, restore_every=3)
    assert again == text
    assert stored.digest() == plain.digest()


@pytest.mark.parametrize("name", sorted(journals.lessons()))
def test_every_command_of_a_lesson_runs(name: str) -> None:
    _, text = journals.play(journals.lessons()[name])
    for sign in ("not simulated in Slipway", "command not found", "Traceback", "unknown command"):
        assert sign not in text or name in EXPECTED.get(sign, ()), text


#: Lessons that show such an answer on purpose.
EXPECTED: dict[str, tuple[str, ...]] = {"unknown command": ("03-etcd/lesson-versions-and-apis", "03-etcd/lesson-versions")}
