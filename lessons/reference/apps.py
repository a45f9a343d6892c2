"""The Django application `lessons.reference`."""

from __future__ import annotations

from django.apps import AppConfig


class ReferenceConfig(AppConfig):
    """Its name and label."""

    name = "lessons.reference"
    label = "reference"
