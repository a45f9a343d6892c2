"""A worker's own thread: it says that it lives, takes its share of the queues (`simulator.membership`), and sends what is due.

The share is applied in the worker's event loop, level by level: each beat compares the queues that are consumed from with those that should be.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from typing import Any

from celery.signals import celeryd_after_setup, worker_ready, worker_shutting_down
from celery.worker import state

from simulator import courier, doorbell, tasks
from simulator.membership import BEAT, Membership

from .watchdog import Watchdog

logger = logging.getLogger(__name__)

#: Seconds between two looks for tasks in queues that nobody serves any more.
GATHER = 20

_leaving = threading.Event()


@celeryd_after_setup.connect  # type: ignore[untyped-decorator]
def _begin(sender: str = "", instance: Any = None, **_kwargs: object) -> None:
    """Begin with a share of the queues instead of with all or none; without Redis with all, which is harmless."""
    member = Membership(doorbell.connection(), sender, tasks.queues())
    try:
        mine = member.beat(serves=False)
    except Exception:
        mine = tasks.queues()
    doorbell.connection().close()  # it must not be forked
    doorbell.connection.cache_clear()
    instance.app.amqp.queues.select(mine)


@worker_ready.connect  # type: ignore[untyped-decorator]
def _live(sender: Any = None, **_kwargs: object) -> None:
    member = Membership(doorbell.connection(), sender.hostname, tasks.queues())
    threading.Thread(target=_beats, args=(sender, member), name="alive", daemon=True).start()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _leave(**_kwargs: object) -> None:
    _leaving.set()


def _beats(consumer: Any, member: Membership) -> None:
    from .celery import send_periodic

    watchdog = Watchdog(patience=consumer.app.conf.task_time_limit + 15)
    while not _leaving.is_set():
        try:
            mine = member.beat()
            consumer.call_soon(serve, consumer, mine)
            send_periodic(mine[0])
            if watchdog.stuck(time.monotonic(), sum(tasks.lengths(mine).values()), sum(state.total_count.values())):
                logger.critical("tasks wait and none is taken: this worker ends itself")
                os.kill(os.getpid(), signal.SIGKILL)
            if doorbell.connection().set("slipway:due:gather", os.getpid(), nx=True, ex=GATHER):
                gather()
        except Exception:  # the broker is away; it is told again when it is back
            logger.debug("no sign of life could be given", exc_info=True)
        _leaving.wait(BEAT)
    try:
        member.leave()
    except Exception:
        logger.debug("no farewell could be said", exc_info=True)


def serve(consumer: Any, wanted: list[str]) -> None:
    """Consume from these queues and no others; runs in the consumer's event loop."""
    try:
        before = {queue.name for queue in consumer.task_consumer.queues}
        if before == set(wanted):
            return
        logger.info("serves %s now, before %s", ", ".join(wanted), ", ".join(sorted(before)))
        for queue in wanted:
            if queue not in before:
                consumer.add_task_queue(queue)
        for queue in sorted(before.difference(wanted)):
            consumer.cancel_task_queue(queue)
    except Exception:  # the connection broke; the consumer makes another, and the next beat compares again
        logger.warning("the share of queues could not be changed", exc_info=True)


def gather() -> int:
    """Move tasks out of queues that are none any more (there are fewer than there were) to those that are; returns how many."""
    redis, count = doorbell.connection(), len(tasks.queues())
    old = [f"cluster.{number}" for number in range(count, tasks.MOST_QUEUES)]
    moved = 0
    for (queue, step), length in tasks.lengths(old).items() if old else ():
        new = f"cluster.{int(queue.removeprefix('cluster.')) % count}"
        for _ in range(length):
            moved += redis.lmove(courier.list_of(queue, step), courier.list_of(new, step), "RIGHT", "LEFT") is not None
    if moved:
        logger.info("%d tasks of queues that are gone were moved", moved)
    return moved
