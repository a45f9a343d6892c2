"""Who asks, what for, and how often."""

from __future__ import annotations

import datetime
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from lessons.api.models import Token, hashed


class Refusal(Exception):
    """A request that is not answered: status, code, message, and headers."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}
        super().__init__(message)


class Bearer(HttpBearer):
    """A token in `Authorization: Bearer`, with the scope that the operation needs."""

    def __init__(self, scope: str = "") -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """The token's row; nothing for one that opens nothing."""
        found = Token.objects.select_related("user").filter(digest=hashed(token)).first()
        if found is None or not found.live or not found.user.is_active:
            return None
        limited(found)
        if self.scope and self.scope not in found.scopes:
            raise Refusal(403, "forbidden", f"the token lacks the scope {self.scope}")
        now = timezone.now()
        if found.used_at is None or now - found.used_at > datetime.timedelta(minutes=1):
            Token.objects.filter(pk=found.pk).update(used_at=now)
        request.user = found.user
        return found


def limited(token: Token) -> None:
    """Count the request in this minute.  Raises `Refusal` when there were too many; without a cache nobody is counted."""
    now = int(time.time())
    key = f"api/{token.pk}/{now // 60}"
    try:
        cache.add(key, 0, timeout=120)
        count = cache.incr(key)
    except Exception:  # the cache is away, or lost the key between the two
        return
    if count > settings.SLIPWAY_API_RATE:
        wait = str(60 - now % 60)
        raise Refusal(429, "rate_limited", f"more than {settings.SLIPWAY_API_RATE} requests a minute", {"Retry-After": wait})
