"""What the API server hands over to the kubelet of a pod's node: log, exec, attach, port-forward, proxy.

It connects to `<node InternalIP>:<kubelet port>` over the simulated network with its kubelet client certificate
(`pkg/registry/core/pod/rest/{log,subresources}.go`); the kubelet's answer goes back as it is, streams included.
"""

from __future__ import annotations

from typing import Any

from ....kernel import network
from ....kernel.errors import ConnectError
from ....kernel.http import Request, Response
from ...api import errors
from ...api.errors import ApiError, status
from ..call import Call
from ..registry import store

Obj = dict[str, Any]
KUBELET_PORT = 10250


def log(call: Call, verb: str) -> Response:
    """GET of a pod's log: `GET /containerLogs/<namespace>/<pod>/<container>`."""
    pod = store.get(call)
    container = pick_container(call, pod, call.request.param("container"))
    if not pod["spec"].get("nodeName"):
        return Response(body=b"", headers={"content-type": "text/plain"})
    passed = {k: v for k, v in call.request.query.items() if k != "container"}
    path = f"/containerLogs/{call.namespace}/{call.info.name}/{container}"
    answer = to_kubelet(call, pod, "GET", path, passed)
    if answer.status >= 400:
        # registry/generic/rest/response_checker.go
        text = answer.body.decode("utf-8", "replace")
        if answer.status == 400:
            raise errors.bad_request(text)
        if answer.status == 500:
            raise errors.internal_error(text)
        if answer.status == 401:
            raise errors.unauthorized()
    return answer


def execute(call: Call, verb: str) -> Response:
    """POST of exec: `POST /exec/<namespace>/<pod>/<container>?command=…`."""
    return _stream(call, "exec")


def attach(call: Call, verb: str) -> Response:
    """POST of attach."""
    return _stream(call, "attach")


def port_forward(call: Call, verb: str) -> Response:
    """POST of port-forward: `POST /portForward/<namespace>/<pod>`."""
    pod = store.get(call)
    _need_host(pod)
    return to_kubelet(call, pod, "POST", f"/portForward/{call.namespace}/{call.info.name}", dict(call.request.query))


def _stream(call: Call, what: str) -> Response:
    pod = store.get(call)
    container = pick_container(call, pod, call.request.param("container"))
    _need_host(pod)
    if what == "exec" and not call.request.query.get("command"):
        raise errors.bad_request("you must specify at least 1 command for the container")
    if call.namespace == "" or pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        raise errors.bad_request(f"cannot {what} into a container in a completed pod; current phase is {pod['status']['phase']}")
    passed = {k: v for k, v in call.request.query.items() if k != "container"}
    return to_kubelet(call, pod, "POST", f"/{what}/{call.namespace}/{call.info.name}/{container}", passed)


def _need_host(pod: Obj) -> None:
    if not pod["spec"].get("nodeName"):
        raise errors.bad_request(f"pod {pod['metadata']['name']} does not have a host assigned")


def pick_container(call: Call, pod: Obj, asked: str) -> str:
    """The container that a request means; raises 400 with the real message."""
    name, spec = pod["metadata"]["name"], pod["spec"]
    regular = [c["name"] for c in spec.get("containers") or ()]
    initial = [c["name"] for c in spec.get("initContainers") or ()]
    debug = [c["name"] for c in spec.get("ephemeralContainers") or ()]
    if asked:
        if asked not in (*regular, *initial, *debug):
            raise errors.bad_request(f"container {asked} is not valid for pod {name}")
        return asked
    if len(regular) == 1 and not initial and not debug:
        return str(regular[0])
    if len(regular) == 1 and call.info.subresource != "log":
        return str(regular[0])
    text = f"a container name must be specified for pod {name}, choose one of: [{' '.join(regular)}]"
    if initial:
        text += f" or one of the init containers: [{' '.join(initial)}]"
    if debug:
        text += f" or one of the ephemeral containers: [{' '.join(debug)}]"
    raise errors.bad_request(text)


