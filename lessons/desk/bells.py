"""Telling open dashboards that something has changed.  A bell says of whom and no more: who hears it asks for that learner's row again.

A lost bell costs latency; pages look again by themselves every half minute.
"""

from __future__ import annotations

import functools
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver

from lessons.desk import roster
from lessons.desk.models import Signal
from lessons.labs.models import CheckRun
from lessons.models import LessonProgress, Membership
from lessons.quizzes.models import QuizAttempt
from simulator import doorbell


def group(cohort_id: int) -> str:
    """The channel layer's group of everybody who looks at a cohort's dashboard."""
    return f"cohort.{cohort_id}"


def ring(user_id: int, course_id: int) -> None:
    """Something of this learner changed: ring for the dashboards of their cohorts, once the change is stored."""
    transaction.on_commit(functools.partial(_ring, user_id, course_id))


def _ring(user_id: int, course_id: int) -> None:
    rows = Membership.objects.filter(user=user_id, cohort__course=course_id, role=Membership.Role.LEARNER)
    for cohort_id in rows.values_list("cohort_id", flat=True):
        doorbell.ring_group(group(cohort_id), {"type": "desk.changed", "who": user_id})


@receiver(post_save, sender=CheckRun)
def _checked(instance: CheckRun, **_kwargs: Any) -> None:
    ring(instance.attempt.user_id, instance.attempt.exercise.course_id)


@receiver(post_save, sender=QuizAttempt)
def _attempted(instance: QuizAttempt, **_kwargs: Any) -> None:
    ring(instance.user_id, instance.quiz.chapter.course_id)


@receiver(post_save, sender=LessonProgress)
def _read(instance: LessonProgress, **_kwargs: Any) -> None:
    ring(instance.user_id, instance.lesson.chapter.course_id)


@receiver(post_save, sender=Signal)
def _signalled(instance: Signal, **_kwargs: Any) -> None:
    ring(instance.user_id, instance.course_id)


@receiver(user_logged_in)
def _arrived(user: Any, **_kwargs: Any) -> None:
    """Who is on a roster is taken in when they log in, which signing up does too."""
    roster.admit(user)
