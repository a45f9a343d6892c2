"""`kubectl port-forward` and `kubectl proxy` (`kubectl/pkg/cmd/portforward`, `client-go/tools/portforward`, `kubectl/pkg/cmd/proxy`).

While the command waits, its process holds listening sockets; what connects to them is answered by `serving.py`.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

import msgspec

from ....host.program import Wait, WaitTopic
from ....kernel import network
from ....kernel.clock import SECOND
from ....kernel.errors import ConnectError
from ....kernel.http import Request, Response
from ....kube.api import regexp
from ...cobra import Command, Flag
from ...flags import quote
from ...forwarding import refused, reset
from .. import serving
from ..builder import Builder
from ..errors import CommandError, Fatal, UsageError
from ..flagsets import unsupported
from ..session import Session
from ..streams import pod_timeout, pods_of, running

Obj = dict[str, Any]
#: Addresses that `localhost` stands for.
LOOPBACK = ("127.0.0.1", "::1")
#: What `kubectl proxy` does not let through by default (`filter.go`).


class Pair(msgspec.Struct):
    """A local port and the port of the pod that it stands for."""

    local: int
    remote: int


def run_forward(s: Session) -> Generator[Wait, Any, int]:
    """`kubectl port-forward`: until Ctrl-C or until the pod is gone."""
    values = s.values
    if len(values.args) < 2:
        raise UsageError(s.command, "TYPE/NAME and list of ports are required for port-forward")
    word, timeout = values.args[0], pod_timeout(s)
    info = Builder(s, args=[word] if "/" in word else ["pods", word], eager=False).infos()[0]
    obj = info.obj or {}
    found = pods_of(s, info.mapping, obj, "cannot attach to")
    if not found:
        raise CommandError("timed out waiting for the condition")
    pod = found[0]
    if info.mapping.kind.kind != "Pod":
        pod = yield from running(s, pod, timeout)
    service = obj if info.mapping.kind.kind == "Service" else None
    specs = [_numbered(spec, service, pod) for spec in values.args[1:]]
    phase = (pod.get("status") or {}).get("phase")
    if phase != "Running":
        raise CommandError(f"unable to forward port because pod is not running. Current status={phase}")
    pairs = [_pair(spec) for spec in specs]
    addresses = _addresses(values.items("address"))
    meta = pod["metadata"]
    path = s.kind("pods").path(meta["namespace"], meta["name"], "portforward")
    answer = s.checked(Request(method="POST", path=path, headers={"accept": "*/*"}))
    target: Obj = answer.obj or {}
    tunnel = Tunnel(s, target["netns"], pairs)
    with serving.listening(s, tunnel.answer) as server:
        for pair in pairs:
            _listen(s, server, pair, addresses)
        if not server.ports:
            shown = " ".join(f"{{{pair.local} {pair.remote}}}" for pair in pairs)
            raise CommandError(f"unable to listen on any of the requested ports: [{shown}]")
        while not tunnel.lost():
            yield WaitTopic((server.topic, s.kind("pods").topic), None)
    raise CommandError("lost connection to pod")


def _listen(s: Session, server: serving.Server, pair: Pair, addresses: list[str]) -> None:
    """`listenOnPort`: every address that can be had."""
    failed = []
    for address in addresses:
        try:
            pair.local = server.listen(address, pair.local)
        except OSError:
            where = f"[{address}]" if ":" in address else address
            kind = "tcp6" if ":" in address else "tcp4"
            failed.append(f"unable to create listener: Error listen {kind} {where}:{pair.local}: bind: address already in use")
            continue
        where = f"[{address}]" if ":" in address else address
        s.out(f"Forwarding from {where}:{pair.local} -> {pair.remote}\n")
    if len(failed) == len(addresses):
        s.err(
            f"Unable to listen on port {pair.local}: Listeners failed to create with the following errors: [{' '.join(failed)}]\n"
        )


class Tunnel:
    """The connection to a pod's network namespace."""

    def __init__(self, s: Session, netns: str, pairs: list[Pair]) -> None:
        self.s, self.netns, self.pairs, self.broken = s, netns, pairs, False

    def lost(self) -> bool:
        """The pod's namespace has gone, or a connection into it failed."""
        return self.broken or self.netns not in network.network(self.s.world).namespaces

    def answer(self, request: Request, port: int) -> Response:
        """Pass one request on to the pod's own loopback; a failure there ends the whole tunnel, as in the real client."""
        pair = next((item for item in self.pairs if item.local == port), self.pairs[0])
        self.s.out(f"Handling connection for {pair.local}\n")
        try:
            return network.http(self.s.world, self.netns, "127.0.0.1", pair.remote, request)
        except ConnectError as error:
            why = refused(self.netns, pair.remote) if error.kind == "refused" else reset(self.netns, pair.remote)
            told = f"an error occurred forwarding {pair.local} -> {pair.remote}: {why}"
            self.s.klog("E", "portforward.go:522", f'"Unhandled Error" err={quote(told)}')
            self.broken = True
            raise ConnectError("reset", f"127.0.0.1:{pair.local}") from None


