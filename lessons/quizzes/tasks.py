"""The Celery task of quizzes: mark what needs a world.  Running it twice or late changes nothing but when the marks come."""

from __future__ import annotations

import uuid

from celery import shared_task

from lessons.quizzes import marking
from lessons.quizzes.models import QuizAttempt
from simulator.tasks import queue_of


@shared_task(name="quizzes.mark")  # type: ignore[untyped-decorator]
def mark(attempt_id: int) -> None:
    """Mark the answers of a submitted attempt that wait for a world."""
    rows = QuizAttempt.objects.filter(submitted_at__isnull=False).select_related("version", "quiz", "assignment")
    attempt = rows.filter(pk=attempt_id).first()
    if attempt is not None:
        marking.mark_worlds(attempt)


def send(attempt_id: int) -> None:
    """Queue the task; attempts spread over the workers."""
    mark.apply_async((attempt_id,), queue=queue_of(uuid.UUID(int=attempt_id)))
