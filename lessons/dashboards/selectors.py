"""What a dashboard shows: sums of every learner of the cohort, and a row of cells for each lesson and quiz of those who are shown.

Staff never count: only memberships with the role learner are read.  Sums, who is stuck and who is active are made by the database from
indexed rows; cells are read for the learners of one page only, so that a class of 500 costs little more than one of 50.  Nothing is kept
between two readings: what the page says is what the rows say.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, F, Max, OuterRef, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from lessons.desk.models import Signal
from lessons.desk.stuck import RUNS, Silence, is_failing, silences, stalled
from lessons.grading.models import Grade
from lessons.grading.progress import (
    ChapterRow,
    Graded,
    LessonRow,
    LessonState,
    Outline,
    Passed,
    Ran,
    Standing,
    Tried,
    outline,
    standings,
)
from lessons.labs.models import CheckRun, ExerciseAttempt, ExercisePass
from lessons.models import Cohort, Exercise, Lesson, LessonProgress, Membership, Quiz
from lessons.quizzes.layout import size
from simulator.models import ClusterSession, JournalEntry

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: Somebody whose cluster or page moved within this time is active.
ACTIVE_WITHIN = datetime.timedelta(minutes=5)
#: Learners as a query inside other queries, or their numbers.
People = Any
#: So many of the stuck are listed with what their checks say.
TOLD = 8


@dataclass(slots=True)
class LessonCell:
    """One learner and one lesson."""

    lesson: Lesson
    state: LessonState
    active: bool

    @property
    def words(self) -> str:
        """The cell in words; its colour says no more than this."""
        state = self.state
        if not state.begun:
            said = _("not started")
        elif state.exercises:
            read = _("read") if state.read else _("not read")
            passed = ngettext("%(done)s of %(all)s exercise passed", "%(done)s of %(all)s exercises passed", state.exercises)
            said = f"{read}, {passed % {'done': state.passed, 'all': state.exercises}}"
        else:
            said = _("read") if state.read else _("opened, not read")
        if state.stuck:
            said += ", " + _("stuck")
        if self.active:
            said += ", " + _("active now")
        return said


@dataclass(slots=True)
class QuizCell:
    """One learner and one quiz."""

    quiz: Quiz
    label: str
    grade: Graded | None
    begun: bool


@dataclass(slots=True)
class ExerciseCell:
    """One learner and one exercise."""

    exercise: Exercise
    passed: Passed | None
    run: Ran | None
    attempt: Tried | None


@dataclass(slots=True)
class ChapterCells:
    """A learner's cells in one chapter."""

    row: ChapterRow
    lessons: list[LessonCell]
    quizzes: list[QuizCell]


@dataclass(slots=True)
class Sums:
    """One learner in numbers: lessons read, exercises passed, points of exercises and quizzes."""

    read: int = 0
    passes: int = 0
    points: float = 0.0


@dataclass(slots=True)
class LearnerRow:
    """One learner."""

    user: User
    chapters: list[ChapterCells]
    exercises: list[ExerciseCell]
    quizzes: list[QuizCell]
    read: int
    passes: int
    points: float
    active: bool


@dataclass(slots=True)
class Stuck:
    """A learner who does not come on in an exercise, or sits before an error.

    `failing` and `session` are filled for the first few only (`TOLD`): they are in the runs' verdicts, which are long.
    """

    user: User
    lesson: Lesson
    exercise: Exercise | None
    attempt: int = 0
    failed: int = 0
    failing: str = ""
    left: int = 0
    level: bool = False
    silence: Silence | None = None
    session: str = ""


@dataclass(slots=True)
class Here:
    """Somebody who is active: where, since when, on which cluster, and their last command."""

    user: User
    place: str
    at: datetime.datetime
    session: str = ""
    command: str = ""


