"""The Django application `lessons.desk`."""

from __future__ import annotations

from django.apps import AppConfig


class DeskConfig(AppConfig):
    """Its name and label."""

    name = "lessons.desk"
    label = "desk"

    def ready(self) -> None:
        """Listen to what dashboards show, and say which clusters are shared."""
        from lessons.desk import bells, retention  # noqa: F401
