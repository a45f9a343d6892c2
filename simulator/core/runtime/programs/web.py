"""Web servers of images: nginx and Apache httpd, serving the files of their containers."""

from __future__ import annotations

import hashlib
import posixpath
import re
from typing import Any

from ...host import files, processes
from ...host.machine import hosts
from ...host.process import Process
from ...host.program import Exited
from ...kernel import clock, network
from ...kernel.http import Request, Response
from ...kernel.world import World
from .. import logs, pages
from .basics import Quiet

_TYPES = {
    ".html": "text/html", ".htm": "text/html", ".txt": "text/plain", ".css": "text/css", ".js": "application/javascript",
    ".json": "application/json", ".svg": "image/svg+xml", ".xml": "text/xml",
}  # fmt: skip
_REASONS = {200: "OK", 403: "Forbidden", 404: "Not Found", 405: "Not Allowed"}


def hostname(world: World, proc: Process) -> str:
    """The host name that a process sees."""
    try:
        return files.read_file(world, proc.host, "/etc/hostname", mnt=proc.mnt).decode().strip()
    except (OSError, KeyError):
        return proc.host


def client_ip(world: World, request: Request) -> str:
    """The address that a request came from, as its server sees it."""
    if request.client:
        return request.client
    ns = network.network(world).namespaces.get(request.source)
    return ns.ips[0] if ns is not None and ns.ips else "127.0.0.1"


def http_date(wall: int) -> str:
    """`Mon, 02 Nov 2026 09:00:00 GMT`."""
    return clock.to_datetime(wall).strftime("%a, %d %b %Y %H:%M:%S GMT")


def find_page(world: World, proc: Process, root: str, path: str) -> tuple[int, bytes, str, int]:
    """(status, body, path, mtime) of a static file below `root`; directories lead to their index.html."""
    target = posixpath.normpath(root + "/" + path.lstrip("/"))
    if not (target + "/").startswith(root.rstrip("/") + "/"):
        return 404, b"", target, 0
    tree = files.tree(hosts(world)[proc.host], proc.mnt)
    try:
        if tree.isdir(target):
            target = posixpath.join(target, "index.html")
            if not tree.exists(target):
                return 403, b"", target, 0
        node = tree.lookup(target)
        return 200, tree.read(target), target, node.mtime
    except OSError:
        return 404, b"", target, 0


class Nginx(Quiet):
    """nginx: the welcome page, static files, access and error lines as its image prints them."""

    def start(self, world: World, proc: Process) -> None:
        """Read the configuration, bind, and log the start."""

        def out(text: str) -> None:
            logs.emit(world, proc, text)

        prefix = "/docker-entrypoint.sh: "
        out(prefix + "/docker-entrypoint.d/ is not empty, will attempt to perform configuration")
        out(prefix + "Looking for shell scripts in /docker-entrypoint.d/")
        out(prefix + "Launching /docker-entrypoint.d/10-listen-on-ipv6-by-default.sh")
        out("10-listen-on-ipv6-by-default.sh: info: Getting the checksum of /etc/nginx/conf.d/default.conf")
        out("10-listen-on-ipv6-by-default.sh: info: Enabled listen on IPv6 in /etc/nginx/conf.d/default.conf")
        out(prefix + "Sourcing /docker-entrypoint.d/15-local-resolvers.envsh")
        out(prefix + "Launching /docker-entrypoint.d/20-envsubst-on-templates.sh")
        out(prefix + "Launching /docker-entrypoint.d/30-tune-worker-processes.sh")
        out(prefix + "Configuration complete; ready for start up")
        for port in self._ports(world, proc):
            try:
                network.listen(world, proc.netns, port, host=proc.host, pid=proc.pid)
            except OSError:
                text = f"bind() to 0.0.0.0:{port} failed (98: Address already in use)"
                logs.emit(world, proc, f"{self._when(world)} [emerg] 1#1: {text}", "stderr")
                logs.emit(world, proc, f"nginx: [emerg] {text}", "stderr")
                raise Exited(1) from None
        version = proc.env.get("NGINX_VERSION", "1.29.4")
        machine = hosts(world)[proc.host]
        for text in (
            'using the "epoll" event method',
            f"nginx/{version}",
            "built by gcc 14.2.0 (Debian 14.2.0-19) ",
            f"OS: Linux {machine.kernel}",
            "getrlimit(RLIMIT_NOFILE): 1048576:1048576",
            "start worker processes",
            *(f"start worker process {29 + i}" for i in range(machine.cpus)),
        ):
            logs.emit(world, proc, f"{self._when(world)} [notice] 1#1: {text}", "stderr")

    @staticmethod
    def _when(world: World) -> str:
        return clock.to_datetime(world.wall).strftime("%Y/%m/%d %H:%M:%S")

    @staticmethod
    def _config(world: World, proc: Process) -> str:
        tree = files.tree(hosts(world)[proc.host], proc.mnt)
        text = ""
        try:
            names = tree.listdir("/etc/nginx/conf.d") if tree.isdir("/etc/nginx/conf.d") else []
            for path in ["/etc/nginx/nginx.conf", *(f"/etc/nginx/conf.d/{name}" for name in names if name.endswith(".conf"))]:
                text += tree.read(path).decode(errors="replace") + "\n"
        except OSError:
            pass
        return re.sub(r"#[^\n]*", "", text)

    def _ports(self, world: World, proc: Process) -> list[int]:
        found = {int(port) for port in re.findall(r"\blisten\s+(?:[\d.]+:)?(\d+)\b", self._config(world, proc))}
        return sorted(found) or [80]

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """Serve a file, or nginx's own error page; write the access line."""
        version = proc.env.get("NGINX_VERSION", "1.29.4")
        roots = re.findall(r"\broot\s+([^;\s]+)\s*;", self._config(world, proc))
        root = roots[0] if roots else "/usr/share/nginx/html"
        status, body, path, mtime = 405, b"", request.path, 0
        if request.method in ("GET", "HEAD"):
            status, body, path, mtime = find_page(world, proc, root, request.path)
        headers = {"server": f"nginx/{version}", "date": http_date(world.wall), "connection": "keep-alive"}
        if status == 200:
            headers["content-type"] = _TYPES.get(posixpath.splitext(path)[1], "application/octet-stream")
            headers["last-modified"] = http_date(mtime or world.epoch - 30 * clock.DAY)
            headers["etag"] = f'"{(mtime or world.epoch) // clock.SECOND:x}-{len(body):x}"'
            headers["accept-ranges"] = "bytes"
        else:
            body = pages.nginx_error(status, _REASONS[status], version)
            headers["content-type"] = "text/html"
        headers["content-length"] = str(len(body))
        peer = client_ip(world, request)
        if status == 404:
            text = f'open() "{path}" failed (2: No such file or directory), client: {peer}, server: localhost, request: "{request.method} {request.path} HTTP/1.1", host: "{request.headers.get("host", "")}"'
            logs.emit(world, proc, f"{self._when(world)} [error] 29#29: *1 {text}", "stderr")
        self._access(world, proc, request, status, len(body), peer)
        return Response(status=status, headers=headers, body=b"" if request.method == "HEAD" else body)

    @staticmethod
    def _access(world: World, proc: Process, request: Request, status: int, size: int, peer: str) -> None:
        when = clock.to_datetime(world.wall).strftime("%d/%b/%Y:%H:%M:%S +0000")
        agent = request.headers.get("user-agent", "-")
        logs.emit(
            world, proc, f'{peer} - - [{when}] "{request.method} {request.path} HTTP/1.1" {status} {size} "-" "{agent}" "-"'
        )

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """TERM and QUIT end it with 0 after its farewell lines."""
        if signal == 9:
            return 137
        name = {3: "3 (SIGQUIT)", 15: "15 (SIGTERM)", 2: "2 (SIGINT)"}.get(signal, str(signal))
        logs.emit(
            world,
            proc,
            f"{self._when(world)} [notice] 1#1: signal {name} received, {'shutting down' if signal == 3 else 'exiting'}",
            "stderr",
        )
        logs.emit(world, proc, f"{self._when(world)} [notice] 1#1: exit", "stderr")
        return 0


