"""The Django application `lessons.api`."""

from __future__ import annotations

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Its name, label and signals."""

    name = "lessons.api"
    label = "api"

    def ready(self) -> None:
        """Hear of grades, readings and enrolments."""
        from lessons.api import events

        events.connect()
