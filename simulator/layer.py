"""The channel layer that doorbells come by: that of `channels_redis`, which waits for messages instead of looking for them.

The original asks its connection for a message with a time limit of a tenth of a second, again and again.  A time limit costs as much as the
message that it waits for, and with nothing to be told the asking goes on.  Here a process waits on its one connection until there is
something; that the connection broke is noticed there in the same way.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from channels_redis import pubsub
from channels_redis.utils import decode_hosts

logger = logging.getLogger(__name__)

#: Seconds until it is tried again after something unexpected, and until somebody is there to receive for.
AGAIN, NOBODY = 1.0, 0.1


class _Connection(pubsub.RedisSingleShardConnection):  # type: ignore[misc]
    async def _do_receiving(self) -> None:
        while True:
            try:
                if self._pubsub and self._pubsub.subscribed:
                    self._receive_message(await self._pubsub.get_message(ignore_subscribe_messages=True, timeout=None))
                else:
                    await asyncio.sleep(NOBODY)
            except (asyncio.CancelledError, GeneratorExit):
                raise
            except BaseException:
                logger.exception("a doorbell could not be received")
                await asyncio.sleep(AGAIN)


class _LoopLayer(pubsub.RedisPubSubLoopLayer):  # type: ignore[misc]
    def __init__(self, hosts: Any = None, **options: Any) -> None:
        super().__init__(hosts=hosts, **options)
        self._shards = [_Connection(host, self) for host in decode_hosts(hosts)]


class Layer(pubsub.RedisPubSubChannelLayer):  # type: ignore[misc]
    """See the module."""

    def _get_layer(self) -> Any:
        loop = asyncio.get_running_loop()
        layer = self._layers.get(loop)
        if layer is None:
            layer = self._layers[loop] = _LoopLayer(*self._args, **self._kwargs, channel_layer=self)
            pubsub._wrap_close(self, loop)
        return layer
