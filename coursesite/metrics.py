"""`/metrics` for Prometheus, beside health: what all processes of this machine counted, and how long the queues are.

Only for a client on this machine (a proxy's clients count as where they come from), or with `METRICS_TOKEN` as bearer token.
"""

from __future__ import annotations

import hmac
import os
from pathlib import Path
from typing import Any

import redis
from channels.db import database_sync_to_async
from django.conf import settings

from simulator import tasks

from .health import Receive, Send

try:
    import prometheus_client
    from prometheus_client import multiprocess
except ImportError:  # optional
    prometheus_client = None  # type: ignore[assignment]

_LOCAL = ("127.0.0.1", "::1", "localhost")


def forget(folder: Path) -> None:
    """Throw away what processes of an earlier start counted; before any process of this one counts."""
    for path in folder.glob("*.db"):
        path.unlink(missing_ok=True)


def allowed(scope: dict[str, Any]) -> bool:
    """May this client read the figures?"""
    token = settings.METRICS_TOKEN
    if not token:
        client = scope.get("client")
        return client is None or client[0] in _LOCAL
    given = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())


def queue_lengths() -> dict[tuple[str, int], int]:
    """Tasks that wait, by queue and priority; empty when Redis is away."""
    try:
        return tasks.lengths(tasks.queues())
    except redis.RedisError:
        return {}


def render() -> bytes:
    """The figures in Prometheus's text format."""
    registry = prometheus_client.CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        text: bytes = prometheus_client.generate_latest(registry)
    else:
        text = prometheus_client.generate_latest()
    lines = ["# HELP slipway_queue_length Tasks that wait.", "# TYPE slipway_queue_length gauge"]
    lines += [f'slipway_queue_length{{queue="{queue}",priority="{step}"}} {n}' for (queue, step), n in queue_lengths().items()]
    lines += [
        "# HELP slipway_queue_served Whether a worker of the queue gave a sign of life.",
        "# TYPE slipway_queue_served gauge",
    ]
    lines += [f'slipway_queue_served{{queue="{queue}"}} {int(tasks.alive(queue))}' for queue in tasks.queues()]
    return text + "\n".join(lines).encode() + b"\n"


async def metrics(scope: dict[str, Any], _receive: Receive, send: Send) -> None:
    """Answer a scrape."""
    if not allowed(scope):
        status, body = 403, b"not from here\n"
    elif prometheus_client is None:
        status, body = 501, b"prometheus-client is not installed\n"
    else:
        status, body = 200, await database_sync_to_async(render, thread_sensitive=False)()
    headers = [(b"content-type", b"text/plain; version=0.0.4; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, (b"cache-control", b"no-store")]})
    await send({"type": "http.response.body", "body": body})