def _split(spec: str) -> tuple[str, str]:
    parts = spec.split(":")
    return (parts[0], parts[1]) if len(parts) == 2 else (parts[0], parts[0])


def _numbered(spec: str, service: Obj | None, pod: Obj) -> str:
    """The spec with the pod's port numbers (`translateServicePortToTargetPort`, `convertPodNamedPortToNumber`)."""
    local, remote = _split(spec)
    if service is None:
        if remote == "":
            raise CommandError("remote port cannot be empty")
        number = remote if remote.isdigit() else str(_container_port(pod, remote))
        return spec if number == remote else f"{local if local != remote else number}:{number}"
    ports = service["spec"].get("ports") or []
    name = service["metadata"]["name"]
    if not remote.isdigit():
        named = next((port for port in ports if port.get("name") == remote), None)
        if named is None:
            raise CommandError(f"Service '{name}' does not have a named port '{remote}'")
        local = str(named["port"]) if local == remote else local
        remote = str(named["port"])
    port = next((port for port in ports if port["port"] == int(remote)), None)
    if port is None:
        raise CommandError(f"Service {name} does not have a service port {remote}")
    if port.get("protocol") == "UDP":
        raise CommandError(f"UDP protocol is not supported for {remote}")
    wanted = port.get("targetPort") or port["port"]
    if service["spec"].get("clusterIP") == "None":
        wanted = port["port"]
    number = str(wanted if isinstance(wanted, int) else _container_port(pod, wanted))
    return number if local == number else f"{local}:{number}"


def _container_port(pod: Obj, name: str) -> int:
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or ():
            if port.get("name") == name:
                return int(port["containerPort"])
    raise CommandError(f"Pod '{pod['metadata']['name']}' does not have a named port '{name}'")


def _pair(spec: str) -> Pair:
    """`parsePorts`."""
    parts = spec.split(":")[:2]  # a third part is passed over (`splitPort`)
    numbers = []
    for side, text in zip(("local", "remote"), (parts[0] or ("0" if len(parts) == 2 else ""), parts[-1]), strict=True):
        if not text.isdigit():
            raise CommandError(f"error parsing {side} port '{text}': strconv.ParseUint: parsing {quote(text)}: invalid syntax")
        if int(text) > 65535:
            raise CommandError(
                f"error parsing {side} port '{text}': strconv.ParseUint: parsing {quote(text)}: value out of range"
            )
        numbers.append(int(text))
    if numbers[1] == 0:
        raise CommandError("remote port must be > 0")
    return Pair(*numbers)


def _addresses(given: list[str]) -> list[str]:
    """`parseAddresses`."""
    found: list[str] = []
    for address in given:
        if address == "localhost":
            found += [item for item in LOOPBACK if item not in found]
        elif re.fullmatch(r"\d+(\.\d+){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*", address):
            found += [] if address in found else [address]
        else:
            raise CommandError(f"{address} is not a valid IP")
    return found


#: What a proxy lets through unless it is told otherwise: lists of expressions (`pkg/proxy/proxy_server.go` of kubectl).
FILTERS = {
    "accept-paths": "^.*",
    "reject-paths": "^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach",
    "accept-hosts": r"^localhost$,^127\.0\.0\.1$,^\[::1\]$",
    "reject-methods": "^$",
}


def lets_through(filters: dict[str, list[regexp.Pattern]], method: str, path: str, host: str) -> bool:
    """Whether a request passes: not rejected by path or method, accepted by path and host."""

    def fits(name: str, text: str) -> bool:
        return any(pattern.search(text) for pattern in filters[name])

    return (
        not fits("reject-paths", path)
        and not fits("reject-methods", method)
        and fits("accept-paths", path)
        and fits("accept-hosts", host)
    )


