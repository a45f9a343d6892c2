"""Times in the reader's own time zone: the one that they chose, else their browser's, else the site's (`TIME_ZONE`).

The choice is kept with the account and, while somebody is logged in, in their session, so that no page asks the database for it.  The
browser's zone comes in a cookie that `static/js/early.js` writes.  A form with times says in its field `zone` in which zone they were shown:
what was typed is read in that one, whatever the reader's zone is by then.
"""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin

from lessons.desk.models import Preference

if TYPE_CHECKING:
    from django.contrib.auth.models import User

COOKIE = "slipway_zone"
SESSION = "zone"
FIELD = "zone"
#: Names of zones are shorter; what is longer is not looked up.
MOST = 64


@cache
def names() -> tuple[str, ...]:
    """The zones to choose from: places and UTC, without the old names that stand for them."""
    places = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
    return ("UTC", *sorted(name for name in zoneinfo.available_timezones() if name.split("/")[0] in places and "/" in name))


@cache
def _all() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones()) | {"UTC"}


def known(name: Any) -> str:
    """The name if there is such a zone, else nothing."""
    return name if isinstance(name, str) and 0 < len(name) <= MOST and name in _all() else ""


def of_browser(request: HttpRequest) -> str:
    """The zone that the browser told, or nothing."""
    return known(request.COOKIES.get(COOKIE, "").replace("%2F", "/"))


def of_reader(request: HttpRequest) -> str:
    """The zone of whoever asks, or nothing."""
    chosen = known(request.session.get(SESSION, "")) if settings.SESSION_COOKIE_NAME in request.COOKIES else ""
    return chosen or of_browser(request)


def choose(request: HttpRequest, user: User, zone: str) -> None:
    """Keep somebody's zone; nothing means their browser's."""
    Preference.objects.update_or_create(user=user, defaults={"zone": zone})
    request.session[SESSION] = zone
    timezone.activate(zone or of_browser(request) or settings.TIME_ZONE)


@receiver(user_logged_in)
def _arrived(request: HttpRequest | None, user: Any, **_kwargs: Any) -> None:
    """The choice comes along to another device."""
    zone = Preference.objects.filter(user=user).values_list("zone", flat=True).first()
    if request is not None and hasattr(request, "session") and zone:
        request.session[SESSION] = zone


class ReadersZone(MiddlewareMixin):
    """Shows and reads times in the zone of whoever asks."""

    def process_request(self, request: HttpRequest) -> None:
        """The answer is made in the reader's zone."""
        timezone.activate(of_reader(request) or settings.TIME_ZONE)

    def process_response(self, _request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """The next request begins without."""
        timezone.deactivate()
        return response

    def process_view(self, request: HttpRequest, *_args: Any) -> None:
        """A form's times are in the zone in which it was shown."""
        if request.method == "POST" and request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
            zone = known(request.POST.get(FIELD, ""))
            if zone:
                timezone.activate(zone)
