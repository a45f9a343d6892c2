"""Doorbells: telling whoever watches a cluster that there is something after their cursor.

A lost doorbell costs latency, never data.  A worker must not call `async_to_sync(group_send)` for each task (it starts and
ends an event loop with its connections, 10 ms); with the publish/subscribe layer a group message is one PUBLISH of the
layer's own serialisation, so it is published straight over a plain connection that the process keeps.
"""

from __future__ import annotations

import functools
import logging
import uuid
from typing import Any

import redis
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.conf import settings

logger = logging.getLogger(__name__)


@functools.cache
def connection() -> redis.Redis:
    """This process's connection pool to Redis."""
    return redis.Redis.from_url(settings.REDIS_URL, health_check_interval=30, socket_connect_timeout=3)


def group(session_id: uuid.UUID) -> str:
    """The channel layer's group of everybody who watches a cluster."""
    return f"cluster.{session_id.hex}"


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
            connection().publish(prefix + channel, layer.serialize(message))
        elif layer is not None and grouped:
            async_to_sync(layer.group_send)(grouped, message)
        elif layer is not None:
            async_to_sync(layer.send)(channel, message)
    except (redis.RedisError, OSError) as error:
        logger.warning("a doorbell was lost: %s", error)
        return False
    return True
