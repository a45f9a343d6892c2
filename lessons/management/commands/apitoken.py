"""`manage.py apitoken USER NAME SCOPE…`: a token for a program, shown once."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from lessons.api.models import SCOPES, Token


class Command(BaseCommand):
    """Make a token."""

    help = "Make an API token that acts for USER; printed once, kept only as a hash."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """For whom, and what for."""
        parser.add_argument("user")
        parser.add_argument("name")
        parser.add_argument("scopes", nargs="+", choices=sorted(SCOPES), metavar="scope", help=", ".join(sorted(SCOPES)))

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        user = get_user_model().objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"there is no user `{options['user']}`")
        self.stdout.write(Token.make(user.pk, options["name"], options["scopes"])[1])
