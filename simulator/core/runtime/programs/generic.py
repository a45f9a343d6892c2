"""Servers of images whose protocol is not simulated, and small samples that serve one page; what they are is in the program's name.

`listen:9090+9093` listens on those ports and resets connections; `page:8080/bootcamp` answers every request with that page.
"""

from __future__ import annotations

from ...host.process import Process
from ...host.program import Exited
from ...kernel import network
from ...kernel.clock import MS
from ...kernel.http import Request, Response
from ...kernel.world import World
from .. import logs, usage
from .basics import Quiet
from .web import hostname

#: Pages of the samples; `{host}` is the container's host name.
PAGES: dict[str, str] = {
    "bootcamp": "Hello Kubernetes bootcamp! | Running on: {host} | v={version}\n",
    "hello-app": "Hello, world!\nVersion: {version}.0.0\nHostname: {host}\n",
    "hello-go": '{{"message":"Hello"}}\n',
    "katacoda": "<h1>This request was processed by host: {host}</h1>\n",
    "hello": "Server name: {host}\nURI: {path}\n",
    "hostname": "{host}",
    "podinfo": '{{\n  "hostname": "{host}",\n  "version": "{version}",\n  "color": "#34577c",\n  "message": "greetings from podinfo v{version}",\n  "goos": "linux",\n  "goarch": "amd64"\n}}\n',
    "hpa": "OK!",
    "wordpress": "<!DOCTYPE html>\n<title>WordPress &rsaquo; Installation</title>\n",
}


#: Processor time of one request; hpa-example takes a million square roots.
COST = {"hpa": 12 * MS}


class Listen(Quiet):
    """Listens on its ports and says so in its log."""

    def start(self, world: World, proc: Process) -> None:
        """Listen; ends with 1 when a port is taken."""
        ports = proc.program.partition(":")[2].partition("/")[0]
        for port in ports.split("+") if ports else []:
            try:
                network.listen(world, proc.netns, int(port), host=proc.host, pid=proc.pid)
            except OSError as failed:
                logs.emit(world, proc, f"listen tcp :{port}: bind: address already in use", "stderr")
                raise Exited(1) from failed
            logs.emit(world, proc, f"listening on :{port} (what is served there is not simulated in Slipway yet)")


class Page(Quiet):
    """Answers every request with one page."""

    def start(self, world: World, proc: Process) -> None:
        """Listen; ends with 1 when the port is taken."""
        port = int(proc.program.partition(":")[2].partition("/")[0])
        try:
            network.listen(world, proc.netns, port, host=proc.host, pid=proc.pid)
        except OSError as failed:
            logs.emit(world, proc, f"listen tcp :{port}: bind: address already in use", "stderr")
            raise Exited(1) from failed

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """The page."""
        name, _, version = proc.program.partition("/")[2].partition("@")
        text = PAGES[name].format(host=hostname(world, proc), path=request.path, version=version or "1")
        usage.work(world, proc, COST.get(name, MS // 5))
        kind = "text/html" if text.startswith("<") else "text/plain"
        return Response(status=200, headers={"content-type": kind}, body=text.encode())
