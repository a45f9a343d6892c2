"""The Django application `lessons.interchange`."""

from __future__ import annotations

from django.apps import AppConfig


class InterchangeConfig(AppConfig):
    """Its name and label."""

    name = "lessons.interchange"
    label = "interchange"
