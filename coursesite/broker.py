"""Celery's client of Redis, mended where a worker would stop taking tasks for good, and where each task costs more than it must.

A task that ends while Redis is away cannot be acknowledged.  Celery logs that and goes on, but the message would stay among those that
the worker holds, and with a prefetch of one it would never ask for another: it would not even notice that its connection is gone
(kombu 5.7, `kombu.transport.redis.QoS.ack` and `kombu.message.Message.ack_log_error`).  Here the worker forgets it; Redis, when it comes
back, has the message still and gives it to somebody after the visibility timeout, which costs nothing: tasks are level-triggered.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import redis, virtual


class QoS(redis.QoS):
    """What a worker holds, and may be given."""

    def ack(self, delivery_tag: Any) -> None:
        """Acknowledge; what cannot be is forgotten on this side all the same."""
        try:
            super().ack(delivery_tag)  # type: ignore[no-untyped-call]
        except BaseException:
            virtual.QoS.ack(self, delivery_tag)  # type: ignore[no-untyped-call]
            raise

    def reject(self, delivery_tag: Any, requeue: bool = False) -> None:
        """Give back; what cannot be is forgotten on this side all the same."""
        try:
            super().reject(delivery_tag, requeue)  # type: ignore[no-untyped-call]
        except BaseException:
            virtual.QoS.ack(self, delivery_tag)  # type: ignore[no-untyped-call]
            raise


class Channel(redis.Channel):
    """A worker's requests to Redis.

    kombu makes a client for each of them, three for a task, of a tenth of a millisecond each.  A client is only a handle of the pool, which
    is made anew when the connection breaks; so is this one.
    """

    QoS = QoS
    _kept_client: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:  # kombu keeps these, each with a connection of its own
            return super()._create_client(asynchronous)  # type: ignore[no-untyped-call]
        if self._kept_client is None or self._kept_client.connection_pool is not self.pool:
            self._kept_client = super()._create_client()  # type: ignore[no-untyped-call]
        return self._kept_client


def install() -> None:
    """Have every connection to Redis that Celery opens from now on use it."""
    redis.Transport.Channel = Channel
