"""Celery tasks.  Each names a cluster, not a command: running one twice, late or never changes nothing but latency.

A cluster belongs to the queue `cluster.<crc32(id) % CLUSTER_QUEUES>`, and each queue to one worker process (`simulator.membership`), so that
the cluster's world is usually in that process's memory.
"""

from __future__ import annotations

import logging
import uuid
import zlib
from collections.abc import Callable
from typing import Any

import redis
from celery import shared_task
from celery.signals import worker_init
from django.conf import settings
from django.db import DatabaseError, connections
from kombu.exceptions import OperationalError as BrokerError

from . import advancing, context, courier, doorbell, garbage, mailbox, trials

logger = logging.getLogger(__name__)


#: What queuing a task raises while the broker is away, or answers and refuses: its disk or memory is full, or it is a replica (kombu passes a
#: reply that says so on as it is).
BROKER_AWAY = (BrokerError, OSError, redis.RedisError)


def queue_of(session_id: uuid.UUID) -> str:
    """The queue of a cluster."""
    return f"cluster.{zlib.crc32(session_id.bytes) % settings.CLUSTER_QUEUES}"


def queues() -> list[str]:
    """All queues."""
    return [f"cluster.{number}" for number in range(settings.CLUSTER_QUEUES)]


@shared_task(name="simulator.advance", bind=True)
def advance(self: Any, session_id: str, until: int | None = None, row: list[Any] | None = None) -> None:
    """Bring a cluster to the end of its journal, and on to virtual time `until`.

    `row` is the journal row that rang, to spare its being read.  A task that comes once more may have killed its worker, so
    it begins with what is in the database, where attempts are counted.
    """
    again = self.request.delivery_info and self.request.delivery_info.get("redelivered")
    if until is None:
        advancing.run_inputs(uuid.UUID(session_id), None if again else row)
    else:
        advancing.pass_time(uuid.UUID(session_id), until, again=bool(again))


@shared_task(name="simulator.pass_time", bind=True)
def pass_time(self: Any, looks: list[tuple[str, int]]) -> None:
    """Let time pass in quiet clusters, `(id, virtual time)` each (`simulator.rounds`).

    Should this come once more, one of them may have killed its worker: each gets a task of its own then, which is counted.
    """
    again = self.request.delivery_info and self.request.delivery_info.get("redelivered")
    with doorbell.together():
        for session_id, until in looks:
            context.cluster.set(session_id)
            if again:
                send(advance, uuid.UUID(session_id), until, None, priority=QUIET)
                continue
            try:
                advancing.pass_time(uuid.UUID(session_id), until)
            except DatabaseError:  # the others have their turn; whoever watches asks again
                logger.exception("session %s: time did not pass", session_id)


@shared_task(name="simulator.rest")
def rest(session_id: str) -> None:
    """Nobody watches a cluster any more."""
    advancing.rest(uuid.UUID(session_id))


@shared_task(name="simulator.complete")
def complete(session_id: str, channel: str, frame_id: str, terminal: str, line: str, cursor: int) -> None:
    """Answer one consumer's question for completions."""
    answer = advancing.complete(uuid.UUID(session_id), terminal, line, cursor)
    doorbell.reply(channel, {"type": "cluster.completion", "id": frame_id, **answer})


@shared_task(name="simulator.lens")
def lens(session_id: str, channel: str, frame_id: str, name: str, about: str) -> None:
    """Answer one consumer's question for what a lens shows."""
    doorbell.reply(channel, {"type": "cluster.lens", "id": frame_id, **advancing.lens(uuid.UUID(session_id), name, about)})


@shared_task(name="simulator.question")
def question(session_id: str, channel: str, frame_id: str, name: str, asked: dict[str, Any]) -> None:
    """Answer one consumer's question of an editor: `file` or `outline` (docs/protocol.md)."""
    answer = advancing.question(uuid.UUID(session_id), name, asked)
    doorbell.reply(channel, {"type": "cluster.answer", "name": name, "id": frame_id, **answer})


def _answer(key: str, question: Callable[[], dict[str, Any]]) -> None:
    """Leave the answer to a question in the mailbox, also when there is none."""
    try:
        answer = question()
    except Exception as error:
        mailbox.put(key, {"error": "failed", "message": f"{type(error).__name__}: {error}"})
        raise
    mailbox.put(key, answer)


