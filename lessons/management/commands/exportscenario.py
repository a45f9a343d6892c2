"""`manage.py exportscenario COURSE --out DIR`: a course's lessons as scenarios of Killercoda, with a line for all that does not go along."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lessons.loading.problems import ContentError
from lessons.loading.reader import courses_under, read_course
from lessons.loading.source import LANGUAGES
from lessons.scenarios.exporting import Exporter


class Command(BaseCommand):
    """Scenarios out."""

    help = "Write the lessons of a course as scenarios of Killercoda; prints line by line what does not go along."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to write, where, in which language."""
        parser.add_argument("course", help="a course's folder, or the slug of one under lessons/content")
        parser.add_argument("--out", type=Path, required=True, help="the folder to write to; it must be empty or not there")
        parser.add_argument("--language", choices=LANGUAGES, default="en")
        parser.add_argument("--chapter", default="", help="only this chapter (its slug)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, convert, write."""
        folder, out = Path(options["course"]), options["out"]
        if not folder.is_dir():
            known = {one.name: one for one in courses_under(Path("lessons/content"))}
            if options["course"] not in known:
                raise CommandError(f"{options['course']}: no such folder, and no course of {', '.join(sorted(known))}")
            folder = known[options["course"]]
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise CommandError(f"{out}: is not an empty folder")
        try:
            course = read_course(folder)
        except ContentError as error:
            for problem in error.problems:
                self.stderr.write(str(problem))
            raise CommandError("nothing was written") from None
        if options["chapter"]:
            course.chapters = [one for one in course.chapters if one.slug == options["chapter"]]
            if not course.chapters:
                raise CommandError(f"{folder}: no chapter {options['chapter']}")
        made = Exporter(folder, course, options["language"]).run()
        for name, text in sorted(made.files.items()):
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            if name.endswith(".sh"):
                path.chmod(0o755)
        for note in made.notes:
            self.stdout.write(f"note: {note}")
        self.stdout.write(f"{out}: {made.scenarios} scenarios, {made.verifies} verify scripts; {len(made.notes)} notes")
