"""What the commands of the formats share."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lessons.interchange import services, specs
from lessons.interchange.items import Note
from lessons.models import Course


class Import(BaseCommand):
    """Read a file into a set."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file and what becomes of it."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--title", default="", help="the set's title; the file's name when left out")
        parser.add_argument("--name", default="", help="the set's name; a set of that name is replaced")
        parser.add_argument("--course", default="", help="put it up as a quiz of its own chapter at the end of this course")
        parser.add_argument("--check", action="store_true", help="read and report only; nothing is kept")
        parser.add_argument("--json", action="store_true", help="the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, keep, put up; print the report."""
        path: Path = options["file"]
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from None
        course = None
        if options["course"] and (course := Course.objects.filter(slug=options["course"], active=True).first()) is None:
            raise CommandError(f"there is no course `{options['course']}`")
        try:
            if options["check"]:
                brought = services.read(content, str(path))
                _specs, more = specs.to_specs(brought.items)
                self.report(options, str(path), len(brought.items), [*brought.notes, *more])
                return
            found = services.bring(content, path.name, title=options["title"], slug=options["name"] or path.stem)
            quiz = services.put_up(found, course) if course else None
        except services.Refused as refused:
            raise CommandError("\n".join(f"{problem}" for problem in self.named(refused, path))) from None
        notes = [Note(*note) for note in found.notes]
        where = f"{course.slug}/{quiz.chapter.slug}" if course and quiz else ""
        self.report(options, str(path), len(found.items), notes, found.slug, where)

    def named(self, refused: services.Refused, path: Path) -> list[str]:
        """The problems with the file as it was called."""
        return [
            str(problem).replace(path.name, str(path), 1) if problem.file == path.name else str(problem)
            for problem in refused.problems
        ]

    def report(self, options: dict[str, Any], file: str, count: int, notes: list[Note], name: str = "", quiz: str = "") -> None:
        """What was brought in, and each thing that did not carry over."""
        if options["json"]:
            rows = [{"line": note.line, "question": note.question, "reason": note.reason} for note in notes]
            said = {"file": file, "set": name, "quiz": quiz, "questions": count, "notes": rows}
            self.stdout.write(json.dumps(said, ensure_ascii=False, indent=1))
            return
        for note in notes:
            self.stdout.write(note.shown(file))
        kept = f" as the set `{name}`" if name else ", nothing kept"
        up = f", up as {quiz}" if quiz else ""
        self.stdout.write(f"{file}: {count} questions{kept}{up}; {len(notes)} remarks")


class Export(BaseCommand):
    """Write a set or a quiz."""

    #: the formats that the command writes, by the word that chooses one
    forms: dict[str, str] = {}

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to write, in which language, and where to."""
        parser.add_argument("quiz")
        parser.add_argument("--language", choices=("ko", "en"), default="en")
        parser.add_argument("--out", type=Path, help="a file; the standard output when left out")
        if len(self.forms) > 1:
            parser.add_argument("--qti", choices=tuple(self.forms), default=next(iter(self.forms)), help="the version of QTI")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it; what could not be said goes to the error output."""
        found = services.find(options["quiz"])
        if found is None:
            raise CommandError(f"there is no question set or quiz `{options['quiz']}`")
        written = services.write(found, self.forms[options.get("qti") or next(iter(self.forms))], options["language"])
        for note in written.notes:
            self.stderr.write(note.shown())
        if options["out"]:
            try:
                options["out"].write_bytes(written.content)
            except OSError as error:
                raise CommandError(f"{options['out']}: {error.strerror}") from None
        elif written.content_type.startswith("text/") or not hasattr(sys.stdout, "buffer"):
            self.stdout.write(written.content.decode(), ending="")
        else:
            sys.stdout.buffer.write(written.content)
