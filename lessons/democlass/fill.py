"""Make a cohort and have its learners play, one after the other; the same seed and day give the same class."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from lessons.democlass.clock import ClassClock
from lessons.democlass.kinds import Kind, kinds
from lessons.democlass.play import Learner, Told
from lessons.grading.progress import Outline, outline
from lessons.models import Cohort, Course, Enrollment, Invite, Membership

#: Days that the class has been going on.
DAYS = 14


def names(learners: int, seed: int) -> list[str]:
    """The learners' user names."""
    return [f"class{seed}-{number:02}" for number in range(1, learners + 1)]


def cohort_name(seed: int) -> str:
    """What the cohort is called."""
    return f"Demo class {seed}"


def remove(seed: int) -> int:
    """Take an earlier class of this seed away, its learners with all their work; returns how many learners went."""
    with transaction.atomic():
        cohorts = Cohort.objects.filter(name=cohort_name(seed))
        gone = get_user_model().objects.filter(
            username__startswith=f"class{seed}-", memberships__cohort__in=cohorts, last_login=None
        )
        count = gone.count()
        from lessons.labs.models import ExercisePass

        ExercisePass.objects.filter(user__in=gone).delete()  # they protect their evidence
        gone.delete()
        cohorts.delete()
    return count


def fill(
    course: Course,
    owner: Any,
    *,
    learners: int,
    seed: int,
    until: datetime.datetime,
    say: Callable[[str], None] = lambda _line: None,
) -> Cohort:
    """A cohort of `course` with learners who have played for two weeks until `until`."""
    began = until - datetime.timedelta(days=DAYS)
    plan = outline(course)
    rng = random.Random(f"ease/{seed}")
    ease = {item["id"]: rng.uniform(-0.3, 0.18) for quiz in plan.quizzes for item in quiz.data.get("questions", [])}
    clock = ClassClock(began)
    with clock.running():
        cohort = Cohort.objects.create(course=course, name=cohort_name(seed))
        Membership.objects.create(cohort=cohort, user=owner, role=Membership.Role.OWNER)
        Invite.objects.create(cohort=cohort, created_by=owner)
    for place, (name, kind) in enumerate(zip(names(learners, seed), kinds(learners, seed), strict=True)):
        told = _one(name, kind, cohort, plan, ease, seed, began, until, active=place % 4 == 1)
        say(
            f"{name}: {kind.name}, {told.commands} commands, {told.checks} checks ({told.passes} passed), "
            f"{told.attempts} quiz attempts"
        )
    return cohort


def _one(
    name: str,
    kind: Kind,
    cohort: Cohort,
    plan: Outline,
    ease: dict[str, float],
    seed: int,
    began: datetime.datetime,
    until: datetime.datetime,
    *,
    active: bool,
) -> Told:
    clock = ClassClock(began)
    with clock.running():
        user = get_user_model().objects.create_user(name)  # no password: nobody logs in as one of them
        Membership.objects.create(cohort=cohort, user=user, role=Membership.Role.LEARNER)
        Enrollment.objects.create(user=user, course=cohort.course)
        rng = random.Random(f"learner/{seed}/{name}")
        return Learner(user, kind, rng, clock, ease, began, until, active).play(plan)
