"""The formulas against examples worked by hand (docs/desk.md shows the same ones)."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons.statistics import formulas
from lessons.statistics.flags import Choice, flags

#: Five people, four questions, each harder than the one before (a Guttman scale).
LADDER = [[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
TOTALS = [4, 3, 2, 1, 0]
#: Points and partial points: three questions worth 2, 1 and 5.
PARTIAL: list[list[float]] = [[2, 1, 5], [1, 1, 4], [2, 0, 1.5], [0, 0, 0]]


def test_facility() -> None:
    assert formulas.facility([1, 1, 1, 1, 0], 1) == pytest.approx(0.8)
    assert formulas.facility([5, 4, 1.5, 0], 5) == pytest.approx(10.5 / 20)
    assert formulas.facility([], 1) is None
    assert formulas.facility([0, 0], 0) is None


def test_alpha_of_the_ladder_is_four_fifths() -> None:
    # item variances 0.2 + 0.3 + 0.3 + 0.2 = 1; variance of the totals 2.5; 4/3 · (1 − 1/2.5) = 0.8
    assert formulas.alpha(LADDER) == pytest.approx(0.8)
    # without the first: 0.3 + 0.3 + 0.2 = 0.8; totals 3 2 1 0 0, variance 1.7; 3/2 · (1 − 0.8/1.7)
    assert formulas.alpha_without(LADDER, 0) == pytest.approx(1.5 * (1 - 0.8 / 1.7))
    assert formulas.error_of_measurement(TOTALS, 0.8) == pytest.approx(math.sqrt(2.5) * math.sqrt(0.2))


def test_discrimination_of_the_ladder() -> None:
    # item 1: 1 1 1 1 0 with rests 3 2 1 0 0: Σ of products of deviations 1.2, sums of squares 0.8 and 6.8
    assert formulas.discrimination([1, 1, 1, 1, 0], TOTALS) == pytest.approx(1.2 / math.sqrt(0.8 * 6.8))
    # item 2: 1 1 1 0 0 with rests 3 2 1 1 0: 1.8, 1.2 and 5.2
    assert formulas.discrimination([1, 1, 1, 0, 0], TOTALS) == pytest.approx(1.8 / math.sqrt(1.2 * 5.2))


def test_with_partial_points() -> None:
    # variances of the questions 11/12, 1/3 and 251/48; totals 8 6 3.5 0 with mean 4.375 and variance 571/48
    items = Fraction(11, 12) + Fraction(1, 3) + Fraction(251, 48)
    whole = Fraction(571, 16) / 3
    assert formulas.alpha(PARTIAL) == pytest.approx(float(Fraction(3, 2) * (1 - items / whole)))
    # the question worth 5: rests 3 2 2 0; Σ of products of deviations 7.625, sums of squares 15.6875 and 4.75
    assert formulas.discrimination([5, 4, 1.5, 0], [8, 6, 3.5, 0]) == pytest.approx(7.625 / math.sqrt(15.6875 * 4.75))


def test_what_does_not_vary_says_nothing() -> None:
    assert formulas.discrimination([1, 1, 1], [3, 2, 1]) is None
    assert formulas.discrimination([1], [1]) is None
    assert formulas.alpha([[1, 0], [0, 1]]) is None  # all totals equal
    assert formulas.alpha([[1, 0]]) is None
    assert formulas.alpha([[1], [0]]) is None
    assert formulas.alpha([]) is None
    assert formulas.variance([1]) is None
    assert formulas.error_of_measurement([1, 2], None) is None


def test_groups_are_kelleys_and_never_overlap() -> None:
    upper, lower = formulas.groups([10, 9, 8, 7, 6, 5, 4, 3, 2, 1])  # 2.7 of ten: three
    assert (sorted(upper), sorted(lower)) == ([0, 1, 2], [7, 8, 9])
    assert formulas.groups([1]) == ([], [])
    assert formulas.groups([2, 1]) == ([0], [1])


def test_histogram() -> None:
    assert formulas.histogram([0, 0.99, 1, 5, 9.99, 10, 10], 10) == [2, 1, 0, 0, 0, 1, 0, 0, 0, 3]
    assert formulas.histogram([0.3], 1) == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]  # 0.3 · 10 is a little less than 3 in binary
    assert formulas.histogram([0], 0) == [1, *[0] * 9]


@given(st.lists(st.lists(st.integers(0, 5), min_size=3, max_size=3), min_size=2, max_size=12))
def test_bounds(table: list[list[int]]) -> None:
    alpha = formulas.alpha(table)
    assert alpha is None or alpha <= 1 + 1e-9
    totals = [sum(row) for row in table]
    found = formulas.discrimination([row[0] for row in table], totals)
    assert found is None or -1 <= found <= 1
    assert sum(formulas.histogram(totals, 15)) == len(totals)


class TestFlags:
    def test_few_people_are_no_ground(self) -> None:
        assert flags(9, 0.1, -1, []) == []

    @pytest.mark.parametrize(
        ("facility", "discrimination", "expected"),
        [
            (0.2, 0.4, ["hard"]),
            (0.97, 0.4, ["easy"]),
            (0.5, -0.1, ["negative"]),
            (0.5, 0.19, ["weak"]),
            (0.5, 0.2, []),
            (0.5, None, []),
        ],
    )
    def test_limits(self, facility: float, discrimination: float | None, expected: list[str]) -> None:
        assert flags(20, facility, discrimination, []) == expected

    def test_a_wrong_choice_that_the_best_prefer_casts_doubt_on_the_key(self) -> None:
        choices = [Choice(True, 8, 2, 4), Choice(False, 12, 5, 1)]
        assert flags(20, 0.4, 0.3, choices, single=True) == ["key"]
        assert flags(20, 0.4, 0.3, choices) == []

    def test_a_choice_that_nobody_takes(self) -> None:
        assert flags(20, 0.6, 0.3, [Choice(True, 12, 5, 2), Choice(False, 8, 0, 3), Choice(False, 0, 0, 0)]) == ["unused"]


def test_alpha_of_a_quiz_that_draws_counts_places() -> None:
    """Two of a bank's three questions for each: 111, 110, 000 by place; 3/2 · (1 − 1 / (7/3))."""
    people = [{"q": 1.0, "a": 1.0, "b": 1.0}, {"q": 1.0, "b": 1.0, "c": 0.0}, {"q": 0.0, "a": 0.0, "c": 0.0}]
    table = formulas.places(people, {"a": "pool", "b": "pool", "c": "pool"})
    assert table == [[1, 1, 1], [1, 1, 0], [0, 0, 0]]
    assert formulas.alpha(table) == pytest.approx(6 / 7)
    # one who was asked fewer takes places away; a question of no bank that not everybody had is no item
    assert formulas.places([*people, {"q": 1.0, "c": 1.0, "new": 1.0}], {"a": "pool", "b": "pool", "c": "pool"}) == [
        [1, 1],
        [1, 1],
        [0, 0],
        [1, 1],
    ]
    assert formulas.places([], {}) == []
