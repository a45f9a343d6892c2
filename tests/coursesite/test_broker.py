"""A worker whose broker goes away while it works."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from kombu.transport.redis import Transport

from coursesite import broker, ports
from coursesite import celery as _celery  # what a worker imports


class Line:
    """As much of a channel as its QoS uses, over a connection to a port at which nobody listens."""

    def __init__(self) -> None:
        self.client = redis.Redis(port=ports.free())

    @contextlib.contextmanager
    def conn_or_acquire(self, client: Any = None) -> Iterator[redis.Redis]:
        yield client or self.client

    unacked_key, unacked_index_key, do_restore = "unacked", "unacked_index", False


@pytest.mark.parametrize("end", ["ack", "reject", "requeue"])
def test_what_cannot_be_acknowledged_does_not_count_as_held(end: str) -> None:
    held = broker.QoS(Line(), prefetch_count=1)
    held._delivered["tag"] = object()
    assert not held.can_consume()
    with pytest.raises(redis.ConnectionError):
        held.ack("tag") if end == "ack" else held.reject("tag", requeue=end == "requeue")
    assert held.can_consume()


def test_workers_use_it() -> None:
    assert _celery.app.main == "slipway"
    assert Transport.Channel.QoS is broker.QoS
