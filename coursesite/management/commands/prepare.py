"""`manage.py prepare`: what `up` does before it starts (catalogues, static files, migrations, the course, demo accounts)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from coursesite import preparing


class Command(BaseCommand):
    """Make the site ready to start."""

    help = "Compile catalogues, collect static files, migrate, load the course, make the demo accounts."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run all steps."""
        preparing.prepare(self.stdout.write)
