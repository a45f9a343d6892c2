"""`manage.py exportqti QUIZ --out FILE`: a question set or a quiz as a QTI package."""

from __future__ import annotations

from lessons.interchange.commands import Export


class Command(Export):
    """QTI out."""

    help = "Write a question set (its name) or a quiz (course/chapter, chapter or number) as a QTI package (zip)."
    forms = {"3.0": "qti30", "2.1": "qti21"}
