"""A cluster's past: looking at it, undoing the last input, going on from an earlier moment, and coming back.

Nothing here changes a journal.  Going back makes a **branch**: a session of its own whose journal is the old one's beginning, in the
same slot; the old one is archived and can be taken up again.
"""

from __future__ import annotations

import functools
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from . import doorbell, keyframes, services, worlds
from .models import ClusterSession, JournalEntry, OutputBatch, Snapshot, TraceBatch
from .packing import pack, unpack

#: Kinds of input that are worth a mark in the past; sizes of terminals are not.
MEANT = ("line", "key", "fault", "skip", "open", "close", "save")
#: Terminals that exercises type their set-up into (`lessons.labs.services`): that is not the learner's to undo.
SET_UP = "setup"
#: Moments shown of a past, the latest; and earlier branches offered.
MOMENTS = 400
BRANCHES = 20


class NoPast(ValueError):
    """There is nothing to go back to; the message says so to the learner."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A position in a journal: with `seq` rows applied, at virtual time `at` (nanoseconds since boot)."""

    seq: int
    at: int


def moment_at(session: ClusterSession, at: int) -> Moment:
    """The state at a virtual time: every row that had taken effect by then; not before what retention has left."""
    at = max(session.base_at, min(at, session.advanced_to))
    rows = JournalEntry.objects.filter(session=session, seq__lte=session.applied_seq, applied_at__lte=at)
    return Moment(rows.order_by("-seq").values_list("seq", flat=True).first() or session.base_seq, at)


def moment_before(session: ClusterSession, seq: int) -> Moment:
    """The state just before an input took effect; raises `NoPast` when there is no such input."""
    at = (
        JournalEntry.objects.filter(session=session, seq=seq, seq__lte=session.applied_seq)
        .values_list("applied_at", flat=True)
        .first()
    )
    if at is None:
        raise NoPast(_("There is no such input."))
    return Moment(seq - 1, at)


def before_last(session: ClusterSession) -> Moment:
    """The state just before the last input that meant something took effect; raises `NoPast`."""
    if session.pending:  # what was typed a moment ago is what is meant
        services.settle(session)
        session.refresh_from_db()
    rows = JournalEntry.objects.filter(session=session, seq__lte=session.applied_seq, kind__in=MEANT, quarantined="")
    for seq, at, data in rows.order_by("-seq").values_list("seq", "applied_at", "data"):
        if data.get("terminal") == SET_UP:
            break
        return Moment(seq - 1, at or 0)
    raise NoPast(_("There is nothing to undo."))


def moments(session: ClusterSession) -> list[dict[str, Any]]:
    """What happened when: `{seq, at, kind, text}` of the inputs that meant something, oldest first."""
    rows = JournalEntry.objects.filter(session=session, seq__lte=session.applied_seq, kind__in=MEANT, quarantined="")
    found = [
        {"seq": seq, "at": at, "kind": kind, "text": _text(kind, data)}
        for seq, at, kind, data in rows.order_by("-seq").values_list("seq", "applied_at", "kind", "data")[:MOMENTS]
        if data.get("terminal") != SET_UP
    ]
    return found[::-1]


def _text(kind: str, data: dict[str, Any]) -> str:
    match kind:
        case "line":
            return str(data.get("text", ""))
        case "key":
            return str(data.get("key", ""))
        case "save":
            return str(data.get("path", ""))
        case "fault":
            return " ".join([str(data.get("name", "")), *map(str, data.get("args", []))])
        case "skip":
            return "→ Raft" if data.get("to") == "raft" else f"{int(data.get('ns', 0)) / 1e9:g} s"
    return str(data.get("host") or data.get("terminal") or "")


def branch(session: ClusterSession, moment: Moment) -> ClusterSession:
    """Go on from an earlier moment in a session of its own, which takes the old one's place; the old one is archived.

    The moment must be one at which the world can stand: `services.look` says when that is.
    """
    with transaction.atomic():
        session = ClusterSession.objects.select_for_update().get(pk=session.pk)
        if session.archived_at is not None:
            raise NoPast(_("This cluster was reset; there is a newer one."))
        if not session.booted or moment.seq > session.applied_seq or moment.at > session.advanced_to:
            raise NoPast(_("That moment has not come yet."))
        ClusterSession.objects.filter(pk=session.pk).update(archived_at=timezone.now())
        copy = ClusterSession.objects.create(
            owner_id=session.owner_id,
            scenario=session.scenario,
            slot=session.slot,
            seed=session.seed,
            engine_version=session.engine_version,
            speed=session.speed,
            forked_from=session,
            booted=True,
            last_seq=moment.seq,
            applied_seq=moment.seq,
            advanced_to=moment.at,
            epoch=session.epoch,
            base_seq=session.base_seq,
            base_at=session.base_at,
            **_check(session, moment),
        )
        _copy_beginning(session, copy, moment)
        keyframes.hand_over(session, copy, moment.seq, moment.at)
        worlds.forget_snapshots(session, newest=True)  # enough to be taken up again
        transaction.on_commit(functools.partial(services.schedule, copy.pk))
        transaction.on_commit(functools.partial(doorbell.ring, session.pk, {"type": "cluster.ended", "reason": "archived"}))
    return copy