@dataclass
class Board:
    """Everything on the dashboard."""

    cohort: Cohort
    outline: Outline
    users: list[User]
    sums: dict[int, Sums]
    stuck: list[Stuck]
    active: list[Here]
    signals: list[Signal]
    #: lessons (by learner) that are stuck for a reason of their own, beside many failed checks
    hatched: set[tuple[int, int]]
    #: the lesson at which each active learner is
    here: dict[int, int] = field(default_factory=dict)

    @property
    def rows(self) -> list[LearnerRow]:
        """Everybody's cells."""
        return self.rows_of(self.users)

    def rows_of(self, users: Iterable[User]) -> list[LearnerRow]:
        """The cells of some of the learners, in the order given."""
        shown = list(users)
        found = standings([user.pk for user in shown], self.cohort.course, self.cohort, brief=True)
        return [self._row(user, found[user.pk]) for user in shown]

    def _row(self, user: User, standing: Standing) -> LearnerRow:
        here, sums = self.here.get(user.pk, 0), self.sums[user.pk]
        chapters = []
        for chapter in self.outline.chapters:
            lessons = [LessonCell(row.lesson, standing.lesson(row), row.lesson.pk == here) for row in chapter.lessons]
            quizzes = [
                QuizCell(quiz, label, standing.quiz(quiz), quiz.pk in standing.open_quizzes) for label, quiz in chapter.quizzes
            ]
            chapters.append(ChapterCells(chapter, lessons, quizzes))
        exercises = [
            ExerciseCell(item, standing.passes.get(item.pk), standing.runs.get(item.pk), standing.attempts.get(item.pk))
            for item in self.outline.exercises
        ]
        every = [cell for cells in chapters for cell in cells.quizzes]
        return LearnerRow(user, chapters, exercises, every, sums.read, sums.passes, sums.points, here != 0)

    @property
    def told(self) -> list[Stuck]:
        """The stuck who are listed."""
        return self.stuck[:TOLD]

    @property
    def median_read(self) -> float:
        """The median number of lessons read."""
        return float(median(row.read for row in self.sums.values())) if self.sums else 0.0

    @property
    def stuck_learners(self) -> int:
        """How many learners are stuck somewhere."""
        return len({item.user.pk for item in self.stuck})

    @property
    def columns(self) -> int:
        """How many cells a row of the heat map has."""
        return len(self.outline.lessons) + len(self.outline.quizzes)

    @property
    def quiz_heads(self) -> list[tuple[Quiz, float]]:
        """Each quiz with the points it gives."""
        return [(quiz, size(quiz.data)[1]) for quiz in self.outline.quizzes]

    @property
    def most_points(self) -> float:
        """What a learner could have in all."""
        exercises = sum(float(item.data.get("points", 10)) for item in self.outline.exercises)
        return exercises + sum(most for _quiz, most in self.quiz_heads)


def learners(cohort: Cohort) -> list[User]:
    """The cohort's learners by name."""
    rows = cohort.memberships.filter(role=Membership.Role.LEARNER).select_related("user").order_by("user__username")
    return [row.user for row in rows]


def board(cohort: Cohort, *, now: datetime.datetime | None = None, only: Iterable[User] | None = None) -> Board:
    """Read the dashboard in a fixed number of queries; with `only`, of some of its learners."""
    now = now or timezone.now()
    course = outline(cohort.course, cohort)
    users = learners(cohort)
    people: People = cohort.memberships.filter(role=Membership.Role.LEARNER).values("user")
    if only is not None:
        people = [user.pk for user in only]
        users = [user for user in users if user.pk in people]
    by_id = {user.pk: user for user in users}
    stuck = _stuck(people, by_id, course, silences(people, cohort.course, now))
    active, here = _active(people, by_id, course, now)
    signals = list(
        Signal.objects.filter(user__in=people, course=cohort.course, cleared_at=None).select_related("user", "lesson__chapter")
    )
    hatched = {(item.user.pk, item.lesson.pk) for item in stuck}
    return Board(cohort, course, users, _sums(people, by_id, cohort, course), stuck, active, signals, hatched, here)


def _sums(people: People, by_id: dict[int, User], cohort: Cohort, course: Outline) -> dict[int, Sums]:
    """What each learner has done, of what is up in the course now."""
    out = {pk: Sums() for pk in by_id}
    lessons = [row.lesson.pk for row in course.lessons]
    read = LessonProgress.objects.filter(user__in=people, lesson__in=lessons, read_at__isnull=False)
    for user, count in read.values_list("user").annotate(Count("pk")):
        out[user].read = count
    passes = ExercisePass.objects.filter(user__in=people, exercise__in=[item.pk for item in course.exercises])
    for user, count, points in passes.values_list("user").annotate(Count("pk"), Sum("points")):
        out[user].passes, out[user].points = count, points
    # of a quiz that was given to the cohort that grade counts, not the one of taking it freely
    graded: dict[tuple[int, int], float] = {}
    grades = Grade.objects.filter(
        Q(assignment=None) | Q(assignment__cohort=cohort), user__in=people, quiz__in=[quiz.pk for quiz in course.quizzes]
    )
    rows = grades.order_by(F("assignment").asc(nulls_first=True)).values_list("user_id", "quiz_id", "points")
    for user, quiz, points in rows:
        graded[user, quiz] = points
    for (user, _quiz), points in graded.items():
        out[user].points += points
    return out


def _active(people: People, by_id: dict[int, User], course: Outline, now: datetime.datetime) -> tuple[list[Here], dict[int, int]]:
    """Who read or typed in the last minutes, the last first; and the lesson that each of them opened last."""
    since = now - ACTIVE_WITHIN
    mine = LessonProgress.objects.filter(user__in=people, lesson__chapter__course=course.course)
    times: dict[int, datetime.datetime] = dict(mine.filter(last_at__gt=since).values_list("user").annotate(Max("last_at")))
    clusters: dict[int, tuple[datetime.datetime, str]] = {}
    moved = ClusterSession.objects.filter(
        owner__in=people, slot__startswith=f"{course.course.slug}/", last_seq__gt=0, touched_at__gt=since
    )
    for owner, at, session in moved.order_by("touched_at").values_list("owner_id", "touched_at", "pk"):
        clusters[owner] = (at, str(session))
        times[owner] = max(at, times.get(owner, at))
    here = dict(mine.filter(user__in=list(times)).order_by("last_at").values_list("user_id", "lesson_id"))
    labels = {row.lesson.pk: row.lesson.label for row in course.lessons}
    out = [
        Here(by_id[pk], labels.get(here.get(pk, 0), ""), at, clusters[pk][1] if pk in clusters else "")
        for pk, at in times.items()
    ]
    _last_commands(out)
    out.sort(key=lambda item: (item.at, item.user.username), reverse=True)
    return out, here


