"""What a dashboard shows: a row for each learner of the cohort, a cell for each lesson and quiz.

Staff never count: only memberships with the role learner become rows, and every sum is made from rows.
"""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from lessons.desk.models import Signal
from lessons.desk.stuck import Silence, candidates, is_failing, silences, stalled
from lessons.grading.models import Grade
from lessons.grading.progress import ChapterRow, LessonRow, LessonState, Outline, Standing, outline, standings
from lessons.labs.models import CheckRun, ExerciseAttempt, ExercisePass
from lessons.models import Cohort, Exercise, Lesson, Membership, Quiz
from simulator.models import ClusterSession, JournalEntry

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: Somebody whose cluster or page moved within this time is active.
ACTIVE_WITHIN = datetime.timedelta(minutes=5)


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
    grade: Grade | None
    begun: bool


@dataclass(slots=True)
class ExerciseCell:
    """One learner and one exercise."""

    exercise: Exercise
    passed: ExercisePass | None
    run: CheckRun | None
    attempt: ExerciseAttempt | None


@dataclass(slots=True)
class ChapterCells:
    """A learner's cells in one chapter."""

    row: ChapterRow
    lessons: list[LessonCell]
    quiz: QuizCell | None


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
    """A learner who does not come on in an exercise, or sits before an error; the reasons are in `why`."""

    user: User
    lesson: Lesson
    exercise: Exercise | None
    attempt: ExerciseAttempt | None
    run: CheckRun | None
    failing: str
    left: int = 0
    level: bool = False
    silence: Silence | None = None

    @property
    def failed(self) -> int:
        """Failed checks of the attempt."""
        return self.attempt.failed_checks if self.attempt else 0

    @property
    def session(self) -> str:
        """The cluster that it happens on, where that is known."""
        if self.silence is not None:
            return str(self.silence.session)
        return str(self.run.evidence.get("session", "")) if self.run else ""


@dataclass(slots=True)
class Here:
    """Somebody who is active: where, since when, on which cluster, and their last command."""

    user: User
    place: str
    at: datetime.datetime
    session: str = ""
    command: str = ""


@dataclass(slots=True)
class Board:
    """Everything on the dashboard."""

    cohort: Cohort
    outline: Outline
    rows: list[LearnerRow]
    stuck: list[Stuck]
    active: list[Here]
    signals: list[Signal]
    #: lessons (by learner) that are stuck for a reason of their own, beside many failed checks
    hatched: set[tuple[int, int]]

    @property
    def median_read(self) -> float:
        """The median number of lessons read."""
        return float(median(row.read for row in self.rows)) if self.rows else 0.0

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
        return [(quiz, sum(float(item.get("points", 1)) for item in quiz.data["questions"])) for quiz in self.outline.quizzes]

    @property
    def most_points(self) -> float:
        """What a learner could have in all."""
        exercises = sum(float(item.data.get("points", 10)) for item in self.outline.exercises)
        return exercises + sum(most for _quiz, most in self.quiz_heads)


def learners(cohort: Cohort) -> list[User]:
    """The cohort's learners by name."""
    rows = cohort.memberships.filter(role=Membership.Role.LEARNER).select_related("user").order_by("user__username")
    return [row.user for row in rows]


def _last_moves(users: list[User], course: Outline) -> dict[int, tuple[datetime.datetime, ClusterSession]]:
    """Each learner's cluster of this course that moved last (by their journal inputs and page visits), and when."""
    rows = ClusterSession.objects.filter(owner__in=users, slot__startswith=f"{course.course.slug}/", last_seq__gt=0)
    out: dict[int, tuple[datetime.datetime, ClusterSession]] = {}
    for row in rows.only("owner_id", "touched_at", "last_seq"):
        if row.owner_id not in out or row.touched_at > out[row.owner_id][0]:
            out[row.owner_id] = (row.touched_at, row)
    return out


