"""What must hold after any faults: compared row by row with a replay in this process that never saw them."""

from __future__ import annotations

import uuid
from typing import Any

from .actors import Record


def replayed(session: Any) -> tuple[list[tuple[str, int, str]], str]:
    """A session's journal played in a new world: its output as `(terminal, fd, text)`, and the digest after its last row."""
    from simulator import engine, worlds
    from simulator.models import JournalEntry
    from simulator.packing import clean

    sandbox = engine.engine().boot(session.scenario, session.seed)
    digest = ""
    for row in JournalEntry.objects.filter(session=session, seq__lte=session.applied_seq).order_by("seq"):
        if not row.quarantined:
            worlds.take_effect(sandbox, row.kind, row.data, row.applied_at or 0)
        if row.seq == session.digest_seq:
            digest = _digest_at(sandbox, session)
    if session.advanced_to > sandbox.now:
        sandbox.advance(session.advanced_to)
    return [(chunk.terminal, chunk.fd, clean(chunk.data)) for chunk in sandbox.drain() if chunk.data], digest


def _digest_at(sandbox: Any, session: Any) -> str:
    if session.digest_at > sandbox.now:
        sandbox.advance(session.digest_at)
    return str(sandbox.digest())


def texts(chunks: list[tuple[str, int, str]]) -> dict[str, str]:
    """What stands on each terminal, wherever the pieces were cut."""
    found: dict[str, str] = {}
    for terminal, _fd, text in chunks:
        found[terminal] = found.get(terminal, "") + text
    return found


def broken(session_id: str, record: Record) -> list[str]:
    """What does not hold for one learner; empty when all does."""
    from simulator import selectors
    from simulator.models import ClusterSession, JournalEntry

    session = ClusterSession.objects.get(pk=session_id)
    found = list(record.errors)
    if session.frozen_reason:
        found.append(f"the cluster was frozen: {session.frozen_reason}")
    rows = {str(row.client_id): row for row in JournalEntry.objects.filter(session=session)}
    for client_id, seq in record.acked.items():
        row = rows.get(client_id)
        if row is None:
            found.append(f"an acknowledged input is not in the journal: {client_id}")
        elif row.seq != seq:
            found.append(f"an input was acknowledged as {seq} and is {row.seq}")
    if list(record.acked.values()) != sorted(record.acked.values()):
        found.append("inputs stand in another order than they were typed")
    if any(row.quarantined for row in rows.values()):
        found.append("an input was set aside")
    if session.applied_seq != session.last_seq:
        found.append(f"{session.last_seq - session.applied_seq} inputs have not taken effect")
    stored = [(chunk[2], chunk[3], chunk[4]) for chunk in selectors.output_after(uuid.UUID(session_id), 0, 10**9)]
    again, digest = replayed(session)
    if texts(stored) != texts(again):
        found.append(f"stored output is not what a replay prints: {_where(texts(stored), texts(again))}")
    if digest != session.digest:
        found.append("the digest is not that of a replay")
    shown = [record.screen[cursor] for cursor in sorted(record.screen)]
    if sorted(record.screen) != list(range(1, len(shown) + 1)):
        found.append("there is a gap in what was shown")
    if shown != stored[: len(shown)]:
        found.append(f"the screen is not what was stored: {_where(texts(shown), texts(stored))}")
    return found


def _where(one: dict[str, str], other: dict[str, str]) -> str:
    for terminal in sorted({*one, *other}):
        left, right = one.get(terminal, ""), other.get(terminal, "")
        at = next((i for i, pair in enumerate(zip(left, right, strict=False)) if pair[0] != pair[1]), min(len(left), len(right)))
        if left != right:
            return f"{terminal} at {at}: {left[max(0, at - 60) : at + 60]!r} and {right[max(0, at - 60) : at + 60]!r}"
    return ""


def wrong_answers(attempt: int, question: str, record: Record) -> list[str]:
    """The answer that is stored must be the last that was acknowledged, or one that was sent after it."""
    from django.http import QueryDict

    from lessons.quizzes.models import QuizAttempt
    from lessons.quizzes.types import TYPES

    if not record.stored:
        return []
    found = QuizAttempt.objects.select_related("version").get(pk=attempt)
    spec = next(item for item in found.version.data["questions"] if item["id"] == question)
    row = found.responses.filter(question__slug=question).first()
    if row is None:
        return ["an acknowledged answer is not there"]

    def stored_as(value: str) -> Any:
        form = QueryDict(mutable=True)
        form["q"] = value
        return TYPES[spec["type"]].parse(form, "q", spec)

    allowed = record.sent[record.stored - 1 :]
    return (
        []
        if row.answer in [stored_as(value) for value in allowed]
        else [f"the answer is {row.answer!r}; acknowledged and later: {allowed}"]
    )


def wrong_grade(attempt: int, question: str) -> list[str]:
    """Submit the attempt: the points must be those of the answer that is stored."""
    from lessons.quizzes import services
    from lessons.quizzes.models import QuizAttempt
    from lessons.quizzes.types import TYPES

    row = QuizAttempt.objects.select_related("version").get(pk=attempt)
    spec = next(item for item in row.version.data["questions"] if item["id"] == question)
    response = row.responses.filter(question__slug=question).first()
    given = response.answer if response is not None else None
    wanted = round(float(spec.get("points", 1)) * TYPES[spec["type"]].grade(spec, given).fraction, 2)
    done = services.submit(row)
    return [] if done.points == wanted else [f"the grade is {done.points}, and {wanted} for the answer {given!r}"]