def node_address(call: Call, name: str) -> tuple[str, int]:
    """The address and port of a node's kubelet."""
    found = call.server.storage.get(f"/registry/minions/{name}".encode())
    if found is None:
        raise ApiError(status(404, "NotFound", f'nodes "{name}" not found', {"name": name, "kind": "nodes"}))
    state = found[0].get("status") or {}
    port = ((state.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}).get("Port", KUBELET_PORT)
    addresses = {item["type"]: item["address"] for item in reversed(state.get("addresses") or ())}
    for kind in ("InternalIP", "ExternalIP", "Hostname"):
        if kind in addresses:
            return addresses[kind], port
    raise errors.internal_error("no preferred addresses found; known addresses: []")


def to_kubelet(call: Call, pod: Obj, method: str, path: str, query: dict[str, list[str]]) -> Response:
    """Send a request to the kubelet of the pod's node."""
    node = pod["spec"]["nodeName"]
    ip, port = node_address(call, node)
    server = call.server
    request = Request(
        method=method, path=path, query=query, headers=dict(call.request.headers), body=call.request.body, obj=call.request.obj,
        client_cert=server.config.kubelet_cert, source=server.netns,
    )  # fmt: skip
    request.headers.pop("authorization", None)
    try:
        return network.http(server.world, server.netns, ip, port, request)
    except ConnectError as error:
        why = {"refused": "connect: connection refused", "timeout": "i/o timeout", "no-route": "connect: no route to host"}
        text = f'{method.capitalize()} "https://{ip}:{port}{path}": dial tcp {ip}:{port}: {why.get(error.kind, error.kind)}'
        if method == "POST":
            text = f"error dialing backend: dial tcp {ip}:{port}: {why.get(error.kind, error.kind)}"
        raise ApiError(status(500, "", text)) from None


def proxy(call: Call, verb: str) -> Response:
    """`proxy` of a pod, service or node: an HTTP request to it from the API server's own network namespace."""
    raw_name = call.info.name
    scheme, name, port_text = "http", raw_name, ""
    parts = raw_name.split(":")
    if len(parts) == 3:
        scheme, name, port_text = parts
    elif len(parts) == 2:
        name, port_text = parts
    ip, port = _proxy_target(call, name, port_text)
    request = call.request
    inner = Request(
        method=request.method,
        path="/" + call.info.rest,
        query=request.query,
        headers=dict(request.headers),
        body=request.body,
        scheme=scheme or "http",
    )
    inner.headers.pop("authorization", None)
    if call.kind.plural == "nodes":
        # the kubelet asks who it is: the API server, with its client certificate
        inner.client_cert = call.server.config.kubelet_cert
        inner.scheme = "https" if port != 10255 else "http"
    try:
        return network.http(call.server.world, call.server.netns, ip, port, inner)
    except ConnectError as error:
        raise errors.unavailable(f"error trying to reach service: dial tcp {ip}:{port}: {error.kind}") from None


def _proxy_target(call: Call, name: str, port_text: str) -> tuple[str, int]:
    plural = call.kind.plural
    if plural == "nodes":
        ip, port = node_address(call, name)
        return ip, int(port_text) if port_text.isdigit() else port
    prefix = call.kind.prefix
    found = call.server.storage.get(f"{prefix}/{call.namespace}/{name}".encode())
    if found is None:
        raise errors.not_found(plural, name)
    obj = found[0]
    if plural == "pods":
        ip = (obj.get("status") or {}).get("podIP", "")
        ports = [p["containerPort"] for c in obj["spec"]["containers"] for p in c.get("ports") or ()]
        if not ip:
            raise errors.bad_request("address not allowed")
        return ip, int(port_text) if port_text.isdigit() else (ports[0] if ports else 80)
    return _service_endpoint(call, obj, name, port_text)


def _service_endpoint(call: Call, service: Obj, name: str, port_text: str) -> tuple[str, int]:
    wanted = None
    for port in service["spec"].get("ports") or ():
        if not port_text or port_text in (port.get("name"), str(port["port"])):
            wanted = port.get("name", "")
            break
    if wanted is None:
        raise errors.unavailable(f'no service port "{port_text}" found for service "{name}"')
    found = call.server.storage.get(f"/registry/services/endpoints/{call.namespace}/{name}".encode())
    for subset in (found[0].get("subsets") if found else None) or ():
        for port in subset.get("ports") or ():
            if port.get("name", "") == wanted and subset.get("addresses"):
                return subset["addresses"][0]["ip"], port["port"]
    raise errors.unavailable(f'no endpoints available for service "{name}"')
