"""Who may use the kubelet's server (`cmd/kubelet/app/auth.go`, `pkg/kubelet/server/auth.go`): client certificates of the client CA,
bearer tokens by TokenReview, anonymous when that is on; then a SubjectAccessReview for `nodes` and the path's subresources.

An allowed review is believed for five minutes, a refused one for thirty seconds, as the webhook authorizer's cache does.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ...host import x509
from ...kernel.clock import MINUTE, SECOND
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from .. import component
from ..client import ApiError
from .context import Kubelet
from .options import setting

Obj = dict[str, Any]
VERBS = {"POST": "create", "GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
ALLOWED_FOR, REFUSED_FOR = 5 * MINUTE, 30 * SECOND
_FINE = {"pods": "pods", "runningpods": "pods", "healthz": "healthz", "configz": "configz"}
_OWN = {
    "stats": "stats",
    "metrics": "metrics",
    "logs": "log",
    "checkpoint": "checkpoint",
    "statusz": "statusz",
    "flagz": "configz",
}


class User(NamedTuple):
    """Who asks."""

    name: str
    groups: tuple[str, ...]


def check(kubelet: Kubelet, request: Request) -> Response | None:
    """None when the request may go on, else 401 or 403."""
    user = authenticate(kubelet, request)
    if user is None:
        return _text(401, "Unauthorized")
    verb = VERBS.get(request.method, "")
    subresources = subresources_of(request.path)
    if setting(kubelet.state.config, "authorization", "mode") == "AlwaysAllow":
        return None
    try:
        if any(_allowed(kubelet, user, verb, name) for name in subresources):
            return None
    except (ConnectError, ApiError) as failed:
        text = f"Authorization error (user={user.name}, verb={verb}, resource=nodes, subresource(s)=[{' '.join(subresources)}])"
        kubelet.log("E", "server.go:401", "Authorization error", err=kubelet.explain(failed), user=user.name)
        return _text(500, text)
    return _text(403, f"Forbidden (user={user.name}, verb={verb}, resource=nodes, subresource(s)=[{' '.join(subresources)}])\n")


def _text(code: int, text: str) -> Response:
    return Response(status=code, headers={"content-type": "text/plain; charset=utf-8"}, body=text.encode())


def subresources_of(path: str) -> list[str]:
    """The subresources of `nodes` that a path stands for, the finest first."""
    head = path.strip("/").partition("/")[0]
    out = [_FINE[head.lower()]] if head.lower() in _FINE else []
    out.append(_OWN.get(head, "proxy"))
    return out


def authenticate(kubelet: Kubelet, request: Request) -> User | None:
    """The user of a request, or None."""
    config = kubelet.state.config
    header = request.headers.get("authorization", "")
    if request.client_cert:
        user = _certificate(kubelet, request.client_cert)
        if user is not None:
            return user
    if header.lower().startswith("bearer ") and setting(config, "authentication", "webhook", "enabled"):
        return _token(kubelet, header[7:].strip())
    if not header and setting(config, "authentication", "anonymous", "enabled"):
        return User("system:anonymous", ("system:unauthenticated",))
    return None


def _certificate(kubelet: Kubelet, pem: bytes) -> User | None:
    path = setting(kubelet.state.config, "authentication", "x509", "clientCAFile")
    if not path:
        return None
    try:
        ca = component.read_file(kubelet.world, kubelet.proc, str(path))
        if not x509.signed_by(pem, ca):
            return None
        subject = x509.subject_of(pem)
    except (OSError, ValueError):
        return None
    if not subject.not_before <= kubelet.world.wall + kubelet.host.skew <= subject.not_after:
        return None
    return User(subject.common_name, (*subject.organizations, "system:authenticated"))


def _token(kubelet: Kubelet, token: str) -> User | None:
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "metadata": {}, "spec": {"token": token}}
    try:
        status = kubelet.client.create("tokenreviews", None, review).get("status") or {}
    except (ConnectError, ApiError):
        return None
    if not status.get("authenticated"):
        return None
    user = status.get("user") or {}
    return User(str(user.get("username") or ""), tuple(user.get("groups") or ()))


def _allowed(kubelet: Kubelet, user: User, verb: str, subresource: str) -> bool:
    cache: dict[Any, tuple[bool, int]] = kubelet.world.warm.setdefault("kubelet-access", {}).setdefault(kubelet.proc.key, {})
    key = (user, verb, subresource)
    held = cache.get(key)
    if held is not None and kubelet.world.now < held[1]:
        return held[0]
    spec = {
        "user": user.name,
        "groups": list(user.groups),
        "resourceAttributes": {
            "verb": verb,
            "version": "v1",
            "resource": "nodes",
            "subresource": subresource,
            "name": kubelet.state.node,
        },
    }
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "metadata": {}, "spec": spec}
    answer = kubelet.client.create("subjectaccessreviews", None, review)
    allowed = bool((answer.get("status") or {}).get("allowed"))
    cache[key] = (allowed, kubelet.world.now + (ALLOWED_FOR if allowed else REFUSED_FOR))
    return allowed
