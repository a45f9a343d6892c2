"""`manage.py checkcourse [DIR] [--chapter SLUG] [--read]`: prove that a course is what it says."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from lessons.loading import played, proof
from lessons.loading.problems import ContentError
from lessons.loading.reader import courses_under, read_course
from lessons.loading.source import ChapterSource, CourseSource
from lessons.quizzes import proof as questions


def _lessons(course: Path, chapter: ChapterSource) -> Iterator[tuple[str, Iterator[str]]]:
    for lesson in chapter.lessons:
        for file in course.glob(f"*-{chapter.slug}/lesson-{lesson.slug}.en.md"):
            yield f"commands of {lesson.slug}", played.prove(file)


def _exercises(chapter: ChapterSource) -> Iterator[tuple[str, Iterator[str]]]:
    for lesson in chapter.lessons:
        for slug in lesson.exercises:
            yield f"exercise {slug}", proof.prove(chapter.exercises[slug], str(lesson.data["scenario"]))


def _questions(chapter: ChapterSource) -> Iterator[tuple[str, Iterator[str]]]:
    asked = [*chapter.questions.values(), *(chapter.quiz["questions"] if chapter.quiz else [])]
    for spec in asked:
        if spec["type"] in questions.PLAYED:
            yield f"question {spec['id']}", iter(questions.prove(spec))


class Command(BaseCommand):
    """Prove course folders."""

    help = (
        "Read a course folder (default: every course under lessons/content) and play it: commands of lessons end and print as the "
        "lesson says, solutions and alternatives of exercises pass, "
        "doing nothing does not, wrong attempts get their messages, and questions about worlds have the answers that they say."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The folder, one chapter of it, and whether only to read."""
        parser.add_argument("folder", nargs="?", type=Path, default=None, help="a course folder, or one that holds several")
        parser.add_argument("--chapter", default="", metavar="SLUG", help="only this chapter is played")
        parser.add_argument("--read", action="store_true", help="check files, schemas and references, and play nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Everything that is wrong, then status 1; each thing that was played is a line."""
        folder: Path = options["folder"] or Path(settings.BASE_DIR) / "lessons" / "content"
        broken = sum(self.course(path, options["chapter"], play=not options["read"]) for path in courses_under(folder))
        if not courses_under(folder):
            raise CommandError(f"{folder}: no course.yaml here or one level below")
        if broken:
            raise CommandError("1 problem" if broken == 1 else f"{broken} problems")

    def course(self, path: Path, only: str, *, play: bool) -> int:
        """Prove one course; how many problems it has."""
        try:
            source = read_course(path)
        except ContentError as error:
            for problem in error.problems:
                self.stderr.write(str(problem))
            return len(error.problems)
        terms, lessons = len(source.glossary), sum(len(chapter.lessons) for chapter in source.chapters)
        self.stdout.write(f"{source.slug}: {lessons} lessons and {terms} terms are in order")
        return self.played(path, source, only) if play else 0

    def played(self, path: Path, source: CourseSource, only: str) -> int:
        """Play lessons, exercises and questions; how many problems there are."""
        chapters = [chapter for chapter in source.chapters if only in ("", chapter.slug)]
        if not chapters:
            raise CommandError(
                f"{source.slug}: there is no chapter {only}; there are {', '.join(c.slug for c in source.chapters)}"
            )
        broken = 0
        for chapter in chapters:
            for what, found in (*_lessons(path, chapter), *_exercises(chapter), *_questions(chapter)):
                problems = list(found)
                broken += len(problems)
                self.stdout.write(f"{chapter.slug}: {what}: {'in order' if not problems else ''}".rstrip())
                for problem in problems:
                    self.stderr.write(f"{chapter.slug}: {what}: {problem}")
        return broken
