"""ingress-nginx (kubernetes/ingress-nginx): follows Ingresses of its class and routes requests by host and path to pods.

What it serves is its own copy of the API, so it goes on with the API server away.  It writes the publish Service's address into the
Ingresses' status, records an Event for each Ingress that it takes up, and answers its validating webhook on 8443.  Annotations with an
effect: rewrite-target, use-regex, ssl-redirect, force-ssl-redirect, permanent-redirect, temporal-redirect, app-root, whitelist-source-range,
denylist-source-range, backend-protocol, and canary by header, cookie or weight; others are taken and have none.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from typing import Any
from urllib.parse import urlencode

import msgspec
import orjson

from ...host import x509
from ...host.process import Process
from ...host.program import Exited
from ...kernel import clock, network
from ...kernel.clock import MS, SECOND
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from ...kernel.world import World
from ...kube.client import ApiError, InformerState
from ...kube.events import EventState, Recorder
from ...kube.feed import Feed
from .. import logs
from . import ingress_routes as routes
from .account import client_of, server_of, stamp
from .basics import Quiet
from .ingress_routes import Location, Obj
from .web import client_ip, http_date

RESOURCES = ("ingresses", "ingressclasses", "services", "endpointslices", "secrets")
PORTS = (80, 443, 8443, 10254)
VERSION = "v1.14.0"
_REASONS = {
    301: "Moved Permanently", 302: "Found", 308: "Permanent Redirect", 403: "Forbidden", 404: "Not Found", 502: "Bad Gateway",
    503: "Service Temporarily Unavailable", 504: "Gateway Time-out",
}  # fmt: skip


class IngressState(msgspec.Struct, omit_defaults=True):
    """What one controller remembers: its watches, what it has told, and whose turn it is at each backend."""

    informers: dict[str, InformerState] = {}
    fed: bool = False
    down: bool = False
    armed: int = 0
    events: EventState = msgspec.field(default_factory=EventState)
    told: dict[str, str] = {}
    turns: dict[str, int] = {}


def states(world: World) -> dict[str, IngressState]:
    """The section `ingress-nginx`: each controller's state by process key."""
    return world.section("ingress-nginx", dict)


def _flag(proc: Process, name: str, default: str) -> str:
    for word in proc.argv[1:]:
        key, _, value = word.lstrip("-").partition("=")
        if key == name:
            return value or "true"
    return default


def _expand(proc: Process, text: str) -> str:
    return re.sub(r"\$\((\w+)\)", lambda m: proc.env.get(m[1], m[0]), text)


