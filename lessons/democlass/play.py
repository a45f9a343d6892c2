"""Play one learner: read, type, err, check, ask for hints, take quizzes, as their kind does, through the services that pages use."""

from __future__ import annotations

import datetime
import random
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import transaction

from lessons import reading
from lessons.democlass.answers import Sent, fields
from lessons.democlass.clock import ClassClock
from lessons.democlass.kinds import Kind
from lessons.grading import services as grading
from lessons.grading.progress import ChapterRow, LessonRow, Outline
from lessons.labs import services as labs
from lessons.models import Exercise, Quiz
from lessons.quizzes import services as quizzes
from simulator import advancing, engine
from simulator import services as simulator
from simulator.core.lab.durations import duration
from simulator.models import ClusterSession

if TYPE_CHECKING:
    from django.contrib.auth.models import User

DAY = 86_400
SECOND = 1_000_000_000
#: A row may skip this much virtual time (`simulator.frames.SKIP_LIMIT`); learners do not wait longer at a prompt than this.
PATIENCE = 45.0
#: What people type to look around, and what they mistype.
LOOKS = (
    "kubectl get nodes",
    "kubectl get pods -A",
    "kubectl get pods -o wide",
    "kubectl get events",
    "kubectl get deploy,rs,pods",
    "ls",
)
ETCD_LOOKS = ("etcdctl member list", "etcdctl endpoint status -w table", "etcdctl get / --prefix --keys-only", "ls")
SLIPS = (
    "kubctl get pods",
    "kubectl get pod web",
    "kubectl get deploymnets",
    "kubectl describe pods cargo",
    "kubectl get nodes -o wid",
    "etcdctl get / --prefix --keys-only",
    "cat /etc/kubernetes/manifest/etcd.yaml",
)  # fmt: skip


@dataclass(slots=True)
class Told:
    """What came of one learner, for the command's last words."""

    commands: int = 0
    checks: int = 0
    passes: int = 0
    attempts: int = 0


