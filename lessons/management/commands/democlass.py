"""`manage.py democlass --learners 30 --seed 1`: a class to look at, really played (`lessons.democlass`)."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from lessons.democlass.fill import cohort_name, fill, names, remove
from lessons.models import Cohort, Course
from simulator.local import in_this_process

MOST = 200


class Command(BaseCommand):
    """Fill a cohort."""

    help = "Fill a cohort with learners of several kinds who really play the course: commands, checks, hints, quizzes, mistakes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many, which ones, of what course, for whom."""
        parser.add_argument("--learners", type=int, default=30)
        parser.add_argument("--seed", type=int, default=1, help="the same seed (and --until) gives the same class")
        parser.add_argument("--course", default="", help="the course's slug; default: the first one")
        parser.add_argument("--owner", default="instructor", help="the user who owns the cohort (default: instructor)")
        parser.add_argument("--until", default="", help="when the class is looked at, ISO 8601 (default: now)")
        parser.add_argument("--replace", action="store_true", help="take an earlier class of this seed away first")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check everything first, then play."""
        learners, seed = options["learners"], options["seed"]
        if not 1 <= learners <= MOST:
            raise CommandError(f"--learners: between 1 and {MOST}, not {learners}")
        if seed < 0:
            raise CommandError(f"--seed: not below 0, not {seed}")
        courses = Course.objects.filter(active=True, **({"slug": options["course"]} if options["course"] else {}))
        course = courses.order_by("pk").first()
        if course is None:
            raise CommandError(
                f"--course: there is no course {options['course']}" if options["course"] else "no course is loaded"
            )
        owner = get_user_model().objects.filter(username=options["owner"]).first()
        if owner is None:
            raise CommandError(f"--owner: there is no user {options['owner']}")
        until = _moment(options["until"])
        if options["replace"]:
            self.stdout.write(f"{remove(seed)} learners of an earlier class were taken away")
        users = get_user_model().objects.filter(username__in=names(learners, seed))
        if Cohort.objects.filter(name=cohort_name(seed)).exists() or users.exists():
            raise CommandError(f"there is a class of seed {seed} already; --replace takes it away first")
        began = time.monotonic()
        with in_this_process():
            cohort = fill(course, owner, learners=learners, seed=seed, until=until, say=self.stdout.write)
        took = time.monotonic() - began
        self.stdout.write(f"cohort {cohort.pk}, {cohort.name}: {learners} learners, played in {took:.0f} s, owner {owner}")


def _moment(given: str) -> Any:
    if not given:
        return timezone.now().replace(microsecond=0)
    try:
        found = parse_datetime(given)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"--until: not a time in ISO 8601: {given}")
    return found if timezone.is_aware(found) else timezone.make_aware(found)
