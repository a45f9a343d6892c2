"""`python -m tools.deskbench`: how long the instructor's pages take with a large class on the real course.

The class is made of rows, quickly (`manage.py democlass` plays one, slowly): every learner has read and passed a share of the course, with
several runs of the checks, a few clusters, quizzes, and some are stuck or active.  Each page is asked for as an instructor's browser
would, in this process, so that the figure is the whole of the server's work.
"""

from __future__ import annotations

import argparse
import datetime
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROUNDS = 7


def main(argv: list[str]) -> int:
    """All figures; with a database of one's own (`DATABASE_URL`) they are of that."""
    parser = argparse.ArgumentParser(prog="python -m tools.deskbench", description=__doc__)
    parser.add_argument("--learners", type=int, default=500)
    parser.add_argument("--profile", default="", help="a page's name: print where its time goes")
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="slipway-desk-", ignore_cleanup_errors=True) as folder:
        _set_up(Path(folder))
        cohort = _class_there() or make_class(given.learners)
        _report(cohort, given.profile)
    return 0


def _set_up(var: Path) -> None:
    os.environ.update(DJANGO_SETTINGS_MODULE="coursesite.settings", SLIPWAY_VAR=str(var), SECRET_KEY="bench", DEBUG="0")
    os.environ.setdefault("DATABASE_URL", f"sqlite:///{var / 'bench.sqlite3'}")
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    settings.ALLOWED_HOSTS = ["*"]
    settings.SECURE_SSL_REDIRECT = False
    # a bell that nobody hears: there is no server in this process
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    call_command("migrate", verbosity=0)
    if _class_there() is None:
        call_command("loadcourse", verbosity=0)


def _class_there() -> Any:
    """The class of an earlier run in the same database."""
    from lessons.models import Cohort

    return Cohort.objects.filter(name="bench").first()


def make_class(learners: int, seed: int = 1) -> Any:
    """A cohort of the first course with so many learners and their work; gives the cohort."""
    from django.contrib.auth import get_user_model
    from django.db import transaction

    from lessons.grading.progress import outline
    from lessons.models import Cohort, Course, Membership

    course = Course.objects.order_by("pk").first()
    assert course is not None
    user_model = get_user_model()
    with transaction.atomic():
        cohort = Cohort.objects.create(course=course, name="bench")
        owner = user_model.objects.create(username="bench-owner")
        people = user_model.objects.bulk_create([user_model(username=f"learner-{n:04}") for n in range(learners)])
        rows = [Membership(cohort=cohort, user=who, role=Membership.Role.LEARNER) for who in people]
        Membership.objects.bulk_create([Membership(cohort=cohort, user=owner, role=Membership.Role.OWNER), *rows])
        _work(people, outline(course), random.Random(seed))
    return cohort


def _work(people: list[Any], plan: Any, rng: random.Random) -> None:
    """Rows of everybody's work."""
    from django.utils import timezone

    from lessons.grading.models import Grade
    from lessons.labs.models import CheckRun, ExerciseAttempt, ExercisePass
    from lessons.models import LessonProgress
    from lessons.quizzes.models import QuizAttempt

    now = timezone.now()
    ago = lambda hours: now - datetime.timedelta(hours=hours)  # noqa: E731
    progress, attempts, tried, quiz_attempts, grades = [], [], [], [], []
    course = plan.course
    for who in people:
        far = rng.random()
        for row in plan.lessons[: int(len(plan.lessons) * far)]:
            read = ago(rng.random() * 300) if rng.random() < 0.8 else None
            progress.append(
                LessonProgress(
                    user=who, lesson=row.lesson, version=row.lesson.version, last_at=ago(rng.random() * 300), read_at=read
                )
            )
        for exercise in plan.exercises[: int(len(plan.exercises) * far)]:
            runs = rng.randint(1, 5)
            passed = rng.random() < 0.8
            tried.append((runs, passed))
            failed = runs - passed
            attempts.append(ExerciseAttempt(user=who, exercise=exercise, version=exercise.version, failed_checks=failed))
        for quiz in plan.quizzes[: int(len(plan.quizzes) * far)]:
            points = float(rng.randint(0, 10))
            quiz_attempts.append(
                QuizAttempt(user=who, quiz=quiz, version=quiz.version, number=1, points=points, max_points=10.0, submitted_at=now)
            )
            grades.append(Grade(user=who, course=course, quiz=quiz, points=points, max_points=10.0, evidence={}))
    LessonProgress.objects.bulk_create(progress, 500)
    attempts = ExerciseAttempt.objects.bulk_create(attempts, 500)
    runs_of = []
    for attempt, (runs, passed) in zip(attempts, tried, strict=True):
        checks = attempt.exercise.data["checks"]
        for number in range(1, runs + 1):
            done = len(checks) if passed and number == runs else rng.randint(0, len(checks) - 1)
            verdicts = [
                {"id": item["id"], "state": "passed" if place < done else "failed", "expected": "x" * 60, "found": "y" * 60}
                for place, item in enumerate(checks)
            ]
            runs_of.append(
                CheckRun(
                    attempt=attempt,
                    verdicts=verdicts,
                    passed=done,
                    total=len(checks),
                    evidence={"session": "", "digest": "d" * 64},
                )
            )
    runs_of = CheckRun.objects.bulk_create(runs_of, 500)
    passes = [
        ExercisePass(user=run.attempt.user, exercise=run.attempt.exercise, run=run, points=10.0, max_points=10.0)
        for run in runs_of
        if run.passed == run.total
    ]
    ExercisePass.objects.bulk_create(passes, 500)
    grades += [
        Grade(user=item.user, course=course, exercise=item.exercise, points=10.0, max_points=10.0, evidence={}) for item in passes
    ]
    QuizAttempt.objects.bulk_create(quiz_attempts, 500)
    Grade.objects.bulk_create(grades, 500)
    _clusters(people, plan, rng, now)


