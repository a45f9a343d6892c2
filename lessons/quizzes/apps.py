"""The Django application `lessons.quizzes`."""

from __future__ import annotations

from django.apps import AppConfig


class QuizzesConfig(AppConfig):
    """Its name and label."""

    name = "lessons.quizzes"
    label = "quizzes"

    def ready(self) -> None:
        """Say which clusters its evidence points at."""
        from lessons.quizzes import retention  # noqa: F401
