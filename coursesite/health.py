"""Health for whoever watches the site: `/healthz` says that this process answers, `/readyz` that what it needs does too.

Both are plain ASGI, in front of Django's middlewares: a probe has no Host header that `ALLOWED_HOSTS` knows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from channels.db import database_sync_to_async
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import re_path

from simulator import doorbell, tasks

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]


async def _answer(send: Send, status: int, value: dict[str, Any]) -> None:
    body = orjson.dumps(value) + b"\n"
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def healthz(_scope: dict[str, Any], _receive: Receive, send: Send) -> None:
    """This process answers."""
    await _answer(send, 200, {"ok": True})


async def readyz(_scope: dict[str, Any], _receive: Receive, send: Send) -> None:
    """The database, Redis and a worker for each queue answer, and the database is migrated."""
    checks = await database_sync_to_async(check, thread_sensitive=False)()
    ready = all(value == "ok" for value in checks.values())
    await _answer(send, 200 if ready else 503, {"ok": ready, "checks": checks})


def check() -> dict[str, str]:
    """What `/readyz` says of each thing that the site needs."""
    found: dict[str, str] = {}
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        found["database"] = "ok" if not plan else f"{len(plan)} migrations are missing"
    except DatabaseError as error:
        found["database"] = f"failed: {type(error).__name__}"
    try:
        doorbell.connection().ping()
        found["redis"] = "ok"
    except Exception as error:
        found["redis"] = f"failed: {type(error).__name__}"
    for queue in tasks.queues():
        found[f"worker {queue}"] = "ok" if found["redis"] == "ok" and tasks.alive(queue) else "no worker"
    return found


PATHS: dict[str, Application] = {"/healthz": healthz, "/readyz": readyz}


async def _refuse(_scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """A WebSocket address that does not exist: refused at the handshake."""
    await receive()
    await send({"type": "websocket.close", "code": 4404})


no_such_socket = re_path(r"^", _refuse)  # type: ignore[arg-type]
