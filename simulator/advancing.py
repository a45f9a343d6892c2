"""The worker's side: bring a cluster to the end of its journal and store what came of it.

`advance` is level-triggered: it reads where the session stands, does what is missing and stores it under the condition that
nobody else did (`ClusterSession.version`).  Calling it twice, late or in two processes changes nothing but the cost.

A journal row that is read is tried at most `MAX_ATTEMPTS` times.  The attempt is counted before it begins (`simulator.attempts`),
so that a row which kills its worker is counted too; after a failure rows are run and stored one by one, so that only the culprit
is set aside.  A row that rides along with its doorbell is run once before that, uncounted.  A row that runs on and on
(`SLIPWAY_INPUT_SECONDS`, `simulator.deadline`) is set aside at once: it would hold up its queue's other clusters each time.
"""

from __future__ import annotations

import contextlib
import logging
import time
import uuid
from typing import Any, cast

from billiard.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from . import attempts, deadline, doorbell, engine, frames, keyframes, measures, mishaps, statements, tracing, worlds
from .core.kernel.errors import BadInput, BudgetExceeded, SnapshotBusy
from .models import ClusterSession, JournalEntry
from .packing import without_nul
from .storing import Done, Lost, announce, store, store_snapshot
from .worlds import Frozen, Warm

logger = logging.getLogger(__name__)

#: How often a journal row may be begun before it is set aside.
MAX_ATTEMPTS = 3
#: Rows that are run between two transactions, and the real seconds after which a transaction is due anyway.
BATCH_ROWS = 16
BATCH_SECONDS = 0.05
#: Virtual time moved between two looks at the real clock, and the real seconds that one task spends on passing time.
SLICE = 60 * 1_000_000_000
TICK_SECONDS = 1.0
#: Passing of time that nobody could see is stored this often (real seconds), so that the clock does not fall far back.
STORE_SECONDS = 10.0
#: Real seconds for which a world in memory is taken for the right one without a look at its row.
TRUST_SECONDS = 10.0
#: Tries of one call, for a lost race or a world that broke.
TRIES = 5

_TRANSIENT = (DatabaseError, SoftTimeLimitExceeded, MemoryError)


class _RowFailed(Exception):
    """A journal row raised something; it has been counted and the world dropped."""


class _RowEndless(Exception):
    """A journal row ran longer than it may; its world is dropped."""

    def __init__(self, seq: int) -> None:
        super().__init__(f"input {seq} ran on and on")
        self.seq = seq


class _TimeEndless(Exception):
    """Time passing took longer than it may; the world is to be dropped."""


def run_inputs(session_id: uuid.UUID, carried: list[Any] | None = None) -> None:
    """Run the session to the end of its journal, taking the world in memory for the right one.

    That saves a look at the session's row for each command, and `carried` (the row that rang, see `JournalEntry.carried`) saves
    reading that one; if the world is not the right one or the row not there, nothing can be stored, and `advance` takes over.
    """
    warm = worlds.cache.get(session_id)
    if warm is None:
        advance(session_id)
        return
    try:
        if carried is not None and carried[0] == warm.applied_seq + 1:
            _run_carried(warm, JournalEntry.from_carried(session_id, carried))
        elif carried is None or carried[0] > warm.applied_seq:
            _run_journal(warm)
    except _TRANSIENT:
        worlds.cache.drop(session_id)
        raise
    except _RowEndless as row:
        worlds.cache.drop(session_id)
        advance(session_id, endless=row.seq)
    except Exception as error:
        logger.info("session %s: %r, once more from its rows", session_id, error)
        worlds.cache.drop(session_id)
        advance(session_id)


def pass_time(session_id: uuid.UUID, until: int, *, again: bool = False) -> None:
    """Let time pass in a cluster that somebody watches, taking the world in memory for the right one for some seconds.

    Of all tasks this is the most frequent, and mostly nobody sees what it does.  Inputs ring for themselves; should another worker
    have gone on with the cluster, nothing of this can be stored.  `again` says that the task was delivered once before: its worker may
    have died of it, so it is counted until it ends well.
    """
    if again and _time_failed(session_id):
        return
    if _pass_time(session_id, until) and again:
        attempts.clear(session_id, attempts.TIME)


