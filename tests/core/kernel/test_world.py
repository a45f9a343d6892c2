"""Virtual time, timers, doorbells, random streams and snapshots."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.core.kernel import snapshot
from simulator.core.kernel.errors import BadInput, BudgetExceeded
from simulator.core.kernel.world import World, dispatch_wake


def world_with_log() -> tuple[World, list[tuple[int, Any]]]:
    world, log = World(seed=1), []

    def note(w: World, rest: str, payload: Any) -> None:
        log.append((w.now, payload))
        if isinstance(payload, list) and payload and payload[0] == "again":
            w.after(payload[1], "note:", ["again", payload[1]])

    world.tables["dispatch"] = {"note": note, "wake": dispatch_wake}
    return world, log


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(-2, 2)), max_size=30))
def test_timers_fire_by_time_then_priority_then_order(timers: list[tuple[int, int]]) -> None:
    world, log = world_with_log()
    for number, (at, priority) in enumerate(timers):
        world.at(at, "note:", number, priority=priority)
    world.run_until(100)
    expected = sorted(range(len(timers)), key=lambda n: (timers[n][0], timers[n][1], n))
    assert [payload for _, payload in log] == expected


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=6), st.integers(1, 40))
def test_advancing_in_parts_equals_advancing_at_once(stops: list[int], period: int) -> None:
    ends = []
    for parts in ([1000], [*sorted(stops), 1000]):
        world, log = world_with_log()
        world.at(period, "note:", ["again", period])
        for stop in parts:
            world.run_until(stop)
        ends.append((world.now, world.timer_seq, log))
    assert ends[0] == ends[1]


def test_a_cancelled_timer_does_not_fire_and_a_past_time_means_now() -> None:
    world, log = world_with_log()
    world.run_until(10)
    assert world.cancel(world.at(20, "note:", "no"))
    world.at(3, "note:", "late")
    world.run_until(30)
    assert log == [(10, "late")]
    assert not world.cancel(1)


def test_a_loop_that_takes_no_time_meets_the_budget_and_the_world_goes_on() -> None:
    world, log = world_with_log()
    world.at(5, "note:", ["again", 0])
    with pytest.raises(BudgetExceeded):
        world.run_until(10, max_steps=100)
    assert len(log) == 100
    assert world.now == 5


def test_a_doorbell_wakes_each_subscriber_once_until_it_has_answered() -> None:
    world, log = world_with_log()
    world.subscribe("topic", "note:a", "wake", low=5, high=5)
    world.ring("topic")
    world.ring("topic")
    world.run_until(10)
    world.ring("topic")
    world.run_until(20)
    assert log == [(5, "wake"), (15, "wake")]
    world.unsubscribe("note:a")
    world.ring("topic")
    assert world.next_due() is None


def test_effects_point_at_their_cause_through_timers_and_doorbells() -> None:
    world = World(seed=1)
    seen: list[int] = []
    world.tables["dispatch"] = {"note": lambda w, rest, p: seen.append(w.emit("b", "heard")), "wake": dispatch_wake}
    world.subscribe("topic", "note:", None)
    cause = world.emit("a", "did")
    world.because(cause, lambda: world.ring("topic"))
    world.run_until(10**9)
    assert [e.cause for e in world.trace if e.seq == seen[0]] == [cause]


def test_streams_of_different_names_do_not_disturb_each_other() -> None:
    one, two = World(seed=3), World(seed=3)
    two.rng("other").bits64()
    assert [one.rng("x").below(1000) for _ in range(5)] == [two.rng("x").below(1000) for _ in range(5)]
    assert World(seed=4).rng("x").bits64() != World(seed=3).rng("x").bits64()


def test_a_restored_world_goes_on_as_the_first_would_have() -> None:
    first, log = world_with_log()
    first.at(7, "note:", ["again", 7])
    first.subscribe("topic", "note:a", "wake")
    first.run_until(20)
    first.ring("topic")
    second = snapshot.load(snapshot.dump(first), {})
    again: list[tuple[int, Any]] = []

    def note(w: World, rest: str, payload: Any) -> None:
        again.append((w.now, payload))
        if isinstance(payload, list):
            w.after(payload[1], "note:", payload)

    second.tables["dispatch"] = {"note": note, "wake": dispatch_wake}
    before = len(log)
    first.run_until(1000)
    second.run_until(1000)
    assert again == log[before:]
    assert snapshot.dump(first) == snapshot.dump(second)


@pytest.mark.parametrize("damage", [b"", b"SLIPWAY\x01", b"SLIPWAY\x01rubbish", b"other"])
def test_a_damaged_snapshot_is_refused_with_a_reason(damage: bytes) -> None:
    with pytest.raises(BadInput, match="snapshot"):
        snapshot.load(damage, {})


def test_a_cut_snapshot_is_refused() -> None:
    data = snapshot.dump(World(seed=1))
    with pytest.raises(BadInput, match="snapshot"):
        snapshot.load(data[:-3], {})


def test_a_section_that_nobody_knows_is_refused() -> None:
    world = World(seed=1)
    world.sections["later"] = {"a": 1}
    with pytest.raises(BadInput, match="later"):
        snapshot.load(snapshot.dump(world), {})
