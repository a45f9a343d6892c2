"""The Django application `lessons`."""

from __future__ import annotations

from django.apps import AppConfig


class LessonsConfig(AppConfig):
    """Its name and label, and how its addresses are read."""

    name = "lessons"
    label = "lessons"

    def ready(self) -> None:
        """Before any address is read."""
        from lessons import converters

        converters.register()