def _pass_time(session_id: uuid.UUID, until: int) -> bool:
    """Did it end well?"""
    warm = worlds.cache.get(session_id)
    if warm is None or time.monotonic() - warm.checked > TRUST_SECONDS:
        return advance(session_id, until) is not None
    try:
        _run_time(warm, until)
    except _TRANSIENT:
        worlds.cache.drop(session_id)
        raise
    except _TimeEndless:
        _time_failed(session_id)
        return False
    except Exception as error:
        logger.info("session %s: %r, once more from its rows", session_id, error)
        worlds.cache.drop(session_id)
        return advance(session_id, until) is not None
    return True


def _time_failed(session_id: uuid.UUID) -> bool:
    """Passing time ran on and on, or may have taken its worker with it; after some times the cluster is frozen: was it now?

    Nobody else shall wait for it again and again.
    """
    worlds.cache.drop(session_id)
    count = attempts.begin(session_id, attempts.TIME)
    logger.warning("session %s: the passing of time did not end, attempt %d", session_id, count)
    if count > MAX_ATTEMPTS:
        _freeze(session_id, mishaps.note(mishaps.BROKE, error="time", now=engine.version()))
    return count > MAX_ATTEMPTS


def advance(session_id: uuid.UUID, until: int | None = None, *, endless: int | None = None) -> Warm | None:
    """Run the session to the end of its journal and, if given, on to virtual time `until`.

    `endless` is a row that was found to run without an end: it is set aside instead of being tried again.

    Returns the warm world, or None when there is nothing to run (unknown, archived or frozen session).
    """
    broken = ""
    for _try in range(TRIES):
        try:
            warm = _world(session_id)
            if warm is None:
                worlds.cache.drop(session_id)
                return None
            if endless is not None:
                _set_aside_endless(warm, endless)
                endless = None
            if warm.written_seq > warm.applied_seq:  # rows that are written from now on ring for themselves
                _run_journal(warm)
            if until is not None:
                _run_time(warm, until)
        except (Lost, _RowFailed) as error:
            if isinstance(error, Lost):
                measures.lost.inc()
            worlds.cache.drop(session_id)
        except _RowEndless as row:
            endless = row.seq
            worlds.cache.drop(session_id)
        except Frozen as difference:
            _freeze(session_id, difference.note)
            return None
        except _TRANSIENT:
            worlds.cache.drop(session_id)
            raise
        except _TimeEndless:
            _time_failed(session_id)
            return None
        except Exception as error:  # a defect of the simulator: never let it take the worker or the journal with it
            worlds.cache.drop(session_id)
            logger.exception("session %s broke", session_id)
            if broken:
                _freeze(session_id, mishaps.note(mishaps.BROKE, error=type(error).__name__, now=engine.version()))
                return None
            broken = repr(error)
        else:
            return warm
    logger.warning("session %s: gave up after %d tries, the next doorbell tries again", session_id, TRIES)
    return None


def _world(session_id: uuid.UUID) -> Warm | None:
    """The session's world as its rows describe it, from memory if that is still so; None when it takes nothing more."""
    found = statements.read(ClusterSession, ("version", "last_seq"), pk=session_id, archived_at=None, frozen_reason="")
    if found is None:
        return None
    warm = worlds.cache.get(session_id)
    if warm is not None and warm.version == found[0]:
        warm.checked, warm.written_seq = time.monotonic(), found[1]
        return warm
    worlds.cache.drop(session_id)
    session = ClusterSession.objects.get(pk=session_id)
    with measures.timed(measures.loads):
        warm = worlds.load(session)
    for gone in worlds.cache.put(warm):
        _leave(gone)
    if not session.booted or not session.terminals:  # new, or a branch that nobody has seen yet
        done = Done(first=True)
        store(warm, done, engine.version())
        announce(warm, done)
    return warm


