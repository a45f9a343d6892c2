"""The Django application `lessons.desk`."""

from __future__ import annotations

from django.apps import AppConfig


class DeskConfig(AppConfig):
    """Its name and label."""

    name = "lessons.desk"
    label = "desk"