def _last_commands(active: list[Here]) -> None:
    """Put the last line typed beside who is active."""
    sessions = [uuid.UUID(item.session) for item in active if item.session]
    rows = JournalEntry.objects.filter(session__in=sessions, seq=F("session__last_seq")).values_list("session_id", "data")
    typed = {str(session): str(data.get("text", "")) for session, data in rows}
    for item in active:
        item.command = typed.get(item.session, "")


def _stuck(people: People, by_id: dict[int, User], course: Outline, silent: dict[int, list[Silence]]) -> list[Stuck]:
    """Who is stuck where: silent first, then most failed checks."""
    places: dict[str, tuple[LessonRow, Exercise | None]] = {}
    exercises: dict[int, tuple[LessonRow, Exercise]] = {}
    for row in course.lessons:
        slot = f"{course.course.slug}/{row.lesson.slug}"
        places[slot] = (row, None)
        for exercise in row.exercises:
            places[f"{slot}/{exercise.slug}"] = exercises[exercise.pk] = (row, exercise)
    out: dict[tuple[int, int], Stuck] = {}
    tried = _open_attempts(people, list(exercises))
    level = stalled([attempt for attempt, _user, _exercise, _failed in tried])
    for attempt, user, exercise_id, failed in tried:
        if is_failing(failed) or attempt in level:
            row, exercise = exercises[exercise_id]
            left, still = level.get(attempt, 0), attempt in level
            out[user, exercise_id] = Stuck(by_id[user], row.lesson, exercise, attempt, failed, left=left, level=still)
    alone = []
    passed = set(
        ExercisePass.objects.filter(user__in=list(silent), exercise__in=list(exercises)).values_list("user_id", "exercise_id")
    )
    for user, items in silent.items():
        for item in items:
            if item.slot not in places:
                continue
            row, own = places[item.slot]
            if own is not None and (user, own.pk) in passed:
                continue
            # the lesson's own cluster serves those of its exercises that have none of their own
            found = [out[user, one.pk] for one in ([own] if own else row.exercises) if (user, one.pk) in out]
            free = next((one for one in found if one.silence is None), None)
            if free is not None:
                free.silence, free.session = item, str(item.session)
            else:
                alone.append(Stuck(by_id[user], row.lesson, own, silence=item, session=str(item.session)))
    stuck = [*out.values(), *alone]
    stuck.sort(key=lambda item: (item.silence is None, -item.failed, item.user.username, item.lesson.pk))
    _tell(stuck[:TOLD])
    return stuck


def _open_attempts(people: People, exercises: list[int]) -> list[tuple[int, int, int, int]]:
    """Attempts that failed more than once and have not passed: `(attempt, user, exercise, failed checks)`, of each exercise the last."""
    same = {"user": OuterRef("user"), "exercise": OuterRef("exercise")}
    rows = ExerciseAttempt.objects.filter(user__in=people, exercise__in=exercises, failed_checks__gte=RUNS - 1).filter(
        ~Exists(ExercisePass.objects.filter(**same)),
        ~Exists(ExerciseAttempt.objects.filter(**same, number__gt=OuterRef("number"))),
    )
    return list(rows.order_by("pk").values_list("pk", "user_id", "exercise_id", "failed_checks"))


def _tell(stuck: list[Stuck]) -> None:
    """Say of these which check fails and on which cluster."""
    rows = CheckRun.objects.filter(attempt__in=[item.attempt for item in stuck if item.attempt]).order_by("id")
    last = dict(rows.values("attempt").annotate(last=Max("id")).order_by().values_list("attempt", "last"))
    runs = {run.attempt_id: run for run in CheckRun.objects.filter(pk__in=list(last.values()))}
    for item in stuck:
        run = runs.get(item.attempt)
        if run is None or item.exercise is None:
            continue
        item.left = run.total - run.passed
        item.session = item.session or str(run.evidence.get("session", ""))
        failing = next((verdict["id"] for verdict in run.verdicts if verdict.get("state") == "failed"), "")
        check = next((one for one in item.exercise.data["checks"] if one["id"] == failing), None)
        item.failing = check["title"] if check else ""


def lesson_row(course: Outline, lesson_id: int) -> LessonRow | None:
    """A lesson of the outline."""
    return next((row for row in course.lessons if row.lesson.pk == lesson_id), None)
