"""`manage.py lessonoutputs FILE …`: write what the commands of lessons print below them."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lessons.loading import played


class Command(BaseCommand):
    """Write outputs into lessons."""

    help = (
        "Play the commands of lessons and put what they print below them, in the file of each language. "
        "Takes the English files: lesson-ships.en.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The files."""
        parser.add_argument("lessons", nargs="+", type=Path, metavar="FILE", help="lesson-….en.md")

    def handle(self, *args: Any, **options: Any) -> None:
        """One line a lesson."""
        for path in options["lessons"]:
            if not path.name.endswith(".en.md") or not path.is_file():
                raise CommandError(f"{path}: name the English file of a lesson, lesson-….en.md")
            try:
                count = played.write(path)
            except played.StillRunsError as error:
                raise CommandError(f"{path}: {error}") from None
            self.stdout.write(f"{path.name.removesuffix('.en.md')}: {count} outputs")
