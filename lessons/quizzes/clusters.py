"""Clusters of questions that ask for a state: one for each attempt and question, in a slot of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet

from lessons.models import Cohort, Course
from lessons.quizzes.models import QuizAttempt
from lessons.quizzes.sheet import Asked
from simulator import selectors, typed
from simulator import services as simulator
from simulator.models import ClusterSession

if TYPE_CHECKING:
    from django.contrib.auth.models import User


#: How their slots begin.
SLOTS = "quiz/"


def slot(attempt: QuizAttempt, item: Asked) -> str:
    """Its name among a learner's clusters."""
    return f"{SLOTS}{attempt.pk}/{item.spec['id']}"


def cluster(user: User, attempt: QuizAttempt, item: Asked) -> ClusterSession:
    """The cluster, made and set up when there is none.  Raises `simulator.services.BadScenario`."""
    session = simulator.session_for(user, item.spec["scenario"], slot(attempt, item))
    typed.set_up(session, item.spec.get("setup", []))  # also after a reset, whose new cluster may have its terminals open already
    return session


def position(attempt: QuizAttempt, item: Asked) -> dict[str, Any] | None:
    """The answer: where the cluster's journal and clock stand now; None when it was never opened."""
    found = selectors.live_session(attempt.user, item.spec["scenario"], slot(attempt, item))
    if found is None:
        return None
    return {"session": str(found.pk), "seq": found.last_seq, "at": found.advanced_to}


def in_course(user_id: int, course: Course, cohort: Cohort | None = None) -> QuerySet[ClusterSession]:
    """Somebody's clusters of a course, those of quiz questions among them; with a cohort not those of quizzes that another gave."""
    attempts = QuizAttempt.objects.filter(user=user_id, quiz__chapter__course=course)
    if cohort is not None:
        attempts = attempts.filter(Q(assignment=None) | Q(assignment__cohort=cohort))
    slots = Q(slot__startswith=f"{course.slug}/")
    for pk in attempts.values_list("pk", flat=True):
        slots |= Q(slot__startswith=f"{SLOTS}{pk}/")
    return ClusterSession.objects.filter(slots, owner=user_id)
