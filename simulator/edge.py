"""Learners' own tools at the API server of their cluster: `/clusters/<id>/kube/…`, for the real kubectl and client libraries.

Plain ASGI in front of Django's pages: no cookies, no CSRF, no languages; a token in the kubeconfig is all the authority there is
(`edgetokens`), and inside the world the request is the administrator's (`core.lab.edge`).  A request that may change something is a journal
row like any other input, so rewinding, replay and grading know of it; one that reads is asked of a copy of the world.

A stream (watch, followed log) holds nothing in the world: it is asked for again from where it stood whenever the world has moved, and while
it is open it moves the world's time as a page that watches does.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import orjson
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import DatabaseError

from . import doorbell, edgetokens, frames, pacing, services
from .core.lab.edge import LOG_PART, MAX_BODY, METHODS
from .gateway.edge import status
from .models import ClusterSession

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

PATH = re.compile(r"^/clusters/(?P<id>[0-9a-f-]{36})/kube(?:/~(?P<token>[\w-]{20,100}))?(?P<path>/.*)$")
#: Headers that the API server heeds.
HEADERS = frozenset(("accept", "content-type", "user-agent", "impersonate-user", "impersonate-group", "impersonate-uid"))
#: Requests a second of one process for one cluster, and at once (discovery asks for some thirty groups).
RATE, BURST = 50.0, 400.0
#: Real seconds between two looks of a stream, and how long a stream lives at most.
LOOK, LIFE = 1.0, 3600.0
#: Virtual time that passes between two requests is the real time between them, at most so many seconds.
BETWEEN = 30.0

_buckets: dict[uuid.UUID, pacing.Bucket] = {}
_times: dict[uuid.UUID, _Time] = {}


def matches(path: str) -> bool:
    """Is this an address of ours?"""
    return PATH.match(path) is not None


class _Refusal(Exception):
    """A Status that the edge itself gives."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status(code, reason, message)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """One request."""
    try:
        session = await _session(scope)
        call = await _call(scope, receive)
        moment = _time(session)
        answer = await _ask(session, call, moment)
        if answer.get("stream") and not answer.get("closed"):
            await _stream(session, call, moment, answer, receive, send)
        else:
            await _plain(
                send, answer["status"], answer.get("headers", {}), base64.b64decode(answer.get("body", "")), call["method"]
            )
    except _Refusal as refusal:
        await _plain(send, refusal.code, {"content-type": "application/json"}, orjson.dumps(refusal.status) + b"\n", "")


# -- what is asked ---------------------------------------------------------------------------------------------------------


def _headers(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in scope["headers"]:
        name, text = key.decode("latin-1"), value.decode("latin-1")
        # repeated headers are a list; a group's name may hold a comma, but no header holds a line end
        mark = "\n" if name.startswith("impersonate-") else ","
        found[name] = f"{found[name]}{mark}{text}" if name in found else text
    return found


async def _session(scope: Scope) -> ClusterSession:
    found = PATH.match(scope["path"])
    assert found is not None
    token = found["token"] or _headers(scope).get("authorization", "").removeprefix("Bearer ").strip()
    try:
        session_id = uuid.UUID(found["id"])
    except ValueError:
        raise _Refusal(404, "NotFound", "there is no such cluster") from None
    bucket = _buckets.setdefault(session_id, pacing.Bucket(RATE, BURST))
    if len(_buckets) > 10_000:
        _buckets.clear()
    if not bucket.take(time.monotonic()):
        raise _Refusal(429, "TooManyRequests", "too many requests to this cluster; wait a moment")
    find = database_sync_to_async(edgetokens.session_of, thread_sensitive=False)
    session: ClusterSession | None = await find(session_id, token) if token else None
    if session is None:
        raise _Refusal(
            401, "Unauthorized", "this kubeconfig is not, or no longer, good for this cluster: make a new one on the site"
        )
    return session


async def _call(scope: Scope, receive: Receive) -> dict[str, Any]:
    if scope["method"] not in METHODS:
        raise _Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Refusal(400, "BadRequest", "the request ended early")
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise _Refusal(413, "RequestEntityTooLarge", f"Request entity too large: limit is {MAX_BODY}")
        if not message.get("more_body"):
            break
    raw = scope.get("raw_path", b"").decode("latin-1") or scope["path"]
    found = PATH.match(unquote(raw))
    assert found is not None
    return {
        "method": scope["method"],
        "path": found["path"],
        "query": scope["query_string"].decode("latin-1"),
        "headers": {
            name: text for name, text in _headers(scope).items() if name in HEADERS or name.startswith("impersonate-extra-")
        },
        "body": base64.b64encode(bytes(body)).decode(),
    }


@dataclass(slots=True)
class _Time:
    """A cluster's virtual time as this process knows it: it goes on between requests, but not for long while nobody asks."""

    clock: pacing.Clock
    asked: float

    def now(self) -> int:
        """Virtual nanoseconds."""
        real = time.monotonic()
        if real - self.asked > BETWEEN:
            self.clock.base = self.clock.now(self.asked + BETWEEN)
            self.clock.since = real
        self.asked = real
        return self.clock.now(real)

    def learn(self, actual: int) -> None:
        """The world stands at `actual`."""
        self.clock.learn(actual, time.monotonic())


