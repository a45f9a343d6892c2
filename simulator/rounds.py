"""One round a quarter of a second through all clusters that this web process's browsers watch: whose time shall move now?

A cluster at which somebody just looks changes nothing that they could see in most rounds.  To ask for each with a task of its own
would cost more than what is then done in it, so quiet clusters of one queue go together, a few a task: few enough that
whoever types meanwhile waits no longer than for one of them.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
import weakref
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from channels.db import database_sync_to_async
from django.db import DatabaseError

from . import pacing, services, tasks

logger = logging.getLogger(__name__)

#: Clusters that one task looks at, some milliseconds in all.
TOGETHER = 8
#: Rounds until clusters in which nothing went on when they were looked at last have their turn again: so they come together.
QUIET_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Look:
    """A cluster whose time should go on to `until` (virtual ns; None: only its journal), and how urgent that is (`tasks.TYPED` …)."""

    session_id: uuid.UUID
    until: int | None
    priority: int


class Watcher(Protocol):
    """A browser's connection, as far as a round knows it."""

    def wanted(self, real: float, *, quiet: bool) -> Look | None:
        """What to ask the worker for now (`real`: seconds of a monotonic clock); `quiet`: also where nothing goes on."""

    def care(self, real: float) -> None:
        """Whatever else is due from time to time."""


class Round:
    """The round of one event loop.  It runs while anybody is in it."""

    def __init__(self) -> None:
        self._watchers: set[Watcher] = set()
        self._running: asyncio.Task[None] | None = None
        self._turns = 0

    def join(self, watcher: Watcher) -> None:
        """Be looked after from the next round on."""
        self._watchers.add(watcher)
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())

    def leave(self, watcher: Watcher) -> None:
        """Be left alone."""
        self._watchers.discard(watcher)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(pacing.TICK)
            if not self._watchers:
                return
            try:
                await self.turn(time.monotonic())
            except (DatabaseError, *tasks.BROKER_AWAY):
                logger.exception("a round failed; the next one asks again")

    async def turn(self, real: float) -> None:
        """One round."""
        looks = []
        quiet = self._turns % QUIET_ROUNDS == 0
        self._turns += 1
        for watcher in list(self._watchers):
            look = watcher.wanted(real, quiet=quiet)
            if look is not None:
                looks.append(look)
            watcher.care(real)
        if looks:
            await database_sync_to_async(send, thread_sensitive=False)(looks)


def send(looks: Iterable[Look]) -> None:
    """Queue looks: urgent ones alone and first, quiet ones together."""
    quiet: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for look in sorted(looks, key=_priority):
        if look.priority < tasks.QUIET or look.until is None:
            services.schedule(look.session_id, look.until, priority=look.priority)
        else:
            quiet[tasks.queue_of(look.session_id)].append((str(look.session_id), look.until))
    for queue, pairs in quiet.items():
        for first in range(0, len(pairs), TOGETHER):
            _send_some(queue, pairs[first : first + TOGETHER])


def _priority(look: Look) -> int:
    return look.priority


def _send_some(queue: str, pairs: list[tuple[str, int]]) -> None:
    try:
        tasks.send_together(queue, pairs)
    except tasks.BROKER_AWAY as error:
        logger.warning("%d clusters: the broker cannot be reached: %s", len(pairs), error)


_rounds: weakref.WeakKeyDictionary[Any, Round] = weakref.WeakKeyDictionary()


def here() -> Round:
    """The round of the running event loop."""
    loop = asyncio.get_running_loop()
    found = _rounds.get(loop)
    if found is None:
        found = _rounds[loop] = Round()
    return found
