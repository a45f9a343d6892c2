"""Retention: what is kept of clusters that nobody has used for long, so that the database does not grow for ever.

Three stages, each after its own number of days without use (0: never), from what costs nothing to lose to what cannot be had again:

1. **Snapshots** (`SLIPWAY_RETAIN_SNAPSHOTS`) are a cache: of each cluster the newest stays.
2. **Clusters that were left** (`SLIPWAY_RETAIN_LEFT`): reset, or gone back from.  They are removed with all that they hold.
3. **Journals** (`SLIPWAY_RETAIN_JOURNALS`) are compacted behind a snapshot: the rows before it are removed, and its cluster goes on from it.
   Earlier moments cannot be looked at any more, and a later version of the simulator, which cannot read the snapshot, freezes the cluster.

What graded work points at is left whole in stages 2 and 3, whatever its age: the applications that keep such evidence name it (`keeper`).

`run` does a bounded piece and says where to go on, so that a worker can do it between learners' inputs.  It looks at everything again under a
lock before it removes anything, and running it twice removes nothing more.
"""

from __future__ import annotations

import datetime
import logging
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, QuerySet
from django.utils import timezone

from . import advancing, engine, history, keyframes, storing, worlds
from .core.kernel.errors import BadInput
from .models import ClusterSession, JournalEntry, OutputBatch, Snapshot, TraceBatch
from .selectors import OUTPUT_LIMIT

logger = logging.getLogger(__name__)

#: Clusters looked at together, and journal rows for which a compaction pays.
BATCH = 100
LEAST_ROWS = 50

#: Where a run goes on: the stage, and the cluster after which.
Position = tuple[int, str]
Keeper = Callable[[list[ClusterSession]], Iterable[uuid.UUID | str]]

_keepers: list[Keeper] = []


def keeper(function: Keeper) -> Keeper:
    """Register a function that names, among some clusters, those whose whole journal has to stay."""
    _keepers.append(function)
    return function


def kept(sessions: list[ClusterSession]) -> set[uuid.UUID]:
    """Those of the clusters that something graded, or shared, points at."""
    return {uuid.UUID(str(found)) for function in _keepers for found in function(sessions)}


@dataclass(slots=True)
class Report:
    """What a run did."""

    snapshots: int = 0
    removed: int = 0
    compacted: int = 0
    rows: int = 0
    #: Clusters that were old enough and stay whole.
    whole: int = 0
    #: Where to go on; None when everything was looked at.
    position: Position | None = None

    def __str__(self) -> str:
        return (
            f"{self.snapshots} snapshots and {self.removed} left clusters removed, {self.compacted} journals compacted ({self.rows} rows); "
            f"{self.whole} clusters stay whole for what points at them"
        )


def run(position: Position = (0, ""), *, seconds: float | None = None, dry: bool = False) -> Report:
    """Go through all clusters from `position` on, for some real seconds or to the end; `dry` only counts."""
    report = Report()
    stage, after = position
    until = None if seconds is None else time.monotonic() + seconds
    while stage < len(_STAGES):
        days, candidates, act = _STAGES[stage]
        rows: list[ClusterSession] = []
        number = int(getattr(settings, days))
        if number:
            before = timezone.now() - datetime.timedelta(days=number)
            later = {"pk__gt": uuid.UUID(after)} if after else {}
            rows = list(candidates(before).filter(touched_at__lt=before, **later).order_by("pk")[:BATCH])
        stay = kept(rows) if stage and rows else set()
        for row in rows:
            if row.pk in stay:
                report.whole += 1
            else:
                act(row, report, dry)
            after = str(row.pk)
            if until is not None and time.monotonic() >= until:
                report.position = (stage, after)
                return report
        if len(rows) < BATCH:
            stage, after = stage + 1, ""
    return report


# -- snapshots -------------------------------------------------------------------------------------------------------------


def _with_snapshots(_before: datetime.datetime) -> QuerySet[ClusterSession]:
    return ClusterSession.objects.annotate(count=Count("snapshots")).filter(count__gt=1)


