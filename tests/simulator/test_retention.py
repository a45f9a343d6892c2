"""Retention: what nobody has used for long goes, what graded work points at stays, and a compacted cluster goes on as if nothing were missing."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import TestCase
from django.utils import timezone

from simulator import history, mishaps, retention, selectors, services, worlds
from simulator.models import ClusterSession, JournalEntry, OutputBatch, Snapshot
from simulator.services import advance, append_input

pytestmark = [pytest.mark.django_db, pytest.mark.postgres, pytest.mark.usefixtures("standin")]
LONG_AGO = timezone.now() - datetime.timedelta(days=400)


def played(learner: Any, slot: str = "", lines: int = 70) -> ClusterSession:
    session = services.session_for(learner, "three-nodes", slot)
    with TestCase.captureOnCommitCallbacks(execute=False):
        for number in range(lines):
            append_input(session, kind="line", data={"terminal": "t1", "text": f"echo {number}"})
    advance(session.pk)
    session.refresh_from_db()
    return session


def aged(session: ClusterSession, **values: Any) -> ClusterSession:
    worlds.cache.clear()
    ClusterSession.objects.filter(pk=session.pk).update(touched_at=LONG_AGO, **values)
    session.refresh_from_db()
    return session


def digest(session: ClusterSession) -> str:
    worlds.cache.clear()
    warm = advance(session.pk)
    assert warm is not None
    return warm.sandbox.digest()


@pytest.fixture
def keeps() -> Iterator[set[uuid.UUID]]:
    """Clusters that some application names as evidence."""
    named: set[uuid.UUID] = set()
    retention.keeper(lambda sessions: named & {row.pk for row in sessions})
    yield named
    retention._keepers.pop()


def test_a_compacted_cluster_goes_on_from_its_snapshot(learner: Any) -> None:
    session = played(learner)
    before, screen = digest(session), selectors.output_after(session.pk, 0)
    report = retention.run()
    assert (report.compacted, report.removed) == (0, 0)  # it was used a moment ago
    aged(session)
    report = retention.run(seconds=60)
    assert (report.compacted, report.position) == (1, None)
    session.refresh_from_db()
    assert session.base_seq >= retention.LEAST_ROWS
    assert JournalEntry.objects.filter(session=session).count() == 70 - session.base_seq == 70 - report.rows
    assert (digest(session), selectors.output_after(session.pk, 0)) == (before, screen)
    assert retention.run().rows == 0
    row = append_input(session, kind="line", data={"terminal": "t1", "text": "echo on"})
    advance(session.pk)
    assert row.seq == 71
    assert selectors.output_after(session.pk, 0)[-1][4] == "on\n"


def test_the_past_of_a_compacted_cluster_begins_where_its_journal_does(learner: Any) -> None:
    session = aged(played(learner))
    retention.run()
    session.refresh_from_db()
    base = history.Moment(session.base_seq, session.base_at)
    assert history.moment_at(session, 0).at == base.at
    with pytest.raises(history.NoPast):
        history.moment_before(session, session.base_seq)
    assert worlds.past(session, *(base.seq, base.at)).now == base.at
    branch = history.branch(session, base)  # and what branches, forks and resets from it can stand on the same snapshot
    assert advance(branch.pk) is not None
    assert advance(services.fork(branch).pk) is not None
    services.reset(branch)
    back = history.take_up(branch)
    worlds.cache.clear()
    assert advance(back.pk) is not None
    assert not ClusterSession.objects.get(pk=back.pk).frozen_reason


def test_its_first_snapshot_is_never_thinned_out(learner: Any) -> None:
    session = aged(played(learner))
    retention.run()
    session.refresh_from_db()
    with TestCase.captureOnCommitCallbacks(execute=False):
        for number in range(250):
            append_input(session, kind="line", data={"terminal": "t1", "text": f"echo {number}"})
    advance(session.pk)
    rows = Snapshot.objects.filter(session=session).values_list("journal_seq", flat=True)
    assert len(rows) == 6
    assert min(rows) == session.base_seq


def test_another_version_of_the_simulator_freezes_it_and_says_why(learner: Any) -> None:
    session = aged(played(learner))
    retention.run()
    worlds.cache.clear()
    Snapshot.objects.update(engine_version="an older one")
    assert advance(session.pk) is None
    session.refresh_from_db()
    assert mishaps.read(session.frozen_reason)[0] == mishaps.COMPACTED
    assert "not used for a long time" in mishaps.frozen(session.frozen_reason)
    assert selectors.output_after(session.pk, 0)  # still to be read


def test_what_graded_work_points_at_stays_whole(learner: Any, keeps: set[uuid.UUID]) -> None:
    graded, left = aged(played(learner, "graded")), aged(played(learner, "left", 3), archived_at=LONG_AGO)
    old = aged(played(learner, "old", 3), archived_at=LONG_AGO)
    keeps |= {graded.pk, left.pk}
    report = retention.run()
    assert (report.compacted, report.removed, report.whole) == (0, 1, 2)
    assert not ClusterSession.objects.filter(pk=old.pk).exists()
    assert JournalEntry.objects.filter(session=graded).count() == 70
    assert JournalEntry.objects.filter(session=left).count() == 3
    assert Snapshot.objects.filter(session=graded).count() == 1  # a cache, for all that


def test_a_snapshot_that_cannot_be_read_is_no_beginning(learner: Any) -> None:
    session = aged(played(learner))
    Snapshot.objects.filter(session=session).update(blob=b"damaged")
    before = JournalEntry.objects.filter(session=session).count()
    rows = retention.compact(session)
    session.refresh_from_db()
    assert rows == session.base_seq == before  # the journal was replayed, and a snapshot made of what came of it
    assert advance(session.pk) is not None


def test_pieces_come_to_the_same_as_the_whole_and_a_dry_run_touches_nothing(learner: Any, settings: Any) -> None:
    for number in range(4):
        aged(played(learner, f"slot{number}", 55))
    call_command("compact", "--dry-run", verbosity=0)
    assert JournalEntry.objects.count() == 4 * 55
    settings.SLIPWAY_RETAIN_JOURNALS = 0
    assert retention.run().compacted == 0
    settings.SLIPWAY_RETAIN_JOURNALS = 365
    position: retention.Position | None = (0, "")
    pieces = 0
    while position is not None:
        position, pieces = retention.run(position, seconds=0).position, pieces + 1
    assert pieces == 5
    assert not JournalEntry.objects.filter(seq__lte=50).exists()
    assert OutputBatch.objects.filter(session__slot="slot0").exists()
