"""Paths and conditions of check programs."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.core.kernel.errors import BadInput
from simulator.core.lab import conditions, paths
from simulator.core.lab.checks import duration

POD = {
    "metadata": {"labels": {"app.kubernetes.io/name": "web"}},
    "spec": {"replicas": 3, "containers": [{"name": "nginx", "image": "nginx:1.27"}, {"name": "log", "image": "busybox"}]},
    "items": [{"n": 1}, {"n": 2}],
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("", POD),
        ("spec.replicas", 3),
        ("spec.containers[1].name", "log"),
        ("spec.containers[9].name", None),
        ("spec.containers[name=log].image", "busybox"),
        ('metadata.labels["app.kubernetes.io/name"]', "web"),
        ("metadata.nothing.at.all", None),
    ],
)
def test_paths_lead_to_values(path: str, value: Any) -> None:
    found, every = paths.values(POD, path)
    assert found == [value]
    assert not every


def test_a_star_gives_every_item() -> None:
    assert paths.values(POD, "items[*].n") == ([1, 2], True)


def test_a_path_that_cannot_be_read_is_refused_with_its_place() -> None:
    with pytest.raises(BadInput, match="character 5"):
        paths.parse("spec[")


@pytest.mark.parametrize(
    ("value", "operator", "want", "holds"),
    [
        (3, "equals", 3, True),
        (3, "equals", "3", False),
        (True, "equals", 1, False),
        ("abc", "contains", "b", True),
        (["a"], "contains", "a", True),
        (None, "contains", "a", False),
        (None, "not_contains", "a", False),
        (2, "at_least", 2, True),
        ("2", "at_least", 2, False),
        (True, "at_least", 1, False),
        (None, "exists", False, True),
        ("x", "one_of", ["x", "y"], True),
        ([1, 2], "length", 2, True),
        ("v1.36.2", "matches", r"^v1\.", True),
    ],
)
def test_operators(value: Any, operator: str, want: Any, holds: bool) -> None:
    assert conditions.holds(value, "", operator, want)[0] is holds


def test_every_item_must_satisfy_and_of_nothing_nothing_does() -> None:
    assert conditions.holds(POD, "items[*].n", "at_least", 1)[0]
    assert conditions.holds(POD, "items[*].n", "at_least", 2) == (False, [1])
    assert not conditions.holds({"items": []}, "items[*].n", "at_least", 0)[0]


@pytest.mark.parametrize("bad", [r"(?=a)", r"(a)\1", "x" * 201, "("])
def test_expressions_beyond_the_language_are_refused(bad: str) -> None:
    with pytest.raises(BadInput, match="matches"):
        conditions.pattern(bad)


def test_unknown_operators_are_named() -> None:
    with pytest.raises(BadInput, match="'equls'"):
        conditions.expand({"path": "a", "equls": 1})


@pytest.mark.parametrize(
    ("text", "ns"), [("20s", 20 * 10**9), ("5m", 300 * 10**9), ("250ms", 250 * 10**6), ("1.5h", 5400 * 10**9)]
)
def test_durations(text: str, ns: int) -> None:
    assert duration(text) == ns


@pytest.mark.parametrize("bad", ["", "20", "s", "-3s", "1d"])
def test_durations_that_cannot_be_read(bad: str) -> None:
    with pytest.raises(BadInput):
        duration(bad)


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|a)*b", r"((a+))*b", r"(a?){50}a{50}b"])
def test_no_expression_blows_up(pattern: str) -> None:
    assert conditions.holds("a" * 2000 + "c", "", "matches", pattern) == (False, "a" * 2000 + "c")