@shared_task(name="simulator.evaluate")
def evaluate(session_id: str, key: str, program: dict[str, Any]) -> None:
    """Run checks on a copy of a cluster."""
    _answer(key, lambda: advancing.evaluate(uuid.UUID(session_id), program))


@shared_task(name="simulator.trial")
def trial(_id: str, key: str, program: dict[str, Any]) -> None:
    """Run commands and checks in a fresh world."""
    _answer(key, lambda: trials.run(program))


@shared_task(name="simulator.look")
def look(session_id: str, key: str, seq: int, at: int, lens: str = "", about: str = "") -> None:
    """Look at a moment of a cluster's past, through a lens where one is named."""
    with garbage.thrown_away():
        _answer(key, lambda: advancing.look(uuid.UUID(session_id), seq, at, lens, about))


@shared_task(name="simulator.ask")
def ask(session_id: str, key: str, call: dict[str, Any], until: int) -> None:
    """Answer a reading request of a learner's own tool."""
    _answer(key, lambda: advancing.ask(uuid.UUID(session_id), call, until))


@shared_task(name="simulator.settle")
def settle(session_id: str, key: str) -> None:
    """Bring a cluster to the end of its journal for somebody who waits for that."""
    _answer(key, lambda: advancing.settle(uuid.UUID(session_id)))


@shared_task(name="simulator.echo")
def echo(key: str, payload: str) -> None:
    """The leanest round trip of a task that there is: `make bench` compares with it."""
    mailbox.put(key, payload)


@shared_task(name="simulator.answer", ignore_result=False)
def answer(payload: str) -> str:
    """The bare round trip of Celery, `answer.delay(…).get()`: `make bench` compares with it."""
    return payload


#: Places in a queue (Redis keeps a list for each): what somebody typed and waits for, what runs before somebody's eyes, the passing
#: of time in a cluster that just stands there, and putting one away.
TYPED, SEEN, QUIET, AWAY = 0, 3, 6, 9
STEPS = (TYPED, SEEN, QUIET, AWAY)
#: More queues than this there cannot be (`coursesite.settings`).
MOST_QUEUES = 64


def send(task: Any, session_id: uuid.UUID, *args: Any, priority: int = TYPED) -> None:
    """Queue a task of a cluster.  Blocks for a request to Redis: keep it off an event loop."""
    courier.send(task, [str(session_id), *args], queue_of(session_id), priority, about=str(session_id))


def send_together(queue: str, looks: list[tuple[str, int]]) -> None:
    """Queue one task that lets time pass in several quiet clusters of a queue, `(id, virtual time)` each."""
    courier.send(pass_time, [looks], queue, QUIET, about=str(len(looks)))


def lengths(names: list[str]) -> dict[tuple[str, int], int]:
    """Tasks that wait in these queues, by queue and priority."""
    keys = {(name, step): courier.list_of(name, step) for name in names for step in STEPS}
    with doorbell.connection().pipeline(transaction=False) as pipe:
        for key in keys.values():
            pipe.llen(key)
        return dict(zip(keys, pipe.execute(), strict=True))


def alive(queue: str) -> bool:
    """Has a worker of this queue said so within the last seconds?"""
    try:
        return bool(doorbell.connection().exists(f"slipway:worker:{queue}"))
    except redis.RedisError:
        return False


@worker_init.connect
def _warm_up(**_kwargs: Any) -> None:
    """A new worker plays in the usual world once: the first learner need not wait for what is made on first use.

    It does so before it forks the process in which its tasks run: that one, and each that takes its place, has all of it at once.
    """
    from . import shelf

    if not settings.SLIPWAY_WARM_UP:
        return
    sandbox = shelf.boot(settings.SLIPWAY_WARM_UP, 1)
    terminal = min(sandbox.terminals())
    for text in ("ls | grep x", "kubectl get pods -A", "kubectl get nodes -o wide"):
        sandbox.apply("line", {"terminal": terminal, "text": text}, sandbox.now)
    sandbox.view()
    del sandbox
    # a connection, or the thread of a pool, must not be forked
    for each in connections.all(initialized_only=True):
        each.close()
        if getattr(each, "pool", None):
            each.close_pool()  # type: ignore[attr-defined]
    doorbell.connection().close()
    doorbell.connection.cache_clear()
    garbage.leave_alone_what_is_there()
