"""The plain HTTP side of a member: /version, /health, /metrics and the v3 JSON gateway (server/embed/serve.go)."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from ..kernel.http import Request, Response
from ..kernel.world import World
from . import maintenance, service
from .client import Call
from .errors import EtcdError
from .member import Disk, Running
from .mvcc import KeyValue

_GRPC_HTTP = {"InvalidArgument": (400, 3), "NotFound": (404, 5), "OutOfRange": (400, 11), "Unavailable": (503, 14)}


def _json(body: Any, status: int = 200) -> Response:
    return Response(status=status, headers={"content-type": "application/json"}, body=orjson.dumps(body))


def _header(disk: Disk) -> dict[str, str]:
    return {
        "cluster_id": str(disk.cluster_id),
        "member_id": str(disk.member_id),
        "revision": str(disk.store.revision),
        "raft_term": str(disk.term),
    }


def kv_json(kv: KeyValue) -> dict[str, str]:
    """A key-value as the gateway prints it: base64 bytes, integers as texts, zero values left out."""
    out = {
        "key": base64.b64encode(kv.key).decode(),
        "create_revision": str(kv.create_revision),
        "mod_revision": str(kv.mod_revision),
        "version": str(kv.version),
    }
    if kv.value:
        out["value"] = base64.b64encode(kv.value).decode()
    if kv.lease:
        out["lease"] = str(kv.lease)
    return out


def handle(world: World, disk: Disk, running: Running, request: Request) -> Response:
    """Route one HTTP request."""
    path = request.path
    if path == "/version":
        minor = ".".join(running.version.split(".")[:2])
        return _json({"etcdserver": running.version, "etcdcluster": f"{minor}.0", "storage": f"{minor}.0"})
    if path in ("/health", "/livez", "/readyz"):
        if path != "/health":
            return Response(status=200 if running.ready else 503, body=b"ok\n" if running.ready else b"not ready\n")
        if running.ready:
            return _json({"health": "true", "reason": ""})
        return _json({"health": "false", "reason": "RAFT NO LEADER"}, 503)
    if path == "/metrics":
        return Response(headers={"content-type": "text/plain"}, body=_metrics(world, disk, running).encode())
    if path.startswith("/v3/"):
        return _v3(world, disk, running, path[4:], request)
    return Response(status=404, headers={"content-type": "text/plain; charset=utf-8"}, body=b"404 page not found\n")


def _metrics(world: World, disk: Disk, running: Running) -> str:
    status = maintenance.status(world, disk, running, {})
    rows = (
        ("etcd_server_has_leader", "gauge", 1 if running.ready else 0),
        ("etcd_server_is_leader", "gauge", 1 if running.ready else 0),
        ("etcd_mvcc_db_total_size_in_bytes", "gauge", status.db_size),
        ("etcd_debugging_store_revision", "gauge", disk.store.revision),
    )
    return "".join(f"# TYPE {name} {kind}\n{name} {value}\n" for name, kind, value in rows)


def _v3(world: World, disk: Disk, running: Running, method: str, request: Request) -> Response:
    if not running.ready:
        return _json({"error": "etcdserver: no leader", "code": 14, "message": "etcdserver: no leader"}, 503)
    try:
        body = orjson.loads(request.body or b"{}")
        if not isinstance(body, dict):
            raise ValueError("not an object")
        return _v3_call(world, disk, running, method, body)
    except (orjson.JSONDecodeError, binascii.Error, ValueError, TypeError) as error:
        text = str(error)[:200]
        return _json({"error": text, "code": 3, "message": text}, 400)
    except EtcdError as error:
        status, code = _GRPC_HTTP.get(error.grpc_code, (500, 2))
        return _json({"error": error.message, "code": code, "message": error.message}, status)


def _bytes(body: dict[str, Any], name: str) -> bytes:
    return base64.b64decode(str(body.get(name, "")), validate=True)


def _v3_call(world: World, disk: Disk, running: Running, method: str, body: dict[str, Any]) -> Response:
    def call(name: str, **args: Any) -> Any:
        return service.handle(world, disk, running, Call(name, args))

    if method == "kv/put":
        call("KV/Put", key=_bytes(body, "key"), value=_bytes(body, "value"), lease=int(body.get("lease", 0)))
        return _json({"header": _header(disk)})
    if method == "kv/range":
        found = call(
            "KV/Range",
            key=_bytes(body, "key"),
            range_end=_bytes(body, "range_end"),
            revision=int(body.get("revision", 0)),
            limit=int(body.get("limit", 0)),
            keys_only=bool(body.get("keys_only", False)),
            count_only=bool(body.get("count_only", False)),
        )
        out: dict[str, Any] = {"header": _header(disk)}
        if found.kvs:
            out["kvs"] = [kv_json(kv) for kv in found.kvs]
        if found.more:
            out["more"] = True
        if found.count:
            out["count"] = str(found.count)
        return _json(out)
    if method == "kv/deleterange":
        gone = call("KV/DeleteRange", key=_bytes(body, "key"), range_end=_bytes(body, "range_end"))
        answer: dict[str, Any] = {"header": _header(disk)}
        if gone.deleted:
            answer["deleted"] = str(gone.deleted)
        return _json(answer)
    if method == "maintenance/status":
        status = call("Maintenance/Status")
        return _json({
            "header": _header(disk), "version": status.version, "dbSize": str(status.db_size), "leader": str(status.leader),
            "raftIndex": str(status.raft_index), "raftTerm": str(status.raft_term), "dbSizeInUse": str(status.db_size_in_use),
        })  # fmt: skip
    if method in ("kv/txn", "kv/compaction", "watch", "lease/grant", "lease/revoke", "lease/keepalive", "cluster/member/list"):
        text = f"/v3/{method}: not simulated in Slipway yet"
        return _json({"error": text, "code": 12, "message": text}, 501)
    return _json({"code": 5, "message": "Not Found", "details": []}, 404)
