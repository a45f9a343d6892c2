"""Small servers of images: registry:2, whoami, http-echo, echoserver, Python's http.server, RabbitMQ and MongoDB as far as their logs go."""

from __future__ import annotations

import json
import posixpath
from typing import Any

from ...host import files
from ...host.machine import hosts
from ...host.process import Process
from ...host.program import Exited
from ...kernel import clock, network
from ...kernel.clock import MS, SECOND
from ...kernel.http import Request, Response
from ...kernel.world import World
from .. import images, logs
from .basics import Quiet
from .web import client_ip, find_page, hostname, http_date


def _bind(world: World, proc: Process, port: int, complaint: str) -> None:
    try:
        network.listen(world, proc.netns, port, host=proc.host, pid=proc.pid)
    except OSError:
        logs.emit(world, proc, complaint, "stderr")
        raise Exited(1) from None


def _flag(proc: Process, *names: str, default: str = "") -> str:
    """The value of a flag in `-f=v`, `--f v` forms."""
    words = proc.argv[1:]
    for at, word in enumerate(words):
        key, equals, value = word.partition("=")
        if key in names:
            return value if equals else words[at + 1] if at + 1 < len(words) else ""
    return default


def _text(body: str, status: int = 200, kind: str = "text/plain; charset=utf-8", **headers: str) -> Response:
    data = body.encode()
    return Response(status=status, headers={"content-type": kind, "content-length": str(len(data)), **headers}, body=data)


class Registry(Quiet):
    """registry:2 (distribution/distribution): repositories under /var/lib/registry, as links to the digests that were pushed."""

    ROOT = "/var/lib/registry/docker/registry/v2/repositories"

    def start(self, world: World, proc: Process) -> None:
        """Listen on 5000 (or REGISTRY_HTTP_ADDR)."""
        port = int((proc.env.get("REGISTRY_HTTP_ADDR") or ":5000").rpartition(":")[2] or 5000)
        stamp = clock.rfc3339(world.wall)
        _bind(world, proc, port, f'time="{stamp}" level=fatal msg="listen tcp :{port}: bind: address already in use"')
        common = f"environment=development go.version=go1.20.8 instance.id={world.rng('registry').uuid()} service=registry version=2.8.3"
        for text in (
            "redis not configured",
            "Starting upload purge in 29m0s",
            "using inmemory blob descriptor cache",
            f"listening on [::]:{port}",
        ):
            logs.emit(world, proc, f'time="{stamp}" level=info msg="{text}" {common}', "stderr")

    def _link(self, name: str, tag: str) -> str:
        kind = "revisions/sha256/" + tag[7:] if tag.startswith("sha256:") else f"tags/{tag}/current"
        return f"{self.ROOT}/{name}/_manifests/{kind}/link"

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """The distribution API as far as names, tags and manifests go."""
        answer = self._answer(world, proc, request)
        answer.headers.setdefault("docker-distribution-api-version", "registry/2.0")
        when = clock.to_datetime(world.wall).strftime("%d/%b/%Y:%H:%M:%S +0000")
        logs.emit(
            world,
            proc,
            f'{client_ip(world, request)} - - [{when}] "{request.method} {request.path} HTTP/1.1" {answer.status} {len(answer.body)} "" "{request.headers.get("user-agent", "containerd/2.2.1")}"',
        )
        return answer

    def _answer(self, world: World, proc: Process, request: Request) -> Response:
        tree = files.tree(hosts(world)[proc.host], proc.mnt)
        path = request.path.rstrip("/")
        if path in ("", "/v2"):
            return _text("{}" if path else "", kind="application/json")
        if path == "/v2/_catalog":
            found = []
            if tree.isdir(self.ROOT):
                found = sorted(
                    {p[len(self.ROOT) + 1 : p.index("/_manifests")] for p, _ in tree.walk(self.ROOT) if "/_manifests" in p}
                )
            return _text(json.dumps({"repositories": found}, separators=(",", ":")) + "\n", kind="application/json")
        name = path.removeprefix("/v2/").partition("/tags/list")[0]
        if path.endswith("/tags/list"):
            folder = f"{self.ROOT}/{name}/_manifests/tags"
            if not tree.isdir(folder):
                return self._error("NAME_UNKNOWN", "repository name not known to registry", {"name": name})
            return _text(
                json.dumps({"name": name, "tags": tree.listdir(folder)}, separators=(",", ":")) + "\n", kind="application/json"
            )
        name, _, tag = path.removeprefix("/v2/").partition("/manifests/")
        if not tag:
            return Response(status=404, body=b"404 page not found\n")
        if request.method == "PUT":
            digest = request.body.decode(errors="replace").strip()
            for link in (self._link(name, tag), self._link(name, digest)):
                files.write_file(world, proc.host, link, digest.encode(), mnt=proc.mnt, parents=True)
            return Response(status=201, headers={"docker-content-digest": digest})
        link = self._link(name, tag)
        if not tree.exists(link):
            return self._error("MANIFEST_UNKNOWN", "manifest unknown", {"Tag": tag})
        digest = tree.read(link).decode()
        if request.method == "DELETE":
            files.remove_file(world, proc.host, link, mnt=proc.mnt)
            return Response(status=202)
        build = images.by_digest(world, digest)
        body = (
            b""
            if build is None
            else json.dumps(
                {"schemaVersion": 2, "mediaType": build.media_type, "config": {"digest": build.digest("config")}}
            ).encode()
        )
        return Response(
            status=200,
            headers={"docker-content-digest": digest, "content-type": build.media_type if build else ""},
            body=b"" if request.method == "HEAD" else body,
        )

    @staticmethod
    def _error(code: str, text: str, detail: Any) -> Response:
        return _text(
            json.dumps({"errors": [{"code": code, "message": text, "detail": detail}]}, separators=(",", ":")) + "\n",
            404,
            "application/json",
        )


