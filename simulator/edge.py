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
#: Real seconds between two looks whether the token of something open is still good, when nobody has said that it is not.
LICENCE = 15.0
#: Virtual time that passes between two requests is the real time between them, at most so many seconds.
BETWEEN = 30.0

_buckets: dict[uuid.UUID, pacing.Bucket] = {}
_times: dict[uuid.UUID, Moment] = {}


def matches(path: str) -> bool:
    """Is this an address of ours?"""
    return PATH.match(path) is not None


class Refusal(Exception):
    """A Status that the edge itself gives; `wait` is the Retry-After in seconds (0: none)."""

    def __init__(self, code: int, reason: str, message: str, wait: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.status = status(code, reason, message)
        if wait:
            self.status["details"] = {"retryAfterSeconds": wait}
        self.headers = {"content-type": "application/json", **({"retry-after": str(wait)} if wait else {})}

    @property
    def body(self) -> bytes:
        """The Status as JSON."""
        return orjson.dumps(self.status) + b"\n"


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """One request."""
    try:
        session = await session_of(scope)
        call = await _call(scope, receive)
        moment = moment_of(session)
        answer = await _ask(session, call, moment)
        if answer.get("stream") and not answer.get("closed"):
            licence = Licence(session.pk, token_of(scope))
            await _stream(session, call, moment, answer, licence, receive, send)
        else:
            await _plain(
                send, answer["status"], answer.get("headers", {}), base64.b64decode(answer.get("body", "")), call["method"]
            )
    except Refusal as refusal:
        await _plain(send, refusal.code, refusal.headers, refusal.body, "")


# -- what is asked ---------------------------------------------------------------------------------------------------------


def headers_of(scope: Scope) -> dict[str, str]:
    """A request's headers, names in lower case; repeated ones as a list."""
    found: dict[str, str] = {}
    for key, value in scope["headers"]:
        name, text = key.decode("latin-1"), value.decode("latin-1")
        # repeated headers are a list; a group's name may hold a comma, but no header holds a line end
        mark = "\n" if name.startswith("impersonate-") else ","
        found[name] = f"{found[name]}{mark}{text}" if name in found else text
    return found


async def session_of(scope: Scope) -> ClusterSession:
    """The cluster of an address, if the client's token is good for it; raises Refusal."""
    found = PATH.match(scope["path"])
    assert found is not None
    token = token_of(scope)
    try:
        session_id = uuid.UUID(found["id"])
    except ValueError:
        raise Refusal(404, "NotFound", "there is no such cluster") from None
    bucket = _buckets.setdefault(session_id, pacing.Bucket(RATE, BURST))
    if len(_buckets) > 10_000:
        _buckets.clear()
    if not bucket.take(time.monotonic()):
        raise Refusal(429, "TooManyRequests", "too many requests to this cluster; wait a moment", wait=1)
    find = database_sync_to_async(edgetokens.session_of, thread_sensitive=False)
    session: ClusterSession | None = await find(session_id, token) if token else None
    if session is None:
        raise Refusal(
            401, "Unauthorized", "this kubeconfig is not, or no longer, good for this cluster: make a new one on the site"
        )
    return session


def token_of(scope: Scope) -> str:
    """The token that a client shows, "" for none."""
    found = PATH.match(scope["path"])
    assert found is not None
    return found["token"] or headers_of(scope).get("authorization", "").removeprefix("Bearer ").strip()


async def _call(scope: Scope, receive: Receive) -> dict[str, Any]:
    if scope["method"] not in METHODS:
        raise Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal(400, "BadRequest", "the request ended early")
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise Refusal(413, "RequestEntityTooLarge", f"Request entity too large: limit is {MAX_BODY}")
        if not message.get("more_body"):
            break
    return call_of(scope, scope["method"], bytes(body))


def call_of(scope: Scope, method: str, body: bytes) -> dict[str, Any]:
    """A request as a journal row holds it (`core.lab.edge.Call`)."""
    raw = scope.get("raw_path", b"").decode("latin-1") or scope["path"]
    found = PATH.match(unquote(raw))
    assert found is not None
    headers = {name: text for name, text in headers_of(scope).items() if name in HEADERS or name.startswith("impersonate-extra-")}
    return {
        "method": method,
        "path": found["path"],
        "query": scope["query_string"].decode("latin-1"),
        "headers": headers,
        "body": base64.b64encode(body).decode(),
    }


@dataclass(slots=True)
class Moment:
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


def moment_of(session: ClusterSession) -> Moment:
    """The cluster's clock in this process."""
    real = time.monotonic()
    found = _times.get(session.pk)
    if found is None or found.clock.speed != session.speed:
        if len(_times) > 10_000:
            _times.clear()
        clock = pacing.Clock(speed=session.speed, base=session.advanced_to, since=real)
        found = _times[session.pk] = Moment(clock, real)
    found.learn(session.advanced_to)
    return found


async def _ask(session: ClusterSession, call: dict[str, Any], moment: Moment) -> dict[str, Any]:
    """The world's answer; raises `Refusal` when there is none."""
    answer = await answered(services.ask, session, call, at=moment.now())
    if "now" in answer:
        moment.learn(answer["now"])
    if answer["status"] == 101:
        what = call["path"].rsplit("/", 1)[-1]
        text = f"{what} over SPDY through the site's address is not simulated in Slipway yet: use a client that speaks WebSocket"
        raise Refusal(501, "NotImplemented", f"{text} (kubectl 1.31 or newer)")
    return answer


async def answered(service: Callable[..., dict[str, Any]], *args: Any, **options: Any) -> dict[str, Any]:
    """What a service says whose answer comes from the cluster's worker; raises `Refusal` when there is none."""
    try:
        answer = await sync_to_async(service, thread_sensitive=False)(*args, **options)
    except frames.BadFrame as error:
        raise Refusal(400, "BadRequest", str(error)) from None
    except services.Refused as error:
        raise Refusal(410, "Gone", str(error)) from None
    except (services.EvaluationTimeout, DatabaseError):
        raise Refusal(504, "Timeout", "the cluster's worker did not answer in time; ask again") from None
    kind = answer.get("error")
    if kind == "refused":
        raise Refusal(503, "ServiceUnavailable", "no API server listens in this cluster")
    if kind == "unavailable":
        raise Refusal(410, "Gone", "this cluster takes no more requests")
    if kind == "busy":
        raise Refusal(503, "ServiceUnavailable", "a program waits in this cluster; ask again in a moment", wait=1)
    if kind in ("failed", "quarantined"):
        raise Refusal(500, "InternalError", "this request broke the simulator; it was set aside")
    if kind:
        raise Refusal(400, "BadRequest", str(answer.get("message") or kind))
    return answer


class Licence:
    """The right of a client to what it holds open: its token, asked for again when one was revoked, and now and then."""

    def __init__(self, session_id: uuid.UUID, token: str) -> None:
        self._session_id, self._token = session_id, token
        self._asked = time.monotonic()
        self._good = True

    async def holds(self, event: str = "") -> bool:
        """Is it still good?  `event` is the kind of message that was just heard."""
        real = time.monotonic()
        if self._good and (event == edgetokens.REVOKED or real - self._asked > LICENCE):
            self._asked = real
            find = database_sync_to_async(edgetokens.session_of, thread_sensitive=False)
            self._good = await find(self._session_id, self._token) is not None
        return self._good


# -- what is answered ------------------------------------------------------------------------------------------------------


async def _plain(send: Send, code: int, headers: dict[str, str], body: bytes, method: str) -> None:
    lines = {**headers, "content-length": str(len(body)), "cache-control": "no-store"}
    await _start(send, code, lines)
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})


