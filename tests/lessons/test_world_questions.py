"""Questions about worlds, played on the real simulator: what is shown is printed, and whatever has the right effect is right."""

from __future__ import annotations

from typing import Any

import pytest

from lessons.quizzes.types import TYPES
from simulator import trials

#: Workers keep how scenarios begin in the database (`simulator.shelf`).
pytestmark = pytest.mark.django_db

COMMAND = {
    "type": "command",
    "scenario": "three-nodes",
    "settle": "20s",
    "setup": ["kubectl create namespace dock"],
    "checks": [
        {
            "id": "three",
            "title": {"ko": "셋", "en": "Three replicas"},
            "object": {"resource": "deployments", "namespace": "dock", "name": "web"},
            "expect": {"cel": "value.spec.replicas == 3 && value.status.readyReplicas == 3"},
            "message": {"ko": "아님", "en": "Not three."},
        }
    ],
    "solution": ["kubectl -n dock create deployment web --image=nginx --replicas=3"],
}


@pytest.mark.parametrize(
    ("answer", "fraction"),
    [
        ("kubectl -n dock create deployment web --image=nginx --replicas=3", 1),
        ("kubectl create deploy web -n dock --image=nginx\nkubectl -n dock scale deploy/web --replicas 3", 1),
        ("kubectl create deployment web --image=nginx --replicas=3", 0),
        ("kubectl -n dock create deployment web --image=nosuchimage --replicas=3", 0),
        ("rm -rf / --no-preserve-root; echo '", 0),
    ],
)
def test_any_command_with_the_right_effect_passes(answer: str, fraction: float) -> None:
    kind = TYPES["command"]
    mark = kind.judged(COMMAND, answer, trials.run(kind.asks(COMMAND, answer)))
    assert mark.fraction == fraction, mark.detail
    assert [item["id"] for item in mark.detail["verdicts"]] == ["three"]


@pytest.mark.parametrize(
    ("answer", "fraction"),
    [
        ("kubectl get nodes -o name | wc -l", 1),
        ("kubectl get nodes --no-headers | awk 'END {print NR}'", 1),
        ("kubectl get pods -o name | wc -l", 0),
        ("true", 0),
    ],
)
def test_a_command_that_prints_the_same(answer: str, fraction: float) -> None:
    kind, spec = TYPES["command"], {"type": "command", "scenario": "three-nodes", "solution": ["x"]}
    spec["printed"] = "kubectl get nodes -o name | wc -l"
    assert kind.judged(spec, answer, trials.run(kind.asks(spec, answer))).fraction == fraction


OUTPUT = {
    "type": "output",
    "scenario": "three-nodes",
    "setup": ["kubectl create deployment web --image=nginx --replicas=3", {"wait": "20s"}],
    "show": ["kubectl get pods -o wide"],
    "answer": {"run": "kubectl get pods -o name | wc -l"},
    "as": "number",
}


def test_what_is_shown_and_what_is_right_come_from_the_world() -> None:
    kind = TYPES["output"]
    trial: Any = kind.produces(OUTPUT)
    first, again = trials.run({**trial, "seed": 3}), trials.run({**trial, "seed": 3})
    assert first == again
    spec = {**OUTPUT, "world": first}
    shown = kind.present(spec, "en", "s", None)
    assert shown["lines"][0]["out"].count("Running") == 3
    assert "wc -l" not in str(shown)
    assert kind.grade(spec, "3").right
    assert not kind.grade(spec, "4").right
    assert kind.key(spec, "en")[0] == "`3`"


def test_another_seed_is_another_output() -> None:
    trial: Any = TYPES["output"].produces(OUTPUT)
    assert trials.run({**trial, "seed": 1})["shown"][0] != trials.run({**trial, "seed": 2})["shown"][0]


def test_words_in_any_order() -> None:
    spec = {**OUTPUT, "as": "words", "world": {"shown": [{"stdout": "node01 node02\n"}]}}
    assert TYPES["output"].grade(spec, "node02, node01").right
    assert not TYPES["output"].grade(spec, "node01").right


def test_a_trial_of_an_unknown_scenario_says_so() -> None:
    from simulator.core.kernel.errors import BadInput

    with pytest.raises(BadInput, match="there is none named 'moon'"):
        trials.run({"scenario": "moon"})
