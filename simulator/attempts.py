"""How often the journal rows after a position were begun: counted before they run, so that a row which kills its worker counts.

The count is kept in Redis, not in the database: it costs 0.1 ms instead of a transaction for each input, and losing it costs no
more than another try.  Where tasks run in the caller (tests) it is kept in the process.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from typing import Any

import redis
from django.conf import settings

from . import doorbell

logger = logging.getLogger(__name__)

#: Seconds after which a count that nobody touched is forgotten.
KEEP = 3600

#: Stands for "no row: time passed" in the place of a position.
TIME = 1 << 40

_local: Counter[tuple[uuid.UUID, int]] = Counter()


def begin(session_id: uuid.UUID, position: int) -> int:
    """The rows after `position` are about to be run; which attempt is this?"""
    return _add(session_id, position, 1)


def undo(session_id: uuid.UUID, position: int) -> None:
    """This attempt did not fail by its rows (another worker was first, the database was busy): it does not count."""
    _add(session_id, position, -1)


def clear(session_id: uuid.UUID, position: int) -> None:
    """It ended well: what went before does not count any more."""
    _add(session_id, position, -_add(session_id, position, 0))


def note_raised(session_id: uuid.UUID, position: int) -> None:
    """The rows after `position` raised something, instead of taking their worker with them."""
    _add(session_id, -position - 1, 1)


def raised(session_id: uuid.UUID, position: int) -> bool:
    """Did one of the attempts end by raising?  (Else its worker died each time.)"""
    return _add(session_id, -position - 1, 0) > 0


def _add(session_id: uuid.UUID, position: int, amount: int) -> int:
    if settings.CELERY_TASK_ALWAYS_EAGER:
        _local[session_id, position] += amount
        return _local[session_id, position]
    key = f"slipway:begun:{session_id.hex}:{position}"
    try:
        with doorbell.connection().pipeline(transaction=False) as pipe:
            pipe.incrby(key, amount)
            pipe.expire(key, KEEP)
            answers: list[Any] = pipe.execute()
    except redis.RedisError as error:
        logger.warning("an attempt was not counted: %s", error)
        return 1
    return int(answers[0])
