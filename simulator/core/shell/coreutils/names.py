"""Name resolution as a host or container does it: /etc/hosts, then the resolver's servers over the simulated network."""

from __future__ import annotations

import re

from ...host import files
from ...host.invocation import Call
from ...kernel import network
from ...kernel.errors import ConnectError
from ...kernel.http import Request

IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}\Z")


def is_address(text: str) -> bool:
    """Whether a text is an IPv4 address."""
    return bool(IPV4.match(text)) and all(int(part) < 256 for part in text.split("."))


def hosts_file(call: Call) -> list[tuple[str, list[str]]]:
    """The rows of /etc/hosts."""
    try:
        text = files.read_file(call.world, call.host, "/etc/hosts", mnt=call.proc.mnt).decode(errors="replace")
    except OSError:
        return []
    rows = [line.split("#")[0].split() for line in text.splitlines()]
    return [(row[0], row[1:]) for row in rows if len(row) > 1]


def resolvers(call: Call) -> tuple[list[str], list[str], int]:
    """Name servers, search domains and ndots of /etc/resolv.conf."""
    try:
        text = files.read_file(call.world, call.host, "/etc/resolv.conf", mnt=call.proc.mnt).decode(errors="replace")
    except OSError:
        return [], [], 1
    servers, search, ndots = [], [], 1
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["nameserver"] and len(words) > 1:
            servers.append(words[1])
        elif words[:1] in (["search"], ["domain"]):
            search = words[1:]
        elif words[:1] == ["options"]:
            ndots = next((int(word[6:]) for word in words if word.startswith("ndots:") and word[6:].isdigit()), ndots)
    return servers, search, ndots


def ask(call: Call, server: str, name: str) -> list[str] | None:
    """Ask a DNS server (port 53/udp) for the A records of a full name; None when nobody answers."""
    try:
        item = network.connect(call.world, call.proc.netns, server, 53, "udp")
    except ConnectError:
        return None
    request = Request(method="DNS", path=name.rstrip("."), query={"type": ["A"]}, scheme="dns", source=call.proc.netns)
    answer = call.world.tables["http"](call.world, item, request)
    if answer.status != 200:
        return []
    return [str(one) for one in answer.obj or []]


def candidates(name: str, search: list[str], ndots: int) -> list[str]:
    """The full names that a resolver tries, in order."""
    if name.endswith("."):
        return [name.rstrip(".")]
    longer = [f"{name}.{domain}" for domain in search]
    return [name, *longer] if name.count(".") >= ndots else [*longer, name]


def lookup_name(call: Call, name: str) -> list[str]:
    """The addresses of a name, as getaddrinfo gives them; empty when there are none."""
    if is_address(name):
        return [name]
    if name in ("localhost", "ip6-localhost"):
        return ["127.0.0.1"]
    for address, names in hosts_file(call):
        if name in names and is_address(address):
            return [address]
    if name in call.world.sections.get("hosts", {}) and call.proc.mnt == "host":
        return [call.world.sections["hosts"][name].ip]
    servers, search, ndots = resolvers(call)
    for full in candidates(name, search, ndots):
        for server in servers:
            found = ask(call, server, full)
            if found:
                return found
    return []