def _check(session: ClusterSession, moment: Moment) -> dict[str, Any]:
    """The digest to compare a replay with, if it was taken in what is kept."""
    if session.digest and session.digest_seq <= moment.seq and session.digest_at <= moment.at:
        return {"digest": session.digest, "digest_seq": session.digest_seq, "digest_at": session.digest_at}
    return {}


def _copy_beginning(source: ClusterSession, target: ClusterSession, moment: Moment) -> None:
    for row in JournalEntry.objects.filter(session=source, seq__lte=moment.seq).iterator(chunk_size=500):
        row.pk, row.session, row._state.adding = None, target, True
        row.save(force_insert=True)
    output, trace = marks(source, moment)
    chunks = [
        chunk
        for blob in OutputBatch.objects.filter(session=source).order_by("first").values_list("chunks", flat=True)
        for chunk in unpack(blob)
        if chunk[1] <= moment.at and chunk[0] <= output
    ]
    if chunks:
        target.output_cursor = chunks[-1][0]
        OutputBatch.objects.create(session=target, first=chunks[0][0], last=chunks[-1][0], chunks=pack(chunks))
    events = [
        event
        for blob in TraceBatch.objects.filter(session=source).order_by("first").values_list("events", flat=True)
        for event in unpack(blob)
        if event[1] <= moment.at and event[0] <= trace
    ]
    if events:
        target.trace_cursor = events[-1][0]
        TraceBatch.objects.create(session=target, first=events[0][0], last=events[-1][0], events=pack(events))
    for snapshot in Snapshot.objects.filter(session=source, journal_seq__lte=moment.seq, at__lte=moment.at):
        snapshot.pk, snapshot.session, snapshot._state.adding = None, target, True
        snapshot.save(force_insert=True)
    target.save(update_fields=["output_cursor", "trace_cursor"])


def marks(session: ClusterSession, moment: Moment) -> tuple[int, int]:
    """The output and trace cursors that a moment cannot be past: those at which the next row took effect."""
    following = JournalEntry.objects.filter(session=session, seq=moment.seq + 1).values_list("output_before", "trace_before")
    output, trace = following.first() or (None, None)
    return session.output_cursor if output is None else output, session.trace_cursor if trace is None else trace


def branches(session: ClusterSession) -> list[dict[str, Any]]:
    """Archived sessions of the same slot that can be taken up again, the latest first: `{id, left, at, inputs, last}`."""
    others = ClusterSession.objects.filter(
        owner_id=session.owner_id, scenario=session.scenario, slot=session.slot, archived_at__isnull=False, frozen_reason=""
    ).order_by("-archived_at")
    found = []
    for other in others[:BRANCHES]:
        last = JournalEntry.objects.filter(session=other, kind="line").order_by("-seq").values_list("data", flat=True).first()
        found.append(
            {
                "id": str(other.pk),
                "left": other.archived_at.isoformat() if other.archived_at else "",
                "at": other.advanced_to,
                "inputs": JournalEntry.objects.filter(session=other, kind__in=MEANT).count(),
                "last": str((last or {}).get("text", "")),
            }
        )
    return found


def take_up(session: ClusterSession) -> ClusterSession:
    """Come back to an archived session; the live one of its slot is archived in its place."""
    with transaction.atomic():
        session = ClusterSession.objects.select_for_update().get(pk=session.pk)
        live = ClusterSession.objects.filter(
            owner_id=session.owner_id, scenario=session.scenario, slot=session.slot, archived_at__isnull=True
        )
        left: list[uuid.UUID] = list(live.exclude(pk=session.pk).values_list("pk", flat=True))
        live.exclude(pk=session.pk).update(archived_at=timezone.now())
        ClusterSession.objects.filter(pk=session.pk).update(archived_at=None)
        session.archived_at = None
        transaction.on_commit(functools.partial(services.schedule, session.pk))
        for other in left:
            transaction.on_commit(functools.partial(doorbell.ring, other, {"type": "cluster.ended", "reason": "archived"}))
    return session
