"""`manage.py importscenario DIR|ZIP`: scenarios of Killercoda and Katacoda as a course, with a line for all that did not carry over."""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lessons.loading.problems import ContentError
from lessons.loading.publish import publish
from lessons.loading.reader import SLUG, read_course
from lessons.scenarios import course, pages
from lessons.scenarios.unpack import unpack
from simulator.core.kernel.errors import BadInput
from simulator.katacoda.files import Folder


class Command(BaseCommand):
    """Scenarios in."""

    help = "Bring scenarios of Killercoda or Katacoda in as a course; prints line by line what does not carry over."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to bring in, and as what."""
        parser.add_argument("source", type=Path, help="a scenario's folder, one with scenarios in it, or a ZIP of either")
        parser.add_argument("--course", default="", help="the course's slug (default: the folder's or archive's name)")
        parser.add_argument(
            "--write", type=Path, default=None, help="also keep the course's files in this folder, to be worked on"
        )
        parser.add_argument("--check", action="store_true", help="report and change nothing")
        parser.add_argument("--play", action="store_true", help="play each scenario and report which commands are not simulated")

    def handle(self, *args: Any, **options: Any) -> None:
        """Unpack, convert, check, put up."""
        source: Path = options["source"]
        slug = options["course"] or pages.slug(source.resolve().stem if source.is_file() else source.resolve().name, "scenarios")
        if not SLUG.match(slug):
            raise CommandError(f"--course {slug}: lower-case letters, digits, hyphens")
        with tempfile.TemporaryDirectory(prefix="slipway-scenario-") as scratch:
            try:
                folder = Folder(self._folder(source, Path(scratch) / "in"))
                brought = course.Importer(folder, source.stem).run()
            except BadInput as error:
                raise CommandError(f"{source}: {error}") from None
            made = Path(scratch) / "out" / slug
            course.write(brought, made)
            for note in brought.notes:
                self.stdout.write(f"note: {note}")
            if options["play"]:
                self._play(folder)
            try:
                read = read_course(made)
            except ContentError as error:
                for problem in error.problems:
                    self.stderr.write(str(problem))
                raise CommandError("nothing was brought in") from None
            if options["write"]:
                course.write(brought, options["write"])
        said = (
            f"{brought.lessons} lessons, {brought.exercises} exercises, {brought.questions} questions; {len(brought.notes)} notes"
        )
        if options["check"]:
            self.stdout.write(f"{slug}: in order: {said}")
            return
        publish(read)
        self.stdout.write(f"{slug}: {said}")

    def _folder(self, source: Path, scratch: Path) -> Path:
        if source.is_dir():
            return source
        if not source.is_file():
            raise BadInput("no such file or folder")
        scratch.mkdir()
        for line in unpack(source, scratch):
            self.stdout.write(f"note: {line}")
        return scratch

    def _play(self, folder: Folder) -> None:
        from simulator.katacoda import package
        from simulator.katacoda.player import Player

        for index in package.indexes(folder):
            try:
                report = Player(folder, package.read(folder, index), with_answers=True).play()
            except BadInput as error:
                self.stdout.write(f"note: {error}")
                continue
            for page in report.steps:
                for one in page.played:
                    for what in (*one.not_simulated, *(f"{name}: no such command" for name in one.missing)):
                        self.stdout.write(f"not simulated: {report.scenario}/{one.file}:{one.line}: {what}")
