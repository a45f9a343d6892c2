"""Worlds in a worker's memory: loading one from its rows, and keeping the ones used last.

A world is rebuilt as newest usable snapshot + the journal rows that took effect after it, each at the virtual time at which
it did, + the time that had passed.  What it prints on the way has been stored before and is thrown away.  Correctness never
depends on this cache: `services.advance` stores results only while the session's `version` is the one seen here.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from . import engine, keyframes, measures, mishaps, shelf
from .core.kernel.errors import BadInput, BudgetExceeded, NotSimulated
from .engine import Engine
from .models import ClusterSession, JournalEntry, Snapshot
from .packing import without_nul

logger = logging.getLogger(__name__)


class Frozen(Exception):
    """The session does not replay alike; `note` says what differs (`simulator.mishaps`)."""

    def __init__(self, note: str) -> None:
        super().__init__(note)
        self.note = note


@dataclass(slots=True)
class Warm:
    """A world and the rows it stands for."""

    session_id: uuid.UUID
    sandbox: Engine
    version: int
    applied_seq: int
    output_cursor: int
    trace_cursor: int
    #: Journal row and virtual time of the newest snapshot, to know when the next is due.
    snapshot_seq: int = 0
    snapshot_at: int = 0
    #: The same of the newest keyframe.
    keyframe_seq: int = 0
    keyframe_at: int = 0
    #: Seconds of CPU spent on the world since then.
    spent: float = 0.0
    #: What was stored last, so that unchanged things are not stored again.
    terminals: dict[str, Any] = field(default_factory=dict)
    view: dict[str, Any] | None = None
    view_version: int = 0
    stored_at: int = 0
    stored_wall: float = 0.0
    #: When the session's row was last seen to agree (real seconds, monotonic), and the newest input that was there when it was read.
    checked: float = field(default_factory=time.monotonic)
    written_seq: int = 0


class WorldCache:
    """The worlds used last, at most `limit`; `on_evict` gets the one that goes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._worlds: OrderedDict[uuid.UUID, Warm] = OrderedDict()

    def __len__(self) -> int:
        return len(self._worlds)

    def get(self, session_id: uuid.UUID) -> Warm | None:
        """The world, now the most recently used, or None."""
        warm = self._worlds.get(session_id)
        if warm is not None:
            self._worlds.move_to_end(session_id)
        return warm

    def put(self, warm: Warm) -> list[Warm]:
        """Keep a world; returns those that had to go for it."""
        self._worlds[warm.session_id] = warm
        self._worlds.move_to_end(warm.session_id)
        gone = []
        while len(self._worlds) > self.limit:
            gone.append(self._worlds.popitem(last=False)[1])
        measures.worlds.set(len(self._worlds))
        return gone

    def drop(self, session_id: uuid.UUID) -> None:
        """Forget a world."""
        self._worlds.pop(session_id, None)
        measures.worlds.set(len(self._worlds))

    def clear(self) -> None:
        """Forget all."""
        self._worlds.clear()


#: This process's worlds.
cache = WorldCache(settings.SLIPWAY_WARM_WORLDS)


def take_effect(sandbox: Engine, kind: str, data: dict[str, Any], at: int) -> str:
    """Apply one journal row; returns the message of an input that the world refused ("" when it was taken).

    A refusal is part of the history like any effect: the row counts as applied, and a replay is refused alike.
    """
    try:
        sandbox.apply(kind, data, at)
    except (BadInput, BudgetExceeded, NotSimulated) as refusal:
        return str(without_nul(str(refusal) or type(refusal).__name__))
    return ""


def _from_snapshot(session: ClusterSession, seq: int, at: int) -> tuple[Engine, Snapshot | None]:
    """The world of the newest usable snapshot up to a row and a time, else a new one; what cannot be read is removed.

    Raises `Frozen` where a new one cannot stand for the rows that retention has removed.
    """
    snapshots = Snapshot.objects.filter(
        session=session, engine_version=engine.version(), journal_seq__range=(session.base_seq, seq), at__lte=at
    ).order_by("-journal_seq", "-at")
    for snapshot in snapshots:
        try:
            return engine.engine().restore(bytes(snapshot.blob)), snapshot
        except BadInput as error:
            logger.warning("session %s: %s cannot be used (%s), falling back", session.pk, snapshot, error)
            snapshot.delete()
    if session.base_seq:
        raise Frozen(mishaps.note(mishaps.COMPACTED, input=session.base_seq, now=engine.version()))
    return shelf.boot(session.scenario, session.seed), None