class IngressNginx(Quiet):
    """The `Program`."""

    #: It has a certificate for each host (curl_tls.py).
    sni = True

    def start(self, world: World, proc: Process) -> None:
        """Say who it is, bind, and begin to follow the API."""
        version = proc.program.partition(":")[2] or VERSION
        rule = "-" * 79
        logs.emit(
            world,
            proc,
            f"{rule}\nNGINX Ingress controller\n  Release:       {version}\n  Build:         slipway\n"
            f"  Repository:    https://github.com/kubernetes/ingress-nginx\n  nginx version: nginx/1.27.1\n\n{rule}\n",
        )
        self._log(world, proc, "I", f'main.go:205] "Creating API client" host="{server_of(proc)}"')
        for port in PORTS:
            try:
                network.listen(world, proc.netns, port, host=proc.host, pid=proc.pid)
            except OSError:
                self._log(world, proc, "F", f"main.go:61] port {port} is already in use. Please check the flag --http-port")
                raise Exited(255) from None
        states(world)[proc.key] = IngressState()
        world.after(300 * MS, proc.target, ["start"])

    @staticmethod
    def _log(world: World, proc: Process, level: str, text: str) -> None:
        logs.emit(world, proc, f"{stamp(world, level)} {text}", "stderr")

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """Its copies are only in memory; TERM ends it with 0."""
        states(world).pop(proc.key, None)
        world.warm.get("ingress-nginx", {}).pop(proc.key, None)
        return super().stop(world, proc, signal)

    # -- its copy of the API --------------------------------------------------------------------------------------------
    def _feed(self, world: World, proc: Process) -> Feed:
        state = states(world)[proc.key]
        cache = world.warm.setdefault("ingress-nginx", {})
        found = cache.get(proc.key)
        if found is None or found[0] is not state:
            feed = Feed(world, proc, client_of(world, proc, "nginx-ingress-controller"), state.informers, RESOURCES)
            found = cache[proc.key] = (state, feed)
            if state.fed and not feed.prime():
                state.fed = False
                self._again(world, proc, state)
        feed = found[1]
        assert isinstance(feed, Feed)
        return feed

    @staticmethod
    def _again(world: World, proc: Process, state: IngressState) -> None:
        if state.armed not in world.timers:
            state.armed = world.after(SECOND + world.rng("ingress-nginx").below(SECOND), proc.target, ["sync"])

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """The start, a change of what it watches, or another try after a failure."""
        state, feed = states(world)[proc.key], self._feed(world, proc)
        if payload[0] == "start":
            feed.subscribe()
        rang = payload[1] if payload[0] == "wake" else ""
        try:
            changed = list(feed.changes(rang, everything=not state.fed or state.down))
            first, state.fed, state.down = not state.fed, True, False
            if first:
                self._log(world, proc, "I", 'nginx.go:319] "Starting NGINX process"')
            if first or changed:
                self._publish(world, proc, state, feed)
        except (ConnectError, ApiError) as error:
            if not state.down:
                self._log(world, proc, "E", f'reflector.go:166] "Unhandled Error" err="failed to list resources: {error}"')
            state.down = True
            self._again(world, proc, state)

    def _mine(self, proc: Process, feed: Feed) -> list[Obj]:
        classes = list(feed.informers["ingressclasses"].store.objects.values())
        wanted = _flag(proc, "controller-class", "k8s.io/ingress-nginx"), _flag(proc, "ingress-class", "nginx")
        everything = _flag(proc, "watch-ingress-without-class", "false") == "true"
        return [
            one for one in feed.informers["ingresses"].store.objects.values() if routes.ours(one, classes, *wanted, everything)
        ]

    def _publish(self, world: World, proc: Process, state: IngressState, feed: Feed) -> None:
        """Tell of new Ingresses, and write the address that they are reached at."""
        mine = self._mine(proc, feed)
        addresses = self._addresses(proc, feed)
        client = feed.informers["ingresses"].client
        recorder = Recorder(world, client, state.events, "nginx-ingress-controller", "")
        known = {f"{one['metadata']['namespace']}/{one['metadata']['name']}" for one in mine}
        for gone in [key for key in state.told if key not in known]:
            del state.told[gone]
        for one in mine:
            meta = one["metadata"]
            key = f"{meta['namespace']}/{meta['name']}"
            sign = f"{meta['uid']}/{meta.get('generation', 1)}"
            if state.told.get(key) != sign:
                state.told[key] = sign
                self._log(world, proc, "I", f'store.go:440] "Found valid IngressClass" ingress="{key}"')
                self._log(world, proc, "I", 'controller.go:196] "Configuration changes detected, backend reload required"')
                self._log(world, proc, "I", 'controller.go:216] "Backend successfully reloaded"')
                recorder.event(
                    {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", **one}, "Normal", "Sync", "Scheduled for sync"
                )
            held = ((one.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
            if held != addresses:
                client.patch(
                    "ingresses",
                    meta["namespace"],
                    meta["name"],
                    {"status": {"loadBalancer": {"ingress": addresses or None}}},
                    kind="merge",
                    subresource="status",
                )

    @staticmethod
    def _addresses(proc: Process, feed: Feed) -> list[Obj]:
        """Where the publish Service is reached (`status.go`: statusAddressFromService)."""
        name = _expand(proc, _flag(proc, "publish-service", ""))
        service = feed.informers["services"].store.objects.get(name)
        if service is None:
            return [{"ip": one} for one in _flag(proc, "publish-status-address", "").split(",") if one]
        spec = service["spec"]
        if spec.get("type") in ("ClusterIP", "NodePort", None):
            found = spec.get("externalIPs") or [spec.get("clusterIP")]
            return [{"ip": one} for one in found if one and one != "None"]
        balancer = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
        found = [{key: one[key] for key in ("ip", "hostname") if key in one} for one in balancer]
        return found + [{"ip": one} for one in spec.get("externalIPs") or ()]

    # -- requests -------------------------------------------------------------------------------------------------------
    def certificate(self, world: World, proc: Process, name: str = "") -> bytes:
        """What it shows to a client that asks for a host: the certificate of its secret; b"" for the one that it made itself."""
        feed = self._feed(world, proc)
        servers = routes.build(self._mine(proc, feed))
        key, _ = routes.find(servers, name, "/")
        secret = feed.informers["secrets"].store.objects.get(servers[key].secret) if servers[key].secret else None
        if secret is None:
            return b""
        try:
            pem = base64.b64decode((secret.get("data") or {}).get("tls.crt", ""))
            x509.load_cert(pem)
        except ValueError:
            return b""
        return pem

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """Health, the webhook, or a request to be sent on."""
        state, feed = states(world)[proc.key], self._feed(world, proc)
        if request.port == 10254:
            if request.path == "/healthz":
                return Response(status=200 if state.fed else 500, body=b"ok")
            return Response(status=404, body=b"404 page not found\n")
        if request.port == 8443:
            return self._review(proc, feed, request)
        answer, upstream = self._route(world, proc, state, feed, request)
        if "server" not in answer.headers:
            answer.headers |= {"date": http_date(world.wall), "connection": "keep-alive"}
        if request.scheme == "https":
            answer.headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
        when = clock.to_datetime(world.wall).strftime("%d/%b/%Y:%H:%M:%S +0000")
        agent = request.headers.get("user-agent", "-")
        seconds = f"{answer.latency / SECOND:.3f}"
        logs.emit(
            world,
            proc,
            f'{client_ip(world, request)} - - [{when}] "{request.method} {request.path} HTTP/1.1" {answer.status} {len(answer.body)} '
            f'"-" "{agent}" {_length(request)} {seconds} [{upstream[0]}] [] {upstream[1]} {len(answer.body)} {seconds} {upstream[2]} '
            f"{world.rng('ingress-nginx').bits64():016x}{world.rng('ingress-nginx').bits64():016x}",
        )
        return answer

    def _route(
        self, world: World, proc: Process, state: IngressState, feed: Feed, request: Request
    ) -> tuple[Response, tuple[str, str, str]]:
        mine = self._mine(proc, feed)
        servers = routes.build(mine)
        host = request.headers.get("host", "").partition(":")[0]
        key, location = routes.find(servers, host, request.path)
        none = ("upstream-default-backend", "127.0.0.1:8181", "404")
        if location is None:
            if request.path == "/healthz" and key == "_":
                return Response(status=200), none
            return _page(404), none
        early = self._early(world, request, location, servers[key], host)
        if early is not None:
            return early, ("-", "-", "-")
        chosen = self._canary(world, mine, location, key, request) or location
        name = f"{chosen.namespace}-{chosen.service}-{chosen.port}"
        endpoints = _endpoints(feed, chosen)
        if not endpoints:
            return _page(503), (name, "-", "-")
        turn = state.turns.get(name, 0)
        state.turns[name] = (turn + 1) % len(endpoints)
        address, port = endpoints[turn % len(endpoints)]
        path = request.path
        target = location.annotation("rewrite-target")
        if target and location.match == "regex" and (found := location.captured(path)) is not None:
            path = re.sub(
                r"\$(\d)", lambda m: (found.group(int(m[1])) or "") if int(m[1]) <= (found.re.groups or 0) else "", target
            )
        sent = Request(
            method=request.method,
            path=path or "/",
            query=request.query,
            headers=request.headers
            | {"x-real-ip": client_ip(world, request), "x-forwarded-for": client_ip(world, request), "x-forwarded-host": host}
            | {"x-forwarded-port": str(request.port), "x-forwarded-proto": request.scheme, "x-scheme": request.scheme},
            body=request.body,
            scheme="https" if chosen.annotation("backend-protocol").upper() in ("HTTPS", "GRPCS") else "http",
        )
        where = f"{address}:{port}"
        try:
            answer = network.http(world, proc.netns, address, port, sent)
        except ConnectError as error:
            status = 504 if error.kind == "timeout" else 502
            why = "Connection timed out" if status == 504 else "Connection refused"
            text = f"connect() failed ({110 if status == 504 else 111}: {why}) while connecting to upstream"
            logs.emit(
                world,
                proc,
                f'[error] 29#29: *1 {text}, client: {client_ip(world, request)}, server: {key}, upstream: "http://{where}{path}"',
            )
            return _page(status), (name, where, str(status))
        answer.headers = {k: v for k, v in answer.headers.items() if k != "server"}
        return answer, (name, where, str(answer.status))

    @staticmethod
    def _early(world: World, request: Request, location: Location, server: routes.Server, host: str) -> Response | None:
        """What is answered without asking a backend: refusals by address and redirects."""
        peer = client_ip(world, request)
        allowed = location.annotation("whitelist-source-range") or location.annotation("allowlist-source-range")
        if (allowed and not _within(peer, allowed)) or _within(peer, location.annotation("denylist-source-range")):
            return _page(403)
        if location.annotation("permanent-redirect"):
            code = location.annotation("permanent-redirect-code", "301")
            return _page(int(code) if code.isdigit() else 301, location.annotation("permanent-redirect"))
        if location.annotation("temporal-redirect"):
            return _page(302, location.annotation("temporal-redirect"))
        if location.annotation("app-root") and request.path == "/":
            return _page(302, f"{request.scheme}://{host}{location.annotation('app-root')}")
        secure = any(host in (entry.get("hosts") or ()) for entry in location.ingress["spec"].get("tls") or ())
        if request.scheme == "http" and (
            (secure and location.annotation("ssl-redirect", "true") == "true")
            or location.annotation("force-ssl-redirect") == "true"
        ):
            return _page(308, f"https://{host}{request.path}")
        return None

    @staticmethod
    def _canary(world: World, mine: list[Obj], main: Location, host: str, request: Request) -> Location | None:
        found = routes.canary(mine, main, host)
        if found is None:
            return None
        header = found.annotation("canary-by-header")
        value = request.headers.get(header.lower(), "") if header else ""
        wanted = found.annotation("canary-by-header-value")
        if wanted and value:
            return found if value == wanted else None
        if value in ("always", "never"):
            return found if value == "always" else None
        cookie = found.annotation("canary-by-cookie")
        if cookie and (held := re.search(rf"(?:^|;\s*){re.escape(cookie)}=(always|never)\b", request.headers.get("cookie", ""))):
            return found if held[1] == "always" else None
        weight = found.annotation("canary-weight", "0")
        return found if weight.isdigit() and world.rng("ingress-nginx").below(100) < int(weight) else None

    def _review(self, proc: Process, feed: Feed, request: Request) -> Response:
        """The validating webhook's answer."""
        asked = (request.obj or orjson.loads(request.body or b"{}")).get("request") or {}
        new = asked.get("object") or {}
        classes = list(feed.informers["ingressclasses"].store.objects.values())
        wanted = _flag(proc, "controller-class", "k8s.io/ingress-nginx"), _flag(proc, "ingress-class", "nginx")
        said = routes.refusal(new, self._mine(proc, feed)) if new and routes.ours(new, classes, *wanted, False) else ""
        answer: Obj = {"uid": asked.get("uid", ""), "allowed": not said}
        if said:
            answer["status"] = {"status": "Failure", "message": said, "reason": "BadRequest", "code": 400}
        body = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "response": answer}
        return Response(status=200, headers={"content-type": "application/json"}, body=orjson.dumps(body))


def _endpoints(feed: Feed, location: Location) -> list[tuple[str, int]]:
    """The ready addresses behind a location's service and port."""
    service = feed.informers["services"].store.objects.get(f"{location.namespace}/{location.service}")
    if service is None:
        return []
    ports = [p for p in service["spec"].get("ports") or () if location.port in (p.get("port"), p.get("name"))]
    if not ports:
        return []
    found = []
    for slice_ in feed.informers["endpointslices"].store.objects.values():
        meta = slice_["metadata"]
        if (
            meta["namespace"] != location.namespace
            or (meta.get("labels") or {}).get("kubernetes.io/service-name") != location.service
        ):
            continue
        numbers = [p["port"] for p in slice_.get("ports") or () if (p.get("name") or "") == (ports[0].get("name") or "")]
        for endpoint in slice_.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready", True) is not False and numbers:
                found += [(address, int(numbers[0])) for address in endpoint.get("addresses") or ()]
    return sorted(found)


def _within(address: str, ranges: str) -> bool:
    for text in ranges.split(","):
        try:
            if ranges and ipaddress.ip_address(address) in ipaddress.ip_network(text.strip(), strict=False):
                return True
        except ValueError:
            continue
    return False


def _length(request: Request) -> int:
    """Bytes of a request as it arrived: `$request_length`, its line, headers and body."""
    query = urlencode(request.query, doseq=True)
    line = f"{request.method} {request.path}{'?' if query else ''}{query} HTTP/1.1\r\n"
    return len(line) + sum(len(f"{name}: {value}\r\n") for name, value in request.headers.items()) + 2 + len(request.body)


def _page(status: int, location: str = "") -> Response:
    """nginx's page for a status, without a version (`server_tokens off`)."""
    reason = _REASONS.get(status, "")
    body = (
        f"<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n<center><h1>{status} {reason}</h1></center>\r\n"
        "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    ).encode()
    headers = {"content-type": "text/html", "content-length": str(len(body))}
    return Response(status=status, headers=headers | ({"location": location} if location else {}), body=body)
