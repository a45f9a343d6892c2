"""Lesson pages as somebody sees them who has not signed in: the same for all of them, so each is made once and kept in the process.

What differs between two answers (the nonce of the content security policy, the token against forged requests) is put in anew each time.
A page is made anew when a course has been published since (`lessons.freshness`), and after `KEEP` seconds whatever happens.
"""

from __future__ import annotations

import functools
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils.translation import get_language

from lessons import authoring, freshness

#: Seconds after which a page is made anew even when nobody said that anything changed.
KEEP = 60.0
#: Characters of all pages together that a process keeps.
ROOM = 16_000_000

_TOKEN, _NONCE = "\x01token\x01", "\x01nonce\x01"
_TOKENS = re.compile(r'name="(?:csrf-token|csrfmiddlewaretoken)" (?:content|value)="([0-9A-Za-z]{32,64})"')


@dataclass(slots=True)
class _Page:
    what: Any
    size: int
    until: float


class Pages:
    """The pages (or what pages are made of) used last, as many as there is room for."""

    def __init__(self, room: int = ROOM) -> None:
        self.room = room
        self._pages: OrderedDict[Any, _Page] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: Any, now: float) -> Any:
        """The page, unless it is too old; None when there is none."""
        with self._lock:
            found = self._pages.get(key)
            if found is None or found.until < now:
                return None
            self._pages.move_to_end(key)
            return found.what

    def put(self, key: Any, what: Any, size: int, now: float) -> None:
        """Keep a page of so many characters; those that were not asked for longest go for it."""
        with self._lock:
            self._drop(key)
            self._pages[key] = _Page(what, size, now + KEEP)
            self._size += size
            while self._size > self.room:
                self._drop(next(iter(self._pages)))

    def _drop(self, key: Any) -> None:
        gone = self._pages.pop(key, None)
        self._size -= gone.size if gone is not None else 0


_pages = Pages()


def for_strangers(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Keep what a page's view (which is given its `course`) answers to people without a log-in."""

    @functools.wraps(view)
    def kept(request: HttpRequest, course: str, *args: Any, **kwargs: Any) -> HttpResponse:
        stamp = freshness.stamp() if _is_stranger(request) and authoring.note(course) is None else None
        if stamp is None:
            return view(request, course, *args, **kwargs)
        key, now = (stamp, get_language(), request.path), time.monotonic()
        text = _pages.get(key, now)
        if text is None:
            answer = view(request, course, *args, **kwargs)
            if answer.status_code == 200:
                text = _without_secrets(request, answer.content.decode())
                _pages.put(key, text, len(text), now)
            return answer
        nonce = str(getattr(request, "csp_nonce", ""))
        return HttpResponse(text.replace(_NONCE, nonce).replace(_TOKEN, get_token(request)))

    return kept


def _is_stranger(request: HttpRequest) -> bool:
    """Nothing in this request can make its page another than everybody's?"""
    cookies = {settings.SESSION_COOKIE_NAME, "messages"}
    asked = (
        request.method in ("GET", "HEAD") and not request.META.get("QUERY_STRING") and "HTTP_AUTHORIZATION" not in request.META
    )
    return settings.PAGES_KEPT and asked and cookies.isdisjoint(request.COOKIES)


def _without_secrets(request: HttpRequest, text: str) -> str:
    for token in set(_TOKENS.findall(text)):
        text = text.replace(token, _TOKEN)
    nonce = str(getattr(request, "csp_nonce", ""))
    return text.replace(nonce, _NONCE) if nonce else text
