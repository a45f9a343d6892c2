"""Name resolution as a host or container does it: /etc/hosts, then the resolver's servers over the simulated network."""

from __future__ import annotations

import re

import msgspec

from ...host import dns, files
from ...host.base import BOX
from ...host.executor import DEFAULT_PATH
from ...host.executor import resolve as executable
from ...host.invocation import Call
from ...kernel.clock import SECOND
from ...kernel.errors import ConnectError

TIMEOUT = 5 * SECOND
#: The texts of EAI_NONAME and EAI_AGAIN.
UNKNOWN, AGAIN = "Name or service not known", "Temporary failure in name resolution"
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


def candidates(name: str, search: list[str], ndots: int) -> list[str]:
    """The full names that a resolver tries, in order."""
    if name.endswith("."):
        return [name.rstrip(".")]
    longer = [f"{name}.{domain}" for domain in search]
    return [name, *longer] if name.count(".") >= ndots else [*longer, name]


class Found(msgspec.Struct):
    """What getaddrinfo gives: addresses, or why there are none, and how long the resolver waited for servers."""

    addresses: list[str] = []
    error: str = ""
    waited: int = 0


def busybox(call: Call) -> bool:
    """Whether this command is busybox's: it is in containers of alpine and busybox unless a package brought a fuller one."""
    if call.proc.mnt == "host" or not call.tree.exists("/bin/busybox"):
        return False
    try:
        path = call.env.get("PATH", DEFAULT_PATH)
        _, node = executable(call.host, call.proc.mnt, call.argv[0], cwd=call.cwd, path=path, user=call.proc.user)
    except OSError:  # called by a name that is no file: `busybox wget`
        return True
    return node.data == BOX


def resolve(call: Call, name: str) -> Found:
    """Addresses of a name as `getaddrinfo` finds them: /etc/hosts, then the servers for each name of the search list.

    A server that is silent costs five seconds a try, two tries (resolv.conf(5): timeout, attempts); nothing waits here, `waited` says it.
    """
    if is_address(name):
        return Found([name])
    if name in ("localhost", "ip6-localhost"):
        return Found(["127.0.0.1"])
    for address, names in hosts_file(call):
        if name in names and is_address(address):
            return Found([address])
    servers, search, ndots = resolvers(call)
    waited, answered = 0, False
    for full in candidates(name, search, ndots):
        for server in servers or ["127.0.0.1"]:
            try:
                answer = dns.ask(call.world, call.proc.netns, server, full)
            except ConnectError as failed:
                waited += 0 if failed.kind == "refused" else 2 * TIMEOUT
                continue
            if answer.addresses:
                return Found(answer.addresses, "", waited)
            answered = answered or answer.rcode in ("NOERROR", "NXDOMAIN")
            if answer.rcode in ("NOERROR", "NXDOMAIN"):
                break
        else:
            break  # nobody answers: the other names are not tried
    return Found([], UNKNOWN if answered else AGAIN, waited)


def lookup_name(call: Call, name: str) -> list[str]:
    """The addresses of a name; empty when there are none."""
    return resolve(call, name).addresses
