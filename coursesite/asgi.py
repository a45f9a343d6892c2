"""The site's entry: static files, health, pages and WebSockets."""

from __future__ import annotations

import os
import re
import threading
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coursesite.settings")

from django.conf import settings
from django.core.asgi import get_asgi_application

_pages = get_asgi_application()  # sets Django up, so it comes before whatever imports models

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import get_resolver

from lessons.desk.routing import websocket_urlpatterns as desk_sockets
from simulator import context, edge, edgestreams, engine, garbage, measures
from simulator.routing import websocket_urlpatterns

from . import health, metrics
from .bodies import bounded
from .static import StaticFiles

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_static = StaticFiles.from_settings(settings)
_sockets = AllowedHostsOriginValidator(
    AuthMiddlewareStack(URLRouter([*websocket_urlpatterns, *desk_sockets, health.no_such_socket]))
)


_REQUEST_ID = re.compile(rb"[0-9A-Za-z-]{8,64}\Z")


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Hand each connection to whom it concerns, under an id of its own that log lines and the answer carry."""
    if scope["type"] not in ("http", "websocket"):
        return
    given = dict(scope["headers"]).get(b"x-request-id", b"")
    number = given.decode() if _REQUEST_ID.match(given) else uuid.uuid4().hex
    context.request.set(number)
    if scope["type"] == "websocket":
        measures.sockets.inc()
        try:
            if edge.matches(scope["path"]):  # by its token, not by the page that opened it
                await edgestreams.application(scope, receive, cast(Any, send))
            else:
                await _sockets(scope, receive, send)
        finally:
            measures.sockets.dec()
        return
    began = time.perf_counter()

    async def answer(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), (b"x-request-id", number.encode())]}
            took = time.perf_counter() - began
            measures.requests.labels(scope["method"][:8], str(message["status"])).observe(took)
        await send(message)

    path = scope["path"]
    if path.startswith(_static.prefix):
        await _static(scope, receive, answer)
    elif edge.matches(path):
        await edge.application(scope, receive, cast(Any, answer))
    elif path in PATHS:
        await PATHS[path](scope, receive, answer)
    else:
        await bounded(cast(Any, _pages), scope, receive, answer)


def _warm_up() -> None:
    """Load what the first visitor would wait for: the pages' modules, and the simulator's version."""
    get_resolver().url_patterns  # noqa: B018  reading it imports them
    engine.version()
    engine.scenarios()
    if not settings.CELERY_TASK_ALWAYS_EAGER:  # a process of its own, not a test's
        garbage.leave_alone_what_is_there()


threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()

PATHS = {**health.PATHS, "/metrics": metrics.metrics}
