"""The Django application `lessons.badges`."""

from __future__ import annotations

from django.apps import AppConfig


class BadgesConfig(AppConfig):
    """Its name and label."""

    name = "lessons.badges"
    label = "badges"
