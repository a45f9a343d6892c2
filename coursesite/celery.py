"""The Celery app.  Each worker process serves its share of the queues (`coursesite.workers`); see `simulator.tasks` for what runs and
`docs/operations.md` for how.
"""

from __future__ import annotations

import logging
import os
import signal
import time

from celery import Celery
from celery.signals import celeryd_init, task_postrun, task_prerun, worker_process_init, worker_process_shutdown
from django.db import close_old_connections

from simulator import context

from . import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coursesite.settings")

logger = logging.getLogger(__name__)

broker.install()
app = Celery("slipway")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["coursesite", "simulator", "lessons.quizzes", "lessons.grading"])
#: Tasks that are sent again and again: name, the seconds between, and the place in the queue (`simulator.tasks.TYPED` … `AWAY`).  Each of them
#: may come twice, late, or while another runs.
PERIODIC = {"quizzes.close_over": (20, 0), "grading.prepare_late": (60, 6), "site.tidy": (6 * 3600, 9)}
# Celery would close the database connection after each task (2 ms with SQLite).  Django's own rule follows below instead.
app.conf.CELERY_DB_REUSE_MAX = 1_000_000_000


@task_prerun.connect  # type: ignore[untyped-decorator]
def _check_connections(**_kwargs: object) -> None:
    """Close connections that broke or are older than CONN_MAX_AGE, as Django does between requests."""
    if not app.conf.task_always_eager:
        close_old_connections()


@task_prerun.connect  # type: ignore[untyped-decorator]
def _name_the_work(task_id: str = "", task: object = None, args: object = (), **_kwargs: object) -> None:
    """Log lines say which cluster and task they are about; the task is timed."""
    context.task.set(task_id)
    context.cluster.set(args[0] if isinstance(args, (list, tuple)) and args and isinstance(args[0], str) else "")
    task.request.slipway_began = time.perf_counter()  # type: ignore[attr-defined]


@task_postrun.connect  # type: ignore[untyped-decorator]
def _time_the_work(task: object = None, **_kwargs: object) -> None:
    began = getattr(task.request, "slipway_began", None)  # type: ignore[attr-defined]
    if began is not None:
        from simulator import measures

        measures.tasks.labels(task.name.removeprefix("simulator.")).observe(time.perf_counter() - began)  # type: ignore[attr-defined]
    context.task.set("")
    context.cluster.set("")


@worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def _leave_no_gauges(pid: int = 0, **_kwargs: object) -> None:
    """What a process that ends said of itself (worlds in its memory) is no longer so."""
    try:
        from prometheus_client import multiprocess
    except ImportError:
        return
    multiprocess.mark_process_dead(pid or os.getpid())  # type: ignore[no-untyped-call]


def send_periodic(queue: str) -> None:
    """Send the tasks that are due.  Every worker asks; the first to leave a word in Redis sends, so that it needs no process of its own, works
    with any number of workers, and goes on when one of them dies."""
    from simulator import doorbell

    for name, (seconds, priority) in PERIODIC.items():
        if doorbell.connection().set(f"slipway:due:{name}", os.getpid(), nx=True, ex=seconds):
            app.send_task(name, queue=queue, expires=seconds, priority=priority)


@celeryd_init.connect  # type: ignore[untyped-decorator]
def _share_the_queues(**_kwargs: object) -> None:
    """Only workers take part in that, and keep processes."""
    from . import pool, workers  # noqa: F401

    pool.install()


@worker_process_init.connect  # type: ignore[untyped-decorator]
def _die_with_worker(**_kwargs: object) -> None:
    """A pool process must not outlive a worker that was killed: its successor has the queue."""
    from .children import die_with_parent

    die_with_parent(signal.SIGKILL)
