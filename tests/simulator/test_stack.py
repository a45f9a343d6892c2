"""The real processes: WebSocket to journal to Celery to worker and back, and what happens when one of them is killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import uuid
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import websocket

from coursesite.processes import worker_argv
from simulator.models import ClusterSession, JournalEntry
from simulator.services import session_for
from tools.stack import Stack

pytestmark = [
    pytest.mark.stack,
    pytest.mark.xdist_group("stack"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("standin"),
]


@pytest.fixture
def stack(transactional_db: None) -> Iterator[Stack]:
    folder = Path(tempfile.mkdtemp(prefix="slipway-stack-"))
    made = Stack(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def session(learner: Any) -> ClusterSession:
    return session_for(learner, "three-nodes")


def test_a_line_goes_through_all_processes_and_comes_back(stack: Stack, session: ClusterSession, learner: Any) -> None:
    with stack.browser(session.pk, learner) as browser:
        browser.hello()
        browser.line("echo hello")
        browser.see("\nhello\n")
        browser.send(t="complete", id="c", terminal="t1", line="sl", cursor=2)
        assert browser.until(lambda frame: frame["t"] == "completion")["items"] == [{"text": "sleep", "hint": ""}]
        browser.send(t="speed", value=100)
        browser.line("sleep 30 rested")
        browser.see("\nrested\n")


@pytest.mark.parametrize("victim", ["pool process", "worker", "both at once"])
def test_a_worker_killed_in_the_middle_of_a_command(stack: Stack, session: ClusterSession, learner: Any, victim: str) -> None:
    """The learner sees a short pause and the right output, once."""
    mark = stack.var / "mark"
    with stack.browser(session.pk, learner) as browser:
        browser.hello()
        browser.line("echo before")
        browser.line(f"hang {mark}")
        browser.line("echo after")
        child = int(stack.wait(lambda: mark.exists() and mark.read_text()))
        assert "half of it" not in browser.text()
        if victim != "pool process":
            os.kill(stack.pid("worker"), signal.SIGKILL)
        if victim != "worker":
            with contextlib.suppress(ProcessLookupError):  # it may have gone with its parent
                os.kill(child, signal.SIGKILL)
        browser.see("\nafter\n")
        assert browser.text().count("half of it\nall of it\n") == 1
        assert browser.text().count("half of it") == 1
        assert browser.text().count("$ echo before") == 1
    with stack.browser(session.pk, learner) as again:
        again.hello()
        again.see("\nafter\n")
        assert again.text() == browser.text()
    assert not JournalEntry.objects.filter(session=session).exclude(quarantined="").exists()


def test_a_program_that_waits_survives_its_worker(stack: Stack, session: ClusterSession, learner: Any) -> None:
    with stack.browser(session.pk, learner) as browser:
        browser.hello()
        browser.line("sleep 5 rested")
        browser.until(lambda frame: frame["t"] == "state" and frame["terminals"]["t1"]["busy"])
        os.kill(stack.pid("worker"), signal.SIGKILL)
        browser.send(t="speed", value=10)
        browser.see("\nrested\n")
        assert browser.text().replace("$ sleep 5 rested\n", "").count("rested") == 1


def test_an_input_that_kills_its_worker_is_set_aside(stack: Stack, session: ClusterSession, learner: Any) -> None:
    with stack.browser(session.pk, learner) as browser:
        browser.hello()
        poison = browser.line("die")
        error = browser.until(lambda frame: frame["t"] == "error")
        assert (error["reason"], error["id"], error["fatal"]) == ("failed", poison, False)
        browser.line("echo still here")
        browser.see("\nstill here\n")
    assert JournalEntry.objects.get(session=session, seq=1).quarantined


def test_a_killed_broker_comes_back_with_its_data(stack: Stack, session: ClusterSession, learner: Any) -> None:
    with stack.browser(session.pk, learner) as browser:
        browser.hello()
        assert stack.valkey.process is not None
        stack.valkey.process.kill()
        stack.valkey.process.wait()
        browser.line("echo meanwhile")
        browser.until(lambda frame: frame["t"] == "ack")  # the journal needs no broker
        stack.valkey.start()
        browser.see("\nmeanwhile\n")
        assert browser.text().count("$ echo meanwhile") == 1


def test_handshakes_of_other_sites_are_refused(stack: Stack, session: ClusterSession, learner: Any) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        stack.browser(session.pk, learner, origin="http://evil.example").__enter__()
    assert refused.value.status_code == 403
    with pytest.raises(websocket.WebSocketBadStatusException), stack.browser(uuid.uuid4(), None, origin="null"):
        pass


def test_without_a_login_the_reason_is_told(stack: Stack, session: ClusterSession) -> None:
    with stack.browser(session.pk) as browser:
        error = browser.until(lambda frame: True)
        assert (error["reason"], error["fatal"]) == ("login", True)


def test_a_frame_beyond_all_bounds_ends_the_connection_and_no_other(stack: Stack, session: ClusterSession, learner: Any) -> None:
    with stack.browser(session.pk, learner) as good, stack.browser(session.pk, learner) as bad:
        good.hello()
        bad.connection.settimeout(120)
        try:
            bad.connection.send("x" * 100_000)
            opcode, data = bad.connection.recv_data()
        except (ConnectionError, websocket.WebSocketConnectionClosedException):
            pass  # the rest of the frame was on its way when the server closed: TCP resets, and the close frame may be lost
        else:
            assert opcode == websocket.ABNF.OPCODE_CLOSE
            assert int.from_bytes(data[:2], "big") == 1009
        good.line("echo fine")
        good.see("\nfine\n")


def test_workers_share_the_queues_and_take_over_from_one_that_is_gone(transactional_db: None, learner: Any) -> None:
    folder = Path(tempfile.mkdtemp(prefix="slipway-stack-"))
    stack = Stack(folder, queues=4)
    try:
        stack.start()
        broker = redis.Redis.from_url(stack.supervisor.env["REDIS_URL"])

        def shares() -> list[list[str]]:
            """Queues by the worker that said last that it serves them."""
            found: dict[bytes, list[str]] = {}
            for number in range(4):
                found.setdefault(bytes(str(broker.get(f"slipway:worker:cluster.{number}")), "ascii"), []).append(str(number))
            return sorted(found.values())

        assert shares() == [["0", "1", "2", "3"]]
        second = stack.supervisor.add("second", worker_argv("second"), folder / "log" / "second.log")
        stack.wait(lambda: [len(share) for share in shares()] == [2, 2])
        os.kill(stack.pid("worker"), signal.SIGKILL)
        worker = next(child for child in stack.supervisor.children if child.name == "worker")
        assert worker.process is not None
        worker.process.wait()
        worker.process = None  # it is not started again
        stack.wait(lambda: shares() == [["0", "1", "2", "3"]])
        assert second.process is not None
        sessions = [session_for(learner, "three-nodes", f"slot{number}") for number in range(6)]
        assert len({zlib.crc32(session.pk.bytes) % 4 for session in sessions}) > 1
        for session in sessions:
            with stack.browser(session.pk, learner) as browser:
                browser.hello()
                browser.line("echo served")
                browser.see("\nserved\n")
    finally:
        stack.stop()
        shutil.rmtree(folder, ignore_errors=True)
