"""A demo class is really played, is the same for the same seed, and leaves evidence behind everything."""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.utils import timezone

from lessons.dashboards.selectors import board
from lessons.democlass import answers
from lessons.democlass.clock import ClassClock
from lessons.democlass.kinds import ABSENT, LATE, STUCK, kinds
from lessons.grading.models import Grade
from lessons.labs.models import CheckRun, ExercisePass
from lessons.models import Cohort, Course, LessonProgress
from lessons.quizzes import layout
from lessons.quizzes.models import QuizAttempt, Response
from lessons.quizzes.types import TYPES
from simulator import worlds
from simulator.models import ClusterSession, JournalEntry, OutputBatch

UNTIL = "2026-11-20T10:00:00Z"


@pytest.fixture
def instructor(db: None) -> Any:
    return get_user_model().objects.create_user("instructor", "instructor@example.org", "a long password")


@pytest.fixture
def fresh() -> Iterator[None]:
    worlds.cache.clear()
    yield
    worlds.cache.clear()


def facts() -> list[Any]:
    """What the class did, without database keys."""
    journal = JournalEntry.objects.order_by("session__owner__username", "session__slot", "session__created_at", "seq")
    runs = CheckRun.objects.order_by("attempt__user__username", "at")
    responses = Response.objects.order_by("attempt__user__username", "attempt__number", "question__slug")
    return [
        list(journal.values_list("session__owner__username", "session__slot", "kind", "data", "at", "applied_at", "created_at")),
        [(run.at, run.verdicts, run.evidence["digest"]) for run in runs],
        list(responses.values_list("attempt__user__username", "question__slug", "answer", "points", "saved_at")),
        list(LessonProgress.objects.order_by("user__username", "lesson__slug").values_list("opened_at", "read_at")),
    ]


@pytest.mark.slow
def test_the_same_seed_is_the_same_class(course: Course, instructor: Any, fresh: None) -> None:
    arguments: dict[str, Any] = {"learners": 4, "seed": 8, "until": UNTIL, "verbosity": 0}
    call_command("democlass", **arguments)
    first = facts()
    with pytest.raises(CommandError, match="there is a class of seed 8 already"):
        call_command("democlass", **arguments)
    call_command("democlass", replace=True, **arguments)
    assert facts() == first
    played(course)


def played(course: Course) -> None:
    """Everything that the class shows rests on rows that services made."""
    assert OutputBatch.objects.exists()
    assert CheckRun.objects.exclude(evidence__journal_seq=0).exists()
    assert {run.evidence["session"] for run in CheckRun.objects.all()} <= {
        str(pk) for pk in ClusterSession.objects.values_list("pk", flat=True)
    }
    assert not JournalEntry.objects.filter(applied_at=None).exists()
    assert not ClusterSession.objects.exclude(frozen_reason="").exists()
    assert Grade.objects.filter(quiz=None).count() == ExercisePass.objects.count() > 0
    assert QuizAttempt.objects.exists()
    assert QuizAttempt.objects.filter(submitted_at=None).count() == 0
    until = datetime.datetime.fromisoformat(UNTIL)
    for rows in (
        LessonProgress.objects.values_list("opened_at", flat=True),
        JournalEntry.objects.values_list("created_at", flat=True),
    ):
        assert until - datetime.timedelta(days=15) < min(rows) < max(rows) <= until
    found = board(Cohort.objects.get(), now=until)
    assert len(found.rows) == 4
    assert found.stuck_learners >= 1


def test_a_class_has_one_stuck_one_late_and_one_who_never_came() -> None:
    for seed in range(5):
        found = kinds(30, seed)
        assert [found.count(kind) for kind in (STUCK, LATE, ABSENT)] == [1, 1, 1]
        assert len({kind.name for kind in found}) >= 6
    assert kinds(30, 1) == kinds(30, 1) != kinds(30, 2)
    assert [len(kinds(number, 1)) for number in (1, 2, 3, 8)] == [1, 2, 3, 8]


def test_class_time_is_what_django_sees_and_ends_with_the_class() -> None:
    then = datetime.datetime(2030, 1, 2, tzinfo=datetime.UTC)
    clock = ClassClock(then)
    with clock.running():
        assert timezone.now() == then
        clock.wait(90)
        assert timezone.now() == then + datetime.timedelta(seconds=90)
        assert LessonProgress._meta.get_field("last_at").get_default() == timezone.now()
    assert abs((timezone.now() - datetime.datetime.now(datetime.UTC)).total_seconds()) < 5


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"learners": 0}, "--learners: between 1 and 200, not 0"),
        ({"seed": -1}, "--seed: not below 0"),
        ({"course": "moon"}, "there is no course moon"),
        ({"owner": "nobody"}, "there is no user nobody"),
        ({"until": "yesterday"}, "not a time in ISO 8601: yesterday"),
        ({"until": "2026-13-40T00:00:00Z"}, "not a time in ISO 8601"),
    ],
)
def test_what_cannot_be_played_is_said_before_anything_is_made(
    course: Course, instructor: Any, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("democlass", **given)
    assert not Cohort.objects.exists()


def test_every_question_of_the_course_is_answered_as_meant() -> None:
    """Right answers earn all of it, wrong ones less; no type of the course is left blank."""
    quizzes = sorted((Path(__file__).parents[2] / "lessons" / "content" / "cluster-architecture").glob("*/quiz.yaml"))
    seen = set()
    for path in quizzes:
        for raw in yaml.safe_load(path.read_text("utf-8"))["questions"]:
            spec = layout.fill(raw, layout.values_of(raw, "seed"))
            kind = TYPES[spec["type"]]
            if kind.own_cluster or spec["type"] in ("output", "command", "freetext"):
                continue  # marked by a world or a person
            seen.add(kind.name)
            item = SimpleNamespace(spec=spec, kind=kind, seed="seed", name=f"q.{spec['id']}")
            for right in (True, False):
                sent = answers.Sent(answers.fields(item, right=right, rng=random.Random(3)))
                fraction = kind.grade(spec, kind.parse(sent, item.name, spec)).fraction
                assert (fraction == 1) is right, (path, spec["id"], right, fraction)
    assert {"fillin", "component", "ordering"} <= seen
