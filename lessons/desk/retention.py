"""Clusters whose replay is shared stay whole while the link is open."""

from __future__ import annotations

import uuid

from django.utils import timezone

from lessons.desk.models import ReplayLink
from simulator import retention
from simulator.models import ClusterSession


@retention.keeper
def shared(sessions: list[ClusterSession]) -> set[uuid.UUID]:
    """Those of the clusters that an open link leads to."""
    links = ReplayLink.objects.filter(session__in=[row.pk for row in sessions], closed_at=None, expires_at__gt=timezone.now())
    return set(links.values_list("session_id", flat=True))
