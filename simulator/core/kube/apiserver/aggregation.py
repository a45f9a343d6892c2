"""API aggregation: groups that another server behind a Service answers for (`kube-aggregator/pkg`).

An APIService with `spec.service` hands its group version over: discovery names it while it is available, requests go on to a ready
endpoint with the user in `X-Remote-*` headers, after this server has authenticated and authorised them.  The availability controller looks
when an APIService changes, every thirty seconds, and more often while one is not available
(`pkg/controllers/status/remote/remote_available_controller.go`).
"""

from __future__ import annotations

from typing import Any

import orjson

from ...kernel import network
from ...kernel.clock import SECOND
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from ..api.errors import ApiError, status
from . import service_endpoints
from .call import User
from .server import Server
from .service_endpoints import NotServed

Obj = dict[str, Any]
PREFIX = "apiregistration.k8s.io/apiservices/"
#: How often is looked while all are available, and while one is not.
RESYNC, RETRY = 30 * SECOND, 5 * SECOND


def remote(server: Server) -> dict[tuple[str, str], Obj]:
    """The APIServices that somebody else answers for, by group and version."""
    if server.remote is None:
        found, fresh = server.copy(PREFIX)
        rows = {
            (item["spec"].get("group", ""), item["spec"]["version"]): item
            for item in found
            if (item.get("spec") or {}).get("service")
        }
        if not fresh:
            return rows
        server.remote = rows
    return server.remote


def available(service: Obj) -> bool:
    """What its condition says."""
    conditions = (service.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Available" and c["status"] == "True" for c in conditions)


def endpoint(server: Server, service: Obj) -> tuple[str, int]:
    """Where the server of an APIService listens; raises NotServed."""
    return service_endpoints.resolve(server.storage, service["spec"]["service"])


def _ask(server: Server, service: Obj, request: Request) -> Response:
    address, port = endpoint(server, service)
    return network.http(server.world, server.netns, address, port, request)


def check(server: Server) -> int:
    """Bring the conditions up to date; returns when to look again (ns from now), 0 when there is nothing to look at."""
    found = remote(server)
    for (group, version), service in list(found.items()):
        try:
            _discover(server, service, group, version)
            now = ("True", "Passed", "all checks passed")
        except NotServed as why:
            now = ("False", why.reason, str(why))
        _tell(server, service, now)
    if not found:
        return 0
    return RESYNC if all(available(service) for service in remote(server).values()) else RETRY


def _discover(server: Server, service: Obj, group: str, version: str) -> None:
    path = f"/apis/{group}/{version}"
    address, port = endpoint(server, service)
    url = f"https://{address}:{port}{path}"
    try:
        answer = _ask(
            server,
            service,
            Request(method="GET", path=path, headers=_identity(User("system:kube-aggregator", ("system:masters",)))),
        )
    except ConnectError:
        text = f'Get "{url}": dial tcp {address}:{port}: connect: connection refused'
        raise NotServed("FailedDiscoveryCheck", f"failing or missing response from {url}: {text}", text) from None
    if not 200 <= answer.status < 300:
        text = f"failing or missing response from {url}: bad status from {url}: {answer.status}"
        raise NotServed("FailedDiscoveryCheck", text, text)


def _tell(server: Server, service: Obj, now: tuple[str, str, str]) -> None:
    """Write the condition if it is another one."""
    key = f"/registry/{PREFIX}{service['metadata']['name']}".encode()
    held = server.storage.get(key)
    if held is None:
        return
    obj, revision = held
    conditions = (obj.get("status") or {}).get("conditions") or []
    before = next((c for c in conditions if c["type"] == "Available"), None)
    if before is not None and (before["status"], before.get("reason"), before.get("message")) == now:
        return
    same = before is not None and before["status"] == now[0]
    at = before["lastTransitionTime"] if before is not None and same else server.world.timestamp()
    condition = {"lastTransitionTime": at, "message": now[2], "reason": now[1], "status": now[0], "type": "Available"}
    others = [c for c in conditions if c["type"] != "Available"]
    server.storage.update(key, {**obj, "status": {"conditions": [*others, condition]}}, revision)
    server.world.emit(
        "kube-apiserver", "aggregate", f"apiservices/{service['metadata']['name']}", {"available": now[0], "reason": now[1]}
    )
    server.remote = None


def _identity(user: User) -> dict[str, str]:
    """Headers of the front proxy (`x509 request header` authentication of the other server)."""
    return {"x-remote-user": user.name, "x-remote-group": "\n".join(user.groups), "accept": "application/json"}


def serve(server: Server, service: Obj, request: Request, user: User) -> Response:
    """Hand a request over; 503 while the other server cannot be reached (`proxyHandler.ServeHTTP`)."""
    if not available(service):
        return _unavailable()
    passed = Request(
        method=request.method,
        path=request.path,
        query=request.query,
        headers={**{k: v for k, v in request.headers.items() if k != "authorization"}, **_identity(user)},
        body=request.body if request.obj is None else orjson.dumps(request.obj),
        scheme="https",
    )
    passed.headers["accept"] = request.headers.get("accept", "application/json")
    try:
        return _ask(server, service, passed)
    except NotServed:
        return _unavailable()
    except ConnectError as error:
        text = f"error trying to reach service: {error}"
        raise ApiError(status(503, "ServiceUnavailable", text)) from None


def _unavailable() -> Response:
    return Response(status=503, headers={"content-type": "text/plain; charset=utf-8"}, body=b"service unavailable\n")


def resources(server: Server, group: str, version: str) -> list[Obj]:
    """What the other server says that it serves; empty while it is away."""
    service = remote(server).get((group, version))
    if service is None or not available(service):
        return []
    try:
        answer = _ask(
            server,
            service,
            Request(method="GET", path=f"/apis/{group}/{version}", headers=_identity(User("system:kube-aggregator", ()))),
        )
        body = answer.obj if answer.obj is not None else orjson.loads(answer.body)
    except (NotServed, ConnectError, ValueError):
        return []
    found = body.get("resources") if isinstance(body, dict) else None
    return [item for item in found or () if isinstance(item, dict)]
