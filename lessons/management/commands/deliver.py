"""`manage.py deliver`: make the requests that wait in the outbox, now or for as long as the process runs."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections

from lessons.outbox.services import deliver_due


class Command(BaseCommand):
    """The outbox's process."""

    help = "Deliver webhooks, grades and learning records that wait in the outbox; --once makes one round and ends."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One round, or until it is stopped."""
        parser.add_argument("--once", action="store_true")
        parser.add_argument("--every", type=float, default=5.0, help="seconds between looks")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rounds, with a pause whenever nothing was due."""
        while True:
            try:
                tried = deliver_due()
            except DatabaseError as error:
                if options["once"]:
                    raise
                self.stderr.write(f"the database is away: {type(error).__name__}")
                tried = 0
            if options["once"]:
                self.stdout.write(f"{tried} tried")
                return
            close_old_connections()
            if not tried:
                time.sleep(max(0.2, options["every"]))
