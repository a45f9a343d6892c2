"""The Celery tasks of quizzes: mark what needs a world, close what is over.  Running one twice or late changes nothing but when it is done."""

from __future__ import annotations

import uuid

from celery import shared_task

from lessons.quizzes import marking, services
from lessons.quizzes.models import QuizAttempt
from simulator.tasks import queue_of


@shared_task(name="quizzes.mark")  # type: ignore[untyped-decorator]
def mark(attempt_id: int) -> None:
    """Mark the answers of a submitted attempt that wait for a world."""
    rows = QuizAttempt.objects.filter(submitted_at__isnull=False).select_related("version", "quiz", "assignment")
    attempt = rows.filter(pk=attempt_id).first()
    if attempt is not None:
        marking.mark_worlds(attempt)


@shared_task(name="quizzes.close_over")  # type: ignore[untyped-decorator]
def close_over() -> None:
    """Submit every attempt whose time is over, also when nobody opens a page; sent again and again (`coursesite.celery.PERIODIC`)."""
    services.close_expired()


def send(attempt_id: int) -> None:
    """Queue the task; attempts spread over the workers."""
    mark.apply_async((attempt_id,), queue=queue_of(uuid.UUID(int=attempt_id)))
