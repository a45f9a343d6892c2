"""The plain HTTP side of a member: /version, /health, /metrics and the v3 JSON gateway (server/embed/serve.go)."""

from __future__ import annotations

from typing import Any

import orjson

from ..kernel.http import Request, Response
from ..kernel.world import World
from . import gateway_v2, gateway_v2_members, gateway_v3, maintenance
from .member import Disk, Running


def _json(body: Any, status: int = 200) -> Response:
    return Response(status=status, headers={"content-type": "application/json"}, body=orjson.dumps(body))


#: What a member that allows every origin adds to its answers (server/embed/serve.go: addCORSHeader).
_CORS = {
    "access-control-allow-headers": "accept, content-type, authorization",
    "access-control-allow-methods": "POST, GET, OPTIONS, PUT, DELETE",
    "access-control-allow-origin": "*",
}
_PREFIXES = ("/v3/", "/v3beta/")


def handle(world: World, disk: Disk, running: Running, request: Request) -> Response:
    """Answer one HTTP request."""
    answer = _route(world, disk, running, request)
    answer.headers = dict(sorted({**_CORS, **answer.headers}.items()))  # Go writes them in order
    return answer


def speaks_v2(running: Running) -> bool:
    """Whether the v2 API is served: on request up to 3.5, always before 3.4 unless told otherwise."""
    release = tuple(int(part) for part in running.version.split(".")[:2])
    return release < (3, 6) and running.flags.get("enable-v2", "true" if release < (3, 4) else "false") == "true"


def _route(world: World, disk: Disk, running: Running, request: Request) -> Response:
    path = request.path
    if path == "/version":
        if request.method not in ("GET", "HEAD"):
            return gateway_v2_members.refused(405, "Method Not Allowed", {"allow": "GET"})
        minor = ".".join(running.version.split(".")[:2])
        storage = {"storage": disk.version} if disk.version else {}
        return _json({"etcdserver": running.version, "etcdcluster": f"{minor}.0", **storage})
    if path in ("/health", "/livez", "/readyz"):
        if path != "/health":
            return Response(status=200 if running.ready else 503, body=b"ok\n" if running.ready else b"not ready\n")
        healthy = running.ready and (disk.raft is None or disk.raft.lead)
        if running.version.startswith(("3.4.", "3.3.", "3.2.")):  # no reason yet, and the bytes' own type
            if healthy:
                return Response(headers={"content-type": gateway_v2_members.TEXT}, body=b'{"health":"true"}')
            return gateway_v2_members.refused(503, '{"health":"false"}')
        if healthy:
            return _json({"health": "true", "reason": ""})
        return _json({"health": "false", "reason": "RAFT NO LEADER"}, 503)
    if path == "/metrics":
        return Response(headers={"content-type": "text/plain"}, body=_metrics(world, disk, running).encode())
    if path.startswith("/v2/") and speaks_v2(running) and running.ready:
        return gateway_v2.handle(world, disk, running, request)
    for prefix in _PREFIXES:
        if path.startswith(prefix):
            return gateway_v3.handle(world, disk, running, path[len(prefix) :], request)
    return gateway_v2_members.refused(404, "404 page not found")


def _metrics(world: World, disk: Disk, running: Running) -> str:
    status = maintenance.status(world, disk, running, {})
    rows = (
        ("etcd_server_has_leader", "gauge", 1 if running.ready and status.leader else 0),
        ("etcd_server_is_leader", "gauge", 1 if running.ready and status.leader == disk.member_id else 0),
        ("etcd_mvcc_db_total_size_in_bytes", "gauge", status.db_size),
        ("etcd_debugging_store_revision", "gauge", disk.store.revision),
    )
    return "".join(f"# TYPE {name} {kind}\n{name} {value}\n" for name, kind, value in rows)
