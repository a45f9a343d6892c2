"""The desk's WebSockets: a bell for open dashboards, and a watcher's view of a learner's cluster."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.utils.translation import gettext as _

from lessons.desk import bells, live
from lessons.models import Membership
from simulator import connections, frames
from simulator.consumers import CLOSE_LOGIN, CLOSE_NOT_FOUND, CLOSE_TOO_MANY, TerminalConsumer, in_thread
from simulator.models import ClusterSession


class DeskConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """Says `{"t": "changed", "who": [7]}` when the rows of these learners should be read again; nothing else goes over this line."""

    #: At most one word in this many seconds, however many things change.
    PAUSE = 2.0

    async def connect(self) -> None:
        """For those who may read the cohort's pages."""
        self.cohort_id = int(self.scope["url_route"]["kwargs"]["cohort"])
        self.waiting: asyncio.Task[None] | None = None
        self.changed: set[int] = set()
        #: Whom this connection is counted for (`simulator.connections`).
        self.account: Any = None
        await self.accept()
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            await self.close(CLOSE_LOGIN)
            return
        if not connections.enter(user.pk):
            await self.close(CLOSE_TOO_MANY)
            return
        self.account = user.pk
        if not await in_thread(self._reads)(user):
            await self.close(CLOSE_NOT_FOUND)
        else:
            await self.channel_layer.group_add(bells.group(self.cohort_id), self.channel_name)

    def _reads(self, user: Any) -> bool:
        rows = Membership.objects.filter(cohort=self.cohort_id, user=user.pk, role__in=Membership.READERS)
        return rows.exists()

    async def disconnect(self, code: int) -> None:
        """Nobody looks any more."""
        if self.account is not None:
            connections.leave(self.account)
            self.account = None
        if self.waiting is not None:
            self.waiting.cancel()
        await self.channel_layer.group_discard(bells.group(self.cohort_id), self.channel_name)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """Pages have nothing to say here."""

    async def desk_changed(self, event: dict[str, Any]) -> None:
        """Something changed; several changes at once are one word."""
        self.changed.add(int(event["who"]))
        if self.waiting is None or self.waiting.done():
            self.waiting = asyncio.create_task(self._say())

    async def _say(self) -> None:
        """The first change is told at once, what changes in the pause after it."""
        while self.changed:
            who, self.changed = sorted(self.changed), set()
            await self.send_json({"t": "changed", "who": who})
            await asyncio.sleep(self.PAUSE)


class WatchConsumer(TerminalConsumer):
    """A member of the staff looks at a learner's cluster: everything is shown, nothing is moved, and only with the learner's
    permission is anything typed."""

    def find_session(self, user: Any) -> ClusterSession:
        """The cluster of a watching that was begun on its page."""
        row = live.may_watch(user, self.session_id)
        if row is None:
            raise ClusterSession.DoesNotExist
        self.watching = row.pk
        return row.session

    async def _act(self, frame: frames.Frame) -> None:
        moves = isinstance(frame, frames.Input | frames.Speed | frames.Complete | frames.File)
        if moves and not await in_thread(live.may_type)(self.watching):
            frame_id = str(frame.id) if isinstance(frame, frames.Input | frames.Complete | frames.File) else None
            raise frames.BadFrame("watching", _("You only look here. The learner can let you type."), frame_id)
        await super()._act(frame)

    ticker: asyncio.Task[None] | None = None

    async def _start_clock(self) -> None:
        """Time moves by the learner's own page, never by who looks."""
        if self.ticker is None:
            self.beating = asyncio.Lock()
            self.ticker = asyncio.create_task(self._beat())

    async def _stop_clock(self) -> None:
        if self.ticker is not None:
            async with self.beating:  # a sign of life that is being written must not come after the farewell
                self.ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.ticker
            self.ticker = None

    async def _beat(self) -> None:
        """Say that this one is still open, and end when it may not be."""
        while True:
            async with self.beating:
                await in_thread(live.beat)(self.watching, self.session_id)
            await asyncio.sleep(live.BEAT)
            still = await in_thread(live.may_watch)(self.scope["user"], self.session_id)
            if still is None or not await in_thread(self._logged_in)():
                await self._end("not-found", _("There is no such cluster."), CLOSE_NOT_FOUND)
                return

    async def disconnect(self, code: int) -> None:
        """The learner sees at once that nobody looks any more."""
        await self._stop_clock()
        if hasattr(self, "watching"):
            await in_thread(live.leave)(self.watching, self.session_id)
        self.greeted = False  # so that nobody's cluster is put to rest by a watcher
        await super().disconnect(code)
