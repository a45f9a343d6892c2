"""The Celery app.  One queue a worker process; see `simulator.tasks` for what runs and `docs/operations.md` for how."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coursesite.settings")

app = Celery("slipway")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["simulator"])
