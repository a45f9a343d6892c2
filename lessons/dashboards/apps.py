"""The Django application `lessons.dashboards`."""

from __future__ import annotations

from django.apps import AppConfig


class DashboardsConfig(AppConfig):
    """Its name and label."""

    name = "lessons.dashboards"
    label = "dashboards"
