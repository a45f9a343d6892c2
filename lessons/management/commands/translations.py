"""`manage.py translations [--check]`: bring locale/ko up to date with the code and compile it, without the gettext tools."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from lessons.management.messages import Message, find

CATALOGUE = Path("locale/ko/LC_MESSAGES/django.po")


def update(catalogue: polib.POFile, messages: list[Message]) -> None:
    """Add what is new, drop what is gone, keep every translation."""
    wanted: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for message in messages:
        wanted.setdefault((message.msgid, message.plural), []).append((message.file, ""))
    have = {(entry.msgid, entry.msgid_plural or ""): entry for entry in catalogue}
    for key in sorted(set(have) - set(wanted)):
        catalogue.remove(have[key])
    for key, places in sorted(wanted.items()):
        entry = have.get(key)
        if entry is None:
            plural: dict[str, Any] = {"msgid_plural": key[1], "msgstr_plural": {0: ""}} if key[1] else {"msgstr": ""}
            entry = polib.POEntry(msgid=key[0], **plural)
            if "%(" in key[0]:
                entry.flags.append("python-format")
            catalogue.append(entry)
        entry.occurrences = sorted(set(places))
    catalogue.sort(key=lambda entry: (entry.occurrences[0] if entry.occurrences else ("", ""), entry.msgid))


def missing(catalogue: polib.POFile) -> list[polib.POEntry]:
    """Entries without a translation."""
    return [entry for entry in catalogue if not entry.translated() or entry.fuzzy]


class Command(BaseCommand):
    """Update and compile the Korean catalogue."""

    help = "Update locale/ko from the code and compile it; --check changes nothing and fails when it is not complete."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whether only to check."""
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read the code, then write the .po and the .mo."""
        path = Path(settings.BASE_DIR) / CATALOGUE
        catalogue = polib.pofile(str(path), wrapwidth=120)
        before = str(catalogue)
        update(catalogue, find(Path(settings.BASE_DIR)))
        lacking = missing(catalogue)
        for entry in lacking:
            self.stderr.write(f"{entry.occurrences[0][0]}: no Korean for: {entry.msgid}")
        if options["check"]:
            if lacking or str(catalogue) != before:
                raise CommandError("run manage.py translations and fill in what is missing")
            return
        catalogue.save(str(path))
        catalogue.save_as_mofile(str(path.with_suffix(".mo")))
        self.stdout.write(f"{len(catalogue)} messages, {len(lacking)} without Korean")
