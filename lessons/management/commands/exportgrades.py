"""`manage.py exportgrades COHORT --format csv|xlsx`: what the gradebook's page exports."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lessons.desk.gradebook import book, export_rows
from lessons.desk.naming import NotFound, find_cohort
from lessons.desk.table import csv_text, xlsx_bytes


class Command(BaseCommand):
    """Print or write a gradebook."""

    help = "Print the gradebook of a cohort as CSV, or write it as XLSX."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which cohort, in what form, where to."""
        parser.add_argument("cohort", help="its number or name")
        parser.add_argument("--format", choices=["csv", "xlsx"], default="csv")
        parser.add_argument("--without-names", action="store_true", help="aliases instead of names and addresses")
        parser.add_argument("--output", type=Path, default=None, help="a file; default: standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """CSV goes to standard output as text, XLSX as bytes, unless a terminal would get them."""
        try:
            cohort = find_cohort(options["cohort"])
        except NotFound as error:
            raise CommandError(str(error)) from None
        rows = export_rows(book(cohort), named=not options["without_names"])
        output: Path | None = options["output"]
        if options["format"] == "csv":
            if output is None:
                self.stdout.write(csv_text(rows), ending="")
                return
            blob = csv_text(rows).encode()
        else:
            blob = xlsx_bytes(cohort.name, rows)
        if output is not None:
            try:
                output.write_bytes(blob)
            except OSError as error:
                raise CommandError(f"{output}: {error.strerror}") from None
        elif sys.stdout.isatty():
            raise CommandError("XLSX is no text: name a file with --output, or send the output into one")
        else:
            target: Any = getattr(self.stdout, "_out", sys.stdout)
            getattr(target, "buffer", target).write(blob)
