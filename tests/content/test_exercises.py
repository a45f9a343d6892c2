"""Every exercise of the course: its solution passes, doing nothing fails, and each listed wrong attempt gets its own message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from .playing import play, verdicts, world_of

CONTENT = Path(__file__).parents[2] / "lessons" / "content"
FILES = sorted(CONTENT.glob("*/*/exercises/*.yaml"))
DEFAULT = "three-nodes"


def load(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def name(path: Path) -> str:
    return f"{path.parents[1].name}/{path.stem}"


WRONG = [(path, wrong) for path in FILES for wrong in load(path).get("wrong", ())]


ALTERNATIVES = [(path, index) for path in FILES for index, _ in enumerate(load(path).get("alternatives", ()))]


def test_there_are_exercises() -> None:
    assert len(FILES) >= 6


@pytest.mark.parametrize("path", FILES, ids=name)
def test_the_solution_passes_every_check(path: Path) -> None:
    exercise = load(path)
    sandbox = world_of(exercise, DEFAULT)
    play(sandbox, exercise["solution"]["commands"])
    found = verdicts(sandbox, exercise)
    assert {k: v["state"] for k, v in found.items()} == dict.fromkeys(found, "passed"), found


@pytest.mark.parametrize(("path", "index"), ALTERNATIVES, ids=[f"{name(p)}/{i}" for p, i in ALTERNATIVES])
def test_an_alternative_solution_passes_as_well(path: Path, index: int) -> None:
    exercise = load(path)
    sandbox = world_of(exercise, DEFAULT)
    play(sandbox, exercise["alternatives"][index]["commands"])
    found = verdicts(sandbox, exercise)
    assert {k: v["state"] for k, v in found.items()} == dict.fromkeys(found, "passed"), found


@pytest.mark.parametrize("path", FILES, ids=name)
def test_doing_nothing_does_not_pass(path: Path) -> None:
    exercise = load(path)
    found = verdicts(world_of(exercise, DEFAULT), exercise)
    assert any(v["state"] == "failed" for v in found.values())
    assert all(v["state"] != "error" for v in found.values()), found


@pytest.mark.parametrize(("path", "wrong"), WRONG, ids=[f"{name(p)}/{w['name']}" for p, w in WRONG])
def test_a_wrong_attempt_fails_at_its_check_with_its_message(path: Path, wrong: dict[str, Any]) -> None:
    exercise = load(path)
    sandbox = world_of(exercise, DEFAULT)
    play(sandbox, wrong["commands"])
    found = verdicts(sandbox, exercise)
    first = next((v for v in found.values() if v["state"] == "failed"), None)
    assert first is not None, "the wrong attempt passes"
    assert first["id"] == wrong["fails"], found
    assert first["message"] == wrong["message"]