def run_proxy(s: Session) -> Generator[Wait, Any, int]:
    """`kubectl proxy`: requests to the API server with this user's credentials, until Ctrl-C."""
    values = s.values
    prefix = "/" + values.text("api-prefix").strip("/")
    address = values.text("address")

    open_ = values.on("disable-filter")
    filters: dict[str, list[regexp.Pattern]] = {}
    for name in FILTERS:
        try:
            filters[name] = [regexp.compile(part) for part in values.text(name).split(",") if part]
        except regexp.BadPattern as failed:
            raise Fatal("proxy_server.go:77", f"Error compiling re: error parsing regexp: {failed}", 255) from None
    if open_ and not values.text("unix-socket"):
        s.err("Request filter disabled, your proxy is vulnerable to XSRF attacks, please be cautious\n")

    def answer(request: Request, port: int) -> Response:
        path = request.path
        if prefix != "/":
            if path != prefix and not path.startswith(prefix + "/"):
                return Response(status=404, headers={"content-type": "text/plain; charset=utf-8"}, body=b"404 page not found\n")
            path = path[len(prefix) :] or "/"
        host = request.headers.get("host", "").rsplit(":", 1)[0]
        if not open_ and not lets_through(filters, request.method, path, host):
            return Response(status=403, headers={"content-type": "text/plain; charset=utf-8"}, body=b"Forbidden\n")
        inner = msgspec.structs.replace(request, path=path, source="", scheme="https", client_cert=b"")
        return s.client.request(inner)

    with serving.listening(s, answer) as server:
        try:
            port = server.listen(address, values.number("port"))
        except OSError:
            raise CommandError(f"listen tcp {address}:{values.number('port')}: bind: address already in use") from None
        s.out(f"Starting to serve on {address}:{port}\n")
        while True:
            yield WaitTopic((server.topic,), None)


FORWARD = Command(
    "port-forward TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]",
    short="Forward one or more local ports to a pod",
    long="""Forward one or more local ports to a pod.

 TYPE/NAME such as deployment/web picks one of its pods; a name alone is a pod. The session ends with the pod and is not taken up again by itself.""",
    example="""# Ports 5000 and 6000 here are those of the pod
kubectl port-forward pod/mypod 5000 6000

# Port 8443 here is the service's port named https
kubectl port-forward service/myservice 8443:https

# On all addresses
kubectl port-forward --address 0.0.0.0 pod/mypod 8888:5000

# Any free port here
kubectl port-forward pod/mypod :5000""",
    flags=(
        Flag(name="pod-running-timeout", kind="duration", default=60 * SECOND, usage="How long to wait for a pod to run"),
        Flag(name="address", kind="strings", default=["localhost"], usage="Addresses to listen on: IP addresses or localhost."),
    ),
    run=run_forward,
)
PROXY = Command(
    "proxy [--port=PORT] [--www=static-dir] [--www-prefix=prefix] [--api-prefix=prefix]",
    short="Run a proxy to the Kubernetes API server",
    long="Run a proxy between localhost and the Kubernetes API server. It uses the credentials of the kubeconfig, so its clients need none.",
    example="""# All of the API on port 8001
kubectl proxy

# Below /k8s-api, on another port
kubectl proxy --port=8011 --api-prefix=/k8s-api""",
    flags=(
        Flag(name="port", short="p", kind="int", default=8001, usage="Port to listen on; 0 for any."),
        Flag(name="address", default="127.0.0.1", usage="Address to listen on."),
        Flag(name="api-prefix", default="/", usage="Where to serve the API."),
        Flag(name="www", short="w", usage="Serve this directory too.", support="no"),
        Flag(name="www-prefix", short="P", default="/static/", usage="Where to serve it.", support="no"),
        Flag(name="unix-socket", short="u", usage="Listen on a Unix socket.", support="no"),
        Flag(name="keepalive", kind="duration", usage="Keep-alive period of connections; 0s for none.", support="inert"),
        Flag(name="accept-hosts", default=FILTERS["accept-hosts"], usage="Hosts to accept, a regular expression."),
        Flag(name="accept-paths", default=FILTERS["accept-paths"], usage="Paths to accept, a regular expression."),
        Flag(name="reject-methods", default=FILTERS["reject-methods"], usage="Methods to reject, a regular expression."),
        Flag(name="reject-paths", default=FILTERS["reject-paths"], usage="Paths to reject, a regular expression."),
        Flag(name="disable-filter", kind="bool", usage="Filter nothing."),
        *unsupported("bool", append_server_path="Keep the path of the server's address."),
    ),
    run=run_proxy,
)
