"""The site's own Celery task: tidying up what nobody has used for long, between learners' inputs."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore

from simulator import retention
from simulator.tasks import AWAY

logger = logging.getLogger(__name__)

#: Real seconds that one piece takes of a worker.
PIECE = 0.5


@shared_task(name="site.tidy", bind=True)  # type: ignore[untyped-decorator]
def tidy(self: Any, stage: int = 0, after: str = "") -> None:
    """Remove log-ins that are over, and what `simulator.retention` says, a piece a task; behind everything else that waits in the queue."""
    if not (stage or after):
        SessionStore.clear_expired()
    report = retention.run((stage, after), seconds=PIECE)
    if report.snapshots or report.removed or report.compacted:
        logger.info("retention: %s", report)
    if report.position is not None:
        queue = (self.request.delivery_info or {}).get("routing_key")
        self.apply_async(report.position, queue=queue, priority=AWAY)
