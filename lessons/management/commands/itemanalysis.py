"""`manage.py itemanalysis QUIZ --format csv`: the figures of the item analysis page (docs/desk.md has the formulas)."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lessons.desk.analysis import WHICH, analyse
from lessons.desk.naming import NotFound, find_cohort, find_quiz
from lessons.desk.report import rows, scores
from lessons.desk.table import csv_text


class Command(BaseCommand):
    """Print an item analysis."""

    help = "Facility, discrimination, answers, time and reliability of a quiz; first attempts of learners, staff left out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which quiz, whose attempts."""
        parser.add_argument("quiz", help="its number, its chapter's slug, or COURSE/CHAPTER")
        parser.add_argument("--format", choices=["csv"], default="csv")
        parser.add_argument("--cohort", default="", help="number or name; default: all learners of the course")
        parser.add_argument("--points", action="store_true", help="instead of figures the points of each attempt, without names")
        parser.add_argument("--attempts", choices=WHICH, default="first", help="which attempts count (default: first)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print CSV."""
        try:
            quiz = find_quiz(options["quiz"])
            cohort = find_cohort(options["cohort"]) if options["cohort"] else None
        except NotFound as error:
            raise CommandError(str(error)) from None
        if cohort and cohort.course_id != quiz.chapter.course_id:
            raise CommandError(f"cohort {cohort.name} takes another course")
        table = scores if options["points"] else rows
        self.stdout.write(csv_text(table(analyse(quiz, cohort=cohort, which=options["attempts"]))), ending="")