def _leave(warm: Warm) -> None:
    """A world is let go: keep a snapshot if inputs came after the last one, so that coming back is cheap."""
    if warm.applied_seq > warm.snapshot_seq:
        store_snapshot(warm)


def _run_journal(warm: Warm) -> None:
    while True:
        later = JournalEntry.objects.filter(session_id=warm.session_id, seq__gt=warm.applied_seq)
        rows = list(later.order_by("seq")[:BATCH_ROWS])
        if not rows or (_run_rows(warm, rows) and len(rows) < BATCH_ROWS):
            return  # rows that were written meanwhile have rung for themselves


def _run_rows(warm: Warm, rows: list[JournalEntry]) -> bool:
    """Run and store rows; were these all of them?"""
    attempt = attempts.begin(warm.session_id, warm.applied_seq)
    if attempt > MAX_ATTEMPTS:
        raised = attempts.raised(warm.session_id, warm.applied_seq)
        _set_aside(warm, rows[0], mishaps.FAILED if raised else mishaps.KILLED)
        return False
    wanted = rows if attempt == 1 else rows[:1]  # somebody began here and did not end: one at a time
    done = Done()
    began = time.monotonic()
    for row in wanted:
        row.attempts = attempt
        try:
            _run_row(warm, row, done)
        except _TRANSIENT:
            raise
        except _RowEndless:
            raise
        except Exception as error:
            logger.exception("session %s: input %d (%s) failed, attempt %d", warm.session_id, row.seq, row.kind, attempt)
            attempts.note_raised(warm.session_id, warm.applied_seq)
            raise _RowFailed from error
        done.rows.append(row)
        if time.monotonic() - began > BATCH_SECONDS:
            break
    position = warm.applied_seq
    try:
        store(warm, done, engine.version())
    except (Lost, DatabaseError):
        attempts.undo(warm.session_id, position)
        raise
    announce(warm, done)
    _snapshot_if_due(warm)
    return len(done.rows) == len(rows)


def _run_carried(warm: Warm, row: JournalEntry) -> None:
    """Run and store the one row that rang.

    This happens once a row, so it is not counted before: if it kills the worker or raises, the row is tried again from the
    database, where attempts are counted.
    """
    row.attempts = 1
    done = Done(rows=[row])
    try:
        _run_row(warm, row, done)
    except (*_TRANSIENT, _RowEndless):
        raise
    except Exception:
        attempts.begin(warm.session_id, warm.applied_seq)
        attempts.note_raised(warm.session_id, warm.applied_seq)
        raise
    store(warm, done, engine.version())
    announce(warm, done)
    _snapshot_if_due(warm)


def _run_row(warm: Warm, row: JournalEntry, done: Done) -> None:
    row.applied_at = max(row.at, warm.sandbox.now)
    began = time.thread_time()
    with contextlib.suppress(BudgetExceeded):  # the row meets it again and is refused
        warm.sandbox.advance(row.applied_at)
    row.output_before, row.trace_before = done.take(warm)  # what came before is not this row's
    try:
        with (
            tracing.span("simulator.apply", row.client_id, cluster=str(warm.session_id), kind=row.kind, seq=row.seq),
            deadline.within(settings.SLIPWAY_INPUT_SECONDS),
        ):
            row.refusal = worlds.take_effect(warm.sandbox, row.kind, row.data, row.applied_at)[:300]
    except deadline.TooLong:
        logger.error("session %s: input %d (%s) ran on and on", warm.session_id, row.seq, row.kind)
        raise _RowEndless(row.seq) from None
    warm.spent += time.thread_time() - began
    if row.kind == "http" or (row.kind == "stream" and row.data.get("open")):
        done.answers[str(row.client_id)] = (
            {"error": "refused-row", "message": row.refusal} if row.refusal else warm.sandbox.answer
        )


