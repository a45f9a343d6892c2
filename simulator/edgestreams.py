"""exec, attach, cp and port-forward of a learner's own tools: WebSockets at `/clusters/<id>/kube/…` (docs/protocol.md).

The client speaks one of Kubernetes' protocols (`gateway.channels`, `gateway.spdystreams`); what it does becomes journal rows of kind
`stream`, several operations in one while an earlier row has not taken effect yet, and what the world says comes from the worker over
the channel layer, each message with its place, so that a gap is noticed.  Typing is echoed and edited here, so rows hold whole lines.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import orjson
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import DatabaseError

from . import connections, doorbell, edgetokens, frames, pacing, rounds, services, tasks
from .core.lab.streaming.session import MAX_DATA, Item, Op
from .edge import Licence, Moment, Receive, Refusal, Scope, Send, answered, call_of, moment_of, session_of, token_of
from .gateway import channels, upgrade
from .gateway.codec import BrokenClient, Codec
from .models import ClusterSession

logger = logging.getLogger(__name__)

VERBS = {"exec": "exec", "attach": "attach", "portforward": "port-forward"}
#: Real seconds for which hearing waits at a time, and for which a row may take to have its effect before the next one is written anyway.
TICK, PATIENCE = 0.25, 5.0
#: Real seconds between two looks whether the token is still good, while nothing is heard.
GUARD = 5.0
#: Operations that wait to be written, in bytes, before the client is read no further.
WAITING = 4 * MAX_DATA
GOING_AWAY, POLICY, BROKEN, TROUBLE = 1001, 1008, 1002, 1011


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """One WebSocket, refused with a Status or held until either side ends it."""
    assert (await receive())["type"] == "websocket.connect"
    try:
        session = await session_of(scope)
        call = call_of({**scope, "method": "GET"}, "GET", b"")
        verb = VERBS.get(call["path"].rstrip("/").rsplit("/", 1)[-1])
        if verb is None:
            raise Refusal(
                400, "BadRequest", "WebSockets are for exec, attach and portforward; watches are not simulated over them yet"
            )
        protocol = upgrade.chosen(verb, "websocket", list(scope["subprotocols"]))
        if not protocol:
            raise Refusal(403, "Forbidden", f"unable to negotiate protocol: client supports {list(scope['subprotocols'])}")
        query = parse_qs(call["query"], keep_blank_values=True)
        stream = Stream(session, verb, protocol, query, Licence(session.pk, token_of(scope)))
    except ValueError as error:
        await _refuse(send, Refusal(400, "BadRequest", str(error)))
        return
    except Refusal as refusal:
        await _refuse(send, refusal)
        return
    account = session.owner_id
    if not connections.enter(account):
        await _refuse(send, Refusal(429, "TooManyRequests", "too many connections of this account are open; close some"))
        return
    try:
        async with stream.listening():
            try:
                await stream.open(call)
            except Refusal as refusal:
                await _refuse(send, refusal)
                return
            await send({"type": "websocket.accept", "subprotocol": protocol})
            await stream.run(receive, send)
    finally:
        connections.leave(account)


async def _refuse(send: Send, refusal: Refusal) -> None:
    pairs = [(name.encode(), value.encode()) for name, value in refusal.headers.items()]
    await send({"type": "websocket.http.response.start", "status": refusal.code, "headers": pairs})
    await send({"type": "websocket.http.response.body", "body": refusal.body})


class Stream:
    """One client's session in a world of a worker."""

    def __init__(self, session: ClusterSession, verb: str, protocol: str, query: dict[str, list[str]], licence: Licence) -> None:
        self.session, self.licence = session, licence
        self.id = uuid.uuid4().hex
        self.moment: Moment = moment_of(session)
        tty = query.get("tty", ["false"])[0] in ("true", "1")
        self.codec: Codec = upgrade.codec_for({"verb": verb, "tty": tty}, "websocket", protocol, query)
        self.ops: list[Op] = self.codec.opening() if isinstance(self.codec, channels.Ports) else []
        self.pace = pacing.Pace()
        self.written = self.applied = 0
        self.since = 0.0
        self.heard = 0
        self.code = 0
        #: There may be something to write to the journal; something to say to the client; room for more of what the client says.
        self._more, self._say, self._room = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._opened = False
        self._channel = ""

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Hear what the worker says; whatever happens, the world is told that the client has gone."""
        layer = get_channel_layer()
        assert layer is not None
        self._channel = await layer.new_channel()
        groups = (doorbell.stream(self.id), doorbell.group(self.session.pk), edgetokens.group(self.session.pk))
        for name in groups:
            await layer.group_add(name, self._channel)
        try:
            yield
        finally:
            for name in groups:
                await layer.group_discard(name, self._channel)
            if self._opened:
                with contextlib.suppress(services.Refused, DatabaseError):
                    await self._write([], close=True)

    async def open(self, call: dict[str, Any]) -> None:
        """Ask the API server; raises Refusal with its answer when that is anything but an open stream."""
        answer = await answered(services.open_stream, self.session, self.id, call, at=self.moment.now())
        if answer["status"] == 101:
            self._opened = True
            return
        try:
            found = orjson.loads(base64.b64decode(answer.get("body", "")))
            text, reason = str(found["message"]), str(found.get("reason") or "")
        except (ValueError, KeyError, TypeError):
            text, reason = base64.b64decode(answer.get("body", "")).decode("utf-8", "replace"), ""
        raise Refusal(int(answer["status"]), reason, text)

    async def run(self, receive: Receive, send: Send) -> None:
        """Until the session is over or one side goes."""
        self._more.set()
        self._say.set()
        rounds.here().join(self)
        work = [asyncio.ensure_future(step) for step in (self._read(receive), self._hear(send), self._tell(), self._guard())]
        try:
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if (error := task.exception()) is not None:
                    self.code = self.code or TROUBLE
                    if not isinstance(error, BrokenClient | services.Refused | DatabaseError | OSError | frames.BadFrame):
                        logger.error("session %s: a stream failed", self.session.pk, exc_info=error)
        finally:
            rounds.here().leave(self)
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
        if self.code >= 0:
            with contextlib.suppress(Exception):  # it may have gone meanwhile
                await send({"type": "websocket.close", "code": self.code or 1000})

    async def _read(self, receive: Receive) -> None:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                self.code = -1
                return
            data = message.get("bytes") or (message.get("text") or "").encode()
            try:
                self.ops += self.codec.receive(data)
            except BrokenClient:
                self.code = BROKEN
                raise
            self._more.set()
            self._say.set()
            while sum(len(op.data) for op in self.ops) > WAITING:
                self._room.clear()
                await self._room.wait()

    async def _hear(self, send: Send) -> None:
        """Messages of the worker, and what the codec itself has to say (echoes, replies to pings)."""
        layer = get_channel_layer()
        assert layer is not None
        incoming = asyncio.ensure_future(layer.receive(self._channel))
        try:
            while True:
                say = asyncio.ensure_future(self._say.wait())
                await asyncio.wait([incoming, say], timeout=TICK, return_when=asyncio.FIRST_COMPLETED)
                say.cancel()
                self._say.clear()
                if incoming.done():
                    await self._event(incoming.result())
                    incoming = asyncio.ensure_future(layer.receive(self._channel))
                for data in self.codec.take():
                    await send({"type": "websocket.send", "bytes": data})
                if self.codec.over or self.code:
                    return
        finally:
            incoming.cancel()

    async def _event(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind == "stream.said":
            self.applied = max(self.applied, event["seq"])
            if event["from"] >= 0:
                self._take(event["from"], [Item(what, data, number) for what, number, data in event["items"]])
            self._more.set()
        elif kind == "cluster.advanced":
            self.moment.learn(event["now"])
            self.applied = max(self.applied, event["applied"])
            real = time.monotonic()
            self.pace.answer(
                next_due=event["next"], busy=False, pending=False, visible=event["visible"], lively=event.get("lively", event["visible"]),
                speed=self.moment.clock.speed, real=real,
            )  # fmt: skip
        elif kind == "cluster.ended":
            self.code = GOING_AWAY
        if not await self.licence.holds(kind):
            self.code = POLICY

    def _take(self, start: int, items: list[Item]) -> None:
        """What was said, if it goes on where the last message ended."""
        if start > self.heard:
            logger.warning("stream %s: %d bytes were lost on the way", self.id, start - self.heard)
            self.code = TROUBLE
            return
        if start < self.heard:
            return
        self.heard += sum(len(item.data) for item in items)
        self.codec.say(items)

    async def _tell(self) -> None:
        """Write what the client does, one row at a time: what comes meanwhile goes into the next."""
        while True:
            await self._more.wait()
            self._more.clear()
            if not self.ops:
                continue
            if self.written > self.applied and time.monotonic() - self.since < PATIENCE:
                continue  # the answer to the row before rings again
            batch: list[Op] = []
            size = 0
            while self.ops and len(batch) < 500 and size + len(self.ops[0].data) <= MAX_DATA:
                size += len(self.ops[0].data)
                batch.append(self.ops.pop(0))
            self._room.set()
            await self._write(batch)
            if self.ops:
                self._more.set()

    async def _write(self, ops: list[Op], *, close: bool = False) -> None:
        rows = [
            {key: value for key, value in (("what", op.what), ("number", op.number), ("data", base64.b64encode(op.data).decode()),
                                           ("columns", min(max(op.columns, 0), 65_535)), ("rows", min(max(op.rows, 0), 65_535)), ("port", op.port)) if value}
            for op in ops
        ]  # fmt: skip
        self.since = time.monotonic()
        tell = sync_to_async(services.tell_stream, thread_sensitive=False)
        self.written = await tell(self.session, self.id, rows, at=self.moment.now(), close=close)

    # -- time, which goes on while a stream is open as it does under a page that watches (`simulator.rounds`) --

    def wanted(self, real: float, *, quiet: bool) -> rounds.Look | None:
        """Should the worker move the cluster's time now?"""
        if not self.pace.wanted(self.moment.clock, real):
            return None
        self.pace.ask(real)
        return rounds.Look(self.session.pk, self.moment.now(), tasks.SEEN)

    def care(self, _real: float) -> None:
        """Write what waits, should the bell of the row before have been lost."""
        if self.ops:
            self._more.set()

    async def _guard(self) -> None:
        """End when the token is no longer good, also when nothing is heard."""
        while True:
            if not await self.licence.holds():
                self.code = POLICY
                return
            await asyncio.sleep(GUARD)