class Whoami(Quiet):
    """traefik/whoami: tells of itself and of the request."""

    def start(self, world: World, proc: Process) -> None:
        """Listen on 80, or `--port`."""
        port = int(_flag(proc, "--port", "-port", default=proc.env.get("WHOAMI_PORT_NUMBER", "80")) or 80)
        _bind(world, proc, port, f"listen tcp :{port}: bind: address already in use")
        logs.emit(
            world, proc, f"{clock.to_datetime(world.wall).strftime('%Y/%m/%d %H:%M:%S')} Starting up on port {port}", "stderr"
        )

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """The text page, or JSON at /api."""
        ips = ["127.0.0.1", "::1", *network.network(world).namespaces[proc.netns].ips]
        if request.path == "/health":
            return _text("")
        if request.path == "/api":
            data = {
                "hostname": hostname(world, proc),
                "ip": ips,
                "headers": {},
                "url": request.path,
                "host": request.headers.get("host", ""),
                "method": request.method,
            }
            return _text(json.dumps(data) + "\n", kind="application/json")
        rows = [f"Hostname: {hostname(world, proc)}", *(f"IP: {ip}" for ip in ips), f"RemoteAddr: {client_ip(world, request)}:{40000 + world.now // MS % 20000}", f"{request.method} {request.path} HTTP/1.1",
                f"Host: {request.headers.get('host', '')}", *(f"{k.title()}: {v}" for k, v in sorted(request.headers.items()) if k != "host")]  # fmt: skip
        return _text("\n".join(rows) + "\n\n")


class HttpEcho(Quiet):
    """hashicorp/http-echo: answers the text that it was given."""

    def start(self, world: World, proc: Process) -> None:
        """Listen on 5678, or `-listen`."""
        self_text = _flag(
            proc, "-text", "--text", default=proc.env.get("ECHO_TEXT", "hello-world" if proc.env.get("ECHO") else "")
        )
        if not self_text and not any(w.startswith(("-text", "--text")) for w in proc.argv):
            self_text = "hello-world"
        port = int(_flag(proc, "-listen", "--listen", default=":5678").rpartition(":")[2] or 5678)
        _bind(world, proc, port, f"listen tcp :{port}: bind: address already in use")
        logs.emit(
            world,
            proc,
            f"{clock.to_datetime(world.wall).strftime('%Y/%m/%d %H:%M:%S')} [INFO] server is listening on :{port}",
            "stderr",
        )

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """The text; `/health` says ok."""
        if request.path == "/health":
            return _text('{"status":"ok"}\n', kind="application/json; charset=utf-8")
        text = _flag(proc, "-text", "--text", default="hello-world")
        when = clock.to_datetime(world.wall).strftime("%Y/%m/%d %H:%M:%S")
        logs.emit(
            world,
            proc,
            f'{when} {request.headers.get("host", "")} {client_ip(world, request)}:{40000 + world.now // MS % 20000} "{request.method} {request.path} HTTP/1.1" 200 {len(text) + 1} "{request.headers.get("user-agent", "")}" 21.4µs',
        )
        answer = _text(text + "\n")
        answer.headers |= {"x-app-name": "http-echo", "x-app-version": "1.0.0"}
        return answer


