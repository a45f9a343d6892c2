"""The Django application `lessons.labs`."""

from __future__ import annotations

from django.apps import AppConfig


class LabsConfig(AppConfig):
    """Its name and label."""

    name = "lessons.labs"
    label = "labs"

    def ready(self) -> None:
        """Say which clusters its evidence points at."""
        from lessons.labs import retention  # noqa: F401
