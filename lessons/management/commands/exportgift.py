"""`manage.py exportgift QUIZ`: a question set or a quiz as GIFT."""

from __future__ import annotations

from lessons.interchange.commands import Export


class Command(Export):
    """GIFT out."""

    help = "Write a question set (its name) or a quiz (course/chapter, chapter or number) as GIFT."
    forms = {"": "gift"}
