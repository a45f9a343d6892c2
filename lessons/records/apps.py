"""The Django application `lessons.records`."""

from __future__ import annotations

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    """Its name, label and signals."""

    name = "lessons.records"
    label = "records"

    def ready(self) -> None:
        """Hear of grades, readings and enrolments."""
        from lessons.records import xapi

        xapi.connect()
