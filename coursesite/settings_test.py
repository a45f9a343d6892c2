"""Settings of the tests: no broker needed (tasks run in the caller), the rest as in production."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

os.environ.setdefault("SLIPWAY_VAR", tempfile.mkdtemp(prefix="slipway-test-"))
os.environ.setdefault("SECRET_KEY", "for tests only")

from .settings import *  # noqa: F403
from .settings import DATABASES, STORAGES

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: threads of one test must see each other's commits as processes do.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(os.environ["SLIPWAY_VAR"]) / f"test-{os.getpid()}.sqlite3")}
else:
    DATABASES["default"]["OPTIONS"].pop("pool", None)  # pytest-django drops the database while the pool still holds it
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
PAGES_KEPT = False  # tests undo what they published behind its back
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
CELERY_BROKER_URL = "memory://"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ALLOWED_HOSTS = ["*"]
