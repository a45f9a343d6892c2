"""Each question type: marks, part marks, answers of a wrong shape, and that the page never shows the key."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from lessons.quizzes.types import TYPES
from lessons.quizzes.types.ordering import start
from simulator.core.lab import conditions


def both(word: str) -> dict[str, str]:
    return {"ko": f"{word}(ko)", "en": word}


SPECS: dict[str, dict[str, Any]] = {
    "single": {"choices": [{"text": "a"}, {"text": "b", "correct": True}, {"text": "c", "why": both("why")}]},
    "multiple": {"choices": [{"text": "a", "correct": True}, {"text": "b", "correct": True}, {"text": "c"}, {"text": "d"}]},
    "truefalse": {"answer": False, "why": both("because")},
    "short": {"accept": ["etcdctl", both("store")], "patterns": ["etcdctl (get|put) .+"]},
    "numeric": {"answer": 2379, "tolerance": 0.5},
    "matching": {"pairs": [{"left": "l1", "right": "r1"}, {"left": "l2", "right": both("r2")}], "extra": ["r3"]},
    "ordering": {"items": ["one", "two", "three", "four"]},
    "fillin": {
        "fill": {"ko": "[[who]]가 포트 [[port]]에서 [[how]]", "en": "[[who]] listens on [[port]] by [[how]]"},
        "gaps": {
            "who": {"accept": ["etcd"]},
            "port": {"answer": 2379},
            "how": {"choices": ["gRPC", "FTP", both("mail")]},
        },
    },
    "component": {"correct": ["etcd", "kube-apiserver"]},
    "output": {"scenario": "three-nodes", "show": ["x"], "answer": {"run": "y"}, "world": {"shown": [{"stdout": "etcdctl\n"}]}},
    "command": {"scenario": "three-nodes", "solution": ["true"], "checks": [{}]},
    "state": {"scenario": "three-nodes", "solution": ["true"], "checks": [{}]},
    "freetext": {"rubric": [{"id": "a", "text": both("fact"), "points": 2}, {"id": "b", "text": both("cause"), "points": 1}]},
}


@pytest.mark.parametrize(
    ("kind", "answer", "fraction"),
    [
        ("single", [1], 1),
        ("single", [0], 0),
        ("single", [0, 1], 0),
        ("multiple", [0, 1], 1),
        ("multiple", [0], 0.5),
        ("multiple", [0, 2], 0),
        ("multiple", [0, 1, 2], 0.5),
        ("multiple", [2, 3], 0),
        ("truefalse", False, 1),
        ("truefalse", True, 0),
        ("short", "etcdctl", 1),
        ("short", "  ETCDCTL ", 1),
        ("short", "store(ko)", 1),
        ("short", "etcdctl   get /a", 1),
        ("short", "etcdctl del /a", 0),
        ("short", "ｅｔｃｄｃｔｌ", 1),
        ("numeric", "2379", 1),
        ("numeric", "2 379", 1),
        ("numeric", "2379,4", 1),
        ("numeric", "2,379", 1),
        ("numeric", "２３７９", 1),
        ("numeric", "2,37,9", 0),
        ("numeric", "2380", 0),
        ("numeric", "nan", 0),
        ("numeric", "1e999999", 0),
        ("matching", [0, 1], 1),
        ("matching", [0, 2], 0.5),
        ("matching", [1, 0], 0),
        ("ordering", [0, 1, 2, 3], 1),
        ("ordering", [1, 2, 3, 0], 2 / 3),
        ("ordering", [3, 2, 1, 0], 0),
        ("fillin", {"who": "ETCD", "port": "2379", "how": "0"}, 1),
        ("fillin", {"who": "etcd", "port": "2380", "how": "1"}, 1 / 3),
        ("fillin", {"who": "etcd", "nowhere": "x"}, 1 / 3),
        ("fillin", {"how": "9"}, 0),
        ("component", ["etcd", "kube-apiserver"], 1),
        ("component", ["etcd"], 0.5),
        ("component", ["etcd", "kubelet-node01"], 0),
        ("component", ["nowhere"], 0),
        ("output", " etcdctl ", 1),
        ("output", "etcd", 0),
        ("freetext", "because", 0),
    ],
)
def test_marks(kind: str, answer: Any, fraction: float) -> None:
    assert TYPES[kind].grade(SPECS[kind], answer).fraction == pytest.approx(fraction)


def test_hangul_counts_however_a_keyboard_composes_it() -> None:
    spec = {"accept": [{"ko": "쿠블릿", "en": "kubelet"}], "patterns": ["쿠[버베]렛"]}
    for word in ("쿠블릿", "쿠버렛"):
        assert TYPES["short"].grade(spec, unicodedata.normalize("NFD", word)).fraction == 1


@pytest.mark.parametrize(
    ("kind", "answer", "hits"),
    [
        ("multiple", [0, 2], [True, False]),
        ("matching", [0, 2], [True, False]),
        ("matching", [None, 1], [True]),
        ("fillin", {"who": "etcd", "port": "1"}, [True, False]),
        ("ordering", [3, 2, 1, 0], []),
    ],
)
def test_each_line_of_an_answer_is_right_or_wrong(kind: str, answer: Any, hits: list[bool]) -> None:
    assert TYPES[kind].hits(SPECS[kind], answer) == hits
    assert len(TYPES[kind].said(SPECS[kind], answer, "ko")) == len(hits) or not hits


def test_all_or_nothing_when_the_author_says_so() -> None:
    spec = {**SPECS["multiple"], "partial": False}
    assert TYPES["multiple"].grade(spec, [0]).fraction == 0
    assert TYPES["multiple"].grade(spec, [0, 1]).fraction == 1


def test_capitals_count_when_the_author_says_so() -> None:
    spec = {"accept": ["Pod"], "case": True}
    assert TYPES["short"].grade(spec, "pod").fraction == 0
    assert TYPES["short"].grade(spec, "Pod").fraction == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize("kind", sorted(SPECS))
@given(answer=JSON)
def test_an_answer_of_any_shape_is_marked_and_shown(kind: str, answer: Any) -> None:
    spec, this = SPECS[kind], TYPES[kind]
    mark = this.grade(spec, answer)
    assert 0 <= mark.fraction <= 1
    json.dumps(mark.detail)
    this.present(spec, "en", "seed", answer)
    assert len(this.hits(spec, answer)) in (0, len(this.said(spec, answer, "ko")))


@pytest.mark.parametrize("kind", sorted(SPECS))
@given(values=st.lists(st.tuples(st.sampled_from(["q.x", "q.x.0", "q.x.1", "q.x.shown"]), st.text(max_size=8)), max_size=8))
def test_any_form_is_parsed(kind: str, values: list[tuple[str, str]]) -> None:
    form = QueryDict(mutable=True)
    for name, value in values:
        form.appendlist(name, value)
    answer = TYPES[kind].parse(form, "q.x", SPECS[kind])
    json.dumps(answer)
    TYPES[kind].grade(SPECS[kind], answer)


@pytest.mark.parametrize("kind", sorted(SPECS))
def test_the_page_does_not_hold_the_key(kind: str) -> None:
    shown = json.dumps(TYPES[kind].present(SPECS[kind], "en", "seed", None))
    assert "correct" not in shown
    assert "why" not in shown
    if kind in ("short", "numeric"):
        assert "etcdctl" not in shown
        assert "2379" not in shown


@pytest.mark.parametrize("kind", sorted(SPECS))
def test_the_seed_decides_the_order(kind: str) -> None:
    def shown(seed: str) -> str:
        return json.dumps(TYPES[kind].present(SPECS[kind], "en", seed, None))

    assert shown("a") == shown("a")
    if kind in ("multiple", "ordering"):
        assert len({shown(str(number)) for number in range(20)}) > 1


def test_one_of_several_parts_may_be_enough() -> None:
    spec = {"correct": ["kubelet-node01", "kubelet-node02"], "any": True}
    assert TYPES["component"].grade(spec, ["kubelet-node02"]).fraction == 1
    assert TYPES["component"].grade(spec, ["kubelet-node01", "kubelet-node02"]).fraction == 0


def test_a_rubric_gives_the_share_of_its_points() -> None:
    from lessons.quizzes.types.freetext import by_rubric

    assert by_rubric(SPECS["freetext"], {"a": 1.5}).fraction == 0.5
    assert by_rubric(SPECS["freetext"], {"a": 2, "b": 1}).right
    for given_points in ({"a": 3}, {"b": -1}):
        with pytest.raises(ValueError, match=r"^[ab]$"):
            by_rubric(SPECS["freetext"], given_points)


@pytest.mark.parametrize(
    ("kind", "change", "why"),
    [
        ("single", {"choices": [{"text": "a"}]}, "choices"),
        ("single", {"choices": [{"text": "a", "correct": True}, {"text": "b"}, {"text": "c"}]}, ""),
        ("matching", {"extra": []}, "extra"),
        ("ordering", {"items": ["one", "two", "three", "FOUR"]}, ""),
        ("fillin", {"gaps": {"who": {"accept": ["etcd"]}}}, "gaps"),
        ("numeric", {"answer": 2380}, ""),
    ],
)
def test_what_a_mended_text_may_change(kind: str, change: dict[str, Any], why: str) -> None:
    old = {"type": kind, **SPECS[kind]}
    said = TYPES[kind].same_answers(old, {**old, **change})
    assert said.startswith(why) if why else said == ""


class TestOrdering:
    kind, spec = TYPES["ordering"], SPECS["ordering"]

    @given(seed=st.text(max_size=10))
    def test_never_starts_right(self, seed: str) -> None:
        assert start(self.spec, seed) != [0, 1, 2, 3]

    def form(self, shown: list[int], positions: dict[int, Any]) -> QueryDict:
        form = QueryDict(mutable=True)
        for index in shown:
            form.appendlist("q.shown", str(index))
            form[f"q.{index}"] = str(positions[index])
        return form

    def test_positions_make_the_order(self) -> None:
        form = self.form([3, 1, 0, 2], {3: 4, 1: 2, 0: 1, 2: 3})
        assert self.kind.parse(form, "q", self.spec) == [0, 1, 2, 3]

    def test_one_moved_row_takes_its_place_from_the_row_there(self) -> None:
        assert self.kind.parse(self.form([3, 1, 0, 2], {3: 1, 1: 2, 0: 3, 2: 1}), "q", self.spec) == [2, 3, 1, 0]
        assert self.kind.parse(self.form([3, 1, 0, 2], {3: 4, 1: 2, 0: 3, 2: 4}), "q", self.spec) == [1, 0, 2, 3]

    @given(wanted=st.permutations(range(4)), shown=st.permutations(range(4)))
    def test_a_full_renumbering_is_kept(self, wanted: list[int], shown: list[int]) -> None:
        positions = {index: place for place, index in enumerate(wanted, 1)}
        assert self.kind.parse(self.form(shown, positions), "q", self.spec) == list(wanted)


def test_equal_right_sides_are_one_choice() -> None:
    spec = {"pairs": [{"left": "a", "right": "same"}, {"left": "b", "right": "same"}]}
    rows = TYPES["matching"].present(spec, "en", "s", [1, 0])["rows"]
    assert [len(row["options"]) for row in rows] == [1, 1]
    assert TYPES["matching"].grade(spec, [0, 0]).fraction == 1


@pytest.mark.parametrize("pattern", ["(a|a)*b", "((a+))*b", "(a?){50}a{50}b", ".*a.*a.*a.*a.*a.*a.*b", "(a|ab?)+c"])
def test_no_pattern_of_an_author_takes_longer_than_the_answer_is_long(pattern: str) -> None:
    """Each of these takes a backtracking matcher longer than anybody waits."""
    spec = {"type": "short", "accept": ["b"], "patterns": [pattern]}
    assert not list(TYPES["short"].problems(spec))
    assert not TYPES["short"].grade(spec, "a" * 200).right
    assert conditions.holds("a" * 3000 + "\n", "", "matches", f"^{pattern}c$") == (False, "a" * 3000 + "\n")
