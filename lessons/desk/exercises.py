"""Exercises as items: how many passed, with how much help, how long it took, and which checks fail most."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from lessons.desk.counting import learner_ids
from lessons.grading.progress import Outline
from lessons.labs.models import CheckRun, ExerciseAttempt, ExercisePass
from lessons.models import Cohort, Exercise


@dataclass(slots=True)
class CheckFigures:
    """One check: how often it failed when it was reached, and for whom it fails still."""

    slug: str
    title: Any
    failed: int = 0
    reached: int = 0
    people: list[int] = field(default_factory=list)


@dataclass(slots=True)
class ExerciseFigures:
    """One exercise."""

    exercise: Exercise
    tried: int = 0
    passed: int = 0
    first_time: int = 0
    hints: float | None = None
    gave_up: int = 0
    failed_checks: float | None = None
    minutes: float | None = None
    checks: list[CheckFigures] = field(default_factory=list)

    @property
    def facility(self) -> float | None:
        """The share of those who tried that passed."""
        return self.passed / self.tried if self.tried else None


def overview(cohort: Cohort, plan: Outline) -> list[ExerciseFigures]:
    """Figures of every exercise of the course, without its checks; a constant number of queries."""
    people = learner_ids(cohort)
    attempts: dict[int, list[ExerciseAttempt]] = {}
    for attempt in ExerciseAttempt.objects.filter(user__in=people, exercise__course=cohort.course):
        attempts.setdefault(attempt.exercise_id, []).append(attempt)
    passes: dict[int, list[ExercisePass]] = {}
    for row in ExercisePass.objects.filter(user__in=people, exercise__course=cohort.course):
        passes.setdefault(row.exercise_id, []).append(row)
    return [_figures(item, attempts.get(item.pk, []), passes.get(item.pk, [])) for item in plan.exercises]


def _figures(exercise: Exercise, attempts: list[ExerciseAttempt], passes: list[ExercisePass]) -> ExerciseFigures:
    passed = {row.user_id for row in passes}
    tried = {attempt.user_id for attempt in attempts}
    clean = {a.user_id for a in attempts if a.passed_at and not a.failed_checks and not a.hints_shown and not a.gave_up_at}
    # an attempt begins with its first check or hint: of who passes at once there is no time to tell
    minutes = [(a.passed_at - a.started_at).total_seconds() / 60 for a in attempts if a.passed_at and a.failed_checks]
    return ExerciseFigures(
        exercise,
        len(tried),
        len(passed),
        len(clean),
        statistics.fmean(a.hints_shown for a in attempts) if attempts else None,
        len({a.user_id for a in attempts if a.gave_up_at}),
        statistics.fmean(a.failed_checks for a in attempts) if attempts else None,
        statistics.median(minutes) if minutes else None,
    )


def one(cohort: Cohort, exercise: Exercise) -> ExerciseFigures:
    """Figures of one exercise with its checks."""
    people = learner_ids(cohort)
    attempts = list(ExerciseAttempt.objects.filter(user__in=people, exercise=exercise))
    passes = list(ExercisePass.objects.filter(user__in=people, exercise=exercise))
    found = _figures(exercise, attempts, passes)
    failed: Counter[str] = Counter()
    reached: Counter[str] = Counter()
    last: dict[int, dict[str, str]] = {}
    runs = CheckRun.objects.filter(attempt__in=attempts).select_related("attempt").order_by("at", "id").defer("evidence")
    for run in runs:
        last[run.attempt.user_id] = {item["id"]: item.get("state", "") for item in run.verdicts}
        for item in run.verdicts:
            failed[item["id"]] += item.get("state") == "failed"
            reached[item["id"]] += item.get("state") in ("failed", "passed")
    passed = {row.user_id for row in passes}
    for check in exercise.data["checks"]:
        name = check["id"]
        still = [who for who, states in last.items() if who not in passed and states.get(name) == "failed"]
        found.checks.append(CheckFigures(name, check["title"], failed[name], reached[name], still))
    return found
