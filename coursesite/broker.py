"""Celery's client of Redis, mended where a worker would stop taking tasks for good.

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


def install() -> None:
    """Have every connection to Redis that Celery opens from now on use it."""
    redis.Channel.QoS = QoS
