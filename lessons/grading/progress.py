"""Where people are in a course: one reading of the tables for learners' own pages and for instructors' dashboards.

`Outline` is the course as it is up now; `standings` says for any number of users what they have read, passed and been
graded.  Both pages compute states from the same functions here, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Max, Prefetch

from lessons.grading.models import Grade
from lessons.labs.models import CheckRun, ExerciseAttempt, ExercisePass
from lessons.models import Chapter, Course, Exercise, Lesson, LessonProgress, Quiz
from lessons.quizzes.models import QuizAttempt


@dataclass(slots=True)
class LessonRow:
    """A lesson with its exercises."""

    lesson: Lesson
    exercises: list[Exercise]


@dataclass(slots=True)
class ChapterRow:
    """A chapter with its lessons and quiz."""

    chapter: Chapter
    lessons: list[LessonRow]
    quiz: Quiz | None

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
        return [chapter.quiz for chapter in self.chapters if chapter.quiz]


def outline(course: Course) -> Outline:
    """Read the course's active content in order."""
    exercises = Exercise.objects.filter(active=True).select_related("version").order_by("number")
    lessons = (
        Lesson.objects.filter(active=True)
        .select_related("version")
        .defer("version__body")
        .order_by("number")
        .prefetch_related(Prefetch("exercises", exercises, to_attr="active_exercises"))
    )
    quizzes = Quiz.objects.filter(active=True).select_related("version")
    rows = []
    chapters = course.chapters.filter(active=True).select_related("version").order_by("number")
    for chapter in chapters.prefetch_related(
        Prefetch("lessons", lessons, to_attr="active_lessons"), Prefetch("quizzes", quizzes, to_attr="active_quizzes")
    ):
        chapter.course = course
        found: Any = chapter
        for lesson in found.active_lessons:
            lesson.chapter = chapter
            for exercise in lesson.active_exercises:
                exercise.lesson, exercise.course = lesson, course
        for quiz in found.active_quizzes:
            quiz.chapter = chapter
        in_lessons = [LessonRow(lesson, lesson.active_exercises) for lesson in found.active_lessons]
        rows.append(ChapterRow(chapter, in_lessons, next(iter(found.active_quizzes), None)))
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


@dataclass(slots=True)
class Standing:
    """Everything about one person in one course."""

    progress: dict[int, LessonProgress] = field(default_factory=dict)
    passes: dict[int, ExercisePass] = field(default_factory=dict)
    attempts: dict[int, ExerciseAttempt] = field(default_factory=dict)
    runs: dict[int, CheckRun] = field(default_factory=dict)
    grades: dict[tuple[str, int], Grade] = field(default_factory=dict)
    open_quizzes: set[int] = field(default_factory=set)

    def lesson(self, row: LessonRow) -> LessonState:
        """The state of one lesson."""
        progress = self.progress.get(row.lesson.pk)
        done = total = passed = 0
        stuck = False
        for exercise in row.exercises:
            count = len(exercise.data["checks"])
            total += count
            if exercise.pk in self.passes:
                passed, done = passed + 1, done + count
                continue
            run, attempt = self.runs.get(exercise.pk), self.attempts.get(exercise.pk)
            done += min(run.passed, count) if run else 0
            stuck |= bool(attempt and attempt.failed_checks >= STUCK_AFTER)
        read = bool(progress and progress.read_at)
        return LessonState(progress is not None, read, passed, len(row.exercises), done, total, stuck)

    def quiz(self, quiz: Quiz) -> Grade | None:
        """The grade of a quiz."""
        return self.grades.get(("quiz", quiz.pk))


def standings(user_ids: Iterable[int], course: Course) -> dict[int, Standing]:
    """What each of these people has done in the course; a row for each, also for who has done nothing."""
    found = {pk: Standing() for pk in user_ids}
    ids = list(found)
    for progress in LessonProgress.objects.filter(user__in=ids, lesson__chapter__course=course):
        found[progress.user_id].progress[progress.lesson_id] = progress
    for item in ExercisePass.objects.filter(user__in=ids, exercise__course=course).select_related("run"):
        found[item.user_id].passes[item.exercise_id] = item
    for attempt in ExerciseAttempt.objects.filter(user__in=ids, exercise__course=course).order_by("number"):
        found[attempt.user_id].attempts[attempt.exercise_id] = attempt  # the last one stays
    # of each attempt the last run only: there may be tens of thousands
    mine = CheckRun.objects.filter(attempt__user__in=ids, attempt__exercise__course=course)
    last = mine.order_by().values("attempt").annotate(last=Max("id")).values("last")
    for run in CheckRun.objects.filter(pk__in=last).select_related("attempt").order_by("id").defer("evidence"):
        found[run.attempt.user_id].runs[run.attempt.exercise_id] = run
    # of a quiz that was given to a cohort that grade stays, not the one of taking it freely
    for grade in Grade.objects.filter(user__in=ids, course=course).order_by(F("assignment").asc(nulls_first=True)):
        key = ("exercise", grade.exercise_id) if grade.exercise_id else ("quiz", grade.quiz_id or 0)
        found[grade.user_id].grades[(key[0], int(key[1] or 0))] = grade
    started = QuizAttempt.objects.filter(user__in=ids, quiz__chapter__course=course, submitted_at=None)
    for user_id, quiz_id in started.values_list("user_id", "quiz_id"):
        found[user_id].open_quizzes.add(quiz_id)
    return found
