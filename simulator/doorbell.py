"""Doorbells: telling whoever watches a cluster that there is something after their cursor.

A lost doorbell costs latency, never data.  A worker must not call `async_to_sync(group_send)` for each task (it starts and
ends an event loop with its connections, 10 ms); with the publish/subscribe layer a group message is one PUBLISH of the
layer's own serialisation, so it is published straight over a plain connection that the process keeps.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import logging
import uuid
from collections.abc import Iterator
from typing import Any

import redis
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.conf import settings
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)


#: Seconds after which a Redis that says nothing is taken for dead, so that nobody hangs on one that stands still.
SILENCE = 5.0


@functools.cache
def connection() -> redis.Redis:
    """This process's connection pool to Redis.

    A request that fails is repeated twice, at once: whatever goes through here may get lost, and whoever misses it asks again.
    """
    again = Retry(ExponentialBackoff(base=0.02, cap=0.2), 2)
    return redis.Redis.from_url(
        settings.REDIS_URL, health_check_interval=30, socket_connect_timeout=3, socket_timeout=SILENCE, retry=again
    )


def group(session_id: uuid.UUID) -> str:
    """The channel layer's group of everybody who watches a cluster."""
    return f"cluster.{session_id.hex}"


def stream(ident: str) -> str:
    """The channel layer's group of the one process that holds a client's stream."""
    return f"stream.{ident}"


#: Messages of a task that looks at several clusters, sent in one go (`together`); None while each is sent at once.
_held: contextvars.ContextVar[list[tuple[str, bytes]] | None] = contextvars.ContextVar("doorbells", default=None)


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Send what rings inside at the end, as one request to Redis."""
    held: list[tuple[str, bytes]] = []
    mark = _held.set(held)
    try:
        yield
    finally:
        _held.reset(mark)
        if held:
            try:
                pipe = connection().pipeline(transaction=False)
                for channel, message in held:
                    pipe.publish(channel, message)
                pipe.execute()
            except (redis.RedisError, OSError) as error:
                logger.warning("%d doorbells were lost: %s", len(held), error)


def ring(session_id: uuid.UUID, message: dict[str, Any]) -> bool:
    """Send `message` (with its `type`) to everybody who watches; False when the broker is away."""
    return _send(f"__group__{group(session_id)}", message, grouped=group(session_id))


def ring_group(name: str, message: dict[str, Any]) -> bool:
    """Send `message` to a group of the channel layer that is no cluster's; False when the broker is away."""
    return _send(f"__group__{name}", message, grouped=name)


def reply(channel: str, message: dict[str, Any]) -> bool:
    """Send `message` to one consumer; False when the broker is away."""
    return _send(channel, message)


def _send(channel: str, message: dict[str, Any], *, grouped: str = "") -> bool:
    layer = get_channel_layer()
    try:
        if isinstance(layer, RedisPubSubChannelLayer):
            prefix = settings.CHANNEL_LAYERS["default"]["CONFIG"]["prefix"] if grouped else ""
            held, packed = _held.get(), layer.serialize(message)
            if held is not None:
                held.append((prefix + channel, packed))
            else:
                connection().publish(prefix + channel, packed)
        elif layer is not None and grouped:
            async_to_sync(layer.group_send)(grouped, message)
        elif layer is not None:
            async_to_sync(layer.send)(channel, message)
    except (redis.RedisError, OSError) as error:
        logger.warning("a doorbell was lost: %s", error)
        return False
    return True
