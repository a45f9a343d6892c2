"""Storing what an advance came to, in one transaction, and telling whoever watches."""

from __future__ import annotations

import contextlib
import logging
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import msgspec
import orjson
import redis
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from . import doorbell, engine, mailbox, statements
from .models import ClusterSession, ClusterView, JournalEntry, OutputBatch, Snapshot, TraceBatch
from .packing import clean, pack, without_nul
from .worlds import Warm

logger = logging.getLogger(__name__)

#: Output and trace up to this size (characters) ride along with the doorbell; more is read from the database.
INLINE_LIMIT = 24_000
#: Actions of trace events that change nothing but counters: a line was typed, something was asked for and read.
LOOKING = frozenset({"line", "request", "read", "range"})
#: Trace events kept for the page (the trace can be computed again).
TRACE_KEPT = 4_000


class Lost(Exception):
    """Another worker stored results first: what this one computed is void."""


@dataclass(slots=True)
class Done:
    """What one advance came to."""

    rows: list[JournalEntry] = field(default_factory=list)
    chunks: list[list[Any]] = field(default_factory=list)
    events: list[list[Any]] = field(default_factory=list)
    terminals: dict[str, Any] | None = None
    #: Answers to rows of kind `http`, by the row's client id.
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: What the sessions of outside clients have said: (id, where it begins, items).
    said: list[tuple[str, int, list[Any]]] = field(default_factory=list)
    #: The map's picture, when it is another than before.
    view: dict[str, Any] | None = None
    first: bool = False
    cursor_before: int = 0
    trace_before: int = 0

    def take(self, warm: Warm) -> tuple[int, int]:
        """Take what the world has produced since the last time; returns the output and trace cursors after it."""
        sandbox = warm.sandbox
        self.cursor_before, self.trace_before = warm.output_cursor, warm.trace_cursor
        output = self.chunks[-1][0] if self.chunks else warm.output_cursor
        self.chunks += [
            [output + number, chunk.at, chunk.terminal, chunk.fd, clean(chunk.data)]
            for number, chunk in enumerate((chunk for chunk in sandbox.drain() if chunk.data), 1)
        ]
        self.events += [
            [event.seq, event.at, event.actor, event.action, clean(event.ref), event.cause, clean(event.detail)]
            for event in sandbox.drain_trace()
            if event.seq > warm.trace_cursor
        ]
        self.said += [
            (ident, start, [[item.what, item.number, item.data] for item in items])
            for ident, start, items in sandbox.drain_streams()
        ]
        return (self.chunks[-1][0] if self.chunks else output, self.events[-1][0] if self.events else warm.trace_cursor)

    def collect(self, warm: Warm) -> None:
        """Take all that is new, and how the terminals stand if that has changed."""
        self.take(warm)
        sandbox = warm.sandbox
        terminals = without_nul({name: msgspec.to_builtins(view) for name, view in sorted(sandbox.terminals().items())})
        if terminals != warm.terminals:
            self.terminals = terminals

    @property
    def visible(self) -> bool:
        """Is there anything that a watcher could see?"""
        return bool(self.rows or self.chunks or self.events or self.terminals is not None or self.first)

    @property
    def lively(self) -> bool:
        """Did more happen than that somebody was answered?  Then the next change that can be seen may be near."""
        return bool(
            self.view is not None
            or self.first
            or (not self.rows and (self.chunks or self.terminals is not None))
            or any(event[3] not in LOOKING for event in self.events)
        )


