"""What a request is about: verb, group, version, resource, subresource, namespace, name.

Follows `apiserver/pkg/endpoints/request/requestinfo.go`; a pure function of method and path, so it is cached.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import unquote

import msgspec

_VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_NAMESPACE_SUBRESOURCES = ("status", "finalize")


class RequestInfo(msgspec.Struct, frozen=True):
    """A parsed path.  `verb` is still `get`/`delete` where the query may make it list, watch or deletecollection."""

    resource_request: bool
    verb: str
    path: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    rest: str = ""


@lru_cache(maxsize=4096)
def parse(method: str, path: str) -> RequestInfo:
    """The request that a method and path make."""
    verb = _VERBS.get(method, method.lower())
    parts = [unquote(part) if "%" in part else part for part in path.strip("/").split("/")]
    if len(parts) >= 3 and parts[0] == "api":
        group, version, parts = "", parts[1], parts[2:]
    elif len(parts) >= 4 and parts[0] == "apis":
        group, version, parts = parts[1], parts[2], parts[3:]
    else:
        return RequestInfo(False, method.lower() if verb != "get" else "get", path)
    if parts[0] == "watch" and len(parts) > 1:
        verb, parts = "watch", parts[1:]
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 1:
        namespace = parts[1]
        if len(parts) > 2 and parts[2] not in _NAMESPACE_SUBRESOURCES:
            parts = parts[2:]
    resource = parts[0]
    name = parts[1] if len(parts) > 1 else ""
    subresource = parts[2] if len(parts) > 2 else ""
    if not name:
        verb = {"get": "list", "delete": "deletecollection"}.get(verb, verb)
    return RequestInfo(True, verb, path, group, version, resource, subresource, namespace, name, "/".join(parts[3:]))