@dataclass(slots=True)
class Learner:
    """One learner with everything that decides what they do."""

    user: User
    kind: Kind
    rng: random.Random
    clock: ClassClock
    #: how hard each question is: added to the chance of a right answer
    ease: dict[str, float]
    began: datetime.datetime
    until: datetime.datetime
    active: bool = False
    told: Told = field(default_factory=Told)

    def play(self, plan: Outline) -> Told:
        """The whole course, as far as this learner comes."""
        rows = plan.lessons
        low, high = self.kind.reach
        reach = round(self.rng.uniform(low, high) * len(rows))
        reached = rows[:reach]
        stuck_at = next((row for row in reversed(reached) if _wrong_ways(row)), None) if self.kind.stuck else None
        if stuck_at is not None:
            reached = reached[: reached.index(stuck_at) + 1]
        days = max(1, (self.until - self.began).days - 1)
        for chapter in plan.chapters:
            here = [row for row in chapter.lessons if row in reached]
            if not here:
                break
            share = rows.index(here[0]) / len(rows)
            self._come(self.began + datetime.timedelta(days=self.kind.days_late + share * (days - self.kind.days_late)))
            for row in here:
                if row is stuck_at:
                    self.clock.now = max(self.clock.now, self.until - datetime.timedelta(minutes=75))
                self._lesson(row, stuck=row is stuck_at)
            if len(here) == len(chapter.lessons) and stuck_at not in here:
                self._quiz(chapter)
        if self.active and reached and stuck_at is None:
            self._be_here(rows[min(reach, len(rows) - 1)])
        return self.told

    def _come(self, at: datetime.datetime) -> None:
        """The next time that they sit down: some hours around when the class does."""
        at += datetime.timedelta(hours=self.rng.uniform(-3, 9))
        self.clock.now = min(max(at, self.clock.now + datetime.timedelta(minutes=10)), self.until - datetime.timedelta(hours=2))

    def _be_here(self, row: LessonRow) -> None:
        """At work when the class is looked at."""
        self.clock.now = max(self.clock.now, self.until - datetime.timedelta(seconds=self.rng.randint(60, 230)))
        reading.visit(self.user, row.lesson)
        session = labs.lesson_session(self.user, row.lesson)
        self._type(session, [self.rng.choice(_looks(session))])
        self._leave(session)

    # -- lessons and exercises -----------------------------------------------------------------------------------------------

    def _lesson(self, row: LessonRow, *, stuck: bool) -> None:
        reading.visit(self.user, row.lesson)
        self.clock.wait(60 * float(row.lesson.data["minutes"]) * self.rng.uniform(0.3, 0.9))
        for exercise in row.exercises:
            if stuck and exercise is next(item for item in row.exercises if item.data.get("wrong")):
                self._be_stuck(exercise)
                return
            if self.rng.random() >= self.kind.skips:
                self._exercise(exercise)
        if self.rng.random() < 0.93:
            reading.mark_read(self.user, row.lesson)
        self.clock.wait(self.rng.uniform(20, 240))

    def _exercise(self, exercise: Exercise) -> None:
        session = labs.exercise_session(self.user, exercise)
        wrong = list(exercise.data.get("wrong", []))
        self.rng.shuffle(wrong)
        failed = 0
        self._look_around(session)
        while wrong and self.rng.random() < self.kind.mistakes and failed < 4:
            self._type(session, wrong.pop()["commands"])
            if self._check(exercise):
                self._leave(session)
                return
            failed += 1
            self._look_around(session)
            if self.rng.random() < self.kind.hints:
                labs.show_hint(self.user, exercise)
                self.clock.wait(self.rng.uniform(10, 40))
            if failed >= 2 and self.rng.random() < self.kind.gives_up:
                if self.rng.random() < 0.4:
                    self._leave(session)  # never mind
                    return
                labs.show_solution(self.user, exercise)
                self.clock.wait(self.rng.uniform(20, 60))
                break
        self._type(session, exercise.data["solution"]["commands"])
        if not self._check(exercise) and failed and self.rng.random() < 0.8:
            # what was tried before is in the way: a clean start, as the bench offers it
            self._leave(session)
            simulator.reset(session)
            session = labs.exercise_session(self.user, exercise)
            self._type(session, exercise.data["solution"]["commands"])
            self._check(exercise)
        self._leave(session)

    def _be_stuck(self, exercise: Exercise) -> None:
        """The same mistake in several clothes, check after check; then an error, and silence."""
        session = labs.exercise_session(self.user, exercise)
        ways = exercise.data["wrong"]
        for turn in range(5):
            self._type(session, ways[turn % len(ways)]["commands"])
            self._check(exercise)
            self._look_around(session, slips=1.0)
            self.clock.wait(self.rng.uniform(60, 240))
        self.clock.now = max(self.clock.now, self.until - datetime.timedelta(minutes=12))
        self._type(session, [self.rng.choice(SLIPS)])
        self._leave(session)

    def _look_around(self, session: ClusterSession, slips: float = 0.35) -> None:
        lines = [self.rng.choice(_looks(session)) for _ in range(self.rng.randint(0, 2))]
        if self.rng.random() < slips * (1.3 - self.kind.ability):
            lines.append(self.rng.choice(SLIPS))
        self._type(session, lines)

    def _type(self, session: ClusterSession, steps: list[Any]) -> None:
        """Type lines on their hosts with pauses between; the cluster's time passes as the learner's does."""
        session.refresh_from_db(fields=["advanced_to", "last_seq"])
        at, here = session.advanced_to, engine.first_host(session.scenario)
        with transaction.atomic():  # one task for what is typed at one go
            for step in steps:
                step = {"run": step} if isinstance(step, str) else step
                if "wait" in step:
                    ns = duration(step["wait"])
                    self._row(session, "skip", {"ns": ns}, at)
                    at += ns
                    self.clock.wait(min(ns / SECOND, PATIENCE))
                    continue
                for line in str(step.get("run", "")).strip("\n").split("\n"):
                    pause = min(self.rng.expovariate(1 / self.kind.pace) + 1.0, PATIENCE * 4)
                    self.clock.wait(pause)
                    at += int(pause * SECOND)
                    self._row(session, "line", {"terminal": step.get("host", here), "text": line}, at)
                    self.told.commands += 1

    def _row(self, session: ClusterSession, kind: str, data: dict[str, Any], at: int) -> None:
        client_id = uuid.UUID(int=self.rng.getrandbits(128), version=4)
        simulator.append_input(session, kind=kind, data=data, client_id=client_id, at=at)

    def _check(self, exercise: Exercise) -> bool:
        self.clock.wait(self.rng.uniform(3, 12))
        run = labs.check(self.user, exercise, timeout=60)
        grading.record_exercise(self.user, exercise)
        self.told.checks += 1
        passed = run.passed == run.total
        self.told.passes += passed
        return passed

    def _leave(self, session: ClusterSession) -> None:
        """Go on elsewhere: the cluster rests with a snapshot, and its world leaves this process's memory."""
        advancing.rest(session.pk)

    # -- quizzes --------------------------------------------------------------------------------------------------------------

    def _quiz(self, chapter: ChapterRow) -> None:
        quiz = chapter.quiz
        if quiz is None or not self._at_quiz(quiz, self.kind.ability):
            return
        for more in range(1, self.kind.tries):
            grade = grading.record_quiz(self.user, quiz)
            if grade is None or grade.points >= grade.max_points * float(quiz.data.get("pass", 60)) / 100:
                return
            self.clock.wait(self.rng.uniform(1800, DAY / 3))
            self._at_quiz(quiz, min(0.95, self.kind.ability + 0.15 * more))

    def _at_quiz(self, quiz: Quiz, ability: float) -> bool:
        """One attempt, saved after every answer as a browser does it; False when no attempt may be begun."""
        try:
            # the order of questions and choices is the class's too
            attempt = quizzes.start(self.user, quiz, seed=f"{self.rng.getrandbits(64):016x}")
        except (quizzes.NoMoreAttempts, quizzes.NotNow, quizzes.WrongCode):
            return False
        sent: dict[str, list[str]] = {}
        for item in quizzes.asked(attempt):
            slow = 45.0 if item.kind.name in ("matching", "ordering", "multiple") else 25.0
            self.clock.wait(self.rng.lognormvariate(0, 0.5) * slow * (1.4 - ability / 2))
            if self.rng.random() < 0.03:
                continue
            right = self.rng.random() < min(0.98, max(0.03, ability + self.ease.get(item.spec["id"], 0.0)))
            sent |= fields(item, right=right, rng=self.rng)
            quizzes.save(attempt, Sent(sent))
        self.clock.wait(self.rng.uniform(5, 30))
        quizzes.submit(attempt)
        grading.record_quiz(self.user, quiz)
        self.told.attempts += 1
        return True


def _looks(session: ClusterSession) -> tuple[str, ...]:
    """What somebody looks at first, where there is a cluster and where there is only etcd."""
    return ETCD_LOOKS if engine.first_host(session.scenario).startswith("etcd") else LOOKS


def _wrong_ways(row: LessonRow) -> bool:
    return any(exercise.data.get("wrong") for exercise in row.exercises)
