"""Web servers of images: nginx and Apache httpd, serving the files of their containers."""

from __future__ import annotations

import hashlib
import posixpath
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

#: Content types by suffix.
TYPES = {
    ".html": "text/html", ".htm": "text/html", ".txt": "text/plain", ".css": "text/css", ".js": "application/javascript",
    ".json": "application/json", ".svg": "image/svg+xml", ".xml": "text/xml", ".png": "image/png", ".jpg": "image/jpeg", ".gif": "image/gif",
    ".ico": "image/x-icon", ".pdf": "application/pdf", ".md": "text/markdown",
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
            headers["content-type"] = TYPES.get(posixpath.splitext(path)[1], "text/plain")
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


__all__ = ["Any", "Httpd", "client_ip", "find_page", "hostname", "http_date", "processes"]
