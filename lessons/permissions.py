"""Who may see what.  Views ask here; a stranger gets the same 404 as for something that does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from lessons.models import Cohort, Membership

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def person(request: HttpRequest) -> User:
    """The user of a view that needs a log-in (the decorator has seen to it)."""
    assert request.user.is_authenticated
    return request.user


def readable_cohort(user: User, pk: int) -> Cohort:
    """A cohort whose pages the user may read: its staff and its observers, else 404."""
    return _cohort(user, pk, Membership.READERS)


def role_in(user: User, cohort: Cohort) -> str:
    """What the user is in a cohort; nothing for a stranger."""
    return cohort.memberships.filter(user=user).values_list("role", flat=True).first() or ""


def staffed_cohort(user: User, pk: int) -> Cohort:
    """A cohort in which the user is owner, instructor or assistant, else 404."""
    return _cohort(user, pk, Membership.STAFF)


def managed_cohort(user: User, pk: int) -> Cohort:
    """A cohort in which the user is owner or instructor, else 404."""
    return _cohort(user, pk, Membership.MANAGERS)


def _cohort(user: User, pk: int, roles: tuple[str, ...]) -> Cohort:
    rows = Cohort.objects.select_related("course", "course__version")
    return get_object_or_404(rows, pk=pk, memberships__user=user, memberships__role__in=roles)


def learner_of(cohort: Cohort, user_id: int) -> User:
    """A learner of the cohort, else 404: staff and strangers have no evidence here."""
    membership = cohort.memberships.filter(user_id=user_id, role=Membership.Role.LEARNER).select_related("user").first()
    if membership is None:
        raise Http404
    return membership.user


def is_staff_somewhere(user: User) -> bool:
    """Whether the header shows the way to cohorts first."""
    return Membership.objects.filter(user=user, role__in=Membership.READERS).exists()
