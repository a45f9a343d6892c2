"""`manage.py importqti FILE`: bring questions of a QTI file, package or Common Cartridge in."""

from __future__ import annotations

from lessons.interchange.commands import Import


class Command(Import):
    """QTI in."""

    help = "Bring in QTI 1.2, 2.1 or 3.0 (.xml, .zip, .imscc) as a question set; --course and the report as for importgift."
