"""The site's entry: static files, health, pages and WebSockets."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coursesite.settings")

from django.conf import settings
from django.core.asgi import get_asgi_application

_pages = get_asgi_application()  # sets Django up, so it comes before whatever imports models

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator

from lessons.desk.routing import websocket_urlpatterns as desk_sockets
from simulator import edge
from simulator.routing import websocket_urlpatterns

from . import health
from .static import StaticFiles

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_static = StaticFiles.from_settings(settings)
_sockets = AllowedHostsOriginValidator(
    AuthMiddlewareStack(URLRouter([*websocket_urlpatterns, *desk_sockets, health.no_such_socket]))
)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Hand each connection to whom it concerns."""
    if scope["type"] == "websocket":
        await _sockets(scope, receive, send)
    elif scope["type"] == "http":
        path = scope["path"]
        if path.startswith(_static.prefix):
            await _static(scope, receive, send)
        elif edge.matches(path):
            await edge.application(scope, receive, send)
        elif path in health.PATHS:
            await health.PATHS[path](scope, receive, send)
        else:
            await _pages(scope, receive, cast(Any, send))
