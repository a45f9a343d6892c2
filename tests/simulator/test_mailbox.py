"""Waiting for a worker's answer (`simulator.mailbox`)."""

from __future__ import annotations

from typing import Any

import pytest

from simulator import doorbell, mailbox


class Redis:
    """Answers the last of so many questions, each of which takes all the seconds that it was given."""

    def __init__(self, questions: int) -> None:
        self.questions, self.now = questions, 100.0
        self.asked: list[float] = []

    def blpop(self, _keys: list[str], timeout: float) -> Any:
        self.asked.append(timeout)
        self.now += timeout
        return (b"key", b'{"applied": 3}') if len(self.asked) == self.questions else None


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Redis:
    found = Redis(questions=4)
    monkeypatch.setattr(doorbell, "connection", lambda: found)
    monkeypatch.setattr("simulator.mailbox.time.monotonic", lambda: found.now)
    return found


def test_an_answer_may_take_longer_than_redis_may_be_silent(redis: Redis) -> None:
    assert mailbox.take("key", 20) == {"applied": 3}
    assert sum(redis.asked) > doorbell.SILENCE > max(redis.asked)


def test_who_waits_is_told_when_the_time_is_over(redis: Redis) -> None:
    redis.questions = 1_000
    with pytest.raises(mailbox.NoAnswer, match="within 6 s"):
        mailbox.take("key", 6)
    assert sum(redis.asked) == pytest.approx(6)
