"""Apache as Ubuntu's package runs it: ports.conf and the virtual hosts of sites-enabled, static files, access and error logs in files."""

from __future__ import annotations

import posixpath
import re

from ...host import files
from ...host.filesystem import Tree
from ...host.machine import hosts
from ...host.process import Process
from ...host.program import Exited
from ...kernel import clock, network
from ...kernel.http import Request, Response
from ...kernel.world import World
from .. import logs, pages
from .basics import Quiet
from .web import TYPES, client_ip, find_page, http_date

LOGS = "/var/log/apache2"


def _texts(world: World, proc: Process) -> list[str]:
    tree = files.tree(hosts(world)[proc.host], proc.mnt)
    found: list[str] = []
    for path in [
        "/etc/apache2/ports.conf",
        "/etc/apache2/apache2.conf",
        *_below(tree, "/etc/apache2/conf-enabled"),
        *_below(tree, "/etc/apache2/sites-enabled"),
    ]:
        try:
            found.append(re.sub(r"(?m)^\s*#.*$", "", tree.read(path).decode("utf-8", "replace")))
        except OSError:
            continue
    return found


def _below(tree: Tree, folder: str) -> list[str]:
    try:
        return [f"{folder}/{name}" for name in sorted(tree.listdir(folder)) if name.endswith(".conf")]
    except OSError:
        return []


def ports(texts: list[str]) -> list[int]:
    """Ports of `Listen`."""
    found = {int(port) for text in texts for port in re.findall(r"(?mi)^\s*Listen\s+(?:[\d.]+:)?(\d{1,5})\b", text)}
    return sorted(port for port in found if 0 < port < 65536)


def root_of(texts: list[str], port: int, host: str) -> str:
    """The DocumentRoot of a request: of the virtual host with its name, else of the first one on its port."""
    first = ""
    for text in texts:
        for address, body in re.findall(r"(?is)<VirtualHost\s+([^>]+)>(.*?)</VirtualHost>", text):
            if not any(one.rpartition(":")[2] in (str(port), "*") for one in address.split()):
                continue
            root = re.search(r"(?mi)^\s*DocumentRoot\s+\"?([^\s\"]+)", body)
            where = root[1] if root else "/var/www/html"
            named = re.findall(r"(?mi)^\s*Server(?:Name|Alias)\s+(.+)$", body)
            if host and any(host in words.split() for words in named):
                return where
            first = first or where
    return first or "/var/www/html"


class Apache(Quiet):
    """The server."""

    def start(self, world: World, proc: Process) -> None:
        """Bind what `Listen` says."""
        for port in ports(_texts(world, proc)):
            try:
                network.listen(world, proc.netns, port, host=proc.host, pid=proc.pid)
            except OSError:
                logs.emit(
                    world,
                    proc,
                    f"(98)Address already in use: AH00072: make_sock: could not bind to address 0.0.0.0:{port}\nno listening sockets available, shutting down\nAH00015: Unable to open logs",
                    "stderr",
                )
                raise Exited(1) from None
        self._note(
            world,
            proc,
            "mpm_event:notice",
            f"[pid {proc.pid}:tid 1] AH00489: Apache/2.4.58 (Ubuntu) configured -- resuming normal operations",
        )

    @staticmethod
    def daemonizes(proc: Process) -> bool:
        """Whether a call from a shell leaves the server behind."""
        return "FOREGROUND" not in proc.argv

    @staticmethod
    def _note(world: World, proc: Process, module: str, text: str) -> None:
        when = clock.to_datetime(world.wall).strftime("%a %b %d %H:%M:%S.%f %Y")
        Apache._write(world, proc, f"{LOGS}/error.log", f"[{when}] [{module}] {text}")

    @staticmethod
    def _write(world: World, proc: Process, path: str, line: str) -> None:
        try:
            files.write_file(world, proc.host, path, line.encode() + b"\n", mnt=proc.mnt, append=True)
        except OSError:
            return

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """Serve a file, or Apache's error page."""
        host = re.sub(r":\d+$", "", request.headers.get("host", ""))
        root = root_of(_texts(world, proc), request.port or 80, host)
        status, body, path, mtime = find_page(world, proc, root, request.path)
        headers = {"date": http_date(world.wall), "server": "Apache/2.4.58 (Ubuntu)"}
        if status == 200:
            headers["last-modified"] = http_date(mtime or world.epoch)
            headers["content-type"] = TYPES.get(posixpath.splitext(path)[1], "text/plain")
        else:
            reason = {403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed"}[status]
            said = (
                "You don't have permission to access this resource."
                if status == 403
                else "The requested URL was not found on this server."
            )
            body = pages.apache_error(status, reason, said)
            headers["content-type"] = "text/html; charset=iso-8859-1"
        headers["content-length"] = str(len(body))
        when = clock.to_datetime(world.wall).strftime("%d/%b/%Y:%H:%M:%S +0000")
        agent = request.headers.get("user-agent", "-")
        self._write(
            world, proc, f"{LOGS}/access.log",
            f'{client_ip(world, request)} - - [{when}] "{request.method} {request.path} HTTP/1.1" {status} {len(body)} "-" "{agent}"',
        )  # fmt: skip
        return Response(status=status, headers=headers, body=b"" if request.method == "HEAD" else body)

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """TERM ends it with 0."""
        if signal != 9:
            self._note(world, proc, "mpm_event:notice", f"[pid {proc.pid}:tid 1] AH00491: caught SIGTERM, shutting down")
        return 137 if signal == 9 else 0
