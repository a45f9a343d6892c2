"""Who is stuck now, and why: failed checks without a pass, a distance to the goal that does not fall, silence after an error.

Each reason is computed from rows: the runs of the checks, the journal and the terminal's output.  A constant number of queries.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from lessons.desk.commandlines import is_error
from lessons.grading.progress import STUCK_AFTER
from lessons.labs.models import CheckRun
from lessons.models import Course
from simulator.models import ClusterSession, JournalEntry, OutputBatch
from simulator.packing import unpack

#: So many runs of the checks without coming nearer are a distance that does not fall.
RUNS = 3
#: Silence after an error counts from the first on, until the second: then they have left.
SILENT_AFTER = datetime.timedelta(minutes=5)
GONE_AFTER = datetime.timedelta(hours=2)


@dataclass(slots=True)
class Silence:
    """The last command of a cluster was answered with an error, and nothing was typed since."""

    session: uuid.UUID
    slot: str
    at: datetime.datetime
    command: str
    said: str


def stalled(attempts: Iterable[int]) -> dict[int, int]:
    """Of these attempts those whose last runs came no nearer to the goal, with the checks that are left."""
    runs: dict[int, list[int]] = {}
    rows = (
        CheckRun.objects.filter(attempt__in=list(attempts))
        .order_by("attempt", "-id")
        .values_list("attempt_id", "passed", "total")
    )
    for attempt, passed, total in rows:
        runs.setdefault(attempt, []).append(total - passed)
    return {
        attempt: left[0]
        for attempt, left in runs.items()
        if len(left) >= RUNS and left[0] > 0 and min(left[: RUNS - 1]) >= left[RUNS - 1]
    }


def silences(people: Any, course: Course, now: datetime.datetime) -> dict[int, list[Silence]]:
    """By learner (of `people`: their numbers, or a query of them): clusters of the course that fell silent after an error."""
    sessions = ClusterSession.objects.filter(
        owner__in=people,
        slot__startswith=f"{course.slug}/",
        archived_at=None,
        last_seq__gt=0,
        touched_at__gt=now - GONE_AFTER,
    )
    lines = JournalEntry.objects.filter(
        session__in=sessions,
        kind="line",
        seq=F("session__last_seq"),
        output_before__isnull=False,
        created_at__range=(now - GONE_AFTER, now - SILENT_AFTER),
    ).select_related("session")
    last = {row.session_id: row for row in lines.only("data", "created_at", "output_before", "session__slot", "session__owner")}
    out: dict[int, list[Silence]] = {}
    batches = OutputBatch.objects.filter(session__in=list(last), last=F("session__output_cursor")).order_by()
    for session_id, blob in batches.values_list("session_id", "chunks"):
        row = last[session_id]
        chunks = [chunk for chunk in unpack(blob) if int(str(chunk[0])) > (row.output_before or 0)]
        errors = [str(chunk[4]) for chunk in chunks if chunk[3] == 2 and is_error(str(chunk[4]).strip())]
        if errors:
            text, said = str(row.data.get("text", "")), errors[-1].strip().split("\n")[0][:200]
            silence = Silence(session_id, row.session.slot, row.created_at, text, said)
            out.setdefault(row.session.owner_id, []).append(silence)
    return out


def is_failing(failed: int) -> bool:
    """Whether so many failed checks without a pass look stuck."""
    return failed >= STUCK_AFTER