async def _start(send: Send, code: int, headers: dict[str, str]) -> None:
    pairs = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": code, "headers": pairs})


async def _stream(
    session: ClusterSession,
    call: dict[str, Any],
    moment: Moment,
    answer: dict[str, Any],
    licence: Licence,
    receive: Receive,
    send: Send,
) -> None:
    """Send what there is, and what comes, until the stream ends or the client goes."""
    await _start(send, answer["status"], {**answer["headers"], "cache-control": "no-store"})
    gone = asyncio.ensure_future(_gone(receive))
    try:
        async with _moves(session) as moved:
            parts = aiter(_parts(session, call, moment, answer, moved, licence))
            while True:
                part = asyncio.ensure_future(anext(parts, None))
                await asyncio.wait([gone, part], return_when=asyncio.FIRST_COMPLETED)
                if gone.done():
                    part.cancel()
                    return
                try:
                    data = part.result()
                except Refusal:  # the answer has begun: it just ends, and the client asks again and is told why
                    break
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
async def _moves(session: ClusterSession) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    """A function that waits until the world has moved or a token was revoked, or for a while; it returns what was heard."""
    layer = get_channel_layer()
    assert layer is not None
    name = await layer.new_channel()
    groups = (doorbell.group(session.pk), edgetokens.group(session.pk))
    for group in groups:
        await layer.group_add(group, name)

    async def moved() -> str:
        with contextlib.suppress(TimeoutError):
            while True:
                event = await asyncio.wait_for(layer.receive(name), LOOK)
                if event["type"] in ("cluster.advanced", "cluster.ended", edgetokens.REVOKED):
                    return str(event["type"])
        return ""

    try:
        yield moved
    finally:
        for group in groups:
            await layer.group_discard(group, name)


async def _parts(
    session: ClusterSession,
    call: dict[str, Any],
    moment: Moment,
    answer: dict[str, Any],
    moved: Callable[[], Awaitable[str]],
    licence: Licence,
) -> AsyncIterator[bytes]:
    query = parse_qsl(call["query"], keep_blank_values=True)
    seconds = next((value for name, value in query if name == "timeoutSeconds" and value.isdecimal()), "")
    end = time.monotonic() + min(float(seconds or LIFE), LIFE)
    log = _Log(call, query, int(answer["position"])) if call["path"].endswith("/log") else None
    yield base64.b64decode(answer["body"])
    revision = answer["position"]
    while time.monotonic() < end:
        if not await licence.holds(await moved()):
            return
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
