"""`manage.py backup [FILE]`: everything that cannot be made again, in one file, while the site runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from coursesite import backups
from simulator import engine


class Command(BaseCommand):
    """Write a backup of the embedded set-up."""

    help = "Back up the database, the secret key and uploads into one checked file (SQLite only; PostgreSQL has pg_dump)."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, else one named by the time under var/backups."""
        parser.add_argument("file", nargs="?", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it."""
        target: Path = options["file"] or Path(settings.VAR_DIR) / "backups" / f"slipway-{timezone.now():%Y%m%d-%H%M%S}.tar.gz"
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            manifest = backups.make(settings, target, engine.version())
        except (backups.BadBackup, OSError) as error:
            raise CommandError(str(error)) from error
        size = sum(part["size"] for part in manifest["parts"].values())
        self.stdout.write(f"{target}: {len(manifest['parts'])} parts, {size:,} bytes, checked")
