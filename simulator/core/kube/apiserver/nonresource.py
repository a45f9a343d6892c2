"""Paths that are no resources: discovery, version, health, OpenAPI, metrics (`apiserver/pkg/server/routes`)."""

from __future__ import annotations

from typing import Any

from ...kernel import versions
from ...kernel.http import Request, Response
from ..api import errors
from . import discovery, health, metrics, openapi, openapi_v2
from .call import User
from .server import Server

Obj = dict[str, Any]

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def version(server: Server) -> Obj:
    """What the server says of itself: an older binary names its own release."""
    build = versions.info(server.version)
    major, minor = build.pop("major"), build.pop("minor")
    compatible = {"minCompatibilityMajor": major, "minCompatibilityMinor": str(int(minor) - 1)}
    return {"major": major, "minor": minor, "emulationMajor": major, "emulationMinor": minor, **compatible, **build}


def serve(server: Server, request: Request, user: User) -> Response:
    """Answer a GET on a path."""
    path = request.path.rstrip("/") or "/"
    parts = path.strip("/").split("/")
    if request.method not in ("GET", "HEAD"):
        raise errors.method_not_allowed()
    head = parts[0]
    if head in health.CHECKS:
        return health.serve(server, request, head, "/".join(parts[1:]))
    if path == "/version":
        return Response(obj=version(server), headers={"x-pretty": "true"})
    if head in ("api", "apis"):
        return discover(server, request, parts)
    if head == "openapi" and len(parts) >= 2:
        return open_api(server, request, parts)
    if path == "/metrics":
        return Response(body=metrics.text(server), headers={"content-type": "text/plain; version=0.0.4; charset=utf-8"})
    if path == "/":
        return Response(obj={"paths": paths(server)})
    if path == "/.well-known/openid-configuration":
        return Response(obj=oidc(server))
    raise errors.path_not_found()


def paths(server: Server) -> list[str]:
    """Every path that `/` names, sorted as the real list is."""
    out = {
        "/.well-known/openid-configuration",
        "/api",
        "/api/v1",
        "/apis",
        "/apis/",
        "/version",
        "/metrics",
        "/openapi/v2",
        "/openapi/v3",
        "/openapi/v3/",
    }
    for group, served in discovery.groups(server):
        out.add(f"/apis/{group}")
        out.update(f"/apis/{group}/{version}" for version in served)
    for kind, names in health.CHECKS.items():
        out.add(f"/{kind}")
        out.update(f"/{kind}/{name}" for name in names)
    return sorted(out)


def oidc(server: Server) -> Obj:
    """The service-account issuer's discovery document."""
    issuer = server.config.service_account_issuer
    address = f"https://{server.config.advertise_address}:{server.config.secure_port}"
    return {
        "issuer": issuer,
        "jwks_uri": f"{address}/openid/v1/jwks",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


def discover(server: Server, request: Request, parts: list[str]) -> Response:
    """`/api…` and `/apis…`."""
    accept = request.headers.get("accept", "")
    wants = "as=APIGroupDiscoveryList" in accept
    found: Obj | None
    if len(parts) == 1:
        if wants:
            version = "v2" if "v=v2;" in accept or "v=v2," in accept or accept.endswith("v=v2") else "v2beta1"
            body = discovery.aggregated(server, core=parts[0] == "api", version=version)
            return Response(obj=body, headers={"content-type": AGGREGATED.replace("v=v2", f"v={version}"), "vary": "Accept"})
        found = discovery.api_versions(server) if parts[0] == "api" else discovery.group_list(server)
    elif parts[0] == "api":
        found = discovery.resource_list(server, "", parts[1]) if len(parts) == 2 else None
    elif len(parts) == 2:
        found = discovery.group(server, parts[1])
    else:
        found = discovery.resource_list(server, parts[1], parts[2]) if len(parts) == 3 else None
    if found is None:
        raise errors.path_not_found(ours=discovery.built_in(server, "" if parts[0] == "api" else parts[1]))
    return Response(obj=found)


def open_api(server: Server, request: Request, parts: list[str]) -> Response:
    """`/openapi/v3` and its documents; `/openapi/v2` whole."""
    if parts == ["openapi", "v2"]:
        accept = request.headers.get("accept", "")
        if "protobuf" in accept:
            return Response(body=openapi_v2.as_protobuf(server), headers={"content-type": openapi_v2.PROTOBUF})
        if accept and not any(media in accept for media in ("json", "*/*", "application/*")):
            raise errors.not_acceptable(f"application/json, {openapi_v2.PROTOBUF}")
        return Response(body=openapi_v2.as_json(server), headers={"content-type": "application/json"})
    if parts[1] != "v3":
        raise errors.path_not_found()
    if len(parts) == 2:
        return Response(obj=openapi.index(server))
    if parts[2] == "api" and len(parts) == 4:
        group, version = "", parts[3]
    elif parts[2] == "apis" and len(parts) == 5:
        group, version = parts[3], parts[4]
    else:
        raise errors.path_not_found()
    if any(kind.group == group for kind in server.custom_kinds()):
        found = openapi.document(server, group, version)
        if found is None:
            raise errors.path_not_found()
        return Response(obj=found)
    body = openapi.cached(group, version, server.version)
    if not any(group == g and version in v for g, v in [("", ("v1",)), *discovery.groups(server)]):
        raise errors.path_not_found()
    return Response(body=body, headers={"content-type": "application/json"})