def load(session: ClusterSession) -> Warm:
    """The world that a session's rows describe; raises `Frozen` when a replay differs."""
    sandbox, snapshot = _from_snapshot(session, session.applied_seq, session.advanced_to)
    done = snapshot.journal_seq if snapshot else 0
    _replay(session, sandbox, done, session.applied_seq)
    if session.advanced_to > sandbox.now:
        sandbox.advance(session.advanced_to)
    if session.booted:
        sandbox.drain()
        sandbox.drain_trace()
        sandbox.drain_streams()
    view = getattr(session, "view", None) if session.booted else None
    return Warm(
        session_id=session.pk,
        sandbox=sandbox,
        version=session.version,
        applied_seq=session.applied_seq,
        output_cursor=session.output_cursor,
        trace_cursor=session.trace_cursor,
        snapshot_seq=done,
        snapshot_at=snapshot.at if snapshot else 0,
        keyframe_seq=session.applied_seq,
        keyframe_at=session.advanced_to,
        terminals=session.terminals,
        view=view.data if view else None,
        view_version=view.version if view else 0,
        stored_at=session.advanced_to,
        written_seq=session.last_seq,
    )


def past(session: ClusterSession, seq: int, at: int) -> Engine:
    """The world as it was with `seq` rows applied, at virtual time `at`; the session's own is not touched."""
    sandbox, done = _near(session, seq, at)
    _replay(session, sandbox, done, seq)
    if at > sandbox.now:
        sandbox.advance(at)
    return sandbox


def _near(session: ClusterSession, seq: int, at: int) -> tuple[Engine, int]:
    """The world of the nearest moment before, and the rows applied in it."""
    keyframe = keyframes.nearest(session, seq, at)
    newer = (
        keyframe
        and not Snapshot.objects.filter(
            session=session,
            engine_version=engine.version(),
            journal_seq__range=(keyframe.journal_seq, seq),
            at__range=(keyframe.at, at),
        ).exists()
    )
    if keyframe and newer:
        try:
            return engine.engine().restore(keyframes.image(keyframe)), keyframe.journal_seq
        except BadInput as error:
            logger.warning("session %s: %s cannot be used (%s), falling back", session.pk, keyframe, error)
            keyframe.delete()
    sandbox, snapshot = _from_snapshot(session, seq, at)
    return sandbox, snapshot.journal_seq if snapshot else 0


def forget_snapshots(session: ClusterSession, *, newest: bool = False) -> int:
    """Throw away a session's snapshots and keyframes, which are a cache, but for the snapshot that its journal begins with and, if wanted,
    the `newest`; returns how many snapshots went."""
    keyframes.forget(session)
    rows = Snapshot.objects.filter(session=session)
    kept = list(rows.values_list("pk", flat=True)[:1]) if newest else []
    if session.base_seq:
        kept += rows.filter(journal_seq=session.base_seq, at=session.base_at).values_list("pk", flat=True)
    return rows.exclude(pk__in=kept).delete()[0]


def _replay(session: ClusterSession, sandbox: Engine, after: int, upto: int) -> None:
    """Apply the rows after one up to another, each at the time at which it took effect; what they print was stored before."""
    rows = JournalEntry.objects.filter(session=session, seq__gt=after, seq__lte=upto).order_by("seq")
    for row in rows.iterator(chunk_size=500):
        if row.quarantined:
            continue
        assert row.applied_at is not None, "a row counted as applied has its time"
        take_effect(sandbox, row.kind, row.data, row.applied_at)
        if row.seq == session.digest_seq:
            _compare(session, sandbox)
        sandbox.drain()
        sandbox.drain_trace()
        sandbox.drain_streams()


def _compare(session: ClusterSession, sandbox: Engine) -> None:
    """A replay has come to where the last digest was taken: it must be the same, or the session is frozen.

    After an upgrade of the simulator this is where a changed behaviour shows.
    """
    if session.digest_at > sandbox.now:
        sandbox.advance(session.digest_at)
    if session.digest and sandbox.digest() != session.digest:
        raise Frozen(mishaps.note(mishaps.CHANGED, played=session.engine_version, now=engine.version(), input=session.digest_seq))