class EchoServer(Quiet):
    """registry.k8s.io/echoserver and ealen/echo-server: the request told back."""

    def start(self, world: World, proc: Process) -> None:
        """Listen on 8080 (echoserver) or 80 (echo-server)."""
        default = "80" if "echo-server" in proc.argv[0] else "8080"
        port = int(proc.env.get("PORT", default) or default)
        _bind(world, proc, port, f"bind() to 0.0.0.0:{port} failed (98: Address in use)")
        if default == "8080":
            logs.emit(world, proc, "Generating self-signed cert\nStarting nginx")
        else:
            logs.emit(world, proc, f"Listening on port {port}.")

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """The request as text."""
        host = request.headers.get("host", "")
        if "echo-server" in proc.argv[0]:
            data = {"host": {"hostname": host.partition(":")[0], "ip": client_ip(world, request)}, "http": {"method": request.method, "baseUrl": "", "originalUrl": request.path, "protocol": "http"}, "request": {"params": {"0": request.path}, "query": {}, "headers": dict(sorted(request.headers.items())), "body": {}}, "environment": {"HOSTNAME": hostname(world, proc)}}  # fmt: skip
            return _text(json.dumps(data), kind="application/json; charset=utf-8")
        name = host.partition(":")[0]
        rows = [f"\n\nHostname: {hostname(world, proc)}\n", "Pod Information:\n\t-no pod information available-\n", "Server values:\n\tserver_version=nginx: 1.13.3 - lua: 10008\n",
                f"Request Information:\n\tclient_address={client_ip(world, request)}\n\tmethod={request.method}\n\treal path={request.path}\n\tquery=\n\trequest_version=1.1\n\trequest_scheme=http\n\trequest_uri=http://{name}:8080{request.path}\n",
                "Request Headers:\n" + "".join(f"\t{k}={v}\n" for k, v in sorted(request.headers.items())), "Request Body:\n\t-no body in request-\n\n"]  # fmt: skip
        return _text("\n".join(rows))


class PythonServer(Quiet):
    """`python3 -m http.server [port]`: the files of its directory."""

    exit_on_signal = 143

    @staticmethod
    def options(proc: Process) -> tuple[int, str]:
        """(port, directory)."""
        words = proc.argv[proc.argv.index("http.server") + 1 :]
        folder = _flag(proc, "--directory", "-d") or proc.cwd
        numbers = [w for w in words if w.isdigit()]
        return (int(numbers[0]) if numbers else 8000), posixpath.normpath(posixpath.join(proc.cwd, folder))

    def start(self, world: World, proc: Process) -> None:
        """Listen; the first line is written when standard output is flushed, which Python does at once with -u only."""
        port, _ = self.options(proc)
        _bind(world, proc, port, "OSError: [Errno 98] Address already in use")
        if "-u" in proc.argv or proc.env.get("PYTHONUNBUFFERED"):
            logs.emit(world, proc, f"Serving HTTP on 0.0.0.0 port {port} (http://0.0.0.0:{port}/) ...")

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """A file, a directory's listing, or an error page."""
        _, root = self.options(proc)
        status, body, path, _ = find_page(world, proc, root, request.path)
        kind = (
            "text/html; charset=utf-8"
            if status != 200 or path.endswith((".html", ".htm"))
            else "text/plain"
            if path.endswith(".txt")
            else "application/octet-stream"
        )
        tree = files.tree(hosts(world)[proc.host], proc.mnt)
        if status == 403 and request.method in ("GET", "HEAD"):
            folder = posixpath.dirname(path)
            rows = "".join(
                f'<li><a href="{n}{"/" if tree.isdir(posixpath.join(folder, n)) else ""}">{n}{"/" if tree.isdir(posixpath.join(folder, n)) else ""}</a></li>\n'
                for n in tree.listdir(folder)
            )
            title = f"Directory listing for {request.path}"
            body = f'<!DOCTYPE HTML>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n<hr>\n<ul>\n{rows}</ul>\n<hr>\n</body>\n</html>\n'.encode()
            status = 200
        when = clock.to_datetime(world.wall).strftime("%d/%b/%Y %H:%M:%S")
        peer = client_ip(world, request)
        if status == 404:
            body = b'<!DOCTYPE HTML>\n<html lang="en">\n    <head>\n        <meta charset="utf-8">\n        <title>Error response</title>\n    </head>\n    <body>\n        <h1>Error response</h1>\n        <p>Error code: 404</p>\n        <p>Message: File not found.</p>\n    </body>\n</html>\n'
            logs.emit(world, proc, f"{peer} - - [{when}] code 404, message File not found", "stderr")
        logs.emit(world, proc, f'{peer} - - [{when}] "{request.method} {request.path} HTTP/1.1" {status} -', "stderr")
        headers = {
            "server": "SimpleHTTP/0.6 Python/3.14.2",
            "date": http_date(world.wall),
            "content-type": kind,
            "content-length": str(len(body)),
        }
        return Response(status=status, headers=headers, body=b"" if request.method == "HEAD" else body)


