"""Where people are in a course: one reading of the tables for learners' own pages and for instructors' dashboards.

`Outline` is the course as it is up now; `standings` says for any number of users what they have read, passed and been
graded.  Both pages compute states from the same functions here, so they cannot disagree.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import BooleanField, ExpressionWrapper, F, Max, Prefetch, Q

from lessons.grading.models import Grade
from lessons.labs.models import CheckRun, ExerciseAttempt, ExercisePass
from lessons.models import Chapter, Cohort, Course, Exercise, Lesson, LessonProgress, Quiz
from lessons.quizzes.models import QuizAttempt
from lessons.versions import fill


@dataclass(slots=True)
class LessonRow:
    """A lesson with its exercises, and how many checks each of them has."""

    lesson: Lesson
    exercises: list[Exercise]
    checks: list[int] = field(default_factory=list)


@dataclass(slots=True)
class ChapterRow:
    """A chapter with its lessons and quiz, and the quizzes that a cohort's instructors wrote for it."""

    chapter: Chapter
    lessons: list[LessonRow]
    quiz: Quiz | None
    own: list[Quiz] = field(default_factory=list)

    @property
    def quizzes(self) -> list[tuple[str, Quiz]]:
        """All of them with their labels: `1.Q`, `1.Q2` …"""
        found = ([self.quiz] if self.quiz else []) + self.own
        return [(f"{self.chapter.number}.Q{place if place > 1 else ''}", quiz) for place, quiz in enumerate(found, 1)]

    @property
    def minutes(self) -> int:
        """Estimated time of everything in it."""
        own = sum(int(row.lesson.data["minutes"]) for row in self.lessons)
        return own + (int(self.quiz.data["minutes"]) if self.quiz else 0)


@dataclass(slots=True)
class Outline:
    """A course as it is up now."""

    course: Course
    chapters: list[ChapterRow]

    @property
    def lessons(self) -> list[LessonRow]:
        """All lessons in order."""
        return [row for chapter in self.chapters for row in chapter.lessons]

    @property
    def exercises(self) -> list[Exercise]:
        """All exercises in order."""
        return [exercise for row in self.lessons for exercise in row.exercises]

    @property
    def quizzes(self) -> list[Quiz]:
        """All quizzes in order."""
        return [quiz for chapter in self.chapters for _label, quiz in chapter.quizzes]


def outline(course: Course, cohort: Cohort | None = None) -> Outline:
    """Read the course's active content in order, with a cohort also its own quizzes.  What versions say is shared with other requests: read
    only."""

    def shown(rows: Any) -> Any:
        return rows.filter(active=True).select_related("version").defer("version__data", "version__body")

    exercises = shown(Exercise.objects).order_by("number")
    lessons = shown(Lesson.objects).order_by("number").prefetch_related(Prefetch("exercises", exercises, "active_exercises"))
    chapters: list[Any] = list(
        shown(course.chapters)
        .order_by("number")
        .prefetch_related(
            Prefetch("lessons", lessons, to_attr="active_lessons"),
            Prefetch("quizzes", shown(Quiz.objects), to_attr="active_quizzes"),
        )
    )
    everything: list[Any] = list(chapters)
    own: dict[int, list[Quiz]] = {}
    if cohort is not None:
        for quiz in Quiz.objects.filter(cohort=cohort).select_related("version").defer("version__data").order_by("pk"):
            own.setdefault(quiz.chapter_id, []).append(quiz)
    rows = []
    for chapter in chapters:
        chapter.course = course
        for lesson in chapter.active_lessons:
            lesson.chapter = chapter
            for exercise in lesson.active_exercises:
                exercise.lesson, exercise.course = lesson, course
            everything += [lesson, *lesson.active_exercises]
        given = [*chapter.active_quizzes, *own.get(chapter.pk, [])]
        for quiz in given:
            quiz.chapter = chapter
        everything += given
        in_lessons = [LessonRow(lesson, lesson.active_exercises) for lesson in chapter.active_lessons]
        rows.append(ChapterRow(chapter, in_lessons, next(iter(chapter.active_quizzes), None), own.get(chapter.pk, [])))
    fill(everything)
    for row in (row for chapter_row in rows for row in chapter_row.lessons):
        row.checks = [len(exercise.data["checks"]) for exercise in row.exercises]
    return Outline(course, rows)


@dataclass(slots=True)
class LessonState:
    """A lesson for one person: read or not, exercises passed of all, and how far the last checks came."""

    opened: bool
    read: bool
    passed: int
    exercises: int
    checks_done: int
    checks: int
    stuck: bool

    @property
    def done(self) -> bool:
        """Read, and every exercise passed."""
        return self.read and self.passed == self.exercises

    @property
    def begun(self) -> bool:
        """Something was done."""
        return self.opened or self.passed > 0 or self.checks_done > 0

    @property
    def level(self) -> int:
        """0 to 4: how full its cell is.  Reading is one part, every exercise one; only all of it is 4."""
        if self.done:
            return 4
        share = (self.read + (self.checks_done / self.checks if self.checks else 0) * self.exercises) / (1 + self.exercises)
        return max(1 if self.begun else 0, min(3, int(share * 4)))


#: Failed checks in a row, without a pass, that make an exercise look stuck.
STUCK_AFTER = 3


class Seen(NamedTuple):
    """A lesson that was opened."""

    opened_at: datetime.datetime
    last_at: datetime.datetime
    read_at: datetime.datetime | None


