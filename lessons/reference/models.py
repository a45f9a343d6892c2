"""Reference material of a course.  All of it is made from the course folder at each load; nothing of learners points at it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from lessons.models import Chapter, Course
from lessons.models.content import in_language


class Term(models.Model):
    """A word of the course with what it means, as glossary.yaml says it."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="terms")
    slug = models.SlugField(max_length=60)
    data = models.JSONField()

    class Meta:
        ordering: ClassVar = ["slug"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["course", "slug"], name="term_slug")]

    def __str__(self) -> str:
        return self.slug

    @property
    def title(self) -> str:
        """The word in the page's language."""
        return in_language(self.data["term"])


class ChapterReview(models.Model):
    """What is to be kept of a chapter: `{"remember": [text], "commands": [{"lines", "host", "tool", "does", …}]}`."""

    chapter = models.OneToOneField(Chapter, on_delete=models.CASCADE, related_name="review")
    data: models.JSONField[Any, Any] = models.JSONField()

    def __str__(self) -> str:
        return f"review of {self.chapter_id}"


class SearchEntry(models.Model):
    """One thing that a search can find, in one language."""

    class Kind(models.TextChoices):
        """What it is; earlier kinds come first when all else is equal."""

        TERM = "term"
        LESSON = "lesson"
        COMMAND = "command"
        EXERCISE = "exercise"

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="search_entries")
    #: Which chapter it belongs to: a chapter that has not opened for somebody is not searched for them.
    chapter = models.ForeignKey(Chapter, on_delete=models.CASCADE, related_name="search_entries", null=True)
    language = models.CharField(max_length=2)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    position = models.PositiveIntegerField()
    title = models.TextField()
    #: Where it stands, for the line under the title.
    place = models.TextField(blank=True)
    text = models.TextField()
    #: Other names, packed, one a line: a query that is one of them finds this first.
    names = models.TextField(blank=True)
    #: The address below `/<language>/`.
    address = models.TextField()
    #: Title and text as `words.fold` writes them, and the same without spaces.
    folded = models.TextField()
    packed = models.TextField()

    class Meta:
        ordering: ClassVar = ["course", "position"]
        indexes: ClassVar = [models.Index(fields=["language", "course"], name="search_language")]

    def __str__(self) -> str:
        return f"{self.kind} {self.title}"
