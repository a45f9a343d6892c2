"""A word that changes whenever a course is published: what was made of it before is then made anew.

It lies in the cache that all web processes share.  Without one (Redis is away, or was when a course was loaded) nothing is kept, or no longer
than whoever keeps it says; so losing it costs time, never truth.
"""

from __future__ import annotations

import logging
import uuid

from django.core.cache import cache
from django.db import transaction

logger = logging.getLogger(__name__)

_KEY = "content-stamp"


def stamp() -> str | None:
    """The word now; None when it cannot be known."""
    try:
        found = cache.get(_KEY)
        if found is None:
            cache.add(_KEY, uuid.uuid4().hex, None)
            found = cache.get(_KEY)
    except Exception:  # whatever the cache's client raises
        logger.warning("the cache cannot be reached: pages are made anew")
        return None
    return str(found) if found else None


def renew() -> None:
    """Something was published: with the end of this transaction the word is another."""
    transaction.on_commit(_renew)


def _renew() -> None:
    try:
        cache.set(_KEY, uuid.uuid4().hex, None)
    except Exception:
        logger.warning("the cache cannot be reached: kept pages stay as they are until they are too old")
