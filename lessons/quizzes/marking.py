"""Marking: at once where the answer says everything, in a worker where a world must be asked, by a person for free text.

Level-triggered: `mark_worlds(attempt)` marks whatever of a submitted attempt still waits for a world, so a lost message costs
time and nothing else.  A mark keeps its evidence: the question's text (by hash), the engine, the verdicts.
"""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from typing import Any

from django.db import transaction

from lessons.quizzes import clusters, signals
from lessons.quizzes.models import Produced, QuizAttempt, Response
from lessons.quizzes.sheet import Asked, asked, spec_in
from lessons.quizzes.types import TYPES, Mark
from simulator import services as simulator
from simulator import trials
from simulator.tasks import BROKER_AWAY

logger = logging.getLogger(__name__)

#: Worlds of one question differ by their seed; a few seeds keep what was produced shared between learners.
SEEDS = 8


class NotProduced(Exception):
    """What a question shows could not be produced in its world now; nothing was started, ask again."""


def digest_of(spec: Any) -> str:
    """The hash of a question's text as evidence names it."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


# -- worlds that questions show ---------------------------------------------------------------------------------------------


def with_worlds(data: dict[str, Any], drawn: list[dict[str, Any]], seed: str) -> list[dict[str, Any]]:
    """A layout with what its questions' worlds printed.  Raises `NotProduced`."""
    for item in drawn:
        spec = spec_in(data, item)
        assert spec is not None
        trial = TYPES[spec["type"]].produces(spec)
        if trial is not None:
            number = int(hashlib.sha256(f"{seed}/{spec['id']}/world".encode()).hexdigest(), 16) % SEEDS + 1
            item["world"] = produced({**trial, "seed": trial.get("seed", number)})
    return drawn


def produced(trial: dict[str, Any]) -> dict[str, Any]:
    """What a trial's commands print, from before or now."""
    key = hashlib.sha256(json.dumps([trial, trials.version()], sort_keys=True).encode()).hexdigest()
    found = Produced.objects.filter(digest=key).first()
    if found is None:
        try:
            answer = simulator.trial(trial)
        except simulator.EvaluationTimeout as error:
            raise NotProduced(str(error)) from error
        found = Produced.objects.get_or_create(digest=key, defaults={"data": answer})[0]
    data: dict[str, Any] = found.data
    return data


# -- submission -------------------------------------------------------------------------------------------------------------


def begin(attempt: QuizAttempt) -> None:
    """Mark a just submitted attempt as far as possible; inside the transaction that closes it."""
    waits = False
    for item in asked(attempt):
        if item.kind.own_cluster:  # what is typed from now on changes nothing
            answer = clusters.position(attempt, item)
            item.response = Response.objects.update_or_create(
                attempt=attempt, question_id=item.question_id, defaults={"answer": answer}
            )[0]
        values: dict[str, Any] = {"max_points": item.points}
        if item.kind.marked_by == "text" or item.answer is None or item.spec.get("credit") == "all":
            values |= marked(item, item.kind.grade(item.spec, item.answer))
        else:
            values |= {"state": item.kind.marked_by, "points": None}
            waits |= item.kind.marked_by == Response.State.WORLD
        Response.objects.update_or_create(attempt=attempt, question_id=item.question_id, defaults=values)
    add_up(attempt)
    if waits:
        transaction.on_commit(lambda: schedule(attempt.pk))


def credited(item: Asked, mark: Mark) -> Mark:
    """With `credit: all` everybody earns a question's points (one that turned out to be broken)."""
    return Mark(1.0, {**mark.detail, "credit": "all"}) if item.spec.get("credit") == "all" else mark


def marked(item: Asked, mark: Mark, **evidence: Any) -> dict[str, Any]:
    """The columns of a response that is marked."""
    mark = credited(item, mark)
    said = {"fraction": mark.fraction, **mark.detail, "question": digest_of(item.spec), **evidence}
    return {"state": Response.State.MARKED, "points": round(item.points * mark.fraction, 4), "mark": said}


def add_up(attempt: QuizAttempt) -> None:
    """Sum the marks of an attempt and tell whoever counts grades."""
    rows = list(attempt.responses.values_list("points", "max_points"))
    attempt.points = round(sum(points or 0.0 for points, _most in rows), 2)
    attempt.max_points = round(sum(most or 0.0 for _points, most in rows), 2)
    attempt.save(update_fields=["points", "max_points"])
    signals.marked.send(QuizAttempt, attempt=attempt)


def waiting(attempt: QuizAttempt) -> set[str]:
    """What a submitted attempt waits for: `world`, `hand`, or nothing."""
    states = (Response.State.WORLD, Response.State.HAND)
    return set(attempt.responses.filter(state__in=states).values_list("state", flat=True))


def schedule(attempt_id: int) -> None:
    """Ask a worker to mark what needs a world; without a broker whoever looks at the result asks again."""
    from lessons.quizzes import tasks

    try:
        tasks.send(attempt_id)
    except BROKER_AWAY as error:
        logger.warning("attempt %s: the broker cannot be reached: %s", attempt_id, error)


def mark_worlds(attempt: QuizAttempt) -> None:
    """Mark every answer of a submitted attempt that waits for a world, in this process (a worker's)."""
    for item in asked(attempt):
        if item.response is None or item.response.state != Response.State.WORLD:
            continue
        try:
            mark, evidence = run(item)
        except trials.Unavailable as error:  # nothing was decided: whoever looks next asks again
            logger.warning("attempt %s: question %s: %s", attempt.pk, item.spec["id"], error)
            continue
        except Exception as error:  # a question or a simulator that is broken must not cost the learner: a person decides
            logger.exception("attempt %s: question %s", attempt.pk, item.spec["id"])
            broken = {"state": Response.State.HAND, "mark": {"error": f"{type(error).__name__}: {error}"[:500]}}
            Response.objects.filter(pk=item.response.pk, state=Response.State.WORLD).update(**broken)
            continue
        with transaction.atomic():
            values = marked(item, mark, **evidence)
            Response.objects.filter(pk=item.response.pk, state=Response.State.WORLD).update(**values)
            locked = QuizAttempt.objects.select_for_update().get(pk=attempt.pk)
            add_up(locked)


def run(item: Asked) -> tuple[Mark, dict[str, Any]]:
    """The mark that a world gives to an answer, with the evidence.  Raises `trials.Unavailable`."""
    asks = item.kind.asks(item.spec, item.answer)
    if "session" in asks:
        found = trials.judge(uuid.UUID(asks["session"]), asks["seq"], asks["at"], asks["program"])
    else:
        found = trials.run(asks)
    return item.kind.judged(item.spec, item.answer, found), {"engine": trials.version(), "world": found.get("evidence", {})}
