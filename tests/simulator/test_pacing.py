"""When a watched cluster's time moves."""

from __future__ import annotations

from itertools import pairwise

import pytest

from simulator.pacing import IDLE, PATIENCE, SECOND, TICK, Bucket, Clock, Pace

IDLE_WORLD = {"busy": False, "pending": False, "visible": False, "lively": False, "speed": 1}


def test_the_clock_runs_by_its_speed_and_never_back() -> None:
    clock = Clock(speed=10, base=5 * SECOND, since=100.0)
    assert clock.now(101.0) == 15 * SECOND
    clock.learn(14 * SECOND, 101.0)  # the worker is a little behind: no jump back
    assert clock.now(101.0) == 15 * SECOND
    clock.learn(400 * SECOND, 101.0)  # somebody skipped ahead
    assert clock.now(102.0) == 410 * SECOND
    clock.set_speed(0, 102.0)
    assert clock.now(200.0) == 410 * SECOND


def test_the_clock_does_not_run_far_ahead_of_a_slow_worker() -> None:
    clock = Clock(speed=1, base=0, since=0.0)
    clock.learn(10 * SECOND, 60.0)
    assert clock.now(60.0) == 10 * SECOND


def run(pace: Pace, clock: Clock, seconds: float, **world: object) -> list[float]:
    """Ask as a consumer does, each request answered at once; the real times of asking."""
    asked = []
    for step in range(int(seconds / TICK) + 1):
        real = step * TICK
        if pace.wanted(clock, real):
            asked.append(real)
            pace.ask(real)
            pace.answer(next_due=clock.now(real) + SECOND // 10, real=real, **{**IDLE_WORLD, **world})  # type: ignore[arg-type]
    return asked


def test_a_quiet_cluster_is_looked_at_ever_more_rarely() -> None:
    asked = run(Pace(), Clock(), 60)
    pauses = [later - earlier for earlier, later in pairwise(asked)]
    assert pauses[-1] == IDLE
    assert len(asked) <= 60 / IDLE + 6


def test_a_program_that_waits_is_looked_after_four_times_a_second() -> None:
    assert len(run(Pace(busy=True), Clock(), 10, busy=True)) == pytest.approx(4 * 10, abs=2)


def test_workers_that_answer_late_are_asked_more_rarely() -> None:
    def asked(took: float) -> int:
        pace, clock, count = Pace(), Clock(), 0
        for step in range(int(20 / TICK)):
            real = step * TICK
            if pace.asked is not None and real - pace.asked >= took:
                pace.answer(
                    next_due=clock.now(real), real=pace.asked + took, busy=True, pending=False, visible=True, lively=True, speed=1
                )
            if pace.asked is None and pace.wanted(clock, real):
                pace.ask(real)
                count += 1
        return count

    assert asked(0.0) > 30
    assert asked(0.5) <= 4


def test_a_paused_cluster_is_left_alone() -> None:
    assert run(Pace(), Clock(speed=0), 60) == []


def test_nothing_due_nothing_asked() -> None:
    pace, clock = Pace(), Clock()
    pace.answer(next_due=None, real=0.0, busy=False, pending=False, visible=True, lively=True, speed=1)
    assert not pace.wanted(clock, 30.0)
    pace.answer(next_due=40 * SECOND, real=0.0, busy=False, pending=False, visible=True, lively=True, speed=1)
    assert not pace.wanted(clock, 30.0)
    assert pace.wanted(clock, 40.0)


def test_an_unanswered_request_is_repeated_with_growing_patience() -> None:
    pace, clock = Pace(), Clock()
    pace.input(0.0)
    asked = []
    for step in range(400):
        real = step * TICK
        if pace.wanted(clock, real):
            asked.append(real)
            pace.ask(real)
    assert asked[0] == PATIENCE
    pauses = [later - earlier for earlier, later in pairwise(asked)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 16.0


def test_the_bucket_allows_a_burst_and_then_its_rate() -> None:
    bucket = Bucket(rate=10, burst=3)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(0.1), bucket.take(0.1)] == [True, False]


def test_who_only_looks_around_does_not_wake_the_clock() -> None:
    pace, clock = Pace(), Clock()
    for step in range(12):
        pace.answer(next_due=0, real=float(step), busy=False, pending=False, visible=False, lively=False, speed=1)
    slow = pace.pause
    pace.input(20.0)
    pace.answer(next_due=0, real=20.1, busy=False, pending=False, visible=True, lively=False, speed=1)
    assert pace.pause == slow
    assert not pace.wanted(clock, 20.1 + slow / 2)
    pace.input(30.0)
    pace.answer(next_due=0, real=30.1, busy=False, pending=False, visible=True, lively=True, speed=1)
    assert pace.pause == TICK
