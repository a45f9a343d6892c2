"""Where a server behind a Service listens, as the API server itself finds it: for aggregated APIs, admission and conversion webhooks
(`apiserver/pkg/util/webhook/serviceresolver.go`, `kube-aggregator/pkg/apiserver/resolvers.go`: ResolveEndpoint)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from ...kernel import network
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from ...kernel.world import World
from .storage import Storage

Obj = dict[str, Any]
PORT = 443


class NotServed(Exception):
    """Nobody can be asked; `reason` is the one of an APIService's condition, the message that condition's, and `short` the resolver's."""

    def __init__(self, reason: str, message: str, short: str) -> None:
        super().__init__(message)
        self.reason, self.short = reason, short


class CannotPost(Exception):
    """The webhook could not be asked; the message is the client's own."""


def resolve(storage: Storage, service: Obj) -> tuple[str, int]:
    """Address and port of a ready endpoint of `{namespace, name, port}`; raises NotServed."""
    namespace, name, port = service["namespace"], service["name"], service.get("port", PORT)
    found = storage.get(f"/registry/services/specs/{namespace}/{name}".encode())
    if found is None:
        raise NotServed("ServiceNotFound", f'service/{name} in "{namespace}" is not present', f'service "{name}" not found')
    rows = [item for item in found[0]["spec"].get("ports") or () if item.get("port") == port]
    if not rows:
        text = f'service/{name} in "{namespace}" is not listening on port {port}'
        raise NotServed("ServicePortError", text, f'no service port {port} found for service "{name}"')
    none = f'no endpoints available for service "{name}"'
    slices = [
        held
        for held in storage.list(f"/registry/endpointslices/{namespace}/".encode())[0]
        if (held["metadata"].get("labels") or {}).get("kubernetes.io/service-name") == name
    ]
    if not slices:
        raise NotServed("EndpointsNotFound", f'cannot find endpointslices for service/{name} in "{namespace}"', none)
    port_name = rows[0].get("name", "")
    for held in slices:
        ports = [p for p in held.get("ports") or () if (p.get("name") or "") == port_name]
        for each in held.get("endpoints") or ():
            if (each.get("conditions") or {}).get("ready", True) and ports:
                return str(each["addresses"][0]), int(ports[0]["port"])
    text = f'endpoints for service/{name} in "{namespace}" have no addresses with port name "{port_name}"'
    raise NotServed("MissingEndpoints", text, none)


def post(world: World, netns: str, storage: Storage, config: Obj, body: bytes, timeout: int) -> Response:
    """Ask a webhook by its `clientConfig` (a service or a URL); raises CannotPost with the client's own words."""
    service = config.get("service")
    if service:
        path = "/" + str(service.get("path") or "").lstrip("/")
        url = f"https://{service['name']}.{service['namespace']}.svc:{service.get('port', PORT)}{path}?timeout={timeout}s"
        try:
            address, port = resolve(storage, service)
        except NotServed as why:
            raise CannotPost(f'Post "{url}": {why.short}') from None
    else:
        parts = urlsplit(str(config.get("url", "")))
        path, port, address = parts.path or "/", parts.port or PORT, parts.hostname or ""
        url = f"{config.get('url', '')}?timeout={timeout}s"
        if not address.replace(".", "").isdigit():
            raise CannotPost(f'Post "{url}": dial tcp: lookup {address} on 127.0.0.53:53: no such host')
    request = Request(
        method="POST",
        path=path,
        query={"timeout": [f"{timeout}s"]},
        headers={"content-type": "application/json", "accept": "application/json"},
        body=body,
        scheme="https",
    )
    try:
        return network.http(world, netns, address, port, request)
    except ConnectError as error:
        broken = "connect: connection refused" if "refus" in str(error) else "i/o timeout"
        raise CannotPost(f'Post "{url}": dial tcp {address}:{port}: {broken}') from None
