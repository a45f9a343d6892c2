"""The Django application `lessons.grading`."""

from __future__ import annotations

from django.apps import AppConfig


class GradingConfig(AppConfig):
    """Its name and label."""

    name = "lessons.grading"
    label = "grading"

    def ready(self) -> None:
        """Grades follow marks."""
        from lessons.grading.services import on_marked
        from lessons.quizzes.signals import marked

        marked.connect(on_marked, dispatch_uid="grading")