def store(warm: Warm, done: Done, engine_version: str) -> None:
    """Write an advance's results; raises `Lost` when the session is not what it was when this world was loaded."""
    done.collect(warm)
    sandbox = warm.sandbox
    values: dict[str, Any] = {
        "version": warm.version + 1,
        "booted": True,
        "engine_version": engine_version,
        "advanced_to": sandbox.now,
        "next_due": sandbox.next_due(),
    }
    applied = done.rows[-1].seq if done.rows else warm.applied_seq
    output = done.chunks[-1][0] if done.chunks else warm.output_cursor
    trace = done.events[-1][0] if done.events else warm.trace_cursor
    if done.first:
        values["epoch"] = sandbox.world.epoch
    if done.rows:
        values |= {"applied_seq": applied, "digest": sandbox.digest(), "digest_seq": applied, "digest_at": sandbox.now}
        values["touched_at"] = timezone.now()
    if done.terminals is not None:
        values["terminals"] = done.terminals
    values |= {"output_cursor": output, "trace_cursor": trace}
    done.view = _picture(warm, done)
    try:
        statements.together(
            statements.Update(ClusterSession, values, _condition(warm)),
            [*_marks(warm, done), *_results(warm, done, output, trace)],
        )
    except (IntegrityError, statements.NotThere) as error:  # also: no effect without its row, wherever the row was read
        raise Lost from error
    warm.version += 1
    warm.applied_seq, warm.output_cursor, warm.trace_cursor = applied, output, trace
    warm.stored_at = sandbox.now
    warm.stored_wall = warm.checked = time.monotonic()
    if done.terminals is not None:
        warm.terminals = done.terminals
    if done.view is not None:
        warm.view, warm.view_version = done.view, warm.view_version + 1


def _marks(warm: Warm, done: Done) -> list[statements.Update]:
    names = ("applied_at", "output_before", "trace_before", "attempts", "refusal", "quarantined")
    return [
        statements.Update(
            JournalEntry, {name: getattr(row, name) for name in names}, {"session_id": warm.session_id, "seq": row.seq}
        )
        for row in done.rows
    ]


def _results(warm: Warm, done: Done, output: int, trace: int) -> list[statements.Insert]:
    results = []
    if done.chunks:
        values = {"session_id": warm.session_id, "first": warm.output_cursor + 1, "last": output, "chunks": pack(done.chunks)}
        results.append(statements.Insert(OutputBatch, values))
    if done.events:
        values = {"session_id": warm.session_id, "first": done.events[0][0], "last": trace, "events": pack(done.events)}
        results.append(statements.Insert(TraceBatch, values))
    if done.view is not None:
        values = {"session_id": warm.session_id, "version": warm.view_version + 1, "data": done.view}
        results.append(statements.Insert(ClusterView, values, key=("session_id",)))
    return results


def _picture(warm: Warm, done: Done) -> dict[str, Any] | None:
    """The map's picture if it has changed.  Where somebody only looked, etcd's revision, which goes on by itself, is no change."""
    if not (done.events or done.rows or done.first):
        return None
    try:
        view: dict[str, Any] = without_nul(warm.sandbox.view())
    except Exception:  # a defect must not cost more than this picture
        logger.exception("session %s: no picture for the map", warm.session_id)
        return None
    if view == warm.view:
        return None
    looked = warm.view is not None and not done.first and all(event[3] in LOOKING for event in done.events)
    return None if looked and _still(view) == _still(warm.view or {}) else view


def _still(view: dict[str, Any]) -> dict[str, Any]:
    """A picture without the counters that go on by themselves (leases are written every few seconds)."""
    return {**view, "rv": 0, "etcd": {**(view.get("etcd") or {}), "revision": 0}}


def _mine(warm: Warm) -> QuerySet[ClusterSession]:
    """The session, if it still is what this world was computed from, and takes results."""
    return ClusterSession.objects.filter(**_condition(warm))


def _condition(warm: Warm) -> dict[str, Any]:
    return {"pk": warm.session_id, "version": warm.version, "archived_at": None, "frozen_reason": ""}


def _inline(items: list[list[Any]]) -> list[list[Any]] | None:
    """Items if they are small enough to ride along."""
    size = 0
    for item in items:
        size += 64 + sum(len(part) for part in item if isinstance(part, str))
        if size > INLINE_LIMIT:
            return None
    return items


def _small(view: dict[str, Any]) -> dict[str, Any] | None:
    """A picture if it is small enough to ride along."""
    return view if len(orjson.dumps(view)) <= INLINE_LIMIT else None


