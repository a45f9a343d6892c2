"""Doing exercises: the cluster they run on, checking, hints, the solution.

A check never asks the page what is true: it runs the exercise's program on a fork of the learner's cluster, in the
cluster's worker, and stores the verdicts with what they were found on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from lessons.labs.models import CheckRun, ExerciseAttempt, ExercisePass
from lessons.models import Exercise, Lesson
from simulator import services as simulator
from simulator import typed
from simulator.models import ClusterSession

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: Hints are offered, not forced, after this many failed checks.
OFFER_HINT_AFTER = 2
DEFAULT_POINTS = 10.0
DEFAULT_HINT_COST = 10.0

CheckFailed = simulator.EvaluationTimeout


def lesson_slot(lesson: Lesson) -> str:
    """The name of a lesson's own cluster among a learner's."""
    return f"{lesson.chapter.course.slug}/{lesson.slug}"


def exercise_slot(exercise: Exercise) -> str:
    """The name of an exercise's own cluster, for one with a scenario of its own."""
    return f"{lesson_slot(exercise.lesson)}/{exercise.slug}"


def lesson_session(user: User, lesson: Lesson) -> ClusterSession:
    """The cluster of a lesson; made when there is none.  Raises `simulator.services.BadScenario`."""
    session = simulator.session_for(user, lesson.data["scenario"], lesson_slot(lesson))
    if session.last_seq == 0 and lesson.data.get("setup"):
        typed.set_up(session, lesson.data["setup"])
    return session


def exercise_session(user: User, exercise: Exercise) -> ClusterSession:
    """The cluster that an exercise is checked on: the lesson's, or one of its own when it names a scenario."""
    scenario = exercise.data.get("scenario")
    if not scenario:
        return lesson_session(user, exercise.lesson)
    session = simulator.session_for(user, scenario, exercise_slot(exercise))
    if session.last_seq == 0:
        typed.set_up(session, exercise.data.get("setup", []))
    return session


def current_attempt(user: User, exercise: Exercise) -> ExerciseAttempt:
    """The attempt at the version that is up; a new version starts a new attempt."""
    last = ExerciseAttempt.objects.filter(user=user, exercise=exercise).order_by("-number").first()
    if last is not None and last.version_id == exercise.version_id:
        return last
    number = (last.number if last else 0) + 1
    try:
        with transaction.atomic():
            return ExerciseAttempt.objects.create(user=user, exercise=exercise, version=exercise.version, number=number)
    except IntegrityError:  # two requests at once
        return ExerciseAttempt.objects.get(user=user, exercise=exercise, number=number)


def program_of(data: dict[str, Any]) -> dict[str, Any]:
    """What the simulator evaluates: the checks of an exercise and how long the world settles before."""
    return {"settle": data.get("settle", "0s"), "checks": data["checks"]}


def check(user: User, exercise: Exercise, *, timeout: float = 20.0) -> CheckRun:
    """Run the checks and keep the verdicts; a run in which all pass is a pass.  Raises `CheckFailed`."""
    attempt = current_attempt(user, exercise)
    data = attempt.version.data
    session = exercise_session(user, exercise)
    answer = simulator.evaluate(session, program_of(data), timeout=timeout)
    verdicts = _ordered(data["checks"], answer.get("verdicts"))
    passed = sum(verdict["state"] == "passed" for verdict in verdicts)
    with transaction.atomic():
        run = CheckRun.objects.create(
            attempt=attempt, verdicts=verdicts, passed=passed, total=len(verdicts), evidence=answer.get("evidence", {})
        )
        if passed == len(verdicts):
            _record_pass(attempt, run)
        elif any(verdict["state"] == "failed" for verdict in verdicts):  # what could not be decided is not the learner's failure
            ExerciseAttempt.objects.filter(pk=attempt.pk).update(failed_checks=F("failed_checks") + 1)
    return run


def _ordered(checks: list[dict[str, Any]], verdicts: Any) -> list[dict[str, Any]]:
    """A verdict for every check, in the file's order; what the evaluator left out counts as an error, never as passed."""
    given = {item.get("id"): item for item in verdicts if isinstance(item, dict)} if isinstance(verdicts, list) else {}
    return [given.get(item["id"]) or {"id": item["id"], "state": "error", "found": ""} for item in checks]


def earned(attempt: ExerciseAttempt) -> tuple[float, float]:
    """Points that a pass of this attempt earns, and the most there is.  Hints cost; a seen solution leaves nothing."""
    data = attempt.version.data
    most = float(data.get("points", DEFAULT_POINTS))
    seen = ExerciseAttempt.objects.filter(user=attempt.user_id, exercise=attempt.exercise_id, gave_up_at__isnull=False).exists()
    if seen:
        return 0.0, most
    costs = sum(hint_cost(data, index) for index in range(attempt.hints_shown))
    return round(most * max(0.0, 1 - costs / 100), 2), most


def hint_cost(data: dict[str, Any], index: int) -> float:
    """Percent of the points that a hint takes; the first costs nothing unless the author says so."""
    return float(data["hints"][index].get("cost", 0 if index == 0 else DEFAULT_HINT_COST))


def _record_pass(attempt: ExerciseAttempt, run: CheckRun) -> None:
    points, most = earned(attempt)
    if attempt.passed_at is None:
        attempt.passed_at = run.at
        attempt.save(update_fields=["passed_at"])
    values = {"run": run, "points": points, "max_points": most, "at": run.at}
    found, created = ExercisePass.objects.select_for_update().get_or_create(
        user_id=attempt.user_id, exercise_id=attempt.exercise_id, defaults=values
    )
    if not created and points > found.points:
        ExercisePass.objects.filter(pk=found.pk).update(**values)


def show_hint(user: User, exercise: Exercise) -> ExerciseAttempt:
    """One hint more."""
    attempt = current_attempt(user, exercise)
    most = len(attempt.version.data["hints"])
    ExerciseAttempt.objects.filter(pk=attempt.pk, hints_shown__lt=most).update(hints_shown=F("hints_shown") + 1)
    attempt.refresh_from_db()
    return attempt


def show_solution(user: User, exercise: Exercise) -> ExerciseAttempt:
    """Give up: the solution is shown from now on.  After a pass it costs nothing."""
    attempt = current_attempt(user, exercise)
    passed = ExercisePass.objects.filter(user=user, exercise=exercise).exists()
    if attempt.gave_up_at is None and not passed:
        attempt.gave_up_at = timezone.now()
        attempt.save(update_fields=["gave_up_at"])
    return attempt
