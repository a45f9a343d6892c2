"""`manage.py shelve`: build every scenario once, so that no learner waits for that (`simulator.shelf`)."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from simulator import shelf


class Command(BaseCommand):
    """Fill the shelf."""

    help = (
        "Build the beginning of every scenario that this version of the simulator has not built yet, and keep it in the database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """`--gently`."""
        parser.add_argument("--gently", action="store_true", help="only with CPU time that nobody else wants")

    def handle(self, *args: Any, **options: Any) -> None:
        """Build what lacks."""
        if options["gently"]:
            os.nice(19)
        count = shelf.fill()
        self.stdout.write(f"{count} scenarios built" if count else "every scenario was there")
