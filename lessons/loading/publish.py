"""Put a course up: one transaction, so learners see the old content or the new, never a mixture."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from lessons import freshness
from lessons.loading.source import ChapterSource, CourseSource, LessonSource
from lessons.models import Chapter, Course, Exercise, Figure, Lesson, Question, Quiz, Version
from lessons.reference import publishing

#: The slug of a chapter's quiz; a chapter has one.
QUIZ_SLUG = "quiz"


@dataclass(slots=True)
class Published:
    """What a load changed, for the command's last line."""

    course: Course
    new_versions: int = 0
    lessons: int = 0
    exercises: int = 0
    questions: int = 0


def digest(data: Any) -> str:
    """The hash of what a piece of content says: of its JSON with sorted keys."""
    text = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@transaction.atomic
def publish(source: CourseSource) -> Published:
    """Make `source` what learners see.  Idempotent: the same source a second time changes nothing."""
    freshness.renew()
    return _Publisher(source).run()


@transaction.atomic
def publish_chapter(course: Course, source: ChapterSource) -> Chapter:
    """Put up one chapter that is in no course folder; its data names an `origin`, so that loading the folder leaves it alone."""
    freshness.renew()
    publisher = _Publisher(CourseSource(course.slug, {}))
    publisher.course = course
    chapter = publisher.chapter(source)
    publishing.index(course)
    return chapter


class _Publisher:
    course: Course

    def __init__(self, source: CourseSource) -> None:
        self.source = source
        self.new_versions = 0

    def version(self, kind: str, data: Any, body: Any = None) -> Version:
        name = digest(data if body is None else {"data": data, "body": body})
        version, created = Version.objects.get_or_create(kind=kind, digest=name, defaults={"data": data, "body": body})
        self.new_versions += created
        return version

    def run(self) -> Published:
        course, _ = Course.objects.update_or_create(
            slug=self.source.slug, defaults={"version": self.version("course", self.source.data), "active": True}
        )
        self.course = course
        chapters = [self.chapter(chapter) for chapter in self.source.chapters]
        here = [chapter.pk for chapter in chapters]
        course.chapters.exclude(pk__in=here).exclude(version__data__has_key="origin").update(active=False)
        gone = Lesson.objects.filter(chapter__course=course, chapter__active=False)
        gone.update(active=False)
        Quiz.objects.filter(chapter__course=course, chapter__active=False).update(active=False)
        exercises = {slug for chapter in self.source.chapters for slug in chapter.exercises}
        Exercise.objects.filter(course=course).exclude(slug__in=exercises).update(active=False)
        publishing.publish_terms(course, self.source.glossary)
        publishing.index(course)
        done = Published(course, self.new_versions, exercises=len(exercises))
        done.lessons = sum(len(chapter.lessons) for chapter in self.source.chapters)
        done.questions = Question.objects.filter(chapter__course=course, active=True).count()
        return done

    def chapter(self, source: ChapterSource) -> Chapter:
        chapter, _ = Chapter.objects.update_or_create(
            course=self.course,
            slug=source.slug,
            defaults={"number": source.number, "version": self.version("chapter", source.data), "active": True},
        )
        kept = [self.lesson(chapter, source, lesson).pk for lesson in source.lessons]
        Lesson.objects.filter(chapter=chapter).exclude(pk__in=kept).update(active=False)
        self.questions(chapter, None, list(source.questions.values()))
        self.quiz(chapter, source)
        self.figures(chapter, source)
        publishing.publish_review(chapter, source.review)
        return chapter

    def lesson(self, chapter: Chapter, source: ChapterSource, lesson: LessonSource) -> Lesson:
        row, _ = Lesson.objects.update_or_create(
            chapter=chapter,
            slug=lesson.slug,
            defaults={"number": lesson.number, "version": self.version("lesson", lesson.data, lesson.body), "active": True},
        )
        for number, slug in enumerate(lesson.exercises, 1):
            version = self.version("exercise", source.exercises[slug])
            defaults = {"lesson": row, "number": number, "version": version, "active": True}
            Exercise.objects.update_or_create(course=self.course, slug=slug, defaults=defaults)
        return row

    def quiz(self, chapter: Chapter, source: ChapterSource) -> None:
        if source.quiz is None:
            Quiz.objects.filter(chapter=chapter).update(active=False)
            return
        version = self.version("quiz", source.quiz)
        quiz, _ = Quiz.objects.update_or_create(chapter=chapter, slug=QUIZ_SLUG, defaults={"version": version, "active": True})
        self.questions(chapter, quiz, source.quiz["questions"])

    def questions(self, chapter: Chapter, quiz: Quiz | None, specs: list[dict[str, Any]]) -> None:
        for position, spec in enumerate(specs, 1):
            defaults = {"position": position, "version": self.version("question", spec), "active": True, "chapter": chapter}
            Question.objects.update_or_create(chapter=chapter, quiz=quiz, slug=spec["id"], defaults=defaults)
        kept = [spec["id"] for spec in specs]
        Question.objects.filter(chapter=chapter, quiz=quiz).exclude(slug__in=kept).update(active=False)

    def figures(self, chapter: Chapter, source: ChapterSource) -> None:
        for name, content in source.figures.items():
            defaults = {"content": content, "digest": hashlib.sha256(content).hexdigest()}
            Figure.objects.update_or_create(chapter=chapter, name=name, defaults=defaults)
        chapter.figures.exclude(name__in=list(source.figures)).delete()
