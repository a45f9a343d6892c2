"""The terminal's WebSocket: frames in, rows and doorbells out.  Shapes: `docs/protocol.md`; no world is ever touched here.

A consumer holds three cursors (output, trace, map) of what its browser has.  A doorbell that continues at the cursor is passed
on as it is; anything else is read from the database.  So first load, live and reconnect are one path.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, cast

import orjson
from asgiref.sync import SyncToAsync
from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth import get_user_model
from django.db import DatabaseError
from django.utils import translation
from django.utils.translation import gettext as _

from . import connections, context, doorbell, frames, measures, mishaps, pacing, rounds, selectors, services, tasks, tracing
from .history import SET_UP
from .language import language_of
from .models import ClusterSession, ClusterView

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
#: One frame to the browser (docs/protocol.md).
Frame = dict[str, Any]

CLOSE_LOGIN = 4401
CLOSE_NOT_FOUND = 4404
CLOSE_TOO_MANY = 4429
#: Frames a second, and at once (a paste).
RATE = 40.0
BURST = 400.0
#: Real seconds between two looks whether the log-in still holds.
LOGIN_CHECK = 30.0


def in_thread(function: Callable[P, T]) -> SyncToAsync[P, T]:
    """Run database work off the event loop, several at a time (the default is one thread for everybody)."""
    return cast(SyncToAsync[P, T], database_sync_to_async(function, thread_sensitive=False))


@dataclass(slots=True)
class News:
    """What the database holds after a browser's cursors."""

    session: ClusterSession
    chunks: list[list[Any]]
    events: list[list[Any]]
    view: ClusterView | None
    history: dict[str, list[str]] | None


def _shown(terminals: dict[str, Any]) -> dict[str, Any]:
    """What of the terminals a page may know: not the one in which a set-up is typed, which would tell what is broken."""
    return {name: value for name, value in terminals.items() if name != SET_UP}


