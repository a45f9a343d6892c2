"""`manage.py prepare`: what `up` does before it starts (catalogues, static files, migrations, the course, demo accounts),
and what it does after that (scenarios)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from coursesite import preparing
from simulator import shelf


class Command(BaseCommand):
    """Make the site ready to start."""

    help = "Compile catalogues, collect static files, migrate, load the course, make the demo accounts, build the scenarios."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--no-scenarios`."""
        parser.add_argument(
            "--no-scenarios", action="store_true", help="leave scenarios to be built when they are asked for first"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run all steps."""
        preparing.prepare(self.stdout.write)
        if not options["no_scenarios"]:
            self.stdout.write("scenarios …")
            shelf.fill()
