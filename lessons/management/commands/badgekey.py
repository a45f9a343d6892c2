"""`manage.py badgekey`: the keys that sign credentials; --rotate makes a new one."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from lessons.badges import credentials
from lessons.badges.models import Key


class Command(BaseCommand):
    """List keys, or make one."""

    help = "List the keys that sign credentials, the signing one first; --rotate makes a new one and keeps the others published."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whether to make one."""
        parser.add_argument("--rotate", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print them."""
        if options["rotate"]:
            credentials.rotate()
        for key in Key.objects.all():
            self.stdout.write(f"{key.kid}  {key.created_at:%Y-%m-%d %H:%M}")