class TerminalConsumer(AsyncWebsocketConsumer):
    """One browser that watches one cluster."""

    session_id: uuid.UUID
    session: ClusterSession

    async def connect(self) -> None:
        """Accept, so that a refusal can say why; then find out whose cluster it is."""
        self.language = language_of(self.scope)
        #: Whom this connection is counted for (`simulator.connections`).
        self.account: Any = None
        self.clock = pacing.Clock()
        self.pace = pacing.Pace()
        self.bucket = pacing.Bucket(RATE, BURST)
        self.sending = asyncio.Lock()
        self.greeted = False
        self.cursor = self.trace = self.view_version = self.last_seq = self.applied = 0
        #: How often results had been stored when we last heard of any (`ClusterSession.version`).
        self.stored = -1
        self.terminals: dict[str, Any] = {}
        self.sent_state: tuple[Any, ...] | None = None
        #: An input that has not taken effect yet, and when it came, to time it.
        self.typed: tuple[int, float] | None = None
        self.checked = time.monotonic()
        #: A doorbell may have been lost; and what happens beside the rounds.
        self.lost = False
        self.asides: set[asyncio.Task[None]] = set()
        self.session_id = self.scope["url_route"]["kwargs"]["session_id"]
        context.cluster.set(str(self.session_id))
        await self.accept()
        user = self.scope.get("user")
        with translation.override(self.language):
            if user is None or not user.is_authenticated:
                await self._end("login", _("You are not logged in."), CLOSE_LOGIN)
                return
            if not connections.enter(user.pk):
                await self._end(
                    "too-many", _("You have too many pages of clusters open. Close some and load this one again."), CLOSE_TOO_MANY
                )
                return
            self.account = user.pk
            try:
                self.session = await in_thread(self.find_session)(user)
            except ClusterSession.DoesNotExist:
                await self._end("not-found", _("There is no such cluster."), CLOSE_NOT_FOUND)
                return
        await self.channel_layer.group_add(doorbell.group(self.session_id), self.channel_name)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Hand a message to its handler.

        Channels would first look in a thread for database connections to close.  This class never uses one outside of
        `in_thread`, which does that itself, and a doorbell that needs no thread is spared half of what it costs.
        """
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"no handler for messages of type {message['type']!r}")
        await handler(message)

    def find_session(self, user: Any) -> ClusterSession:
        """The cluster, if this user may connect to it; else raises `ClusterSession.DoesNotExist`."""
        return selectors.owned_session(user, self.session_id)

    async def disconnect(self, code: int) -> None:
        """Nobody here any more: stop the clock, and let the worker store where it stands."""
        await self._stop_clock()
        for task in list(self.asides):  # whoever has gone is told nothing more
            task.cancel()
        if self.account is not None:
            connections.leave(self.account)
            self.account = None
        if hasattr(self, "session"):
            await self.channel_layer.group_discard(doorbell.group(self.session_id), self.channel_name)
            if self.greeted:
                await self._task(tasks.rest, priority=tasks.AWAY)

    # -- frames of the browser ---------------------------------------------------------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """One frame.  Whatever is wrong with it, the connection goes on."""
        with translation.override(self.language):
            if not hasattr(self, "session"):
                return
            try:
                if not self.bucket.take(time.monotonic()):
                    raise frames.BadFrame("rate", _("Too many inputs at once; wait a moment."), None)
                if text_data is None:
                    raise frames.BadFrame("bad-frame", _("A frame is JSON text."))
                await self._act(frames.parse(text_data))
            except frames.BadFrame as error:
                await self._send(frames.error(error.reason, str(error), frame_id=error.frame_id))

    async def _act(self, frame: frames.Frame) -> None:
        match frame:
            case frames.Hello():
                await self._hello(frame)
            case frames.Input():
                await self._input(frame)
            case frames.Speed():
                await in_thread(services.set_speed)(self.session, frame.value)
            case frames.Complete():
                await self._task(tasks.complete, self.channel_name, frame.id, frame.terminal, frame.line, frame.cursor)
            case frames.Lens():
                await self._task(tasks.lens, self.channel_name, frame.id, frame.name, frame.about, priority=tasks.SEEN)
            case frames.File(id=frame_id, terminal=terminal, path=path, taken=taken):
                await self._question("file", frame_id, {"terminal": terminal, "path": path, "taken": taken})
            case frames.Outline(id=frame_id, api=api, kind=kind, about=about):
                await self._question("outline", frame_id, {"api": api, "kind": kind, "about": about})
            case frames.Ping():
                await self._send({"t": "pong", "id": frame.id})

    async def _hello(self, frame: frames.Hello) -> None:
        first = not self.greeted
        self.cursor, self.trace, self.view_version = frame.cursor, frame.trace, frame.view
        self.greeted = True
        self.sent_state = None
        real = time.monotonic()
        if first:
            self.clock = pacing.Clock(speed=self.session.speed, base=self.session.advanced_to, since=real)
        await self._catch_up(history=first)
        self.clock.learn(self.session.advanced_to, time.monotonic())
        if not self.session.booted or self.session.pending:
            self.pace.input(real)
            await in_thread(services.schedule)(self.session_id)
        await self._start_clock()
        if self.session.frozen_reason:
            await in_thread(services.thaw)(self.session)
        if self.session.frozen_reason or self.session.archived_at:
            await self.cluster_ended({"reason": "archived" if self.session.archived_at else "frozen"})

    async def _question(self, name: str, frame_id: str, asked: dict[str, Any]) -> None:
        await self._task(tasks.question, self.channel_name, frame_id, name, asked)

    async def _input(self, frame: frames.Input) -> None:
        real = time.monotonic()
        at = self.clock.now(real) if self.greeted else None
        frame_id = str(frame.id)
        try:
            with tracing.span("input", frame.id, cluster=str(self.session_id), kind=frame.kind):
                row = await in_thread(services.append_input)(
                    self.session, kind=frame.kind, data=frame.data, client_id=frame.id, at=at
                )
        except services.Refused as refusal:
            measures.inputs.labels(refusal.reason).inc()
            await self._send(frames.error(refusal.reason, str(refusal), frame_id=frame_id))
            return
        except DatabaseError:
            logger.exception("session %s: an input could not be written", self.session_id)
            measures.inputs.labels("busy").inc()
            await self._send(frames.error("busy", _("The input could not be stored yet; it is sent again."), frame_id=frame_id))
            return
        self.last_seq = max(self.last_seq, row.seq)
        measures.inputs.labels(frame.kind).inc()
        if row.seq > self.applied:
            self.pace.input(real)
            self.typed = self.typed or (row.seq, real)
        await self._send({"t": "ack", "id": frame_id, "seq": row.seq})

    # -- messages of the workers -------------------------------------------------------------------------------------------

    async def cluster_advanced(self, event: dict[str, Any]) -> None:
        """The world has moved; the message carries what is new if it is small."""
        if not self.greeted:
            return
        real = time.monotonic()
        self.clock.learn(event["now"], real)
        self.applied = max(self.applied, event["applied"])
        self.stored = event["version"]
        self.last_seq = max(self.last_seq, self.applied)
        if self.typed is not None and self.applied >= self.typed[0]:
            measures.command.observe(real - self.typed[1])
            self.typed = None
        self.terminals = event["terminals"]
        busy = any(view["busy"] and not view.get("raw") for view in self.terminals.values())
        pending = self.last_seq > self.applied
        self.pace.answer(
            next_due=event["next"],
            busy=busy,
            pending=pending,
            visible=event["visible"],
            lively=event.get("lively", event["visible"]),  # a worker of the version before says less
            speed=self.clock.speed,
            real=real,
        )
        picture = await self._picture(event.get("view"))
        if self._continues(event["out"], self.cursor) and self._continues(event["trace"], self.trace):
            async with self.sending:
                await self._send(*self._output(event["out"][2]), *self._trace(event["trace"][2]), *self._state(), *picture)
        else:
            await self._catch_up()
        for client_id, reason, message in event["errors"]:
            with translation.override(self.language):
                words = mishaps.set_aside(message) if reason == "failed" else message
            await self._send(frames.error(reason, words, frame_id=client_id))

    @staticmethod
    def _continues(part: list[Any], cursor: int) -> bool:
        """Does this part of a doorbell reach from our cursor on, without a gap?"""
        before, after, items = part
        return after <= cursor or (before <= cursor and items is not None)

    async def _picture(self, news: list[Any] | None) -> list[Frame]:
        """The map's new picture; one that was too large to ride along is read."""
        if news is None or news[0] <= self.view_version:
            return []
        version, data = news
        if data is None:
            return self._view(await in_thread(selectors.view_after)(self.session_id, self.view_version))
        return self._view(ClusterView(version=version, data=data))

    async def cluster_speed(self, event: dict[str, Any]) -> None:
        """Somebody set the speed."""
        self.clock.set_speed(event["value"], time.monotonic())
        self.pace.pause = pacing.TICK
        await self._send(*self._state())

    async def cluster_completion(self, event: dict[str, Any]) -> None:
        """The worker answered our question for completions."""
        await self._send(
            {"t": "completion", "id": event["id"], "start": event["start"], "end": event["end"], "items": event["items"]}
        )

    async def cluster_lens(self, event: dict[str, Any]) -> None:
        """The worker answered our question for what a lens shows."""
        await self._send({"t": "lens", **{key: event[key] for key in ("id", "data", "error") if key in event}})

    async def cluster_answer(self, event: dict[str, Any]) -> None:
        """The worker answered a question of our page's editor."""
        await self._send({"t": event["name"], **{key: event[key] for key in ("id", "data", "error") if key in event}})

    async def cluster_watched(self, event: dict[str, Any]) -> None:
        """Others look at this cluster; its learner is told who, and who asks to type or may."""
        if self.greeted:
            await self._send({"t": "watched", "by": event["by"]})

    async def cluster_ended(self, event: dict[str, Any]) -> None:
        """Nothing will be added to this cluster any more; what is there can still be read."""
        self.clock.set_speed(0, time.monotonic())
        with translation.override(self.language):
            if event["reason"] == "archived":
                words = _("This cluster was reset; there is a newer one.")
            else:
                why = event.get("why") or self.session.frozen_reason
                words = mishaps.frozen(why) + " " + _("Reset it to begin anew.")
            await self._send(frames.error(event["reason"], words), *self._state())

    # -- sending -----------------------------------------------------------------------------------------------------------

    def _news(self, history: bool) -> News:
        session = ClusterSession.objects.get(pk=self.session_id)
        if not session.booted and not session.last_seq:  # nothing can have come of it yet
            return News(session=session, chunks=[], events=[], view=None, history={} if history else None)
        return News(
            session=session,
            chunks=selectors.output_after(self.session_id, self.cursor),
            events=selectors.trace_after(self.session_id, self.trace),
            view=selectors.view_after(self.session_id, self.view_version),
            history=selectors.history(self.session_id) if history else None,
        )

    async def _catch_up_if_behind(self) -> None:
        """The same where results were stored of which no doorbell told: an answer that takes long need not be a lost one."""
        stored = ClusterSession.objects.filter(pk=self.session_id).values_list("version", flat=True)
        if await in_thread(stored.first)() != self.stored:
            await self._catch_up()

    async def _catch_up(self, *, history: bool = False) -> None:
        """Send all that the database holds after the cursors."""
        async with self.sending:
            news = await in_thread(self._news)(history)
            self.session, self.stored = news.session, news.session.version
            self.applied = max(self.applied, news.session.applied_seq)
            self.last_seq = max(self.last_seq, news.session.last_seq)
            first: list[Frame] = []
            if news.history is not None:
                first = [{"t": "history", "terminals": _shown(news.history)}]
                self.terminals = news.session.terminals
            await self._send(
                *first, *self._output(news.chunks), *self._trace(news.events), *self._view(news.view), *self._state()
            )

    def _output(self, chunks: list[list[Any]] | None) -> list[Frame]:
        new = [chunk for chunk in chunks or () if chunk[0] > self.cursor]
        if not new:
            return []
        self.cursor = new[-1][0]
        keys = ("cursor", "at", "terminal", "fd", "data")
        shown = [dict(zip(keys, chunk, strict=True)) for chunk in new if chunk[2] != SET_UP]
        return [{"t": "out", "cursor": self.cursor, "chunks": shown}]

    def _trace(self, events: list[list[Any]] | None) -> list[Frame]:
        new = [event for event in events or () if event[0] > self.trace]
        if not new:
            return []
        self.trace = new[-1][0]
        keys = ("seq", "at", "actor", "action", "ref", "cause", "detail")
        shown = [dict(zip(keys, event, strict=True)) for event in new if (event[2], event[4]) != ("terminal", SET_UP)]
        return [{"t": "trace", "cursor": self.trace, "events": shown}]

    def _view(self, view: ClusterView | None) -> list[Frame]:
        if view is None or view.version <= self.view_version:
            return []
        self.view_version = view.version
        return [{"t": "view", "version": view.version, "view": view.data}]

    def _state(self) -> list[Frame]:
        """The state, if it is not what the browser knows."""
        state = (self.terminals, self.clock.speed, self.last_seq - self.applied, self.cursor, self.trace)
        if not self.greeted or state == self.sent_state:
            return []
        self.sent_state = state
        return [
            {
                "t": "state",
                "now": self.clock.now(time.monotonic()),
                "epoch": str(self.session.epoch),
                "speed": self.clock.speed,
                "running": self.clock.speed > 0,
                "scenario": self.session.scenario,
                "pending": self.last_seq - self.applied,
                "terminals": _shown(self.terminals),
                "cursor": self.cursor,
                "trace": self.trace,
            }
        ]

    async def _send(self, *news: Frame) -> None:
        """Send frames: one as it is, several that belong together as one array, because each message has its price."""
        if news:
            await self.send(text_data=orjson.dumps(news[0] if len(news) == 1 else news).decode())

    async def _end(self, reason: str, message: str, code: int) -> None:
        await self._send(frames.error(reason, message, fatal=True))
        await self.close(code=code)

    # -- time --------------------------------------------------------------------------------------------------------------

    async def _start_clock(self) -> None:
        """The cluster's time moves from now on, because this browser watches."""
        rounds.here().join(self)

    async def _stop_clock(self) -> None:
        """Time moves for this browser no longer."""
        rounds.here().leave(self)

    def wanted(self, real: float, *, quiet: bool) -> rounds.Look | None:
        """What to ask the worker for in this round (`rounds.Watcher`)."""
        if not (quiet or self.pace.eager) or not self.pace.wanted(self.clock, real):
            return None
        self.lost = self.pace.asked is not None
        self.pace.ask(real)
        # rows that wait are read before anything else; time goes on with the next look
        until = self.clock.now(real) if self.clock.speed and not self.pace.pending else None
        return rounds.Look(self.session_id, until, self._priority())

    def care(self, real: float) -> None:
        """Notice what got lost, and whether the log-in still holds (`rounds.Watcher`)."""
        if self.lost:
            self.lost = False
            self._aside(self._catch_up_if_behind())
        if real - self.checked > LOGIN_CHECK:
            self.checked = real
            self._aside(self._check_login())

    def _aside(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something happen beside the round, which goes on with the others."""
        task = asyncio.create_task(self._quietly(work))
        self.asides.add(task)
        task.add_done_callback(self.asides.discard)

    async def _quietly(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (DatabaseError, OSError):
            logger.exception("session %s: it is tried again with a later round", self.session_id)

    async def _check_login(self) -> None:
        if not await in_thread(self._logged_in)():
            with translation.override(self.language):
                await self._end("login", _("Your log-in has ended. Log in again to go on."), CLOSE_LOGIN)

    def _priority(self) -> int:
        """How much this browser's next request matters."""
        if self.pace.pending:
            return tasks.TYPED
        return tasks.SEEN if self.pace.busy else tasks.QUIET

    def _logged_in(self) -> bool:
        """Does the browser's log-in still hold?"""
        user = self.scope["user"]
        session = self.scope.get("session")
        if session is not None and not session.exists(session.session_key):
            return False
        return get_user_model()._default_manager.filter(pk=user.pk, is_active=True).exists()

    async def _task(self, task: Any, *args: Any, priority: int = tasks.TYPED) -> None:
        """Queue a task; a broker that is away costs this one question."""
        try:
            await in_thread(tasks.send)(task, self.session_id, *args, priority=priority)
        except Exception:  # kombu raises what its transport raises
            logger.warning("session %s: %s could not be queued", self.session_id, task.name, exc_info=True)