def _set_aside_endless(warm: Warm, seq: int) -> None:
    """Set a row aside that ran too long, in the world as it was before it; rows before it that were not stored yet are run first."""
    while warm.applied_seq < seq - 1:
        before = warm.applied_seq
        rows = JournalEntry.objects.filter(session_id=warm.session_id, seq__gt=before, seq__lt=seq)
        _run_rows(warm, list(rows.order_by("seq")[:BATCH_ROWS]))
    if warm.applied_seq == seq - 1:
        _set_aside(warm, JournalEntry.objects.get(session_id=warm.session_id, seq=seq), mishaps.ENDLESS)


def _set_aside(warm: Warm, row: JournalEntry, why: str = mishaps.FAILED) -> None:
    """A poison input: the journal goes on without it, and the learner is told."""
    row.attempts = MAX_ATTEMPTS
    row.quarantined = mishaps.note(why)
    measures.set_aside.labels(why).inc()
    row.applied_at = max(row.at, warm.sandbox.now)
    done = Done(rows=[row])
    if row.kind in frames.OUTSIDE:
        done.answers[str(row.client_id)] = {"error": "quarantined", "message": row.quarantined}
    store(warm, done, engine.version())
    announce(warm, done)


def _run_time(warm: Warm, until: int) -> None:
    """Let time pass; stop early when it takes long, whoever watches asks again."""
    sandbox = warm.sandbox
    began, used = time.monotonic(), time.thread_time()
    while sandbox.now < until and time.monotonic() - began < TICK_SECONDS:
        try:
            with deadline.within(settings.SLIPWAY_INPUT_SECONDS):
                sandbox.advance(min(until, sandbox.now + SLICE))
        except BudgetExceeded as error:
            logger.warning("session %s: %s", warm.session_id, error)
            break
        except deadline.TooLong:
            raise _TimeEndless from None
    warm.spent += time.thread_time() - used
    done = Done()
    done.collect(warm)
    if done.visible or time.monotonic() - warm.stored_wall > STORE_SECONDS:
        store(warm, done, engine.version())
    announce(warm, done)
    _snapshot_if_due(warm)


#: A snapshot is due after so many inputs, or after so much virtual time (replaying an idle hour takes about a second).
SNAPSHOT_ROWS = 20
SNAPSHOT_NS = 600 * 1_000_000_000


def _snapshot_if_due(warm: Warm) -> None:
    if warm.applied_seq - warm.snapshot_seq >= SNAPSHOT_ROWS or warm.sandbox.now - warm.snapshot_at >= SNAPSHOT_NS:
        store_snapshot(warm)
    if keyframes.due(warm):
        keyframes.store(warm)


def rest(session_id: uuid.UUID) -> None:
    """Nobody watches any more: store where the clock stands, and a snapshot if there is something new in it."""
    warm = advance(session_id)
    if warm is None:
        return
    if warm.sandbox.now > warm.stored_at:
        done = Done()
        done.collect(warm)
        try:
            store(warm, done, engine.version())
        except Lost:
            worlds.cache.drop(session_id)
            return
    _leave(warm)


def _freeze(session_id: uuid.UUID, reason: str) -> None:
    logger.error("session %s is frozen: %s", session_id, reason)
    measures.frozen.labels(mishaps.read(reason)[0] or "other").inc()
    ClusterSession.objects.filter(pk=session_id, frozen_reason="").update(frozen_reason=reason[:300], touched_at=timezone.now())
    worlds.cache.drop(session_id)
    doorbell.ring(session_id, {"type": "cluster.ended", "reason": "frozen", "why": reason})


# -- questions about a world, which change nothing -------------------------------------------------------------------------


def complete(session_id: uuid.UUID, terminal: str, line: str, cursor: int) -> dict[str, Any]:
    """Completions, as the `completion` frame carries them (without `t` and `id`)."""
    warm = advance(session_id)
    if warm is None:
        return {"start": cursor, "end": cursor, "items": []}
    try:
        found = warm.sandbox.complete(terminal, line, cursor)
    except BadInput:
        return {"start": cursor, "end": cursor, "items": []}
    except Exception:  # a defect must not cost more than these completions
        logger.exception("session %s: no completions of %r", session_id, line)
        return {"start": cursor, "end": cursor, "items": []}
    return {"start": found.start, "end": found.end, "items": [{"text": item, "hint": ""} for item in found.items]}


