"""Names asked over the simulated network, message by message: what a stub resolver sends and what servers answer.

A question is a `Request` of method `DNS` to port 53/udp (path: the full name; query `type`); the answer's `obj` is
`{"rcode": …, "records": [[name, type, value], …]}` (RFC 1035).  Two servers are not processes: `127.0.0.53` on a host is
systemd-resolved's stub, and the router that hosts use as their upstream knows the names of the world outside.  Neither knows a
cluster: only CoreDNS does.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..kernel import network
from ..kernel.errors import ConnectError
from ..kernel.http import Request, Response
from ..kernel.world import World

#: Names of the world outside, at addresses of the documentation networks (RFC 5737): there is no real Internet here.
OUTSIDE: dict[str, str] = {
    "api.github.com": "203.0.113.30",
    "archive.ubuntu.com": "203.0.113.20",
    "cdn.dl.k8s.io": "203.0.113.18",
    "dl.k8s.io": "203.0.113.10",
    "example.com": "203.0.113.11",
    "github.com": "203.0.113.12",
    "get.docker.com": "203.0.113.29",
    "get.helm.sh": "203.0.113.28",
    "get.k3s.io": "203.0.113.26",
    "k8s.io": "203.0.113.24",
    "kind.sigs.k8s.io": "203.0.113.27",
    "kubernetes.io": "203.0.113.25",
    "google.com": "203.0.113.13",
    "objects.githubusercontent.com": "203.0.113.14",
    "pkgs.k8s.io": "203.0.113.21",
    "prod-cdn.packages.k8s.io": "203.0.113.22",
    "raw.githubusercontent.com": "203.0.113.15",
    "security.ubuntu.com": "203.0.113.23",
    "storage.googleapis.com": "203.0.113.16",
    "www.google.com": "203.0.113.17",
    # sites that people ping and look up; nothing is served there
    "amazon.com": "203.0.113.31",
    "cloudflare.com": "203.0.113.32",
    "docker.com": "203.0.113.33",
    "facebook.com": "203.0.113.34",
    "hub.docker.com": "203.0.113.35",
    "killercoda.com": "203.0.113.36",
    "microsoft.com": "203.0.113.37",
    "one.one.one.one": "203.0.113.38",
    "registry.k8s.io": "203.0.113.39",
    "ubuntu.com": "203.0.113.40",
    "wikipedia.org": "203.0.113.41",
    "www.example.com": "203.0.113.42",
    "www.kubernetes.io": "203.0.113.43",
    "www.ubuntu.com": "203.0.113.44",
    "yahoo.com": "203.0.113.45",
}
UPSTREAMS = ("172.30.1.1", "8.8.8.8", "8.8.4.4", "1.1.1.1")
STUB = "127.0.0.53"


class Answer(msgspec.Struct):
    """A server's answer: NOERROR, NXDOMAIN, SERVFAIL or REFUSED, and records (name, type, value)."""

    rcode: str
    records: list[list[str]] = []

    @property
    def addresses(self) -> list[str]:
        """The values of the A records."""
        return [value for _, kind, value in self.records if kind == "A"]


def outside(name: str, kind: str) -> Answer:
    """What the router's resolver says."""
    address = OUTSIDE.get(name.lower().rstrip("."))
    if address is None:
        return Answer("NXDOMAIN")
    return Answer("NOERROR", [[name, "A", address]] if kind == "A" else [])


def ask(world: World, netns: str, server: str, name: str, kind: str = "A") -> Answer:
    """One question to one server; raises ConnectError when nobody answers (`refused` when the port is closed)."""
    host = network.network(world).namespaces.get(netns)
    if host is not None and server == STUB and netns == host.host:
        return outside(name, kind)
    if server in UPSTREAMS:
        if host is None or network.network(world).down.get(host.host):
            raise ConnectError("no-route", f"{server}:53")
        return outside(name, kind)
    item = network.connect(world, netns, server, 53, "udp")
    request = Request(method="DNS", path=name.rstrip("."), query={"type": [kind]}, scheme="dns", source=netns)
    answer: Response = world.tables["http"](world, item, request)
    found: Any = answer.obj
    if answer.status != 200 or not isinstance(found, dict):
        raise ConnectError("timeout", f"{server}:53")
    return Answer(str(found["rcode"]), [list(row) for row in found["records"]])


def lookup(world: World, netns: str, name: str) -> str:
    """The IPv4 address of a name for a program in a machine's own namespace: /etc/hosts, then the world outside; "" without one."""
    from . import files

    found = network.network(world).namespaces.get(netns)
    if found is None or found.host != netns:
        return ""
    try:
        lines = files.read_file(world, found.host, "/etc/hosts").decode("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        words = line.partition("#")[0].split()
        if name in words[1:] and ":" not in words[0]:
            return words[0]
    if network.network(world).down.get(found.host):
        return ""
    return next(iter(outside(name, "A").addresses), "")
