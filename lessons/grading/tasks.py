"""The Celery task of grading: prepare a regrade that must ask worlds."""

from __future__ import annotations

import uuid

from celery import shared_task

from lessons.grading import regrades
from lessons.grading.models import Regrade
from simulator.tasks import queue_of


@shared_task(name="grading.prepare")  # type: ignore[untyped-decorator]
def prepare(pk: int) -> None:
    """Mark everything again for the preview; a second time changes nothing."""
    found = Regrade.objects.filter(pk=pk, prepared_at=None).select_related("cohort", "quiz", "version").first()
    if found is not None:
        regrades.prepare(found)


def send(pk: int) -> None:
    """Queue the task."""
    prepare.apply_async((pk,), queue=queue_of(uuid.UUID(int=pk)))