class Httpd(Quiet):
    """Apache httpd: `It works!` and static files."""

    def start(self, world: World, proc: Process) -> None:
        """Bind and log the start."""
        try:
            network.listen(world, proc.netns, 80, host=proc.host, pid=proc.pid)
        except OSError:
            logs.emit(
                world,
                proc,
                "(98)Address already in use: AH00072: make_sock: could not bind to address 0.0.0.0:80\nno listening sockets available, shutting down\nAH00015: Unable to open logs",
                "stderr",
            )
            raise Exited(1) from None
        ip = (network.network(world).namespaces[proc.netns].ips or ["127.0.0.1"])[0]
        line = f"AH00558: httpd: Could not reliably determine the server's fully qualified domain name, using {ip}. Set the 'ServerName' directive globally to suppress this message"
        logs.emit(world, proc, line, "stderr")
        logs.emit(world, proc, line, "stderr")
        self._note(world, proc, "mpm_event:notice", "AH00489: Apache/2.4.66 (Unix) configured -- resuming normal operations")
        self._note(world, proc, "core:notice", "AH00094: Command line: 'httpd -D FOREGROUND'")

    @staticmethod
    def _note(world: World, proc: Process, module: str, text: str) -> None:
        when = clock.to_datetime(world.wall).strftime("%a %b %d %H:%M:%S.%f %Y")
        logs.emit(world, proc, f"[{when}] [{module}] [pid 1:tid 1] {text}", "stderr")

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """Serve a file, or Apache's error page."""
        status, body, path, _ = find_page(world, proc, "/usr/local/apache2/htdocs", request.path)
        headers = {"date": http_date(world.wall), "server": "Apache/2.4.66 (Unix)"}
        if status == 200:
            headers["content-type"] = _TYPES.get(posixpath.splitext(path)[1], "text/plain")
            headers["etag"] = '"' + hashlib.sha256(body).hexdigest()[:8] + '"'
        else:
            body = pages.apache_error(status, _REASONS[status], "The requested URL was not found on this server.")
            headers["content-type"] = "text/html; charset=iso-8859-1"
        headers["content-length"] = str(len(body))
        when = clock.to_datetime(world.wall).strftime("%d/%b/%Y:%H:%M:%S +0000")
        logs.emit(
            world,
            proc,
            f'{client_ip(world, request)} - - [{when}] "{request.method} {request.path} HTTP/1.1" {status} {len(body)}',
        )
        return Response(status=status, headers=headers, body=b"" if request.method == "HEAD" else body)

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """WINCH and TERM end it with 0."""
        if signal == 9:
            return 137
        self._note(world, proc, "mpm_event:notice", "AH00491: caught SIGTERM, shutting down")
        return 0


__all__ = ["Any", "Httpd", "Nginx", "client_ip", "find_page", "hostname", "http_date", "processes"]
