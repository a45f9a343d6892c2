"""Clusters of questions stay whole: an answer is a position in the journal of one, and a regrade replays it."""

from __future__ import annotations

import uuid

from lessons.quizzes.clusters import SLOTS
from simulator import retention
from simulator.models import ClusterSession


@retention.keeper
def asked(sessions: list[ClusterSession]) -> set[uuid.UUID]:
    """Those of the clusters that were made for a question of an attempt."""
    return {row.pk for row in sessions if row.slot.startswith(SLOTS)}