def _clusters(people: list[Any], plan: Any, rng: random.Random, now: datetime.datetime) -> None:
    """Ten clusters each with a few journal rows; a tenth of the class is at one now, some before an error."""
    from simulator.models import ClusterSession, JournalEntry, OutputBatch
    from simulator.packing import pack

    sessions, journal, output = [], [], []
    for who in people:
        for row in rng.sample(plan.lessons, min(10, len(plan.lessons))):
            slot = f"{plan.course.slug}/{row.lesson.slug}"
            sessions.append(
                ClusterSession(
                    owner=who, scenario="three-nodes", slot=slot, seed=1, engine_version="1", last_seq=5, output_cursor=5
                )
            )
    ClusterSession.objects.bulk_create(sessions, 500)
    for number, session in enumerate(sessions):
        at = now - (datetime.timedelta(minutes=rng.random() * 60) if number % 100 < 10 else datetime.timedelta(days=2))
        ClusterSession.objects.filter(pk=session.pk).update(touched_at=at)
        journal.append(
            JournalEntry(
                session=session,
                seq=5,
                at=0,
                kind="line",
                data={"terminal": "controlplane", "text": "kubectl get pod"},
                output_before=4,
            )
        )
        chunks = [[5, 0, "controlplane", 2 if number % 3 else 1, "error: the server doesn't have a resource type\n"]]
        output.append(OutputBatch(session=session, first=1, last=5, chunks=pack(chunks)))
    rows = JournalEntry.objects.bulk_create(journal, 500)
    for row, session in zip(rows, sessions, strict=True):
        JournalEntry.objects.filter(pk=row.pk).update(
            created_at=now - datetime.timedelta(minutes=rng.random() * 60) if session.touched_at else now
        )
    OutputBatch.objects.bulk_create(output, 500)


def _report(cohort: Any, profile: str) -> None:
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client()
    client.force_login(get_user_model().objects.get(username="bench-owner"))
    base = f"/en/cohorts/{cohort.pk}/"
    pages = {
        "dashboard": (base, {}),
        "dashboard, exercises": (f"{base}?by=exercises", {}),
        "dashboard, by points": (f"{base}?sort=points", {}),
        "dashboard's part": (base, {"X-Part": "board"}),
        "wall": (f"{base}wall/", {}),
        "gradebook": (f"{base}gradebook/", {}),
        "gradebook, by sum": (f"{base}gradebook/?sort=-sum", {}),
        "gradebook as CSV": (f"{base}gradebook/grades.csv", {}),
        "quizzes": (f"{base}assignments/", {}),
        "items": (f"{base}items/", {}),
        "learner": (f"{base}learners/{cohort.memberships.filter(role='learner').first().user_id}/", {}),
    }
    print(f"{'page':<24} {'CPU ms':>8} {'median ms':>10} {'most ms':>9} {'KB':>7}")
    for name, (path, headers) in pages.items():
        if profile and name != profile:
            continue
        answer = client.get(path, headers=headers)
        assert answer.status_code == 200, (path, answer.status_code)
        taken: list[float] = []
        used: list[float] = []
        for _ in range(ROUNDS):
            began, began_cpu = time.perf_counter(), time.process_time()
            client.get(path, headers=headers)
            taken.append(1000 * (time.perf_counter() - began))
            used.append(1000 * (time.process_time() - began_cpu))
        print(
            f"{name:<24} {statistics.median(used):>8.0f} {statistics.median(taken):>10.0f} {max(taken):>9.0f} {len(answer.content) / 1000:>7.0f}",
            flush=True,
        )
        if profile:
            _profile(client, path)


def _profile(client: Any, path: str) -> None:
    import cProfile
    import pstats

    with cProfile.Profile() as found:
        client.get(path)
    pstats.Stats(found).sort_stats("cumulative").print_stats(45)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
