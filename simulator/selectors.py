"""Reading sessions: who may see what, and what is after a cursor."""

from __future__ import annotations

import datetime
import uuid
from typing import TYPE_CHECKING, Any

from . import engine
from .models import ClusterSession, ClusterView, JournalEntry, OutputBatch, TraceBatch
from .packing import unpack

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser
    from django.db.models import QuerySet

#: Lines of history sent for each terminal.
HISTORY_LIMIT = 200
#: Output chunks and trace events sent at once.
OUTPUT_LIMIT = 2_000
TRACE_LIMIT = 500


def owned_session(user: AbstractBaseUser, session_id: uuid.UUID) -> ClusterSession:
    """A session of this user; unknown and foreign ones alike raise `ClusterSession.DoesNotExist`."""
    return ClusterSession.objects.get(pk=session_id, owner_id=user.pk)


def live_session(user: AbstractBaseUser, scenario: str, slot: str = "") -> ClusterSession | None:
    """The user's session of a scenario and slot that was not archived, if there is one."""
    return ClusterSession.objects.filter(owner_id=user.pk, scenario=scenario, slot=slot, archived_at__isnull=True).first()


def websocket_path(session: ClusterSession) -> str:
    """Where the browser connects."""
    return f"/ws/cluster/{session.pk}/"


def last_activity(session: ClusterSession) -> datetime.datetime | None:
    """When the newest input was given."""
    return JournalEntry.objects.filter(session=session).order_by("-seq").values_list("created_at", flat=True).first()


def scenarios() -> list[str]:
    """Names of the scenarios that a session may be made of."""
    return sorted(engine.scenarios())


def output_after(session_id: uuid.UUID, cursor: int, limit: int = OUTPUT_LIMIT) -> list[list[Any]]:
    """Chunks `[cursor, at, terminal, fd, data]` later than `cursor`, in order; the newest `limit` of them."""
    batches = OutputBatch.objects.filter(session_id=session_id, last__gt=cursor).values_list("first", "chunks")
    return _newest(batches, cursor, limit)


def trace_after(session_id: uuid.UUID, cursor: int, limit: int = TRACE_LIMIT) -> list[list[Any]]:
    """Trace events `[seq, at, actor, action, ref, cause, detail]` later than `cursor`, in order; the newest `limit`."""
    batches = TraceBatch.objects.filter(session_id=session_id, last__gt=cursor).values_list("first", "events")
    return _newest(batches, cursor, limit)


#: Batches that are read at once: mostly there are one or two, and a cursor in the database would cost three requests more.
BATCHES = 100


def _newest(batches: QuerySet[Any, tuple[int, bytes | memoryview]], cursor: int, limit: int) -> list[list[Any]]:
    """The newest `limit` items after `cursor`, in order, out of batches `(number of the first item, packed items)`."""
    newest_first: list[list[Any]] = []
    page = list(batches.order_by("-first")[:BATCHES])
    while page:
        for _first, blob in page:
            newest_first.extend(item for item in reversed(unpack(blob)) if item[0] > cursor)
            if len(newest_first) >= limit:
                return newest_first[:limit][::-1]
        page = list(batches.filter(first__lt=page[-1][0]).order_by("-first")[:BATCHES]) if len(page) == BATCHES else []
    return newest_first[::-1]


def view_after(session_id: uuid.UUID, version: int) -> ClusterView | None:
    """The map's picture, if it is newer than `version`."""
    return ClusterView.objects.filter(session_id=session_id, version__gt=version).first()


def history(session_id: uuid.UUID) -> dict[str, list[str]]:
    """The last lines typed in each terminal, oldest first."""
    lines_typed = JournalEntry.objects.filter(session_id=session_id, kind="line").order_by("-seq")
    rows = lines_typed.values_list("data", flat=True)[: HISTORY_LIMIT * 4]
    found: dict[str, list[str]] = {}
    for data in rows:
        lines = found.setdefault(str(data.get("terminal", "")), [])
        text = str(data.get("text", ""))
        if text.strip() and len(lines) < HISTORY_LIMIT:
            lines.append(text)
    return {terminal: lines[::-1] for terminal, lines in found.items()}
