"""A cohort for the demo accounts: the instructor owns it, the learner learns in it."""

from __future__ import annotations

from typing import Any

from lessons.models import Cohort, Course, Enrollment, Invite, Membership

NAME = "Demo"


def ensure(*, learner: Any, instructor: Any) -> None:
    """Make the cohort where it is missing; nothing when no course is up yet."""
    course = Course.objects.filter(active=True).order_by("pk").first()
    if course is None:
        return
    owned = Membership.objects.filter(user=instructor, role=Membership.Role.OWNER, cohort__course=course)
    membership = owned.select_related("cohort").first()
    if membership is None:
        cohort = Cohort.objects.create(name=NAME, course=course)
        Membership.objects.create(cohort=cohort, user=instructor, role=Membership.Role.OWNER)
        Invite.objects.create(cohort=cohort, created_by=instructor)
    else:
        cohort = membership.cohort
    Membership.objects.get_or_create(cohort=cohort, user=learner, defaults={"role": Membership.Role.LEARNER})
    Enrollment.objects.get_or_create(user=learner, course=course)