class Rabbit(Quiet):
    """rabbitmq-server: its start-up log; the broker's protocol is not simulated."""

    def start(self, world: World, proc: Process) -> None:
        """The first lines; it takes some seconds before it listens."""
        name = hostname(world, proc)
        when = f"{clock.to_datetime(world.wall).strftime('%Y-%m-%d %H:%M:%S')}.000000+00:00"
        for text in (
            "Starting RabbitMQ 4.2.1 on Erlang 27.3.4.6 [jit]",
            "Copyright (c) 2007-2025 Broadcom Inc and/or its subsidiaries",
            "Licensed under the MPL 2.0. Website: https://rabbitmq.com",
        ):
            logs.emit(world, proc, f"{when} [info] <0.213.0>  {text}")
        logs.emit(
            world,
            proc,
            f"\n  ##  ##      RabbitMQ 4.2.1\n  ##  ##\n  ##########  Copyright (c) 2007-2025 Broadcom Inc and/or its subsidiaries\n  ######  ##\n  ##########  Licensed under the MPL 2.0. Website: https://rabbitmq.com\n\n  Node name: rabbit@{name}\n  Config file(s): /etc/rabbitmq/conf.d/10-defaults.conf\n\n  Starting broker...",
        )
        world.after(4 * SECOND, proc.target, "ready")

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """Ready."""
        for port in (5672, 15692, *((15672,) if "management" in proc.env.get("RABBITMQ_PLUGINS", "") else ())):
            _bind(world, proc, port, f"Failed to start Ranch listener on {port}: eaddrinuse")
        when = f"{clock.to_datetime(world.wall).strftime('%Y-%m-%d %H:%M:%S')}.000000+00:00"
        logs.emit(
            world,
            proc,
            f"{when} [info] <0.672.0>  started TCP listener on [::]:5672\n{when} [info] <0.489.0>  Server startup complete; 4 plugins started.\n completed with 4 plugins.",
        )

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """The management page says what it is."""
        if request.scheme == "http" and request.path in ("/", "/index.html"):
            return _text("<!DOCTYPE html><html><head><title>RabbitMQ Management</title></head></html>\n", kind="text/html")
        return _text('{"error":"not_authorised","reason":"Login failed"}', 401, "application/json")


class Mongo(Quiet):
    """mongod: structured log lines; the wire protocol is not simulated."""

    def start(self, world: World, proc: Process) -> None:
        """Log, listen shortly after."""
        port = int(_flag(proc, "--port", default="27017") or 27017)
        self._line(
            world,
            proc,
            "CONTROL",
            4615611,
            "initandlisten",
            "MongoDB starting",
            {"pid": 1, "port": port, "dbPath": "/data/db", "architecture": "64-bit", "host": hostname(world, proc)},
        )
        self._line(
            world,
            proc,
            "CONTROL",
            23403,
            "initandlisten",
            "Build Info",
            {"buildInfo": {"version": proc.env.get("MONGO_VERSION", "8.2.2"), "modules": []}},
        )
        world.after(1 * SECOND, proc.target, port)

    def _line(self, world: World, proc: Process, part: str, ident: int, context: str, text: str, attributes: Any = None) -> None:
        stamp = clock.to_datetime(world.wall).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+00:00"
        row = {"t": {"$date": stamp}, "s": "I", "c": part.ljust(8), "id": ident, "ctx": context, "msg": text}
        logs.emit(world, proc, json.dumps({**row, **({"attr": attributes} if attributes else {})}, separators=(",", ":")))

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """It listens."""
        _bind(
            world,
            proc,
            int(payload),
            '{"s":"E","c":"CONTROL","id":20568,"ctx":"initandlisten","msg":"Error setting up listener","attr":{"error":{"code":9001,"codeName":"SocketException","errmsg":"Address already in use"}}}',
        )
        self._line(world, proc, "NETWORK", 23016, "listener", "Waiting for connections", {"port": int(payload), "ssl": "off"})

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """mongod answers HTTP with a sentence."""
        return _text("It looks like you are trying to access MongoDB over HTTP on the native driver port.\r\n")
