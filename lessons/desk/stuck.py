"""Who is stuck now, and why: failed checks without a pass, a distance to the goal that does not fall, silence after an error.

Each reason is computed from rows: the runs of the checks, the journal and the terminal's output.  A constant number of queries.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F

from lessons.desk.commandlines import is_error
from lessons.grading.progress import STUCK_AFTER, Standing
from lessons.labs.models import CheckRun
from lessons.models import Course, Exercise, Lesson
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


@dataclass(slots=True)
class Trouble:
    """Why an exercise (or a lesson's cluster) looks stuck."""

    lesson: Lesson
    exercise: Exercise | None
    failed: int = 0
    left: int = 0
    level: bool = False
    silence: Silence | None = None


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


def silences(people: list[int], course: Course, now: datetime.datetime) -> dict[int, list[Silence]]:
    """By learner: clusters of the course that fell silent after an error."""
    sessions = ClusterSession.objects.filter(
        owner__in=people,
        slot__startswith=f"{course.slug}/",
        archived_at=None,
        last_seq__gt=0,
        touched_at__gt=now - GONE_AFTER,
    )
    found = {session.pk: session for session in sessions}
    lines = JournalEntry.objects.filter(session__in=list(found), kind="line", seq=F("session__last_seq"))
    last = {row.session_id: row for row in lines}
    tails: dict[uuid.UUID, list[list[object]]] = {}
    batches = OutputBatch.objects.filter(session__in=list(last), last=F("session__output_cursor"))
    for session_id, blob in batches.values_list("session_id", "chunks"):
        tails[session_id] = unpack(blob)
    out: dict[int, list[Silence]] = {}
    for session_id, row in last.items():
        quiet = now - row.created_at
        if row.output_before is None or not SILENT_AFTER <= quiet <= GONE_AFTER:
            continue
        chunks = [chunk for chunk in tails.get(session_id, []) if int(str(chunk[0])) > row.output_before]
        errors = [str(chunk[4]) for chunk in chunks if chunk[3] == 2 and is_error(str(chunk[4]).strip())]
        if errors:
            session = found[session_id]
            text, said = str(row.data.get("text", "")), errors[-1].strip().split("\n")[0][:200]
            out.setdefault(session.owner_id, []).append(Silence(session_id, session.slot, row.created_at, text, said))
    return out


def candidates(standing: Standing) -> list[int]:
    """Attempts that failed more than once and have not passed: those whose runs are worth reading."""
    return [
        attempt.pk
        for exercise, attempt in standing.attempts.items()
        if exercise not in standing.passes and attempt.failed_checks >= RUNS - 1
    ]


def is_failing(failed: int) -> bool:
    """Whether so many failed checks without a pass look stuck."""
    return failed >= STUCK_AFTER
