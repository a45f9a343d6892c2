"""The Celery task of grading: prepare a regrade that must ask worlds."""

from __future__ import annotations

import datetime
import uuid

from celery import shared_task
from django.utils import timezone

from lessons.grading import regrades
from lessons.grading.models import Regrade
from simulator.tasks import queue_of

#: A preview that takes longer than this was lost on its way, or its worker with it.
LATE = datetime.timedelta(minutes=2)


@shared_task(name="grading.prepare")  # type: ignore[untyped-decorator]
def prepare(pk: int) -> None:
    """Mark everything again for the preview; a second time changes nothing."""
    found = Regrade.objects.filter(pk=pk, prepared_at=None).select_related("cohort", "quiz", "version").first()
    if found is not None:
        regrades.prepare(found)


@shared_task(name="grading.prepare_late")  # type: ignore[untyped-decorator]
def prepare_late() -> None:
    """Prepare what should have been by now: its task was lost with the broker; sent again and again (`coursesite.celery.PERIODIC`)."""
    late = Regrade.objects.filter(prepared_at=None, published_at=None, at__lt=timezone.now() - LATE).values_list("pk", flat=True)
    for pk in late[:1]:
        prepare(pk)


def send(pk: int) -> None:
    """Queue the task."""
    prepare.apply_async((pk,), queue=queue_of(uuid.UUID(int=pk)))
