"""`manage.py importgift FILE`: bring questions of a GIFT file in, and say what does not carry over."""

from __future__ import annotations

from lessons.interchange.commands import Import


class Command(Import):
    """GIFT in."""

    help = "Bring in a GIFT file as a question set; with --course as a quiz of that course too. Prints what does not carry over."
