"""`manage.py compact [--dry-run]`: what the periodic retention does, at once and to the end."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from coursesite.tasks import housekeeping
from simulator import retention


class Command(BaseCommand):
    """Remove what nobody has used for long."""

    help = "Remove old snapshots, clusters left long ago and journals behind a snapshot (RETAIN_… days); graded work stays whole."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether only to say what would go."""
        parser.add_argument("--dry-run", action="store_true", help="say what would be removed, and remove nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        days = {name: getattr(settings, f"SLIPWAY_RETAIN_{name}") for name in ("SNAPSHOTS", "LEFT", "JOURNALS")}
        for name, number in days.items():
            self.stdout.write(f"RETAIN_{name}: {f'after {number} days' if number else 'never'}")
        if not options["dry_run"]:
            housekeeping()
        report = retention.run(dry=options["dry_run"])
        self.stdout.write(("would be done: " if options["dry_run"] else "done: ") + str(report))
