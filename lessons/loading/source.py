"""What a course folder says, once it has been read and found right.  Plain data; `publish.py` puts it up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lessons.rendering.markdown import Shown

LANGUAGES = ("ko", "en")


@dataclass(slots=True)
class LessonSource:
    """One lesson in both languages; `body` holds the rendered parts by language."""

    slug: str
    number: int
    data: dict[str, Any]
    body: dict[str, list[dict[str, str]]]
    exercises: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)


@dataclass(slots=True)
class ChapterSource:
    """One chapter with everything in its folder."""

    slug: str
    number: int
    data: dict[str, Any]
    lessons: list[LessonSource] = field(default_factory=list)
    exercises: dict[str, dict[str, Any]] = field(default_factory=dict)
    questions: dict[str, dict[str, Any]] = field(default_factory=dict)
    questions_broken: bool = False  # its file is wrong, so nothing can be said about references to it
    quiz: dict[str, Any] | None = None
    figures: dict[str, bytes] = field(default_factory=dict)
    #: What to keep of it, as `lessons.reference.models.ChapterReview` says.
    review: dict[str, Any] | None = None


@dataclass(slots=True)
class CourseSource:
    """A whole course."""

    slug: str
    data: dict[str, Any]
    chapters: list[ChapterSource] = field(default_factory=list)
    glossary: list[dict[str, Any]] = field(default_factory=list)
