"""Sharing queues out among the workers that live."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from coursesite import embedded, workers
from simulator import courier, doorbell, tasks
from simulator.membership import GONE, Membership, share_out

QUEUES = [f"cluster.{number}" for number in range(16)]


def names(count: int) -> list[str]:
    return [f"worker.{number}@harbour" for number in range(count)]


def owners(count: int) -> dict[str, str]:
    return {queue: name for name, share in share_out(QUEUES, names(count)).items() for queue in share}


@pytest.mark.parametrize("count", range(1, 17))
def test_every_queue_has_one_worker_and_none_has_many_more_than_others(count: int) -> None:
    shares = share_out(QUEUES, names(count))
    assert set(owners(count)) == set(QUEUES)
    assert max(map(len, shares.values())) <= -(-16 // count)
    assert min(map(len, shares.values())) >= 1
    assert share_out(QUEUES, names(count)[::-1]) == shares  # whoever computes it, from whatever order


def test_few_queues_move_when_a_worker_comes() -> None:
    for count in range(2, 12):
        before, after = owners(count), owners(count + 1)
        assert sum(before[queue] != after[queue] for queue in QUEUES) <= 16 * 0.6


def test_workers_beyond_the_queues_help_out() -> None:
    shares = share_out(QUEUES[:2], names(5))
    assert sorted(len(share) for share in shares.values()) == [1] * 5
    assert {queue for share in shares.values() for queue in share} == set(QUEUES[:2])
    assert share_out(QUEUES, []) == {}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    store = embedded.Valkey(tmp_path_factory.mktemp("members"))
    try:
        yield redis.Redis.from_url(store.start())
    finally:
        store.stop()


def test_who_gives_no_sign_of_life_loses_its_queues(broker: redis.Redis) -> None:
    one, two = Membership(broker, "one", QUEUES), Membership(broker, "two", QUEUES)
    assert one.beat() == QUEUES
    second = two.beat()
    first = one.beat()
    assert sorted(first + second) == sorted(QUEUES)
    assert all(0 < broker.ttl(f"slipway:worker:{queue}") <= GONE for queue in QUEUES)
    broker.delete("slipway:member:two")  # what happens by itself after some seconds
    assert one.beat() == first  # it may have been a moment
    assert one.beat() == QUEUES
    assert two.beat() == second  # it was only late
    one.leave()
    two.beat()
    assert two.beat() == QUEUES


def test_after_a_flush_nobody_grabs_everything(broker: redis.Redis) -> None:
    one, two = Membership(broker, "one", QUEUES), Membership(broker, "two", QUEUES)
    for member in (one, two, one, two):
        share = member.beat()
    broker.flushall()
    assert two.beat() == share
    one.beat()
    assert two.beat() == share


def test_tasks_of_queues_that_are_gone_are_moved(broker: redis.Redis, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CLUSTER_QUEUES = 3
    monkeypatch.setattr(doorbell, "connection", lambda: broker)
    broker.flushall()
    for number in range(5):
        broker.lpush(courier.list_of("cluster.7", tasks.QUIET), str(number))
    broker.lpush("cluster.3", "typed")
    broker.lpush("cluster.2", "stays")
    assert workers.gather() == 6
    moved = [broker.rpop(courier.list_of("cluster.1", tasks.QUIET)) for _ in range(6)]
    assert moved == [b"0", b"1", b"2", b"3", b"4", None]
    assert (broker.rpop("cluster.0"), broker.rpop("cluster.2"), workers.gather()) == (b"typed", b"stays", 0)


class Consumer:
    """As much of Celery's consumer as is asked."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.task_consumer = self

    @property
    def queues(self) -> list[Any]:
        return [type("Queue", (), {"name": name}) for name in self.names]

    def add_task_queue(self, name: str) -> None:
        self.names.append(name)

    def cancel_task_queue(self, name: str) -> None:
        self.names.remove(name)


def test_a_consumer_is_brought_to_its_share() -> None:
    consumer = Consumer("cluster.0", "cluster.1")
    for _ in range(2):
        workers.serve(consumer, ["cluster.1", "cluster.2"])
        assert consumer.names == ["cluster.1", "cluster.2"]
