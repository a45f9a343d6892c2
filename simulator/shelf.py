"""Scenarios built once for all workers: how each begins is kept as a row, and a worker that is asked for it first reads it there.

Building three nodes takes a quarter of a second, three control planes several times that; reading what was built takes milliseconds.
A row is a cache: it counts for one version of the simulator, and one that cannot be read is replaced.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db import DatabaseError, transaction
from django.utils import timezone

from . import engine
from .models import Beginning

logger = logging.getLogger(__name__)

#: Rows of other versions are thrown away after this time: until then workers of theirs may still run.
KEPT = timedelta(days=1)


class Shelf:
    """`engine.Shelf` in the database."""

    def get(self, scenario: str, seed: int) -> bytes | None:
        """The image of a beginning, if one was kept."""
        try:
            found = Beginning.objects.filter(engine_version=engine.version(), scenario=scenario, seed=seed)
            blob = found.values_list("blob", flat=True).first()
        except DatabaseError as why:
            logger.warning("%s/%d: the shelf cannot be read: %s", scenario, seed, why)
            return None
        return bytes(blob) if blob is not None else None

    def put(self, scenario: str, seed: int, image: bytes) -> None:
        """Keep an image; not to be able to costs the next worker a moment."""
        try:
            with transaction.atomic():
                Beginning.objects.update_or_create(
                    engine_version=engine.version(), scenario=scenario, seed=seed, defaults={"blob": image}
                )
                old = Beginning.objects.filter(created_at__lt=timezone.now() - KEPT)
                old.exclude(engine_version=engine.version()).delete()
        except DatabaseError as why:
            logger.warning("%s/%d: could not be put on the shelf: %s", scenario, seed, why)


def fill(say: Callable[[str], None] = lambda text: None) -> int:
    """Put every scenario's first beginning on the shelf that is not there yet; returns how many that were.

    Four seconds of CPU once a version of the simulator: whoever opens a scenario first would else wait up to one for it, and everybody
    else whose cluster is in that worker as well.
    """
    there = set(Beginning.objects.filter(engine_version=engine.version(), seed=1).values_list("scenario", flat=True))
    lacking = sorted(engine.scenarios() - there)
    for scenario in lacking:
        say(scenario)
        boot(scenario, 1)
    return len(lacking)


def boot(scenario: str, seed: int) -> engine.Engine:
    """A world at its beginning."""
    return engine.engine().boot(scenario, seed, Shelf())
