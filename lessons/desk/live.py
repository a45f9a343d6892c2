"""Looking at a learner's cluster while they work.  The learner always sees who looks, and alone decides who types along."""

from __future__ import annotations

import datetime
import uuid
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from lessons.desk.models import Watching
from lessons.models import Cohort, Membership
from lessons.quizzes.clusters import in_course
from simulator import doorbell
from simulator.models import ClusterSession

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: A watcher's page says this often that it is still open, and without a word for longer than that it is gone (seconds).
BEAT = 10.0
GONE = datetime.timedelta(seconds=30)


def session_of(cohort: Cohort, user_id: int, session_id: uuid.UUID) -> ClusterSession | None:
    """A learner's cluster of the cohort's course, also one of a quiz question; None for any other."""
    learners = cohort.memberships.filter(user=user_id, role=Membership.Role.LEARNER)
    if not learners.exists():
        return None
    return in_course(user_id, cohort.course, cohort).filter(pk=session_id).select_related("owner").first()


def watch(session: ClusterSession, watcher: User, cohort: Cohort) -> Watching:
    """Begin to look, or go on; the learner is told."""
    now = timezone.now()
    row, made = Watching.objects.get_or_create(session=session, watcher=watcher, defaults={"cohort": cohort})
    if not made:
        if now - row.seen_at > GONE:  # a permission ends with the visit that it was given for
            row.began_at, row.asked_at, row.granted_at = now, None, None
        row.seen_at, row.cohort = now, cohort
        row.save()
    tell(session.pk)
    return row


def may_watch(user: Any, session_id: uuid.UUID) -> Watching | None:
    """The watching that this user has begun and may go on with: they are still staff, the learner still learns there."""
    row = Watching.objects.filter(session=session_id, watcher=user.pk).select_related("session", "cohort").first()
    if row is None:
        return None
    members = Membership.objects.filter(cohort=row.cohort_id)
    staff = members.filter(user=user.pk, role__in=Membership.STAFF).exists()
    learner = members.filter(user=row.session.owner_id, role=Membership.Role.LEARNER).exists()
    return row if staff and learner else None


def beat(row_id: int, session_id: uuid.UUID) -> None:
    """The watcher's page is still open."""
    if Watching.objects.filter(pk=row_id).update(seen_at=timezone.now()):
        tell(session_id)


def leave(row_id: int, session_id: uuid.UUID) -> None:
    """The watcher's page was closed; a permission to type ends."""
    long_ago = timezone.now() - 2 * GONE
    Watching.objects.filter(pk=row_id).update(seen_at=long_ago, asked_at=None, granted_at=None)
    tell(session_id)


def watchers(session_id: uuid.UUID) -> list[dict[str, Any]]:
    """Who looks now: `{id, name, asks, types}`."""
    rows = Watching.objects.filter(session=session_id, seen_at__gt=timezone.now() - GONE).select_related("watcher")
    return [
        {
            "id": row.pk,
            "name": row.watcher.get_username(),
            "asks": row.asked_at is not None and row.granted_at is None,
            "types": row.granted_at is not None,
        }
        for row in rows.order_by("pk")
    ]


def tell(session_id: uuid.UUID) -> None:
    """Tell the learner's pages who looks."""
    doorbell.ring(session_id, {"type": "cluster.watched", "by": watchers(session_id)})


def ask(row: Watching) -> None:
    """Ask the learner to let one type along."""
    Watching.objects.filter(pk=row.pk).update(asked_at=timezone.now(), seen_at=timezone.now())
    tell(row.session_id)


def decide(row: Watching, *, grant: bool) -> None:
    """The learner's decision; taking a permission back works at once."""
    now = timezone.now()
    Watching.objects.filter(pk=row.pk).update(granted_at=now if grant else None, asked_at=now if grant else None)
    tell(row.session_id)


def may_type(row_id: int) -> bool:
    """Whether the learner lets this watcher type, now."""
    return Watching.objects.filter(pk=row_id, granted_at__isnull=False).exists()