def announce(warm: Warm, done: Done) -> None:
    """Ring for an advance that was stored (or that changed nothing but the time)."""
    message: dict[str, Any] = {
        "type": "cluster.advanced",
        "version": warm.version,
        "now": warm.sandbox.now,
        "next": warm.sandbox.next_due(),
        "applied": warm.applied_seq,
        "visible": done.visible,
        "lively": done.lively or not warm.sandbox.can_snapshot(),
        "view": None if done.view is None else [warm.view_version, _small(done.view)],
        "terminals": warm.terminals,
        "out": [done.cursor_before, warm.output_cursor, _inline(done.chunks)],
        "trace": [done.trace_before, warm.trace_cursor, _inline(done.events)],
        "errors": [
            [str(row.client_id), "failed" if row.quarantined else "bad-input", row.quarantined or row.refusal]
            for row in done.rows
            if row.quarantined or row.refusal
        ],
    }
    doorbell.ring(warm.session_id, message)
    _tell_streams(warm, done)
    for client_id, answer in done.answers.items():
        with contextlib.suppress(redis.RedisError):  # whoever waits is told after a while; what was done is stored
            mailbox.put(mailbox.key_of(client_id), answer)


def _tell_streams(warm: Warm, done: Done) -> None:
    """Pass on what the sessions of outside clients said, and tell those that did something that it was done."""
    said = list(done.said)
    heard = {ident for ident, _start, _items in said}
    said += [
        (ident, -1, [])
        for ident in dict.fromkeys(str(row.data.get("id")) for row in done.rows if row.kind == "stream")
        if ident not in heard
    ]
    for ident, start, items in said:
        message = {"type": "stream.said", "from": start, "items": items, "seq": warm.applied_seq}
        doorbell.ring_group(doorbell.stream(ident), message)


def store_snapshot(warm: Warm) -> bool:
    """Keep the world as it is now, unless a program waits in it; False when it was not possible.

    The world must be drained and stored: whoever restores it takes it for what the session's rows say.
    """
    sandbox = warm.sandbox
    if not sandbox.can_snapshot():
        return False
    blob = sandbox.snapshot()
    with transaction.atomic():
        if not _mine(warm).update(advanced_to=sandbox.now):
            return False
        snapshot, created = Snapshot.objects.get_or_create(
            session_id=warm.session_id,
            journal_seq=warm.applied_seq,
            at=sandbox.now,
            defaults={"engine_version": engine.version(), "digest": sandbox.digest(), "blob": blob},
        )
        if not created and snapshot.engine_version != engine.version():
            Snapshot.objects.filter(pk=snapshot.pk).update(engine_version=engine.version(), digest=sandbox.digest(), blob=blob)
        _thin_out(warm.session_id)
        TraceBatch.objects.filter(session_id=warm.session_id, last__lt=warm.trace_cursor - TRACE_KEPT).delete()
    warm.snapshot_seq, warm.snapshot_at, warm.stored_at = warm.applied_seq, sandbox.now, sandbox.now
    return True


#: Snapshots kept of each session (100 to 200 KB each): the newest, and others on the way for looking back.
SNAPSHOTS_KEPT = 6


def _thin_out(session_id: uuid.UUID) -> None:
    """Throw away the snapshot that leaves the smallest gap, until few are left; the newest always stays, and where retention has removed
    the rows before it, the first.

    A gap costs whoever looks back to its end the replay of its rows (about a millisecond each) and of its virtual time (about a
    second an idle hour, so ten seconds weigh as much as a few rows).
    """
    rows = list(
        Snapshot.objects.filter(session_id=session_id).order_by("journal_seq", "at").values_list("pk", "journal_seq", "at")
    )
    costs = [(pk, seq + at / _AT_A_ROW) for pk, seq, at in rows]
    gone = []
    first = int(ClusterSession.objects.filter(pk=session_id, base_seq__gt=0).exists())
    while len(costs) > SNAPSHOTS_KEPT:
        befores = [0.0, *(cost for _pk, cost in costs)]
        index = min(range(first, len(costs) - 1), key=lambda n: costs[n + 1][1] - befores[n])
        gone.append(costs.pop(index)[0])
    if gone:
        Snapshot.objects.filter(pk__in=gone).delete()


#: Virtual nanoseconds whose replay costs about as much as that of a row.
_AT_A_ROW = 4_000_000_000
