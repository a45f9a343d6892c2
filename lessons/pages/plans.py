"""What a lesson's page is made of for whoever reads it: the same rows for everybody, read once and kept (`lessons.freshness`)."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, replace
from typing import TypeVar

from django.conf import settings
from django.db.models import Model
from django.shortcuts import get_object_or_404

from lessons import freshness
from lessons.models import Exercise, Lesson, Question, Quiz
from lessons.pages.kept import Pages
from lessons.reference.models import ChapterReview

Row = TypeVar("Row", bound=Model)

#: Lessons that a process keeps (some 100 KB each, both languages).
MOST = 64


@dataclass(frozen=True, slots=True)
class Plan:
    """A lesson and what stands on its page and beside it."""

    lesson: Lesson
    #: Questions and exercises that its text may hold.
    questions: list[Question]
    exercises: list[Exercise]
    #: The lessons before and after in the course, and how many its chapter has.
    before: Lesson | None
    after: Lesson | None
    count: int
    #: Has its chapter a page to look back, and a quiz?
    review: bool
    quiz: Quiz | None

    def for_one(self) -> Plan:
        """The same with rows of its own: whoever renders a page may hang something on them."""
        lesson = copy.copy(self.lesson)
        exercises = [copy.copy(row) for row in self.exercises]
        return replace(self, lesson=lesson, exercises=exercises, questions=[copy.copy(row) for row in self.questions])


_plans = Pages(room=MOST)


def plan_of(course: str, chapter: str, lesson: str) -> Plan:
    """The plan of a lesson's page; 404 when there is no such lesson."""
    stamp = freshness.stamp() if settings.PAGES_KEPT else None
    if stamp is None:
        return _read(course, chapter, lesson)
    key, now = (stamp, course, chapter, lesson), time.monotonic()
    plan: Plan | None = _plans.get(key, now)
    if plan is None:
        plan = _read(course, chapter, lesson)
        _plans.put(key, plan, 1, now)
    return plan.for_one()


def _read(course: str, chapter: str, lesson: str) -> Plan:
    found = find_lesson(course, chapter, lesson)
    before, after, count = _around(found)
    return Plan(
        lesson=found,
        questions=questions_of(found),
        exercises=exercises_of(found),
        before=before,
        after=after,
        count=count,
        review=ChapterReview.objects.filter(chapter=found.chapter).exists(),
        quiz=found.chapter.quizzes.filter(active=True).select_related("version", "chapter__course").first(),
    )


def questions_of(lesson: Lesson) -> list[Question]:
    """Questions that the text of a lesson may hold."""
    return list(Question.objects.filter(chapter=lesson.chapter, quiz=None).select_related("version"))


def exercises_of(lesson: Lesson) -> list[Exercise]:
    """Exercises that the text of a lesson may hold."""
    return list(lesson.exercises.filter(active=True).select_related("version"))


def find_lesson(course: str, chapter: str, lesson: str) -> Lesson:
    """An active lesson by its address, else 404."""
    rows = Lesson.objects.select_related("version", "chapter__version", "chapter__course__version")
    return get_object_or_404(
        rows,
        slug=lesson,
        chapter__slug=chapter,
        chapter__course__slug=course,
        active=True,
        chapter__active=True,
        chapter__course__active=True,
    )


def _around(lesson: Lesson) -> tuple[Lesson | None, Lesson | None, int]:
    """The lessons before and after in the course, and how many its chapter has."""
    rows = Lesson.objects.filter(chapter__course=lesson.chapter.course_id, active=True, chapter__active=True)
    keys = list(rows.order_by("chapter__number", "number").values_list("pk", "chapter_id"))
    place = keys.index((lesson.pk, lesson.chapter_id))
    sides = [keys[at][0] if 0 <= at < len(keys) else None for at in (place - 1, place + 1)]
    shown = rows.select_related("version", "chapter__course").defer("version__body").in_bulk([pk for pk in sides if pk])
    before, after = (shown.get(pk) if pk else None for pk in sides)
    return before, after, sum(chapter == lesson.chapter_id for _pk, chapter in keys)
