"""The site's own Celery task: tidying up what nobody has used for long, between learners' inputs."""

from __future__ import annotations

import datetime
import logging
from typing import Any

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore
from django.db.models import Q
from django.utils import timezone

from lessons.outbox.models import Delivery
from simulator import retention
from simulator.tasks import AWAY

logger = logging.getLogger(__name__)

#: Real seconds that one piece takes of a worker.
PIECE = 0.5


#: What was told to other systems, or given up, is kept so long for whoever looks into it.
DELIVERIES_KEPT = datetime.timedelta(days=30)


def housekeeping() -> None:
    """Remove log-ins that are over, and old deliveries, which name people."""
    SessionStore.clear_expired()
    before = timezone.now() - DELIVERIES_KEPT
    Delivery.objects.filter(Q(done_at__lt=before) | Q(failed_at__lt=before)).delete()


@shared_task(name="site.tidy", bind=True)  # type: ignore[untyped-decorator]
def tidy(self: Any, stage: int = 0, after: str = "") -> None:
    """Remove what `housekeeping` and `simulator.retention` say, a piece a task; behind everything else that waits in the queue."""
    if not (stage or after):
        housekeeping()
    report = retention.run((stage, after), seconds=PIECE)
    if report.snapshots or report.removed or report.compacted:
        logger.info("retention: %s", report)
    if report.position is not None:
        queue = (self.request.delivery_info or {}).get("routing_key")
        self.apply_async(report.position, queue=queue, priority=AWAY)
