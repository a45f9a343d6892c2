"""Retention leaves whole what lessons point at: clusters that checks ran on, clusters of questions, clusters whose replay is shared."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.utils import timezone

from lessons.desk.models import ReplayLink
from lessons.labs.models import CheckRun, ExerciseAttempt
from lessons.models import Exercise
from simulator import retention
from simulator.models import ClusterSession

pytestmark = pytest.mark.django_db


def test_clusters_that_something_points_at_are_kept(people: Any, exercise: Exercise) -> None:
    now = timezone.now()

    def cluster(slot: str, owner: Any = people.learner) -> ClusterSession:
        return ClusterSession.objects.create(
            owner=owner,
            scenario="three-nodes",
            slot=slot,
            seed=1,
            engine_version="x",
            archived_at=now - datetime.timedelta(days=500),
        )

    checked, plain, question, shared, expired, foreign = (
        cluster("harbour/a"), cluster("harbour/b"), cluster("quiz/7/ships"), cluster("harbour/c"), cluster("harbour/d"),
        cluster("harbour/a", people.other_learner),
    )  # fmt: skip
    attempt = ExerciseAttempt.objects.create(user=people.learner, exercise=exercise, version=exercise.version)
    evidence = {"session": str(checked.pk), "journal_seq": 3}
    CheckRun.objects.create(attempt=attempt, verdicts=[], passed=0, total=2, evidence=evidence)
    CheckRun.objects.create(attempt=attempt, verdicts=[], passed=0, total=2)
    for session, days in ((shared, 1), (expired, -1)):
        ReplayLink.objects.create(session=session, cohort=people.cohort, expires_at=now + datetime.timedelta(days=days))
    assert retention.kept([checked, plain, question, shared, expired, foreign]) == {checked.pk, question.pk, shared.pk}

    ClusterSession.objects.update(touched_at=now - datetime.timedelta(days=500))
    assert retention.run().removed == 3
    assert set(ClusterSession.objects.values_list("pk", flat=True)) == {checked.pk, question.pk, shared.pk}
