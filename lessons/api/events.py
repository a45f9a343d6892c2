"""Events: what happened to learners, told to the webhooks of their cohorts."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save
from django.utils import timezone

from lessons.api.models import Webhook
from lessons.grading.models import Grade
from lessons.models import Enrollment, LessonProgress, Membership
from lessons.outbox import services as outbox

EVENTS = {
    "grade.changed": "A grade of an exercise or quiz was given or changed",
    "lesson.read": "A lesson was marked as read",
    "learner.enrolled": "A learner began the course",
}


def connect() -> None:
    """Listen; `dispatch_uid` keeps a second call from listening twice."""
    post_save.connect(_grade, sender=Grade, dispatch_uid="api.grade")
    post_save.connect(_read, sender=LessonProgress, dispatch_uid="api.read")
    post_save.connect(_enrolled, sender=Enrollment, dispatch_uid="api.enrolled")


def tell(event: str, user_id: int, course_id: int, data: dict[str, Any]) -> None:
    """One delivery for every webhook of the learner's cohorts that wants the event."""
    hooks = Webhook.objects.filter(
        cohort__course_id=course_id,
        cohort__memberships__user_id=user_id,
        cohort__memberships__role=Membership.Role.LEARNER,
    )
    for hook in hooks.distinct():
        if event in hook.events:
            payload = {
                "type": event,
                "timestamp": timezone.now().isoformat(),
                "cohort": hook.cohort_id,
                "user": user_id,
                "data": data,
            }
            outbox.put("webhook", str(hook.pk), payload)


def _grade(instance: Grade, **_kwargs: Any) -> None:
    what = (
        {"exercise": instance.exercise.slug}
        if instance.exercise
        else {"quiz": instance.quiz.chapter.slug if instance.quiz else ""}
    )
    data = {**what, "points": instance.points, "max_points": instance.max_points}
    tell("grade.changed", instance.user_id, instance.course_id, data)


def _read(instance: LessonProgress, **_kwargs: Any) -> None:
    if instance.read_at is not None:
        data = {"lesson": instance.lesson.slug, "read_at": instance.read_at.isoformat()}
        tell("lesson.read", instance.user_id, instance.lesson.chapter.course_id, data)


def _enrolled(instance: Enrollment, created: bool, **_kwargs: Any) -> None:
    if created:
        tell("learner.enrolled", instance.user_id, instance.course_id, {"course": instance.course.slug})
