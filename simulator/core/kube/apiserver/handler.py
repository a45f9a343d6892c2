"""Request → Response: authenticate, impersonate, authorise, route, answer (`apiserver/pkg/server/config.go`: the handler chain).

Decoded objects go in and out (`Request.obj`, `Response.obj`); `wire.body_of` makes bytes of a response for clients that need
them.  Nothing here raises for what a client sent: it becomes a Status.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ...kernel.clock import MS
from ...kernel.http import Request, Response
from ..api import errors
from ..api.errors import ApiError
from ..api.selectors import FieldTerm, SelectorError, parse_fields
from . import (
    aggregation,
    audit,
    authz,
    discovery,
    impersonation,
    metrics,
    negotiate,
    nonresource,
    recent,
    request_info,
    resource,
    wire,
)
from .audit import Seen
from .authz import Attributes
from .call import Call, User
from .request_info import RequestInfo
from .server import Server
from .storage import UNREACHABLE_LATENCY

Obj = dict[str, Any]

ENDPOINTS_DEPRECATED = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
#: Clients for people: their answers are indented (`responsewriters/writers.go`: isPrettyPrint).
BROWSERS = ("curl", "Wget", "Mozilla/5.0")
READ_LATENCY = 2 * MS
WRITE_LATENCY = 6 * MS


def handle(server: Server, request: Request) -> Response:
    """Answer one request."""
    # reads are left out: how many there are depends on what is warm, and a restored world must take the same time
    before = server.client.write_latency
    traced = server.world.trace_seq
    seen = Seen()
    try:
        response = _serve(server, request, seen)
    except errors.PathNotFound:
        response = Response(status=404, headers=dict(errors.PathNotFound.HEADERS), body=errors.PathNotFound.BODY)
    except ApiError as error:
        response = Response(status=error.code, headers=dict(error.headers), obj=error.status)
        retry = (error.status.get("details") or {}).get("retryAfterSeconds")
        if retry:
            response.headers["retry-after"] = str(retry)
        if error.code == 504 and error.reason == "Timeout" and "allotted" in error.message:
            response.latency += UNREACHABLE_LATENCY
    except RecursionError:
        response = Response(status=400, obj=errors.bad_request("exceeded max depth").status)
    if request.headers.get("user-agent", "").startswith(BROWSERS) or request.query.get("pretty"):
        wanted = request.query.get("pretty", ["true"])[0]
        if wanted in ("true", "1", "") and response.obj is not None and response.stream is None:
            response.headers["x-pretty"] = "true"
            response.body = wire.body_of(response)
    if server.config.audit_rules:
        audit.record(server, request, response, seen)
    if seen.noted or (response.status in (401, 403) and seen.info is not None):
        recent.note(server, request, response, seen, traced)
    if server.tally.since >= 0:
        metrics.count(server, request, response, seen)
    response.latency += READ_LATENCY if request.method in ("GET", "HEAD") else WRITE_LATENCY
    response.latency += server.client.write_latency - before
    response.headers.setdefault("audit-id", "")
    if not response.headers["audit-id"]:
        del response.headers["audit-id"]
    return response


def _serve(server: Server, request: Request, seen: Seen) -> Response:
    info = seen.info = request_info.parse(request.method, request.path)
    seen.verb = info.verb
    seen.noted = recent.wanted(server, request, info)
    user = seen.user = server.authenticator.authenticate(request)
    if impersonation.asked(request.headers):
        user = seen.as_user = impersonation.impersonate(user, request.headers, lambda wanted: check(server, wanted))
    if not info.resource_request:
        seen.reason = authorize(server, request, user, info, info.verb)
        return nonresource.serve(server, request, user)
    verb = info.verb
    if verb in ("list", "get") and request.query and request.query.get("watch", [""])[0] in ("true", "1"):
        verb = seen.verb = "watch"
    seen.reason = authorize(server, request, user, info, verb)
    kind = server.kind(info.group, info.version, info.resource)
    if kind is None and (elsewhere := aggregation.remote(server).get((info.group, info.version))) is not None:
        return aggregation.serve(server, elsewhere, request, user)
    if kind is None:
        raise errors.path_not_found(ours=discovery.built_in(server, info.group))
    call = seen.call = Call(server, request, info, user, kind, server.strategy(kind))
    if seen.noted:
        call.changed = []
    if info.subresource and call.sub is None:
        raise errors.path_not_found(ours=not kind.custom)
    verbs = call.sub.verbs if call.sub is not None else kind.verbs
    if verb not in verbs and not (verb == "watch" and "watch" in kind.verbs and call.sub is None):
        raise errors.method_not_allowed()
    if kind.plural == "endpoints" and verb in ("get", "list", "watch"):
        call.warnings.append(ENDPOINTS_DEPRECATED)
    if kind.custom and (text := server.deprecation(kind, info.version)):
        call.warnings.append(text)
    try:
        response = resource.serve(call, verb)
    except ApiError as error:
        if call.warnings:
            error.headers["warning"] = ", ".join(negotiate.warning(text) for text in dict.fromkeys(call.warnings))
        raise
    if call.warnings:
        response.headers["warning"] = ", ".join(negotiate.warning(text) for text in dict.fromkeys(call.warnings))
    return response


def authorize(server: Server, request: Request, user: User, info: RequestInfo, verb: str) -> str:
    """Why the user may; raises 403 unless they may.  A selector for one `metadata.name` counts as that name (`requestinfo.go`)."""
    path = "" if info.resource_request else info.path
    name, fields = info.name, tuple[FieldTerm, ...]()
    if request.query and not name and verb in ("list", "watch", "deletecollection"):
        with suppress(SelectorError):  # the list itself says so
            fields = parse_fields(request.param("fieldSelector"))
        name = next((term.value for term in fields if term.equal and term.field == "metadata.name"), "")
    return check(
        server, Attributes(user, verb, info.group, info.resource, info.subresource, info.namespace, name, path, "", fields)
    )


def check(server: Server, asked: Attributes) -> str:
    """Why it is allowed; raises 403 unless it is."""
    allowed, why = server.authorizer.allowed(asked)
    if not allowed:
        raise forbidden(asked, why)
    return why


def forbidden(asked: Attributes, why: str) -> ApiError:
    """The 403 of an unauthorised request (`responsewriters.Forbidden`)."""
    text = authz.explain(asked) + (f": {why}" if why else "")
    resource_name = f"{asked.resource}.{asked.group}" if asked.group else asked.resource
    return errors.forbidden(resource_name, asked.name, text)
