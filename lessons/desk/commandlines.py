"""What learners typed and the machine would not take: the most frequent wrong commands of an exercise.

A wrong command is a line of the journal after which its terminal said something on its error output, before the next line there.  On a
cluster that several exercises share, a line belongs to the exercise whose checks were run next, or last when none came after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from lessons.labs.models import CheckRun
from lessons.labs.services import exercise_slot, lesson_slot
from lessons.models import Exercise
from simulator.models import ClusterSession, JournalEntry, OutputBatch
from simulator.packing import unpack

#: Different commands listed, and sessions that are read for them.
MOST = 15
SESSIONS = 1_000
#: Output that is error output but no error (progress of downloads, warnings of kubectl).
_HARMLESS = ("Warning:", "% Total", "No resources found", "I0", "W0")


@dataclass(slots=True)
class Wrong:
    """A command with what it was answered."""

    text: str
    said: str
    count: int = 0
    people: set[int] = field(default_factory=set)


def wrong_commands(exercise: Exercise, people: Iterable[int]) -> list[Wrong]:
    """The most frequent wrong commands on the clusters that an exercise is done on, the most frequent first."""
    slot = exercise_slot(exercise) if exercise.data.get("scenario") else lesson_slot(exercise.lesson)
    sessions = ClusterSession.objects.filter(owner__in=list(people), slot=slot).order_by("-created_at")[:SESSIONS]
    owners = dict(sessions.values_list("pk", "owner_id"))
    errors = _errors(list(owners))
    found: dict[str, Wrong] = {}
    whose = _runs(list(owners))
    lines = JournalEntry.objects.filter(session__in=list(owners), kind="line", output_before__isnull=False).order_by(
        "session", "seq"
    )
    before: dict[tuple[Any, str], tuple[int, str]] = {}
    for session, seq, data, cursor in lines.values_list("session_id", "seq", "data", "output_before"):
        key = (session, str(data.get("terminal", "")))
        if key in before:
            _note(found, errors.get(key, []), *before.pop(key), int(cursor or 0), owners[session])
        if _belongs(whose.get(str(session), []), seq, exercise.pk):
            before[key] = (int(cursor or 0), str(data.get("text", "")))
    for key, (cursor, text) in before.items():
        _note(found, errors.get(key, []), cursor, text, 2**62, owners[key[0]])
    return sorted(found.values(), key=lambda wrong: (-wrong.count, wrong.text))[:MOST]


def _runs(sessions: list[Any]) -> dict[str, list[tuple[int, int]]]:
    """By session: after which journal row which exercise's checks were run, in order."""
    owners = ClusterSession.objects.filter(pk__in=sessions).values("owner_id")
    out: dict[str, list[tuple[int, int]]] = {}
    runs = CheckRun.objects.filter(attempt__user__in=owners).values_list(
        "evidence__session", "evidence__journal_seq", "attempt__exercise_id"
    )
    for session, seq, exercise in runs:
        if session and seq is not None:
            out.setdefault(session, []).append((int(seq), exercise))
    return {session: sorted(rows) for session, rows in out.items()}


def _belongs(runs: list[tuple[int, int]], seq: int, exercise: int) -> bool:
    """Is a row of the journal part of the work on this exercise?"""
    return not runs or next((one for at, one in runs if at >= seq), runs[-1][1]) == exercise


def _note(found: dict[str, Wrong], errors: list[tuple[int, str]], first: int, text: str, end: int, owner: int) -> None:
    said = next((words for cursor, words in errors if first < cursor <= end), "")
    text = " ".join(text.split())
    if said and text:
        wrong = found.setdefault(text, Wrong(text, said))
        wrong.count += 1
        wrong.people.add(owner)


def is_error(line: str) -> bool:
    """Whether a line of error output says that something went wrong."""
    return bool(line) and not line.startswith(_HARMLESS)


def _errors(sessions: list[Any]) -> dict[tuple[Any, str], list[tuple[int, str]]]:
    """By session and terminal: the cursor and first line of each piece of error output."""
    out: dict[tuple[Any, str], list[tuple[int, str]]] = {}
    batches = OutputBatch.objects.filter(session__in=sessions).order_by("session", "first").values_list("session_id", "chunks")
    for session, blob in batches.iterator(chunk_size=200):
        for cursor, _at, terminal, fd, data in unpack(blob):
            line = next((part.strip() for part in data.split("\n") if part.strip()), "")
            if fd == 2 and is_error(line):
                out.setdefault((session, terminal), []).append((cursor, line[:200]))
    return out
