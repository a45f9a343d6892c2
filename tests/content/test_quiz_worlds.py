"""Every quiz question about a world, played: solutions pass, doing nothing and listed wrong answers do not, outputs say something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from lessons.assessment import templates
from lessons.quizzes.proof import prove

#: Trials boot from stored beginnings, which are rows.
pytestmark = pytest.mark.django_db

CONTENT = Path(__file__).parents[2] / "lessons" / "content"
WORLDS = ("output", "command", "state")


def questions() -> list[Any]:
    """Questions about worlds in every quiz and every lesson's questions."""
    out = []
    for path in sorted([*CONTENT.glob("*/*/quiz.yaml"), *CONTENT.glob("*/*/questions.yaml")]):
        for spec in yaml.safe_load(path.read_text(encoding="utf-8"))["questions"]:
            if spec["type"] in WORLDS:
                out.append(pytest.param(spec, id=f"{path.parent.name}/{spec['id']}"))
    return out


@pytest.mark.parametrize("kind", WORLDS)
def test_what_the_editor_begins_with_is_right_in_its_world(kind: str) -> None:
    assert prove(yaml.safe_load(templates.of(kind))) == []


@pytest.mark.parametrize("spec", questions())
def test_a_question_is_what_it_says(spec: dict[str, Any]) -> None:
    assert prove(spec) == []


CHECKS = [{"id": "there", "object": {"resource": "namespaces", "name": "dock"}, "expect": {"exists": True}, "message": {}}]
BASE = {"id": "q", "scenario": "three-nodes", "checks": CHECKS}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"type": "command", "solution": ["kubectl create ns dock"], "wrong": ["kubectl create ns doc"]}, ""),
        ({"type": "command", "solution": ["kubectl create ns doc"]}, "the solution `kubectl create ns doc` does not pass"),
        ({"type": "command", "solution": ["kubectl create ns dock"], "setup": ["kubectl create ns dock"]}, "`true` passes"),
        ({"type": "state", "solution": ["kubectl create ns dock"], "wrong": [["kubectl create ns doc"]]}, ""),
        ({"type": "state", "solution": [{"wait": "1s"}]}, "the solution does not pass"),
        ({"type": "output", "show": ["kubectl get ns"], "answer": {"run": "kubectl get ns -o name | wc -l"}, "as": "number"}, ""),
        ({"type": "output", "show": ["kubectl get ns"], "answer": {"run": "true"}}, "prints nothing"),
        ({"type": "output", "show": ["kubectl get ns"], "answer": {"run": "kubectl get nonsense"}}, "fails with status 1"),
        ({"type": "single"}, ""),
    ],
)
def test_proof_finds_what_is_wrong(change: dict[str, Any], problem: str) -> None:
    found = prove({**BASE, **change})
    assert (problem in found[0]) if problem else not found
