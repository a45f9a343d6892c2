"""Content: identities that stay, and versions of what they say, kept by hash.

A `Course`, `Lesson`, `Exercise`, `Quiz` or `Question` row is an identity: learners' work points at it.  What it says is
a `Version`, found by the hash of its data and never changed.  A load points identities at versions; an attempt keeps the
version that it saw.  What goes away from the files is taken down (`active=False`), never deleted.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.urls import reverse
from django.utils.translation import get_language


def in_language(value: Any) -> str:
    """A `{ko, en}` text in the language of the page; a plain string is the same in both."""
    if isinstance(value, dict):
        language = (get_language() or "en").split("-")[0]
        return str(value.get(language) or value.get("en") or "")
    return str(value or "")


class Version(models.Model):
    """What one piece of content says; immutable, found by the hash of its data."""

    kind = models.CharField(max_length=16)
    digest = models.CharField(max_length=64)
    data = models.JSONField()
    #: Rendered text of a lesson by language, apart because lists of lessons must not read it.
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "digest"], name="version_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.digest[:12]}"


class Content(models.Model):
    """What all identities share: a slug, the version that is up, and whether it is up at all."""

    slug = models.SlugField(max_length=60)
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    active = models.BooleanField(default=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.slug

    @property
    def data(self) -> dict[str, Any]:
        """What the current version says."""
        data: dict[str, Any] = self.version.data
        return data

    @property
    def title(self) -> str:
        """The title in the page's language."""
        return in_language(self.data.get("title", self.slug))

    @property
    def about(self) -> str:
        """The sentence about it in the page's language."""
        return in_language(self.data.get("about", ""))


class Course(Content):
    """A course: the unit that people enrol in and cohorts are made for."""

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["slug"], name="course_slug")]

    def get_absolute_url(self) -> str:
        """The course page."""
        return reverse("lessons:course", args=[self.slug])


class Chapter(Content):
    """A chapter of a course."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="chapters")
    number = models.PositiveSmallIntegerField()

    class Meta:
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["course", "slug"], name="chapter_slug")]


class Lesson(Content):
    """A lesson of a chapter; its data holds the rendered text of both languages."""

    chapter = models.ForeignKey(Chapter, on_delete=models.CASCADE, related_name="lessons")
    number = models.PositiveSmallIntegerField()

    class Meta:
        ordering: ClassVar = ["chapter__number", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["chapter", "slug"], name="lesson_slug")]

    @property
    def label(self) -> str:
        """Its number as learners read it: `1.2`."""
        return f"{self.chapter.number}.{self.number}"

    def get_absolute_url(self) -> str:
        """The lesson page."""
        return reverse("lessons:lesson", args=[self.chapter.course.slug, self.chapter.slug, self.slug])


class Exercise(Content):
    """An exercise, embedded in one lesson."""

    lesson = models.ForeignKey(Lesson, on_delete=models.CASCADE, related_name="exercises")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="exercises")
    number = models.PositiveSmallIntegerField()

    class Meta:
        ordering: ClassVar = ["lesson__chapter__number", "lesson__number", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["course", "slug"], name="exercise_slug")]

    def get_absolute_url(self) -> str:
        """The exercise in its lesson's text."""
        return f"{self.lesson.get_absolute_url()}#try-{self.slug}"


class Quiz(Content):
    """A chapter's graded quiz; its data holds every question as it was loaded.

    With `cohort` it was written by that cohort's instructors: it is no part of the course, so never `active`, and only they and their
    learners see it.
    """

    chapter = models.ForeignKey(Chapter, on_delete=models.CASCADE, related_name="quizzes")
    cohort = models.ForeignKey("lessons.Cohort", on_delete=models.CASCADE, related_name="own_quizzes", null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["chapter__number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["chapter", "slug"], name="quiz_slug")]

    def get_absolute_url(self) -> str:
        """The quiz's first page."""
        if self.cohort_id is not None:
            return reverse("lessons:own-quiz", args=[self.cohort_id, self.pk])
        return reverse("lessons:quiz", args=[self.chapter.course.slug, self.chapter.slug])

    @classmethod
    def of_cohort(cls, cohort: Any) -> models.QuerySet[Quiz]:
        """What a cohort may be asked: the course's quizzes and its own."""
        here = models.Q(active=True, cohort=None) | models.Q(cohort=cohort)
        return cls.objects.filter(here, chapter__course=cohort.course_id)


class Question(Content):
    """A question of a quiz, or one that lessons of a chapter ask in passing (`quiz` is null)."""

    chapter = models.ForeignKey(Chapter, on_delete=models.CASCADE, related_name="questions")
    quiz = models.ForeignKey(Quiz, on_delete=models.CASCADE, related_name="questions", null=True)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["quiz", "slug"], condition=models.Q(quiz__isnull=False), name="quiz_question_slug"),
            models.UniqueConstraint(
                fields=["chapter", "slug"], condition=models.Q(quiz__isnull=True), name="inline_question_slug"
            ),
        ]


class Figure(models.Model):
    """A picture of a chapter."""

    chapter = models.ForeignKey(Chapter, on_delete=models.CASCADE, related_name="figures")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64)
    content = models.BinaryField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["chapter", "name"], name="figure_name")]

    def __str__(self) -> str:
        return self.name
