"""`manage.py loadcourse [DIR] [--check | --watch]`: read courses, say everything that is wrong, and put them up."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from lessons.loading.problems import ContentError
from lessons.loading.publish import publish
from lessons.loading.reader import courses_under, read_course
from lessons.loading.source import CourseSource


class Command(BaseCommand):
    """Load course folders."""

    help = "Read a course folder (default: every course under lessons/content), check it, and put it up."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The folder, and whether only to check, or to go on."""
        parser.add_argument("folder", nargs="?", type=Path, default=None, help="a course folder, or one that holds several")
        parser.add_argument("--check", action="store_true", help="report what is wrong and change nothing")
        parser.add_argument(
            "--watch",
            action="store_true",
            help="go on: after each change load again, play what changed, and have open pages reload",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check all courses before putting up any."""
        folder: Path = options["folder"] or Path(settings.BASE_DIR) / "lessons" / "content"
        courses = courses_under(folder)
        if not courses:
            raise CommandError(f"{folder}: no course.yaml here or one level below")
        sources: list[CourseSource] = []
        broken = 0
        for path in courses:
            try:
                sources.append(read_course(path, shown_from=_shown_from(path)))
            except ContentError as error:
                broken += 1
                for problem in error.problems:
                    self.stderr.write(str(problem))
        if broken and not options["watch"]:
            raise CommandError("nothing was loaded; what was up stays up")
        for source in sources:
            if options["check"]:
                self.stdout.write(f"{source.slug}: in order")
                continue
            done = publish(source)
            self.stdout.write(
                f"{source.slug}: {done.lessons} lessons, {done.exercises} exercises, {done.questions} questions; "
                f"{done.new_versions} new versions"
            )
        if options["watch"]:
            self.watch(courses)

    def watch(self, courses: list[Path]) -> None:
        """Look at the files until Ctrl-C."""
        from lessons.loading import watching

        watchers = [watching.Watcher(path, _shown_from(path), self.stdout.write) for path in courses]
        self.stdout.write("watching; Ctrl-C ends it")
        try:
            while True:
                time.sleep(watching.EVERY)
                for watcher in watchers:
                    watcher.look()
        except KeyboardInterrupt:
            self.stdout.write("")


def _shown_from(path: Path) -> Path:
    """File names are shown from where the author stands, when the course lies below it."""
    here = Path.cwd()
    full = path.resolve()
    return here if full.is_relative_to(here) and not path.is_absolute() else path.parent