def board(cohort: Cohort, *, now: datetime.datetime | None = None) -> Board:
    """Read the whole dashboard in a fixed number of queries."""
    now = now or timezone.now()
    course = outline(cohort.course)
    users = learners(cohort)
    ids = [user.pk for user in users]
    found = standings(ids, cohort.course)
    moves = _last_moves(users, course)
    level = stalled([attempt for standing in found.values() for attempt in candidates(standing)])
    silent = silences(ids, cohort.course, now)
    rows, stuck, active = [], [], []
    for user in users:
        standing = found[user.pk]
        latest = max(standing.progress.values(), key=lambda item: item.last_at, default=None)
        times = [item.last_at for item in standing.progress.values()] + ([moves[user.pk][0]] if user.pk in moves else [])
        seen = max(times, default=None)
        is_active = seen is not None and now - seen < ACTIVE_WITHIN
        here = latest.lesson_id if latest and is_active else 0
        rows.append(_row(user, standing, course, here))
        stuck += _stuck(user, standing, course, level, silent.get(user.pk, []))
        if is_active and seen is not None:
            place = next((row.lesson.label for row in course.lessons if row.lesson.pk == here), "")
            active.append(Here(user, place, seen, str(moves[user.pk][1].pk) if user.pk in moves else ""))
    _last_commands(active)
    stuck.sort(key=lambda item: (item.silence is None, -item.failed, item.user.username))
    active.sort(key=lambda item: item.at, reverse=True)
    signals = list(
        Signal.objects.filter(user__in=ids, course=cohort.course, cleared_at=None).select_related("user", "lesson__chapter")
    )
    hatched = {(item.user.pk, item.lesson.pk) for item in stuck}
    return Board(cohort, course, rows, stuck, active, signals, hatched)


def _last_commands(active: list[Here]) -> None:
    """Put the last line typed beside who is active."""
    sessions = [uuid.UUID(item.session) for item in active if item.session]
    rows = JournalEntry.objects.filter(session__in=sessions, seq=F("session__last_seq")).values_list("session_id", "data")
    typed = {str(session): str(data.get("text", "")) for session, data in rows}
    for item in active:
        item.command = typed.get(item.session, "")


def _row(user: User, standing: Standing, course: Outline, here: int) -> LearnerRow:
    chapters = []
    for chapter in course.chapters:
        lessons = [LessonCell(row.lesson, standing.lesson(row), row.lesson.pk == here) for row in chapter.lessons]
        chapters.append(ChapterCells(chapter, lessons, _quiz_cell(standing, chapter.quiz) if chapter.quiz else None))
    exercises = [
        ExerciseCell(item, standing.passes.get(item.pk), standing.runs.get(item.pk), standing.attempts.get(item.pk))
        for item in course.exercises
    ]
    quizzes = [_quiz_cell(standing, quiz) for quiz in course.quizzes]
    points = sum(cell.passed.points for cell in exercises if cell.passed) + sum(
        cell.grade.points for cell in quizzes if cell.grade
    )
    read = sum(cell.state.read for chapter in chapters for cell in chapter.lessons)
    passes = sum(cell.passed is not None for cell in exercises)
    return LearnerRow(user, chapters, exercises, quizzes, read, passes, points, here != 0)


def _quiz_cell(standing: Standing, quiz: Quiz) -> QuizCell:
    return QuizCell(quiz, standing.quiz(quiz), quiz.pk in standing.open_quizzes)


def _stuck(user: User, standing: Standing, course: Outline, level: dict[int, int], silent: list[Silence]) -> list[Stuck]:
    out = []
    quiet = {item.slot: item for item in silent}
    for row in course.lessons:
        slot = f"{course.course.slug}/{row.lesson.slug}"
        here = quiet.pop(slot, None)
        for exercise in row.exercises:
            attempt = standing.attempts.get(exercise.pk)
            own = quiet.pop(f"{slot}/{exercise.slug}", None)
            if exercise.pk in standing.passes or attempt is None:
                continue
            if not (is_failing(attempt.failed_checks) or attempt.pk in level):
                continue
            run = standing.runs.get(exercise.pk)
            failing = next((item["id"] for item in run.verdicts if item.get("state") == "failed"), "") if run else ""
            check = next((item for item in exercise.data["checks"] if item["id"] == failing), None)
            left = run.total - run.passed if run else 0
            title = check["title"] if check else ""
            out.append(Stuck(user, row.lesson, exercise, attempt, run, title, left, attempt.pk in level, own or here))
            here = None
        if here is not None:
            out.append(Stuck(user, row.lesson, None, None, None, "", silence=here))
    return out


def lesson_row(course: Outline, lesson_id: int) -> LessonRow | None:
    """A lesson of the outline."""
    return next((row for row in course.lessons if row.lesson.pk == lesson_id), None)
