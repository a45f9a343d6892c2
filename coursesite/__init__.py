"""Wiring of the site: settings, URLs, ASGI, Celery, health, and the supervisor that `make run` calls."""

from .celery import app as celery_app

__all__ = ["celery_app"]