def _time(session: ClusterSession) -> _Time:
    real = time.monotonic()
    found = _times.get(session.pk)
    if found is None or found.clock.speed != session.speed:
        if len(_times) > 10_000:
            _times.clear()
        clock = pacing.Clock(speed=session.speed, base=session.advanced_to, since=real)
        found = _times[session.pk] = _Time(clock, real)
    found.learn(session.advanced_to)
    return found


async def _ask(session: ClusterSession, call: dict[str, Any], moment: _Time) -> dict[str, Any]:
    """The world's answer; raises `_Refusal` when there is none."""
    at = moment.now()
    try:
        answer = await sync_to_async(services.ask, thread_sensitive=False)(session, call, at=at)
    except frames.BadFrame as error:
        raise _Refusal(400, "BadRequest", str(error)) from None
    except services.Refused as error:
        raise _Refusal(410, "Gone", str(error)) from None
    except (services.EvaluationTimeout, DatabaseError):
        raise _Refusal(504, "Timeout", "the cluster's worker did not answer in time; ask again") from None
    if "now" in answer:
        moment.learn(answer["now"])
    if kind := answer.get("error"):
        if kind == "refused":
            raise _Refusal(503, "ServiceUnavailable", "no API server listens in this cluster")
        if kind == "unavailable":
            raise _Refusal(410, "Gone", "this cluster takes no more requests")
        raise _Refusal(400, "BadRequest", str(answer.get("message") or kind))
    if answer["status"] == 101:
        what = call["path"].rsplit("/", 1)[-1]
        raise _Refusal(
            501, "NotImplemented", f"{what} through the site's address is not simulated in Slipway yet: use its terminal"
        )
    return answer


# -- what is answered ------------------------------------------------------------------------------------------------------


async def _plain(send: Send, code: int, headers: dict[str, str], body: bytes, method: str) -> None:
    lines = {**headers, "content-length": str(len(body)), "cache-control": "no-store"}
    await _start(send, code, lines)
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})


async def _start(send: Send, code: int, headers: dict[str, str]) -> None:
    pairs = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": code, "headers": pairs})


async def _stream(
    session: ClusterSession, call: dict[str, Any], moment: _Time, answer: dict[str, Any], receive: Receive, send: Send
) -> None:
    """Send what there is, and what comes, until the stream ends or the client goes."""
    await _start(send, answer["status"], {**answer["headers"], "cache-control": "no-store"})
    gone = asyncio.ensure_future(_gone(receive))
    try:
        async with _moves(session) as moved:
            parts = aiter(_parts(session, call, moment, answer, moved))
            while True:
                part = asyncio.ensure_future(anext(parts, None))
                await asyncio.wait([gone, part], return_when=asyncio.FIRST_COMPLETED)
                if gone.done():
                    part.cancel()
                    return
                data = part.result()
                if data is None:
                    break
                if data:
                    await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@contextlib.asynccontextmanager
async def _moves(session: ClusterSession) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """A function that waits until the world has moved, or for a while."""
    layer = get_channel_layer()
    assert layer is not None
    name = await layer.new_channel()
    await layer.group_add(doorbell.group(session.pk), name)

    async def moved() -> None:
        with contextlib.suppress(TimeoutError):
            while (await asyncio.wait_for(layer.receive(name), LOOK))["type"] not in ("cluster.advanced", "cluster.ended"):
                pass

    try:
        yield moved
    finally:
        await layer.group_discard(doorbell.group(session.pk), name)


async def _parts(
    session: ClusterSession,
    call: dict[str, Any],
    moment: _Time,
    answer: dict[str, Any],
    moved: Callable[[], Awaitable[None]],
) -> AsyncIterator[bytes]:
    query = parse_qsl(call["query"], keep_blank_values=True)
    seconds = next((value for name, value in query if name == "timeoutSeconds" and value.isdecimal()), "")
    end = time.monotonic() + min(float(seconds or LIFE), LIFE)
    log = _Log(call, query, int(answer["position"])) if call["path"].endswith("/log") else None
    yield base64.b64decode(answer["body"])
    revision = answer["position"]
    while time.monotonic() < end:
        await moved()
        if log is not None:
            answer = await _ask(session, log.call, moment)
            yield log.news(base64.b64decode(answer["body"]))
        else:
            kept = [
                (name, value)
                for name, value in query
                if name not in ("resourceVersion", "resourceVersionMatch", "sendInitialEvents")
            ]
            answer = await _ask(session, {**call, "query": urlencode([*kept, ("resourceVersion", revision)])}, moment)
            if answer["status"] != 200:
                return
            yield base64.b64decode(answer["body"])
            revision = answer["position"] or revision
        if answer["closed"]:
            return


class _Log:
    """A followed log: asked for whole each time; what is longer than before is new."""

    def __init__(self, call: dict[str, Any], query: list[tuple[str, str]], sent: int) -> None:
        self.call = {**call, "query": urlencode([pair for pair in query if pair[0] not in LOG_PART])}
        self.sent = sent

    def news(self, whole: bytes) -> bytes:
        """What has come since the last look."""
        new, self.sent = (whole[self.sent :] if len(whole) >= self.sent else whole), len(whole)
        return new
