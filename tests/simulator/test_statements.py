"""Changes that belong together (`simulator.statements.together`): all or none, on both databases."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from simulator import services, statements
from simulator.models import ClusterSession, ClusterView, JournalEntry, OutputBatch
from simulator.statements import Insert, NotThere, Update

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


@pytest.fixture
def session(learner: Any) -> ClusterSession:
    return ClusterSession.objects.create(owner=learner, scenario="three-nodes", seed=1, engine_version="x")


def parts(session: ClusterSession, seq: int = 1, version: int = 1) -> list[Update | Insert]:
    return [
        Update(JournalEntry, {"applied_at": 7, "refusal": "it's % no"}, {"session_id": session.pk, "seq": seq}),
        Insert(OutputBatch, {"session_id": session.pk, "first": 1, "last": 2, "chunks": b"j\x00['"}),
        Insert(ClusterView, {"session_id": session.pk, "version": version, "data": {"선": [1, None, "%s"]}}, key=("session_id",)),
    ]


def guard(session: ClusterSession, version: int = 0) -> Update:
    where = {"pk": session.pk, "version": version, "archived_at": None, "frozen_reason": ""}
    return Update(ClusterSession, {"version": version + 1, "terminals": {"t1": {}}}, where)


def test_all_of_it_in_one_statement_where_the_database_can(session: ClusterSession) -> None:
    services.append_input(session, kind="line", data={"terminal": "t1", "text": "ls"})
    OutputBatch.objects.all().delete()
    ClusterView.objects.all().delete()
    ClusterSession.objects.update(version=0)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        statements.together(guard(session), parts(session))
    # the test itself is a transaction, so a savepoint stands around it here
    changes = [query for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE SAVEPOINT"))]
    assert len(changes) == 1 or connection.vendor != "postgresql"
    session.refresh_from_db()
    assert (session.version, session.terminals) == (1, {"t1": {}})
    row = JournalEntry.objects.get()
    assert (row.applied_at, row.refusal) == (7, "it's % no")
    assert bytes(OutputBatch.objects.get().chunks) == b"j\x00['"
    assert ClusterView.objects.get().data == {"선": [1, None, "%s"]}
    statements.together(guard(session, 1), parts(session, version=2)[2:])  # the picture takes the place of the one before
    assert ClusterView.objects.get().version == 2


@pytest.mark.parametrize("missing", ["another was first", "no such row"])
def test_nothing_of_it_when_a_row_is_not_there(session: ClusterSession, missing: str) -> None:
    services.append_input(session, kind="line", data={"terminal": "t1", "text": "ls"})
    for model in (OutputBatch, ClusterView):
        model.objects.all().delete()
    ClusterSession.objects.update(version=5 if missing == "another was first" else 0)
    with pytest.raises(NotThere), transaction.atomic():
        statements.together(guard(session), parts(session, seq=1 if missing == "another was first" else 9))
    session.refresh_from_db()
    assert session.version in (0, 5)
    assert not OutputBatch.objects.exists() and not ClusterView.objects.exists()
    assert JournalEntry.objects.get().refusal == ""


def test_nothing_of_it_when_a_new_row_is_there_already(session: ClusterSession) -> None:
    OutputBatch.objects.create(session=session, first=1, last=9, chunks=b"j[]")
    with pytest.raises(IntegrityError), transaction.atomic():
        statements.together(guard(session), parts(session)[1:])
    session.refresh_from_db()
    assert session.version == 0


def test_an_input_is_counted_in_and_written_at_once(session: ClusterSession) -> None:
    ClusterSession.objects.update(advanced_to=77)
    row = Insert(
        JournalEntry,
        {
            "session_id": session.pk,
            "at": statements.Column("advanced_to"),
            "kind": "line",
            "data": {"text": "안녕"},
            "client_id": uuid.uuid4(),
            "created_at": session.created_at,
            "attempts": 0,
            "refusal": "",
            "quarantined": "",
        },
    )
    for number in (1, 2):
        row.values["client_id"] = uuid.uuid4()
        found = statements.numbered(ClusterSession, "last_seq", 2, ("advanced_to",), {"pk": session.pk}, row, "seq")
        assert found == (number, 77)
    row.values["client_id"] = uuid.uuid4()
    assert statements.numbered(ClusterSession, "last_seq", 2, ("advanced_to",), {"pk": session.pk}, row, "seq") is None
    assert list(JournalEntry.objects.values_list("seq", "at")) == [(1, 77), (2, 77)]
    assert JournalEntry.objects.first().data == {"text": "안녕"}  # type: ignore[union-attr]
