"""Who counts: learners, never staff.  Every statistic and export takes its people from here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from lessons.models import Cohort, Course, Membership

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def learner_ids(cohort: Cohort) -> list[int]:
    """The learners of a cohort; a person has one role in it, so staff are not among them."""
    rows = cohort.memberships.filter(role=Membership.Role.LEARNER).order_by("user__username")
    return list(rows.values_list("user_id", flat=True))


def everybody(course: Course) -> QuerySet[User]:
    """All who may be counted for a course without a cohort: not its staff anywhere, and not the site's."""
    staff = Membership.objects.filter(cohort__course=course).exclude(role=Membership.Role.LEARNER).values("user_id")
    return get_user_model().objects.exclude(pk__in=staff).exclude(is_staff=True)