class Tried(NamedTuple):
    """The last attempt at an exercise."""

    pk: int
    failed_checks: int
    hints_shown: int
    gave_up_at: datetime.datetime | None


class Ran(NamedTuple):
    """The last run of an exercise's checks: how many passed, of how many."""

    pk: int
    passed: int
    total: int


class Passed(NamedTuple):
    """An exercise that was passed."""

    points: float
    max_points: float
    run_id: int


class Graded(NamedTuple):
    """The grade of a quiz or exercise."""

    points: float
    max_points: float
    evidence: dict[str, Any]


@dataclass(slots=True)
class Standing:
    """Everything about one person in one course, by the number of the lesson, exercise or quiz."""

    progress: dict[int, Seen] = field(default_factory=dict)
    #: of each lesson that was opened, whether it was read
    read: dict[int, bool] = field(default_factory=dict)
    passes: dict[int, Passed] = field(default_factory=dict)
    attempts: dict[int, Tried] = field(default_factory=dict)
    runs: dict[int, Ran] = field(default_factory=dict)
    grades: dict[tuple[str, int], Graded] = field(default_factory=dict)
    open_quizzes: set[int] = field(default_factory=set)

    def lesson(self, row: LessonRow) -> LessonState:
        """The state of one lesson."""
        read = self.read.get(row.lesson.pk)
        done = total = passed = 0
        stuck = False
        for exercise, count in zip(row.exercises, row.checks, strict=True):
            total += count
            pk = exercise.pk
            if pk in self.passes:
                passed, done = passed + 1, done + count
                continue
            run, attempt = self.runs.get(pk), self.attempts.get(pk)
            done += min(run.passed, count) if run else 0
            stuck |= bool(attempt and attempt.failed_checks >= STUCK_AFTER)
        return LessonState(read is not None, bool(read), passed, len(row.exercises), done, total, stuck)

    def quiz(self, quiz: Quiz) -> Graded | None:
        """The grade of a quiz."""
        return self.grades.get(("quiz", quiz.pk))


def standings(
    user_ids: Iterable[int], course: Course, cohort: Cohort | None = None, *, brief: bool = False
) -> dict[int, Standing]:
    """What each of these people has done in the course; a row for each, also for who has done nothing.

    With a cohort, grades of what was given to other cohorts of the course are left out.  Rows come as tuples: of a hundred learners there
    are tens of thousands; `brief` leaves out what a heat map does not show: when lessons were read, grades of exercises, their evidence.
    """
    found = {pk: Standing() for pk in user_ids}
    ids = list(found)
    opened = LessonProgress.objects.filter(user__in=ids, lesson__chapter__course=course)
    if brief:  # to read a time costs more than all the rest of a row
        done = opened.annotate(done=ExpressionWrapper(Q(read_at__isnull=False), BooleanField()))
        for user, lesson, read in done.values_list("user_id", "lesson_id", "done"):
            found[user].read[lesson] = bool(read)
    else:
        for user, lesson, *seen in opened.values_list("user_id", "lesson_id", "opened_at", "last_at", "read_at"):
            one = found[user].progress[lesson] = Seen._make(seen)
            found[user].read[lesson] = one.read_at is not None
    passes = ExercisePass.objects.filter(user__in=ids, exercise__course=course)
    for user, exercise, *passed in passes.values_list("user_id", "exercise_id", "points", "max_points", "run_id"):
        found[user].passes[exercise] = Passed._make(passed)
    tried = ExerciseAttempt.objects.filter(user__in=ids, exercise__course=course).order_by("number")
    for user, exercise, *attempt in tried.values_list(
        "user_id", "exercise_id", "pk", "failed_checks", "hints_shown", "gave_up_at"
    ):
        found[user].attempts[exercise] = Tried._make(attempt)  # the last one stays
    # of each attempt the last run only: there may be tens of thousands
    mine = CheckRun.objects.filter(attempt__user__in=ids, attempt__exercise__course=course)
    last = mine.order_by().values("attempt").annotate(last=Max("id")).values("last")
    runs = CheckRun.objects.filter(pk__in=last).order_by("id")
    for user, exercise, *run in runs.values_list("attempt__user_id", "attempt__exercise_id", "pk", "passed", "total"):
        found[user].runs[exercise] = Ran._make(run)
    # of a quiz that was given to a cohort that grade stays, not the one of taking it freely
    grades = Grade.objects.filter(user__in=ids, course=course).order_by(F("assignment").asc(nulls_first=True))
    if cohort is not None:
        grades = grades.filter(Q(assignment=None) | Q(assignment__cohort=cohort))
    if brief:
        for user, quiz, points, most in grades.filter(quiz__isnull=False).values_list(
            "user_id", "quiz_id", "points", "max_points"
        ):
            found[user].grades["quiz", quiz] = Graded(points, most, {})
    else:
        for user, exercise, quiz, *grade in grades.values_list(
            "user_id", "exercise_id", "quiz_id", "points", "max_points", "evidence"
        ):
            key = ("exercise", exercise) if exercise else ("quiz", quiz)
            found[user].grades[key] = Graded._make(grade)
    started = QuizAttempt.objects.filter(user__in=ids, quiz__chapter__course=course, submitted_at=None)
    for user_id, quiz_id in started.values_list("user_id", "quiz_id"):
        found[user_id].open_quizzes.add(quiz_id)
    return found
