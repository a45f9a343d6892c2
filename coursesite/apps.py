"""The site's own Django app: it has no models, only management commands."""

from __future__ import annotations

from django.apps import AppConfig


class CoursesiteConfig(AppConfig):
    """Wiring."""

    name = "coursesite"
    verbose_name = "Slipway"
