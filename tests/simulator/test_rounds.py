"""Rounds: whose time moves, alone or together with others, and what one broken cluster costs the others (nothing)."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from simulator import advancing, mishaps, rounds, services, tasks, worlds
from simulator.models import ClusterSession
from simulator.services import advance, append_input

SECOND = 1_000_000_000


class Browser:
    """A connection that wants a look in each of its rounds until it has had enough."""

    def __init__(self, priority: int, looks: int = 1) -> None:
        self.id, self.priority, self.left, self.cared = uuid.uuid4(), priority, looks, 0

    def wanted(self, real: float, *, quiet: bool = True) -> rounds.Look | None:
        self.left -= 1
        return rounds.Look(self.id, 5 * SECOND, self.priority) if self.left >= 0 else None

    def care(self, real: float) -> None:
        self.cared += 1


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What was queued, in order: (queue, arguments)."""
    found: list[tuple[str, Any]] = []
    for task in (tasks.advance, tasks.pass_time):
        monkeypatch.setattr(task, "apply_async", lambda args, queue, **more: found.append((queue, args)))
    return found


def test_urgent_looks_go_alone_and_first_and_quiet_ones_together(sent: list[tuple[str, Any]], settings: Any) -> None:
    settings.CLUSTER_QUEUES = 2
    quiet = [Browser(tasks.QUIET) for _ in range(40)]
    typed, seen = Browser(tasks.TYPED), Browser(tasks.SEEN)
    rounds.send([watcher.wanted(0.0) for watcher in (*quiet, seen, typed)])  # type: ignore[misc]
    assert [args[0] for _, args in sent[:2]] == [str(typed.id), str(seen.id)]
    together = [(queue, args[0]) for queue, args in sent[2:]]
    assert sorted(name for _, pairs in together for name, _ in pairs) == sorted(str(b.id) for b in quiet)
    for queue, pairs in together:
        assert len(pairs) <= rounds.TOGETHER and all(until == 5 * SECOND for _, until in pairs)
        assert {tasks.queue_of(uuid.UUID(name)) for name, _ in pairs} == {queue}
    assert len(together) <= 40 // rounds.TOGETHER + 2


def test_a_round_looks_after_those_who_are_in_it(sent: list[tuple[str, Any]]) -> None:
    async def story() -> None:
        round_ = rounds.Round()
        stays, goes = Browser(tasks.QUIET, 2), Browser(tasks.QUIET, 9)
        round_.join(stays)
        round_.join(goes)
        await round_.turn(1.0)
        round_.leave(goes)
        await round_.turn(2.0)
        await round_.turn(3.0)
        assert (stays.cared, goes.cared) == (3, 1)
        round_.leave(stays)

    asyncio.run(story())
    assert sum(len(args[0]) for _, args in sent) == 3


def test_where_nothing_goes_on_a_turn_comes_once_a_second(sent: list[tuple[str, Any]]) -> None:
    class Quiet(Browser):
        def wanted(self, real: float, *, quiet: bool = True) -> rounds.Look | None:
            return super().wanted(real) if quiet else None

    async def story() -> None:
        round_ = rounds.Round()
        calm, eager = Quiet(tasks.QUIET, 99), Browser(tasks.SEEN, 99)
        round_.join(calm)
        round_.join(eager)
        for number in range(2 * rounds.QUIET_ROUNDS):
            await round_.turn(number * 0.25)
        assert (99 - calm.left, 99 - eager.left) == (2, 2 * rounds.QUIET_ROUNDS)
        round_.leave(calm)
        round_.leave(eager)

    asyncio.run(story())


@pytest.mark.django_db
@pytest.mark.usefixtures("standin")
class TestTogether:
    """`simulator.pass_time`."""

    def three(self, learner: Any) -> list[ClusterSession]:
        found = [services.session_for(learner, "three-nodes", slot) for slot in ("a", "b", "c")]
        for session in found:
            advance(session.pk)
        return found

    def looks(self, sessions: list[ClusterSession], until: int) -> list[tuple[str, int]]:
        return [(str(session.pk), until) for session in sessions]

    def now(self, session: ClusterSession) -> int:
        warm = worlds.cache.get(session.pk)
        return int(warm.sandbox.now) if warm is not None else -1

    def test_time_passes_in_all_of_them(self, learner: Any) -> None:
        sessions = self.three(learner)
        tasks.pass_time.apply((self.looks(sessions, 7 * SECOND),)).get()
        assert [self.now(session) for session in sessions] == [7 * SECOND] * 3

    def test_one_without_an_end_does_not_hold_the_others(self, learner: Any, settings: Any) -> None:
        sessions = self.three(learner)
        append_input(sessions[1], kind="line", data={"terminal": "t1", "text": "stuck"}, client_id=uuid.uuid4())
        advance(sessions[1].pk)
        settings.SLIPWAY_INPUT_SECONDS = 0.05
        for number in range(advancing.MAX_ATTEMPTS + 1):
            tasks.pass_time.apply((self.looks(sessions, (60 + number) * SECOND),)).get()
        assert self.now(sessions[0]) == self.now(sessions[2]) == 63 * SECOND
        sessions[1].refresh_from_db()
        assert mishaps.read(sessions[1].frozen_reason) == (mishaps.BROKE, {"error": "time", "now": "standin-1"})

    def test_a_task_that_comes_again_gives_each_one_of_its_own(self, learner: Any, sent: list[tuple[str, Any]]) -> None:
        sessions = self.three(learner)
        sent.clear()
        looks = self.looks(sessions, 9 * SECOND)
        tasks.pass_time.push_request(delivery_info={"redelivered": True})
        try:
            tasks.pass_time.run(looks)
        finally:
            tasks.pass_time.pop_request()
        assert [args[:2] for _, args in sent] == looks
        assert all(self.now(session) < 9 * SECOND for session in sessions)