def lens(session_id: uuid.UUID, name: str, about: str) -> dict[str, Any]:
    """What a lens shows, as the `lens` frame carries it; `error` when there is nothing to look at.

    The world in memory is shown as it stands: inputs ring for themselves, and whoever looks asks again.
    """
    warm = worlds.cache.get(session_id) or advance(session_id)
    return {"error": "unavailable"} if warm is None else _through(warm.sandbox, name, about)


def _through(sandbox: Any, name: str, about: str) -> dict[str, Any]:
    """The data of a lens, or an error in its place: a defect must not cost more than this look."""
    try:
        return {"data": without_nul(sandbox.lens(name, about))}
    except BadInput as error:
        return {"error": "bad-lens", "message": str(error)}
    except Exception:
        logger.exception("lens %s shows nothing", name)
        return {"error": "failed"}


def question(session_id: uuid.UUID, name: str, asked: dict[str, Any]) -> dict[str, Any]:
    """What an editor of the page asks: `file` (after all that was typed) or `outline`; `error` when there is no answer."""
    warm = advance(session_id)
    if warm is None:
        return {"error": "unavailable"}
    try:
        if name == "file":
            return {"data": warm.sandbox.file(asked["terminal"], asked["path"], taken=asked["taken"])}
        return {"data": warm.sandbox.outline(asked["api"], asked["kind"], asked["about"])}
    except BadInput as error:
        return {"error": "bad-question", "message": str(error)}
    except Exception:  # a defect must not cost more than this answer
        logger.exception("session %s: no answer to %s", session_id, name)
        return {"error": "failed"}


def settle(session_id: uuid.UUID) -> dict[str, Any]:
    """Run the session to the end of its journal and say where that is."""
    warm = advance(session_id)
    return {"applied": warm.applied_seq} if warm is not None else {"error": "unavailable"}


def look(session_id: uuid.UUID, seq: int, at: int, lens: str = "", about: str = "") -> dict[str, Any]:
    """What the map showed with `seq` rows applied at virtual time `at` (`simulator.history`), and what a lens did if one is named.

    The answer's `at` is later when the last of the rows took until then: a typed command and its first answer are one step.
    """
    session = ClusterSession.objects.filter(pk=session_id).first()
    if session is None:
        return {"error": "unavailable"}
    try:
        sandbox = worlds.past(session, seq, at)
    except Frozen as difference:
        return {"error": "frozen", "message": mishaps.frozen(difference.note)}
    shown = {"lens": _through(sandbox, lens, about).get("data")} if lens else {}
    return {"seq": seq, "at": sandbox.now, "view": without_nul(sandbox.view()), "digest": sandbox.digest(), **shown}


def ask(session_id: uuid.UUID, call: dict[str, Any], until: int) -> dict[str, Any]:
    """Send a reading request of a learner's own tool into a copy of the world, at virtual time `until` or later."""
    warm = advance(session_id, until)
    if warm is None:
        return {"error": "unavailable"}
    try:
        return {**warm.sandbox.fork().ask(call), "now": warm.sandbox.now}
    except BadInput as error:
        return {"error": "refused-row", "message": str(error)}
    except SnapshotBusy:
        return {"error": "busy"}


def evaluate(session_id: uuid.UUID, program: dict[str, Any]) -> dict[str, Any]:
    """Run an exercise's checks on a copy of the world at the end of the journal (docs/protocol.md)."""
    from .core.lab import checks

    warm = advance(session_id)
    if warm is None:
        return {"error": "unavailable"}
    sandbox = warm.sandbox.fork()
    evidence = {
        "session": str(session_id),
        "journal_seq": warm.applied_seq,
        "now": warm.sandbox.now,
        "digest": warm.sandbox.digest(),
        "engine": engine.version(),
    }
    verdict = dict(checks.evaluate(cast(Any, sandbox), program))
    verdict["evidence"] = evidence
    return verdict
