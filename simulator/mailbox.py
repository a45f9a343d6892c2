"""Asking a cluster's worker a question from a synchronous view and waiting for the answer.

The answer is one element of a Redis list that nobody else knows, which costs a third of Celery's result backend.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

import orjson
import redis

from . import doorbell

_PREFIX = "slipway:answer:"
_KEEP_SECONDS = 60


class NoAnswer(Exception):
    """The worker did not answer in time."""


def new_key() -> str:
    """A key for one answer."""
    return _PREFIX + uuid.uuid4().hex


def key_of(client_id: str) -> str:
    """The key for the answer to a journal row."""
    return _PREFIX + client_id


def put(key: str, answer: Any) -> None:
    """Worker: leave the answer.  Only the first one counts, so a repeated task does no harm."""
    connection = doorbell.connection()
    with connection.pipeline() as pipe:
        pipe.rpush(key, orjson.dumps(answer))
        pipe.expire(key, _KEEP_SECONDS)
        pipe.execute()


def take(key: str, timeout: float) -> Any:
    """View: wait for the answer."""
    deadline = time.monotonic() + timeout
    found: Any = None
    while found is None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise NoAnswer(f"no answer within {timeout:g} s")
        try:
            # Redis is asked for less than the client waits for any answer of its (else it would take Redis for dead, and ask anew)
            found = doorbell.connection().blpop([key], timeout=min(left, doorbell.SILENCE / 2))
        except redis.RedisError as error:
            raise NoAnswer(str(error)) from error
    return orjson.loads(found[1])
