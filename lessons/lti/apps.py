"""The Django application `lessons.lti`."""

from __future__ import annotations

from django.apps import AppConfig


class LtiConfig(AppConfig):
    """Its name, label and signals."""

    name = "lessons.lti"
    label = "lti"

    def ready(self) -> None:
        """Hear of grades."""
        from lessons.lti import grades

        grades.connect()
