"""The Django application `lessons.grading`."""

from __future__ import annotations

from django.apps import AppConfig


class GradingConfig(AppConfig):
    """Its name and label."""

    name = "lessons.grading"
    label = "grading"
