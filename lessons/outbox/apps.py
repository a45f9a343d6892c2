"""The Django application `lessons.outbox`."""

from __future__ import annotations

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    """Its name, label and signals."""

    name = "lessons.outbox"
    label = "outbox"
