"""Put up the reference material of a course, and make its search index from what is up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import transaction

from lessons.models import Chapter, Course, Exercise, Lesson
from lessons.reference.models import ChapterReview, SearchEntry, Term
from lessons.reference.plain import plain, sections
from lessons.reference.words import fold, pack
from lessons.rendering.markdown import inline, paragraphs
from lessons.rendering.terms import forms

LANGUAGES = ("ko", "en")


def publish_terms(course: Course, glossary: list[dict[str, Any]]) -> None:
    """The terms of a course, replacing those that were up."""
    for term in glossary:
        Term.objects.update_or_create(course=course, slug=term["id"], defaults={"data": term})
    Term.objects.filter(course=course).exclude(slug__in=[term["id"] for term in glossary]).delete()


def publish_review(chapter: Chapter, review: dict[str, Any] | None) -> None:
    """The review page of a chapter, if it has one."""
    if review is None:
        ChapterReview.objects.filter(chapter=chapter).delete()
    else:
        ChapterReview.objects.update_or_create(chapter=chapter, defaults={"data": review})


@transaction.atomic
def index(course: Course) -> int:
    """Make the search entries of a course anew; how many there are."""
    course = Course.objects.get(pk=course.pk)
    SearchEntry.objects.filter(course=course).delete()
    entries = [entry for language in LANGUAGES for entry in _entries(course, language)]
    for position, entry in enumerate(entries):
        entry.course, entry.position = course, position
        entry.folded = fold(f"{entry.title}\n{entry.text}")
        entry.packed = pack(entry.folded)
    SearchEntry.objects.bulk_create(entries, batch_size=200)
    return len(entries)


def _entries(course: Course, language: str) -> Iterator[SearchEntry]:
    for term in Term.objects.filter(course=course):
        yield _term(course, term, language)
    lessons = Lesson.objects.filter(chapter__course=course, chapter__active=True, active=True)
    for lesson in lessons.select_related("version", "chapter__version", "chapter__course"):
        yield from _lesson(lesson, language)
    exercises = Exercise.objects.filter(course=course, active=True, lesson__active=True, lesson__chapter__active=True)
    for exercise in exercises.select_related("version", "lesson__version", "lesson__chapter__version", "lesson__chapter__course"):
        yield _exercise(exercise, language)
    for review in ChapterReview.objects.filter(chapter__course=course, chapter__active=True).select_related("chapter__version"):
        yield from _commands(course, review, language)


def _term(course: Course, term: Term, language: str) -> SearchEntry:
    data = term.data
    names = [name for other in LANGUAGES for name in forms(data, other)]
    other = "en" if language == "ko" else "ko"
    return SearchEntry(
        language=language,
        kind=SearchEntry.Kind.TERM,
        title=data["term"][language],
        place=data["term"][other] if data["term"][other] != data["term"][language] else "",
        text=f"{plain(inline(data['text'][language]))} {' '.join(dict.fromkeys(names))}",
        names="\n".join(dict.fromkeys(pack(fold(name)) for name in names)),
        address=f"courses/{course.slug}/glossary/#{term.slug}",
    )


def lesson_address(lesson: Lesson) -> str:
    """The address of a lesson below its language."""
    return f"courses/{lesson.chapter.course.slug}/{lesson.chapter.slug}/{lesson.slug}/"


def _lesson(lesson: Lesson, language: str) -> Iterator[SearchEntry]:
    html = "".join(part.get("html", "") for part in (lesson.version.body or {}).get(language, []))
    title = lesson.data["title"][language]
    for anchor, heading, text in sections(html):
        if heading or text:
            yield SearchEntry(
                chapter=lesson.chapter,
                language=language,
                kind=SearchEntry.Kind.LESSON,
                title=heading or title,
                place=f"{lesson.label} {title}",
                text=text,
                address=lesson_address(lesson) + (f"#{anchor}" if anchor else ""),
            )


def _exercise(exercise: Exercise, language: str) -> SearchEntry:
    """Its title and goal; hints and solutions are not found."""
    data = exercise.data
    steps = " ".join(plain(inline(step[language])) for step in data.get("steps", []))
    return SearchEntry(
        chapter=exercise.lesson.chapter,
        language=language,
        kind=SearchEntry.Kind.EXERCISE,
        title=data["title"][language],
        place=f"{exercise.lesson.label} {exercise.lesson.data['title'][language]}",
        text=f"{plain(paragraphs(data['goal'][language]))} {steps}".strip(),
        address=f"{lesson_address(exercise.lesson)}#try-{exercise.slug}",
    )


def _commands(course: Course, review: ChapterReview, language: str) -> Iterator[SearchEntry]:
    chapter = review.chapter
    for number, row in enumerate(review.data["commands"], 1):
        yield SearchEntry(
            chapter=chapter,
            language=language,
            kind=SearchEntry.Kind.COMMAND,
            title=row["command"],
            place=f"{chapter.number} {chapter.data['title'][language]}",
            text=plain(inline(row["does"][language])),
            address=f"courses/{course.slug}/{chapter.slug}/commands/#c{number}",
        )
