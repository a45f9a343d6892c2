"""Running clusters in the caller's own process, for commands that play many of them and need neither broker nor workers."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from celery import current_app
from django.conf import settings

from . import worlds


@contextlib.contextmanager
def in_this_process() -> Iterator[None]:
    """Tasks run in the caller.  Sessions that a worker serves at the same time are still safe (`ClusterSession.version`)."""
    conf = current_app.conf
    before = settings.CELERY_TASK_ALWAYS_EAGER, conf.task_always_eager
    bell = logging.getLogger("simulator.doorbell")
    level = bell.level
    settings.CELERY_TASK_ALWAYS_EAGER = conf.task_always_eager = True
    bell.setLevel(logging.ERROR)  # nobody need listen
    try:
        yield
    finally:
        settings.CELERY_TASK_ALWAYS_EAGER, conf.task_always_eager = before
        bell.setLevel(level)
        worlds.cache.clear()
