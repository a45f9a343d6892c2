"""`manage.py restore FILE`: what `manage.py backup` wrote takes the place of what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from coursesite import backups


class Command(BaseCommand):
    """Restore a backup of the embedded set-up."""

    help = (
        "Check a backup, put it in the place of the database, and migrate it. The site must be stopped; the old database is kept."
    )
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        """The file."""
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, replace, migrate."""
        known = {f"{app}.{name}" for app, name in MigrationLoader(None, ignore_no_migrations=True).disk_migrations or ()}
        connections.close_all()
        try:
            manifest = backups.restore(settings, options["file"], known)
        except (backups.BadBackup, OSError) as error:
            raise CommandError(str(error)) from error
        call_command("migrate", interactive=False, verbosity=0)
        self.stdout.write(f"restored what was backed up at {manifest['made']}")
        if manifest["kept"]:
            self.stdout.write(f"the database that was there is kept as {manifest['kept']}")
