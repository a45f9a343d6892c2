"""The terminal's WebSocket: cursors, refusals that say why, and connections that survive them."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from simulator import connections, frames, pacing, services
from simulator.history import SET_UP, moments
from simulator.models import ClusterSession, JournalEntry
from simulator.routing import websocket_urlpatterns

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("standin")]
SECOND = 1_000_000_000
SOME_ID = "6a1f0c52-5a43-4be4-9a3e-0d4c5a2f6b11"


class Browser:
    """One connection, and everything it has been sent."""

    def __init__(self, socket: ApplicationCommunicator) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []
        self.unread: list[dict[str, Any]] = []
        self.closed: int | None = None

    async def send(self, **frame: Any) -> None:
        await self.raw(text=json.dumps(frame))

    async def raw(self, **message: Any) -> None:
        await self.socket.send_input({"type": "websocket.receive", **message})

    async def next(self, patience: float = 120) -> dict[str, Any]:
        if not self.unread:
            message = await self.socket.receive_output(patience)
            if message["type"] == "websocket.close":
                self.closed = message["code"]
                return {"t": "close"}
            news = json.loads(message["text"])
            self.unread += news if isinstance(news, list) else [news]
        frame: dict[str, Any] = self.unread.pop(0)
        self.frames.append(frame)
        return frame

    async def until(self, wanted: Callable[[dict[str, Any]], bool], patience: float = 120) -> dict[str, Any]:
        deadline = time.monotonic() + patience
        while True:
            frame = await self.next(max(0.01, deadline - time.monotonic()))
            if wanted(frame):
                return frame

    async def line(self, text: str, terminal: str = "t1", frame_id: str | None = None) -> str:
        frame_id = frame_id or str(uuid.uuid4())
        await self.send(t="input", id=frame_id, kind="line", data={"terminal": terminal, "text": text})
        return frame_id

    async def hello(self, cursor: int = 0, trace: int = 0) -> dict[str, Any]:
        await self.send(t="hello", cursor=cursor, trace=trace)
        return await self.until(lambda frame: frame["t"] == "state")

    def text(self) -> str:
        return "".join(chunk["data"] for frame in self.frames if frame["t"] == "out" for chunk in frame["chunks"])

    def cursors(self) -> list[int]:
        return [chunk["cursor"] for frame in self.frames if frame["t"] == "out" for chunk in frame["chunks"]]


@asynccontextmanager
async def connected(session_id: uuid.UUID, user: Any, query: str = "") -> AsyncIterator[Browser]:
    path = f"/ws/cluster/{session_id}/"
    scope = {"type": "websocket", "path": path, "query_string": query.encode(), "headers": [], "subprotocols": [], "user": user}
    socket = ApplicationCommunicator(URLRouter(websocket_urlpatterns), scope)
    await socket.send_input({"type": "websocket.connect"})
    assert (await socket.receive_output(120))["type"] == "websocket.accept"
    browser = Browser(socket)
    try:
        yield browser
    finally:
        await socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await socket.wait(5)


@pytest.fixture
def session(learner: Any) -> ClusterSession:
    return services.session_for(learner, "three-nodes")


def printed(text: str) -> Callable[[dict[str, Any]], bool]:
    return lambda frame: frame["t"] == "out" and any(text in chunk["data"] for chunk in frame["chunks"])


def viewed(runs: int) -> Callable[[dict[str, Any]], bool]:
    return lambda frame: frame["t"] == "view" and frame["view"]["runs"] == runs


def is_error(reason: str) -> Callable[[dict[str, Any]], bool]:
    return lambda frame: frame["t"] == "error" and frame["reason"] == reason


async def test_a_first_visit_shows_the_cluster_and_then_what_is_typed(session: ClusterSession, learner: Any) -> None:
    async with connected(session.pk, learner) as browser:
        state = await browser.hello()
        assert state["terminals"]["t1"]["host"] == "controlplane"
        frame_id = await browser.line("echo hello")
        ack = await browser.until(lambda frame: frame["t"] == "ack")
        assert (ack["id"], ack["seq"]) == (frame_id, 1)
        await browser.until(lambda frame: frame["t"] == "state" and frame["pending"] == 0)
        assert browser.text() == "welcome to three-nodes\n$ echo hello\nhello\n"
        kinds = [frame["t"] for frame in browser.frames]
        assert kinds.index("history") < kinds.index("out") < kinds.index("state")
        await browser.until(viewed(1))
        assert [event["ref"] for frame in browser.frames if frame["t"] == "trace" for event in frame["events"]] == [
            "three-nodes",
            "echo hello",
        ]


async def test_a_reconnect_with_cursors_gets_the_rest_once(session: ClusterSession, learner: Any) -> None:
    async with connected(session.pk, learner) as first:
        await first.hello()
        await first.line("echo one")
        await first.until(printed("one"))
        cursor = first.cursors()[-1]
    await database_sync_to_async(services.append_input)(session, kind="line", data={"terminal": "t1", "text": "echo two"})
    async with connected(session.pk, learner) as second:
        await second.hello(cursor=cursor)
        assert second.text() == "$ echo two\ntwo\n"
    async with connected(session.pk, learner) as third:
        await third.hello()
        assert third.text() == "welcome to three-nodes\n$ echo one\none\n$ echo two\ntwo\n"
        assert third.cursors() == list(range(1, len(third.cursors()) + 1))


async def test_nobody_sees_how_the_cluster_was_set_up(session: ClusterSession, learner: Any) -> None:
    """Neither while it is typed nor on a later visit: the lines would tell what is broken."""
    async with connected(session.pk, learner) as browser:
        await browser.hello()
        await browser.send(t="input", id=str(uuid.uuid4()), kind="open", data={"terminal": SET_UP, "host": "node1"})
        await browser.line("echo what is broken", terminal=SET_UP)
        await browser.line("echo seen")
        await browser.until(lambda frame: "seen" in json.dumps(frame))
        assert "broken" not in browser.text()
        assert SET_UP not in json.dumps([frame for frame in browser.frames if frame["t"] != "trace"])
    async with connected(session.pk, learner) as again:
        await again.hello()
        assert SET_UP not in json.dumps([frame for frame in again.frames if frame["t"] != "trace"])
        assert "seen" in again.text()
        assert "broken" not in again.text()


async def test_an_input_sent_twice_takes_effect_once(session: ClusterSession, learner: Any) -> None:
    frame_id = str(uuid.uuid4())
    async with connected(session.pk, learner) as first:
        await first.hello()
        await first.line("count", frame_id=frame_id)
        await first.until(lambda frame: frame["t"] == "ack")
    async with connected(session.pk, learner) as second:
        await second.hello()
        await second.line("count", frame_id=frame_id)
        await second.until(lambda frame: frame["t"] == "ack")
        await second.line("echo end")
        await second.until(printed("end\n"))
        assert second.text().count("$ count") == 1


async def test_two_browsers_see_the_same(session: ClusterSession, learner: Any) -> None:
    async with connected(session.pk, learner) as one, connected(session.pk, learner) as two:
        await one.hello()
        await two.hello()
        await one.line("echo shared")
        await two.until(printed("shared\n"))
        await two.send(t="speed", value=10)
        state = await one.until(lambda frame: frame["t"] == "state" and frame["speed"] == 10)
        assert state["running"]


async def test_a_program_that_waits_ends_while_somebody_watches(session: ClusterSession, learner: Any) -> None:
    async with connected(session.pk, learner) as browser:
        await browser.hello()
        await browser.send(t="speed", value=100)
        await browser.line("sleep 20 rested")
        busy = await browser.until(lambda frame: frame["t"] == "state" and frame["terminals"]["t1"]["busy"])
        assert busy["now"] > 0
        await browser.until(lambda frame: printed("rested\n")(frame) and frame["chunks"][-1]["data"] == "rested\n")


async def test_nothing_moves_while_the_clock_is_paused(session: ClusterSession, learner: Any) -> None:
    async with connected(session.pk, learner) as browser:
        await browser.hello()
        await browser.send(t="speed", value=0)
        await browser.until(lambda frame: frame["t"] == "state" and frame["speed"] == 0)
        await browser.line("sleep 1 rested")
        await browser.until(viewed(1))
        assert await browser.socket.receive_nothing(timeout=pacing.TICK * 4)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not json", "bad-frame"),
        ("[1, 2]", "bad-frame"),
        ("{}", "bad-frame"),
        ('{"t":"nonsense"}', "unknown-type"),
        ('{"t":"input","id":"x","kind":"line","data":{}}', "bad-frame"),
        ('{"t":"hello","cursor":-1}', "bad-frame"),
        ('{"t":"hello","cursor":"many"}', "bad-frame"),
        ('{"t":"speed","value":7}', "bad-frame"),
        ("[" * 30_000, "bad-frame"),
        ('{"t":"ping","id":"' + "x" * frames.FRAME_LIMIT + '"}', "too-long"),
        (
            json.dumps({"t": "input", "id": SOME_ID, "kind": "line", "data": {"terminal": "t1", "text": "x" * 9000}}),
            "too-long",
        ),
        (json.dumps({"t": "input", "id": SOME_ID, "kind": "http", "data": {}}), "unknown-kind"),
    ],
)
async def test_a_malformed_frame_is_refused_and_the_connection_goes_on(
    session: ClusterSession, learner: Any, text: str, reason: str
) -> None:
    async with connected(session.pk, learner) as browser:
        await browser.hello()
        await browser.raw(text=text)
        error = await browser.until(lambda frame: frame["t"] == "error")
        assert (error["reason"], error["fatal"]) == (reason, False)
        assert error["message"]
        await browser.raw(bytes=b"\x00\x01")
        await browser.until(is_error("bad-frame"))
        await browser.send(t="ping", id="7")
        assert (await browser.until(lambda frame: frame["t"] == "pong"))["id"] == "7"
        assert not await database_sync_to_async(JournalEntry.objects.filter(session=session).exists)()


async def test_what_the_world_refuses_comes_back_with_its_id(session: ClusterSession, learner: Any) -> None:
    async with connected(session.pk, learner) as browser:
        await browser.hello()
        frame_id = str(uuid.uuid4())
        await browser.send(t="input", id=frame_id, kind="fault", data={"name": "no-such"})
        error = await browser.until(is_error("bad-input"))
        assert (error["id"], error["message"]) == (frame_id, "no fault no-such")
        poison = await browser.line("boom")
        assert (await browser.until(is_error("failed")))["id"] == poison
        await browser.line("echo on")
        await browser.until(printed("on\n"))


@pytest.mark.parametrize("who", ["nobody", "stranger", "unknown"])
async def test_a_cluster_that_is_not_yours_is_refused_with_a_reason(
    session: ClusterSession, learner: Any, stranger: Any, who: str
) -> None:
    user = {"nobody": AnonymousUser(), "stranger": stranger, "unknown": learner}[who]
    session_id = uuid.uuid4() if who == "unknown" else session.pk
    async with connected(session_id, user) as browser:
        error = await browser.next()
        assert error["fatal"]
        assert error["reason"] == ("login" if who == "nobody" else "not-found")
        await browser.next()
        assert browser.closed == (4401 if who == "nobody" else 4404)


async def test_an_account_holds_only_so_many_connections(session: ClusterSession, learner: Any, settings: Any) -> None:
    settings.SLIPWAY_SOCKETS = 1
    async with connected(session.pk, learner) as first:
        await first.hello()
        async with connected(session.pk, learner) as second:
            assert (await second.next())["reason"] == "too-many"
            await second.next()
            assert second.closed == 4429
        await first.line("echo still")
        await first.until(printed("still\n"))
    assert connections.held(learner.pk) == 0
    async with connected(session.pk, learner) as again:
        await again.hello()


async def test_an_unknown_and_a_foreign_cluster_look_the_same(session: ClusterSession, stranger: Any) -> None:
    answers = []
    for session_id in (session.pk, uuid.uuid4()):
        async with connected(session_id, stranger) as browser:
            answers.append(await browser.next())
    assert answers[0] == answers[1]


async def test_messages_are_in_the_pages_language(session: ClusterSession, stranger: Any) -> None:
    from django.utils import translation

    async with connected(session.pk, stranger, "lang=ko") as browser:
        error = await browser.next()
    with translation.override("ko"):
        assert error["message"] == translation.gettext("There is no such cluster.")


async def test_a_flood_is_slowed_and_the_connection_goes_on(session: ClusterSession, learner: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("simulator.consumers.BURST", 5.0)
    monkeypatch.setattr("simulator.consumers.RATE", 20.0)
    async with connected(session.pk, learner) as browser:
        await browser.hello()
        for number in range(12):
            await browser.send(t="ping", id=str(number))
        await browser.until(is_error("rate"))

        async def pinged() -> bool:
            await browser.send(t="ping", id="after")
            return (await browser.until(lambda frame: frame["t"] in ("pong", "error"))).get("id") == "after"

        await eventually(pinged)


async def eventually(check: Callable[[], Awaitable[bool]], patience: float = 120) -> None:
    deadline = time.monotonic() + patience
    while not await check():
        assert time.monotonic() < deadline, "it never came true"


async def test_a_login_that_ends_closes_the_connection(session: ClusterSession, learner: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("simulator.consumers.LOGIN_CHECK", 0.0)
    async with connected(session.pk, learner) as browser:
        await browser.hello()
        learner.is_active = False
        await database_sync_to_async(learner.save)()
        error = await browser.until(is_error("login"))
        assert error["fatal"]
        await browser.until(lambda frame: frame["t"] == "close")
        assert browser.closed == 4401


async def test_a_reset_tells_whoever_still_watches_the_old_one(session: ClusterSession, learner: Any) -> None:
    async with connected(session.pk, learner) as browser:
        await browser.hello()
        await database_sync_to_async(services.reset)(session)
        await browser.until(is_error("archived"))
        await browser.line("echo x")
        error = await browser.until(is_error("archived"))
        assert error["id"]


async def test_completion_is_a_query_that_leaves_no_row(session: ClusterSession, learner: Any) -> None:
    async with connected(session.pk, learner) as browser:
        await browser.hello()
        await browser.send(t="complete", id="c1", terminal="t1", line="ec", cursor=2)
        answer = await browser.until(lambda frame: frame["t"] == "completion")
        assert answer == {"t": "completion", "id": "c1", "start": 0, "end": 2, "items": [{"text": "echo", "hint": ""}]}
        assert not await database_sync_to_async(JournalEntry.objects.filter(session=session).exists)()


async def test_a_lens_is_a_query_that_leaves_no_row(session: ClusterSession, learner: Any) -> None:
    async with connected(session.pk, learner) as browser:
        await browser.hello()
        await browser.send(t="lens", id="l1", name="etcd", about="node01")
        answer = await browser.until(lambda frame: frame["t"] == "lens")
        assert (answer["id"], answer["data"]["lens"], answer["data"]["about"]) == ("l1", "etcd", "node01")
        await browser.send(t="lens", id="l2", name="sonar")
        assert await browser.until(lambda frame: frame["t"] == "lens") == {"t": "lens", "id": "l2", "error": "bad-lens"}
        await browser.send(t="lens", id="l3", name="Not A Lens")
        assert (await browser.until(lambda frame: frame["t"] == "error"))["reason"] == "bad-frame"
        assert not await database_sync_to_async(JournalEntry.objects.filter(session=session).exists)()


async def test_an_editor_reads_asks_and_saves(session: ClusterSession, learner: Any) -> None:
    async with connected(session.pk, learner) as browser:
        await browser.hello()
        await browser.send(t="file", id="f0", terminal="t1", path="/etc/motd")
        answer = await browser.until(lambda frame: frame["t"] == "file")
        assert answer == {"t": "file", "id": "f0", "data": {"path": "/etc/motd", "text": "", "taken": False}}
        data = {"terminal": "t1", "path": "/etc/motd", "text": "안녕\n" * 1000, "was": "ab"}
        await browser.send(t="input", id=SOME_ID, kind="save", data=data)
        await browser.send(
            t="file", id="f1", terminal="t1", path="/etc/motd"
        )  # asked before anything came back: it waits for the save
        answer = await browser.until(lambda frame: frame["t"] == "file" and frame["id"] == "f1")
        assert answer["data"]["text"] == data["text"]
        await browser.send(t="outline", id="o1", api="apps/v1", kind="Deployment", about="spec")
        answer = await browser.until(lambda frame: frame["t"] == "outline")
        assert answer == {"t": "outline", "id": "o1", "data": {"api": "apps/v1", "kind": "Deployment", "about": "spec"}}
        for path, terminal, why in (("/boom", "t1", "failed"), ("/", "nowhere", "bad-question")):
            await browser.send(t="file", id="f2", terminal=terminal, path=path)
            assert (await browser.until(lambda frame: frame["t"] == "file"))["error"] == why
    rows = await database_sync_to_async(lambda: list(JournalEntry.objects.values_list("kind", flat=True)))()
    assert rows == ["save"]
    past = await database_sync_to_async(lambda: moments(ClusterSession.objects.get(pk=session.pk)))()
    assert [(one["kind"], one["text"]) for one in past] == [("save", "/etc/motd")]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"text": "x" * (frames.TEXT_LIMIT + 1)}, "too-long"),
        ({"text": "가" * (frames.TEXT_LIMIT // 3 + 1)}, "too-long"),
        ({"text": "a\0b"}, "bad-frame"),
        ({"text": "\ud800"}, "bad-frame"),
        ({"text": 3}, "bad-frame"),
        ({"path": ""}, "bad-frame"),
        ({"path": "a\nb"}, "bad-frame"),
        ({"path": "x" * (frames.PATH_LIMIT + 1)}, "bad-frame"),
        ({"terminal": "../t"}, "bad-frame"),
        ({"was": "0" * 33}, "bad-frame"),
        ({"mode": 511}, "bad-frame"),
    ],
)
def test_a_save_that_no_row_may_hold_is_refused(data: dict[str, Any], reason: str) -> None:
    with pytest.raises(frames.BadFrame) as refused:
        frames.check_input("save", {"terminal": "t1", "path": "/f", "text": "", **data})
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "frame",
    [{"t": "file", "path": "/f"}, {"t": "file", "terminal": "t1", "path": "x" * 5000}, {"t": "outline", "kind": "x" * 300}],
)
def test_questions_of_an_editor_have_limits(frame: dict[str, Any]) -> None:
    with pytest.raises(frames.BadFrame):
        frames.parse(json.dumps({"id": "q", **frame}))


async def test_what_is_frozen_takes_no_text(session: ClusterSession, learner: Any) -> None:
    await database_sync_to_async(ClusterSession.objects.filter(pk=session.pk).update)(archived_at=timezone.now())
    async with connected(session.pk, learner) as browser:
        await browser.send(t="input", id=SOME_ID, kind="save", data={"terminal": "t1", "path": "/f", "text": "mine"})
        refused = await browser.until(lambda frame: frame["t"] == "error" and frame["id"] is not None)
        assert (refused["reason"], refused["id"]) == ("archived", SOME_ID)


async def test_much_output_arrives_whole_and_in_order(session: ClusterSession, learner: Any) -> None:
    async with connected(session.pk, learner) as browser:
        await browser.hello()
        await browser.line("big 1500")
        await browser.until(printed("001499"))
        cursors = browser.cursors()
        assert cursors == list(range(1, len(cursors) + 1))


async def test_a_lost_doorbell_costs_latency_not_data(session: ClusterSession, learner: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(pacing, "PATIENCE", 0.3)
    async with connected(session.pk, learner) as browser:
        await browser.hello()
        from simulator import doorbell

        real = doorbell.ring
        lost: list[Any] = []
        monkeypatch.setattr(doorbell, "ring", lambda *message: lost.append(message))
        await browser.line("echo late")
        await browser.until(lambda frame: frame["t"] == "ack")
        assert lost
        monkeypatch.setattr(doorbell, "ring", real)
        await browser.until(printed("late\n"))
