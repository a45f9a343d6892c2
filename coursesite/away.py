"""When a store of the site is away: the page says so with 503 and when to try again, instead of calling it a fault of ours."""

from __future__ import annotations

import logging

import redis
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.deprecation import MiddlewareMixin

logger = logging.getLogger(__name__)

#: Seconds after which it is worth another try: a store that is started again takes about as long.
RETRY_AFTER = 5


class StoresAway(MiddlewareMixin):
    """Answers for a view that could not reach the database or Redis."""

    def process_exception(self, _request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The answer, if that is what happened; the page asks neither of them for anything."""
        if not isinstance(error, (redis.RedisError, OperationalError, InterfaceError)):
            return None
        logger.exception("a store is away")
        return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": str(RETRY_AFTER)})
