"""The site's machinery around the real simulator: what was lost with a worker is rebuilt to the same digest and output."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import TestCase

from simulator import advancing, selectors, services, worlds
from simulator.models import ClusterSession, JournalEntry, Snapshot
from simulator.services import advance, append_input

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
SECOND = 1_000_000_000


@pytest.fixture(autouse=True)
def _no_worlds() -> None:
    worlds.cache.clear()


@pytest.fixture
def session(learner: Any) -> ClusterSession:
    return services.session_for(learner, "three-nodes")


def put(session: ClusterSession, kind: str, **data: Any) -> JournalEntry:
    with TestCase.captureOnCommitCallbacks(execute=False):
        row = append_input(session, kind=kind, data=data)
    advance(session.pk)
    return JournalEntry.objects.get(session=session, seq=row.seq)


def line(session: ClusterSession, text: str) -> str:
    """Type a line; what it printed."""
    session.refresh_from_db()
    before = session.output_cursor
    put(session, "line", terminal="controlplane", text=text)
    return "".join(chunk[4] for chunk in selectors.output_after(session.pk, before) if chunk[3] != 0)


def pass_time(session: ClusterSession, seconds: float) -> None:
    warm = advance(session.pk)
    assert warm is not None
    advance(session.pk, until=warm.sandbox.now + int(seconds * SECOND))


def test_the_cluster_answers(session: ClusterSession) -> None:
    assert "kube-scheduler-controlplane" in line(session, "kubectl get pods -n kube-system")
    session.refresh_from_db()
    assert session.terminals["controlplane"]["host"] == "controlplane"
    assert session.epoch > 0
    assert session.view.data["hosts"]


def test_a_world_rebuilt_from_its_rows_is_the_same_world(session: ClusterSession) -> None:
    line(session, "kubectl create deployment web --image=nginx --replicas=2")
    pass_time(session, 30)
    line(session, "X=1; echo $X > /tmp/a; cat /tmp/a")
    line(session, "kubectl get pods -w")
    pass_time(session, 7)
    put(session, "key", terminal="controlplane", key="ctrl-c")
    line(session, "sleep 40")
    pass_time(session, 3)
    warm = advance(session.pk)
    assert warm is not None
    digest, now = warm.sandbox.digest(), warm.sandbox.now
    for snapshots in (True, False):
        worlds.cache.clear()
        if not snapshots:
            Snapshot.objects.all().delete()
        session.refresh_from_db()
        rebuilt = worlds.load(session).sandbox
        rebuilt.advance(now)
        assert rebuilt.digest() == digest
        assert rebuilt.terminals()["controlplane"].busy


def test_a_program_that_waits_goes_on_after_its_worker_was_lost(session: ClusterSession) -> None:
    line(session, "sleep 5 && echo rested")
    pass_time(session, 2)
    worlds.cache.clear()
    pass_time(session, 2)
    worlds.cache.clear()
    pass_time(session, 10)
    printed = [chunk[4] for chunk in selectors.output_after(session.pk, 0) if chunk[3] == 1]
    assert "".join(printed).count("rested\n") == 1


def test_coming_back_uses_the_snapshot(session: ClusterSession) -> None:
    line(session, "echo kept > /root/note; kubectl create namespace mine")
    pass_time(session, 5)
    advancing.rest(session.pk)
    assert Snapshot.objects.filter(session=session).count() == 1
    worlds.cache.clear()
    assert "mine" in line(session, "kubectl get namespaces")


def test_a_refused_input_says_why(session: ClusterSession) -> None:
    row = put(session, "fault", name="no-such-fault")
    row.refresh_from_db()
    assert row.refusal
    assert "hello" in line(session, "echo hello")


def test_completion_knows_the_machine(session: ClusterSession) -> None:
    assert advancing.complete(session.pk, "controlplane", "cat /et", 7) == {
        "start": 4,
        "end": 7,
        "items": [{"text": "/etc/", "hint": ""}],
    }
    assert advancing.complete(session.pk, "no-such-terminal", "x", 1)["items"] == []


def test_an_evaluation_leaves_the_learners_world_alone(session: ClusterSession) -> None:
    line(session, "kubectl create namespace mine")
    warm = advance(session.pk)
    assert warm is not None
    digest = warm.sandbox.digest()
    check = {
        "id": "ns",
        "object": {"resource": "namespaces", "name": "mine"},
        "expect": {"path": "status.phase", "equals": "Active"},
    }
    answer = services.evaluate(session, {"checks": [check]})
    assert answer["passed"], answer["verdicts"]
    assert answer["evidence"]["digest"] == digest
    assert answer["evidence"]["journal_seq"] == 1
    assert warm.sandbox.digest() == digest
