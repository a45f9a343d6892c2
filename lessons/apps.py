"""The Django application `lessons`."""

from __future__ import annotations

from django.apps import AppConfig


class LessonsConfig(AppConfig):
    """Its name and label."""

    name = "lessons"
    label = "lessons"