def _drop_snapshots(session: ClusterSession, report: Report, dry: bool) -> None:
    if dry:
        report.snapshots += Snapshot.objects.filter(session=session).count() - 1
        return
    with transaction.atomic():
        found = _still(session)
        report.snapshots += worlds.forget_snapshots(found, newest=True) if found is not None else 0


def _still(session: ClusterSession) -> ClusterSession | None:
    """The cluster, locked, if nobody has used it since it was found."""
    return (
        ClusterSession.objects.select_for_update()
        .filter(pk=session.pk, touched_at=session.touched_at, archived_at=session.archived_at, last_seq=session.last_seq)
        .first()
    )


# -- clusters that were left -----------------------------------------------------------------------------------------------


def _left(before: datetime.datetime) -> QuerySet[ClusterSession]:
    return ClusterSession.objects.filter(archived_at__lt=before)


def _remove(session: ClusterSession, report: Report, dry: bool) -> None:
    if not dry:
        with transaction.atomic():
            found = _still(session)
            if found is None or kept([found]):
                return
            found.delete()
    report.removed += 1


# -- journals --------------------------------------------------------------------------------------------------------------


def _long(_before: datetime.datetime) -> QuerySet[ClusterSession]:
    return ClusterSession.objects.filter(
        archived_at=None, frozen_reason="", applied_seq=F("last_seq"), applied_seq__gte=F("base_seq") + LEAST_ROWS
    )


def _compact(session: ClusterSession, report: Report, dry: bool) -> None:
    if dry:
        report.compacted += 1
        report.rows += session.applied_seq - session.base_seq
        return
    rows = compact(session)
    report.compacted += bool(rows)
    report.rows += rows


def compact(session: ClusterSession) -> int:
    """Remove the journal's rows that come before its newest snapshot; returns how many (0 where there is no snapshot to begin with).

    A snapshot counts when this version of the simulator reads it and comes to the digest that was noted beside it.  Where there is none, one is
    made, which takes a replay; a cluster in which a program waits has to wait too.
    """
    snapshot = _usable(session)
    if snapshot is None:
        warm = advancing.advance(session.pk)
        if warm is None or not storing.store_snapshot(warm):
            return 0
        worlds.cache.drop(session.pk)
        session.refresh_from_db()
        snapshot = _usable(session)
    if snapshot is None:
        return 0
    with transaction.atomic():
        found = _still(session)
        if found is None or kept([found]) or not Snapshot.objects.filter(pk=snapshot.pk).exists():
            return 0
        moment = history.Moment(snapshot.journal_seq, snapshot.at)
        output, trace = history.marks(found, moment)
        rows, _ = JournalEntry.objects.filter(session=found, seq__lte=moment.seq).delete()
        OutputBatch.objects.filter(session=found, last__lte=output - OUTPUT_LIMIT).delete()
        TraceBatch.objects.filter(session=found, last__lte=trace).delete()
        Snapshot.objects.filter(session=found, journal_seq__lt=moment.seq).delete()
        keyframes.forget(found)
        ClusterSession.objects.filter(pk=found.pk).update(base_seq=moment.seq, base_at=moment.at)
    logger.info("session %s: %d rows were compacted, it begins at input %d now", session.pk, rows, moment.seq)
    return rows


def _usable(session: ClusterSession) -> Snapshot | None:
    """The newest snapshot that pays and is what it says."""
    snapshots = Snapshot.objects.filter(
        session=session, engine_version=engine.version(), journal_seq__gte=session.base_seq + LEAST_ROWS
    ).order_by("-journal_seq", "-at")
    for snapshot in snapshots:
        try:
            if engine.engine().restore(bytes(snapshot.blob)).digest() == snapshot.digest:
                return snapshot
        except BadInput as error:
            logger.warning("session %s: %s cannot be used: %s", session.pk, snapshot, error)
    return None


_STAGES: tuple[
    tuple[str, Callable[[datetime.datetime], QuerySet[ClusterSession]], Callable[[ClusterSession, Report, bool], None]], ...
] = (
    ("SLIPWAY_RETAIN_SNAPSHOTS", _with_snapshots, _drop_snapshots),
    ("SLIPWAY_RETAIN_LEFT", _left, _remove),
    ("SLIPWAY_RETAIN_JOURNALS", _long, _compact),
)
