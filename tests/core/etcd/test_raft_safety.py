"""Raft's safety and liveness over random schedules, and that the checks would notice if it were broken."""

from __future__ import annotations

import pytest

from simulator.core.etcd.raft import leader, log, node
from simulator.core.etcd.raft.state import Message, Node
from tools import raft_soak
from tools.linear import NEVER, Op, check


@pytest.mark.parametrize("first", range(0, 300, 50))
def test_random_schedules_keep_every_invariant(first: int) -> None:
    """300 seeds of faults; tools.soak runs 10,000."""
    found = raft_soak.run(first, 50)
    assert found["elections"] > 50
    assert found["crashes"] > 50
    assert found["conf"] > 100
    assert found["ops"] > 1000


def _until_violation(seeds: int = 200) -> str:
    with pytest.raises(raft_soak.Violation) as caught:
        raft_soak.run(0, seeds)
    return str(caught.value)


def test_a_minority_that_decides_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quorum of half the voters elects two leaders or loses what was committed."""
    half = lambda one: max(1, len(one.voters) // 2)  # noqa: E731
    monkeypatch.setattr(node, "quorum", half)
    monkeypatch.setattr(leader, "quorum", half)
    assert "seed" in _until_violation()


def test_votes_for_stale_logs_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the comparison of logs a leader may lack what was committed."""
    monkeypatch.setattr(log, "up_to_date", lambda *_: True)
    assert "seed" in _until_violation()


def test_reads_without_a_quorum_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A leader that answers reads on its own serves stale values after it was cut off."""

    def at_once(one: Node, context: int, src: int) -> None:
        if src == one.id:
            one.reads.append((context, one.commit))
        else:
            one.out.append(Message("read-index-resp", one.id, src, one.term, index=one.commit, context=context))

    monkeypatch.setattr(leader, "read_index", at_once)
    assert "linearizable" in _until_violation(1500)


def test_linearizability_checker() -> None:
    """Histories of a register that are and are not linearizable."""
    fine = [Op("put", "x", 0, 10, "a"), Op("put", "x", 5, 15, "b"), Op("get", "x", 20, 30, result="a")]
    assert check(fine)
    assert not check([*fine, Op("get", "x", 40, 50, result="b")])
    assert not check([Op("put", "x", 0, 10, "a"), Op("get", "x", 20, 30)])  # read of nothing after a write
    lost = [Op("put", "x", 0, NEVER, "a"), Op("get", "x", 20, 30), Op("get", "x", 40, 50, result="a")]
    assert check(lost)  # a write whose answer was lost may land late
    assert not check([*lost, Op("get", "x", 60, 70)])
    assert check([Op("put", "x", 0, 1, "a"), Op("cas", "x", 2, 3, "b", "a", True), Op("cas", "x", 4, 5, "c", "a", False)])
