"""Live: who watches is seen by the learner, types only with their permission, moves nothing; dashboards hear of changes."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from channels.routing import URLRouter
from django.test import Client

from lessons.desk import bells, live
from lessons.desk.models import Signal, Watching
from lessons.desk.routing import websocket_urlpatterns as desk_sockets
from lessons.labs import services as labs
from lessons.models import Lesson, Membership
from simulator import connections
from simulator.models import ClusterSession, JournalEntry
from simulator.routing import websocket_urlpatterns
from tests.lessons.conftest import People
from tests.simulator.test_consumers import Browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("standin")]


@asynccontextmanager
async def connected(path: str, user: Any) -> AsyncIterator[Browser]:
    scope = {"type": "websocket", "path": path, "query_string": b"", "headers": [], "subprotocols": [], "user": user}
    socket = ApplicationCommunicator(URLRouter([*websocket_urlpatterns, *desk_sockets]), scope)
    await socket.send_input({"type": "websocket.connect"})
    assert (await socket.receive_output(120))["type"] == "websocket.accept"
    try:
        yield Browser(socket)
    finally:
        await socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await socket.wait(5)


@pytest.fixture
def session(people: People, ships: Lesson) -> ClusterSession:
    return labs.lesson_session(people.learner, ships)


async def begun(session: ClusterSession, people: People) -> Watching:
    row: Watching = await database_sync_to_async(live.watch)(session, people.assistant, people.cohort)
    return row


async def test_the_learner_sees_who_watches_and_decides_who_types(session: ClusterSession, people: People) -> None:
    row = await begun(session, people)
    async with connected(f"/ws/cluster/{session.pk}/", people.learner) as learner:
        await learner.hello()
        async with connected(f"/ws/watch/{session.pk}/", people.assistant) as watcher:
            await watcher.hello()
            seen = await learner.until(lambda frame: frame["t"] == "watched")
            assert seen["by"] == [{"id": row.pk, "name": "assistant", "asks": False, "types": False}]
            await learner.line("echo one")
            await watcher.until(lambda frame: "one" in watcher.text())
            # without permission nothing is typed and nothing is moved
            for frame in (
                {"t": "input", "id": str(uuid.uuid4()), "kind": "line", "data": {"terminal": "t1", "text": "rm -rf /"}},
                {"t": "input", "id": str(uuid.uuid4()), "kind": "save", "data": {"terminal": "t1", "path": "/f", "text": "x"}},
                {"t": "file", "id": "f", "terminal": "t1", "path": "/root/notes"},
                {"t": "speed", "value": 100},
            ):
                await watcher.send(**frame)
                refused = await watcher.until(lambda frame: frame["t"] == "error")
                assert refused["reason"] == "watching"
            assert await database_sync_to_async(JournalEntry.objects.count)() == 1
            await database_sync_to_async(live.ask)(row)
            asked = await learner.until(lambda frame: frame["t"] == "watched" and frame["by"][0]["asks"])
            assert not asked["by"][0]["types"]
            await database_sync_to_async(live.decide)(row, grant=True)
            await watcher.line("echo two")
            await learner.until(lambda frame: "two" in learner.text())
            await database_sync_to_async(live.decide)(row, grant=False)
            await watcher.line("echo three")
            assert (await watcher.until(lambda frame: frame["t"] == "error"))["reason"] == "watching"
        gone = await learner.until(lambda frame: frame["t"] == "watched" and not frame["by"])
        assert gone["by"] == []
    texts = await database_sync_to_async(lambda: [row.data["text"] for row in JournalEntry.objects.order_by("seq")])()
    assert texts == ["echo one", "echo two"]


async def test_nobody_watches_without_the_page_or_the_role(session: ClusterSession, people: People) -> None:
    path = f"/ws/watch/{session.pk}/"
    for user in (people.assistant, people.owner, people.foreign_instructor, people.stranger, people.other_learner):
        async with connected(path, user) as browser:
            assert (await browser.next())["reason"] == "not-found"
            assert (await browser.next())["t"] == "close"
            assert browser.closed == 4404
    await begun(session, people)
    await database_sync_to_async(Membership.objects.filter(user=people.assistant).delete)()
    async with connected(path, people.assistant) as browser:
        assert (await browser.next())["reason"] == "not-found"


async def test_a_permission_ends_with_the_visit(session: ClusterSession, people: People) -> None:
    row = await begun(session, people)
    await database_sync_to_async(live.decide)(row, grant=True)
    assert await database_sync_to_async(live.may_type)(row.pk)
    async with connected(f"/ws/watch/{session.pk}/", people.assistant) as watcher:
        await watcher.hello()
    assert not await database_sync_to_async(live.may_type)(row.pk)
    assert await database_sync_to_async(live.watchers)(session.pk) == []


async def test_a_dashboard_hears_of_a_signal(people: People, ships: Lesson) -> None:
    path = f"/ws/cohort/{people.cohort.pk}/"
    async with connected(path, people.owner) as desk, connected(path, people.foreign_instructor) as stranger:
        assert (await stranger.next())["t"] == "close"
        assert stranger.closed == 4404
        post = database_sync_to_async(lambda: _signal(people, ships))
        assert await post() == 302
        assert await desk.next() == {"t": "changed", "who": [people.learner.pk]}
        # what changes in the pause after a word is told after it
        await database_sync_to_async(lambda: bells.ring(people.other_learner.pk, people.cohort.course_id))()
        assert await desk.next() == {"t": "changed", "who": [people.other_learner.pk]}


async def test_connections_of_the_desk_count_like_any(people: People, settings: Any) -> None:
    settings.SLIPWAY_SOCKETS = 1
    path = f"/ws/cohort/{people.cohort.pk}/"
    async with connected(path, people.owner), connected(path, people.owner) as second:
        assert (await second.next())["t"] == "close"
        assert second.closed == 4429
    assert connections.held(people.owner.pk) == 0


def _signal(people: People, ships: Lesson) -> int:
    client = Client()
    client.force_login(people.learner)
    response = client.post(f"/en/lessons/{ships.pk}/signal/", {"kind": "help", "note": "  where \0 is it "})
    assert Signal.objects.get(cleared_at=None).note == "where is it"
    return int(response.status_code)
