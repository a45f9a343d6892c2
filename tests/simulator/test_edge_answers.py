"""What the edge itself answers: when the world, its worker or the database gives no answer, and to whoever holds something open."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import orjson
import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import OperationalError

from simulator import edge, edgestreams, edgetokens, rounds, services
from simulator.models import EdgeToken
from simulator.services import session_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("standin")]


async def client(learner: Any, path: str = "/api/v1/pods", query: bytes = b"") -> tuple[Any, ApplicationCommunicator]:
    session = await database_sync_to_async(session_for)(learner, "three-nodes")
    token = await database_sync_to_async(edgetokens.issue)(session)
    whole = f"/clusters/{session.pk}/kube/~{token}{path}"
    scope = {"type": "http", "method": "GET", "path": whole, "raw_path": whole.encode(), "query_string": query, "headers": []}
    made = ApplicationCommunicator(edge.application, scope)
    await made.send_input({"type": "http.request", "body": b""})
    return session, made


def answering(monkeypatch: pytest.MonkeyPatch, *answers: dict[str, Any] | Exception) -> None:
    left = list(answers)

    def ask(*_args: Any, **_options: Any) -> dict[str, Any]:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(services, "ask", ask)


@pytest.mark.parametrize(
    ("answer", "code", "reason", "wait"),
    [
        ({"error": "refused"}, 503, "ServiceUnavailable", ""),
        ({"error": "busy"}, 503, "ServiceUnavailable", "1"),
        ({"error": "unavailable"}, 410, "Gone", ""),
        ({"error": "failed", "message": "boom"}, 500, "InternalError", ""),
        ({"error": "quarantined"}, 500, "InternalError", ""),
        ({"error": "refused-row", "message": "query: too long"}, 400, "BadRequest", ""),
        ({"status": 101, "headers": {}, "body": ""}, 501, "NotImplemented", ""),
        (services.EvaluationTimeout("late"), 504, "Timeout", ""),
        (OperationalError("the database is away"), 504, "Timeout", ""),
        (services.Refused("frozen", "it was frozen"), 410, "Gone", ""),
    ],
)
async def test_no_answer_is_a_status_that_says_why(
    learner: Any, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any] | Exception, code: int, reason: str, wait: str
) -> None:
    answering(monkeypatch, answer)
    _session, asked = await client(learner)
    start = await asked.receive_output(120)
    body = orjson.loads((await asked.receive_output(120))["body"])
    headers = dict(start["headers"])
    assert (start["status"], body["kind"], body["code"], body["reason"]) == (code, "Status", code, reason)
    assert headers.get(b"retry-after", b"").decode() == wait
    assert "Traceback" not in body["message"] and "boom" not in body["message"]
    await asked.wait()


def event(name: str) -> dict[str, Any]:
    body = base64.b64encode(orjson.dumps({"type": "ADDED", "object": {"metadata": {"name": name}}}) + b"\n").decode()
    return {
        "status": 200,
        "headers": {"content-type": "application/json"},
        "body": body,
        "stream": True,
        "closed": False,
        "position": "7",
    }


async def opened(
    learner: Any, monkeypatch: pytest.MonkeyPatch, *later: dict[str, Any] | Exception
) -> tuple[Any, ApplicationCommunicator]:
    monkeypatch.setattr(edge, "LOOK", 0.05)
    answering(monkeypatch, event("web"), *(later or (event(""),)))
    session, watch = await client(learner, query=b"watch=true")
    assert (await watch.receive_output(120))["status"] == 200
    assert b'"web"' in (await watch.receive_output(120))["body"]
    return session, watch


async def ending(watch: ApplicationCommunicator) -> list[dict[str, Any]]:
    """What comes until the answer is complete."""
    said = []
    while True:
        said.append(await watch.receive_output(timeout=120))
        if not said[-1].get("more_body"):
            await watch.wait()
            return said


async def test_a_watch_ends_when_its_token_is_taken_back(learner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session, watch = await opened(learner, monkeypatch)
    await watch.receive_output(timeout=120)  # it goes on while nothing is said
    await database_sync_to_async(edgetokens.revoke)(session)
    layer = get_channel_layer()
    assert layer is not None
    await layer.group_send(edgetokens.group(session.pk), {"type": edgetokens.REVOKED})
    assert (await ending(watch))[-1] == {"type": "http.response.body", "body": b""}


async def test_a_watch_whose_bell_was_lost_ends_after_a_while(learner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "LICENCE", 0.2)
    session, watch = await opened(learner, monkeypatch)
    await database_sync_to_async(EdgeToken.objects.filter(session=session).update)(revoked_at=session.created_at)
    assert (await ending(watch))[-1] == {"type": "http.response.body", "body": b""}


@pytest.mark.parametrize(
    "trouble", [{"error": "refused"}, services.EvaluationTimeout("late"), {"error": "failed", "message": "x"}]
)
async def test_a_watch_whose_world_gives_no_answer_any_more_just_ends(
    learner: Any, monkeypatch: pytest.MonkeyPatch, trouble: dict[str, Any] | Exception
) -> None:
    """The answer has begun: there is no second status, and a client connects again."""
    _session, watch = await opened(learner, monkeypatch, trouble)
    assert [message["type"] for message in await ending(watch)] == ["http.response.body"]


async def test_a_stream_is_looked_after_by_the_round_and_ends_with_its_token(
    learner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """exec and its kin: time goes on as under a page that watches, and a token taken back ends them with a policy violation."""
    monkeypatch.setattr(edgestreams, "GUARD", 0.05)
    monkeypatch.setattr(edge, "LICENCE", 0.1)
    told: asyncio.Queue[Any] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(rounds, "send", lambda looks: loop.call_soon_threadsafe(told.put_nowait, looks[0]))
    monkeypatch.setattr(services, "open_stream", lambda *_args, **_options: {"status": 101})
    monkeypatch.setattr(services, "tell_stream", lambda *_args, **_options: 1)
    session = await database_sync_to_async(session_for)(learner, "three-nodes")
    token = await database_sync_to_async(edgetokens.issue)(session)
    path = f"/clusters/{session.pk}/kube/~{token}/api/v1/namespaces/default/pods/web/exec"
    scope = {
        "type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"command=sh&stdout=true",
        "headers": [], "subprotocols": ["v5.channel.k8s.io"],
    }  # fmt: skip
    exec_ = ApplicationCommunicator(edgestreams.application, scope)
    await exec_.send_input({"type": "websocket.connect"})
    assert (await exec_.receive_output(timeout=120))["type"] == "websocket.accept"
    assert (await asyncio.wait_for(told.get(), 120)).session_id == session.pk
    await database_sync_to_async(EdgeToken.objects.filter(session=session).update)(revoked_at=session.created_at)
    closed = await exec_.receive_output(timeout=120)
    assert (closed["type"], closed["code"]) == ("websocket.close", edgestreams.POLICY)
    await exec_.wait()
    assert not rounds.here()._watchers
