"""Clusters that checks were run on stay whole: every run, passed or not, says on which journal row it was, and can be replayed up to it."""

from __future__ import annotations

from lessons.labs.models import CheckRun
from simulator import retention
from simulator.models import ClusterSession


@retention.keeper
def checked(sessions: list[ClusterSession]) -> set[str]:
    """Those of the clusters that the evidence of a check names."""
    runs = CheckRun.objects.filter(
        attempt__user__in={row.owner_id for row in sessions}, evidence__session__in=[str(row.pk) for row in sessions]
    )
    return set(runs.values_list("evidence__session", flat=True))
