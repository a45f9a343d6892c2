"""`dig` and `host` (bind9-dnsutils 9.18): one question to one server, message by message."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from ..host import dns
from ..host.dns import Answer
from ..host.invocation import Call
from ..host.program import Sleep, Wait
from ..kernel import clock
from ..kernel.clock import SECOND
from ..kernel.errors import ConnectError, NotSimulated
from ..shell.coreutils.names import candidates, is_address, lookup_name, resolvers

Code = Generator[Wait, Any, int]
TYPES = ("A", "AAAA", "SRV", "PTR", "CNAME", "NS", "SOA", "TXT", "MX", "ANY")
VERSION = "9.18.30-0ubuntu0.24.04.2-Ubuntu"


def reverse(name: str) -> str:
    """The name below in-addr.arpa of an address."""
    return ".".join(reversed(name.split("."))) + ".in-addr.arpa"


def _ask(call: Call, server: str, name: str, kind: str, tries: int, wait: float) -> Generator[Wait, Any, Answer | None]:
    """The answer, or None after the complaints of a server that does not answer."""
    for _ in range(tries):
        try:
            return dns.ask(call.world, call.proc.netns, server, name, kind)
        except ConnectError as failed:
            if failed.kind == "refused":
                why = "connection refused"
            else:
                why = "timed out" if failed.kind == "timeout" else "host unreachable"
                yield Sleep(int(wait * SECOND))
            call.out(f";; communications error to {server}#53: {why}\n")
    return None


def dig(call: Call) -> Code:
    """`dig [@server] [-x address] [-p 53] [name] [type] [+short] [+noall +answer] [+search] [+time=N] [+tries=N]`."""
    server, name, kind = "", "", ""
    plus: dict[str, str] = {}
    rest = list(call.argv[1:])
    while rest:
        word = rest.pop(0)
        if word.startswith("@"):
            server = word[1:]
        elif word.startswith("+"):
            key, _, value = word[1:].partition("=")
            plus[key] = value
        elif word == "-x" and rest:
            name, kind = reverse(rest.pop(0)), "PTR"
        elif word == "-t" and rest:
            kind = rest.pop(0).upper()
        elif word in ("-p", "-c", "-q", "-b") and rest:
            value = rest.pop(0)
            name = value if word == "-q" else name
        elif word.startswith("-"):
            if word not in ("-4", "-u"):
                raise NotSimulated(f"dig {word}")
        elif word.upper() in TYPES and (name or rest):
            kind = word.upper()
        elif word.upper() not in ("IN",):
            name = word
    servers, search, ndots = resolvers(call)
    asked = server
    server = server or (servers[0] if servers else "127.0.0.1")
    if not is_address(server):
        found = lookup_name(call, server)
        if not found:
            call.err(f"dig: couldn't get address for '{server}': not found\n")
            return 10
        server = found[0]
    name, kind = name or ".", kind or ("A" if name else "NS")
    names = candidates(name, search, ndots) if "search" in plus else [name.rstrip(".") or "."]
    tries = int(plus["tries"]) if plus.get("tries", "").isdigit() else 3
    wait = float(plus["time"]) if re.fullmatch(r"\d+", plus.get("time", "")) else 5.0
    answer: Answer | None = None
    for full in names:
        answer = yield from _ask(call, server, full, kind, tries, wait)
        if answer is None or answer.rcode == "NOERROR":
            break
    if answer is None:
        banner = _banner(call) if "short" not in plus and "noall" not in plus else ""
        call.out(banner + ";; no servers could be reached\n")
        return 9
    if "short" in plus:
        call.out("".join(f"{_value(kind_, value)}\n" for _, kind_, value in answer.records))
        return 0
    call.out(_message(call, answer, full, kind, server, asked or server, plus))
    return 0


def _value(kind: str, value: str) -> str:
    """Names end in a dot in an answer."""
    return value if kind in ("A", "AAAA", "TXT") or value.endswith(".") else value + "."


def _banner(call: Call) -> str:
    return f"\n; <<>> DiG {VERSION} <<>> {' '.join(call.argv[1:])}\n;; global options: +cmd\n"


def _message(call: Call, answer: Answer, name: str, kind: str, server: str, asked: str, plus: dict[str, str]) -> str:
    cluster = name.endswith((".local", ".in-addr.arpa"))
    ttl = 30 if cluster else 300
    rows = [f"{owner}.\t{ttl}\tIN\t{record}\t{_value(record, value)}\n" for owner, record, value in answer.records]
    if "noall" in plus:
        return "".join(rows) if "answer" in plus else ""
    ident = call.world.rng("dig").below(65536)
    authority = ""
    if not rows and cluster:
        zone = name.partition(".")[2] if answer.rcode != "NXDOMAIN" else "cluster.local"
        zone = "cluster.local" if name.endswith("cluster.local") else zone
        serial = call.world.wall // SECOND
        soa = f"{zone}.\t\t30\tIN\tSOA\tns.dns.{zone}. hostmaster.{zone}. {serial} 7200 1800 86400 30\n"
        authority = f";; AUTHORITY SECTION:\n{soa}\n"
    flags = "qr aa rd" if cluster else "qr rd ra"
    head = _banner(call) + ";; Got answer:\n"
    if name.endswith(".local"):
        head += ";; WARNING: .local is reserved for Multicast DNS\n;; You are currently testing what happens when an mDNS query is leaked to DNS\n"
    head += f";; ->>HEADER<<- opcode: QUERY, status: {answer.rcode}, id: {ident}\n"
    head += f";; flags: {flags}; QUERY: 1, ANSWER: {len(rows)}, AUTHORITY: {1 if authority else 0}, ADDITIONAL: 1\n"
    if cluster:
        head += ";; WARNING: recursion requested but not available\n"
    cookie = call.world.rng("dig").hex(16)
    head += f"\n;; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: 1232\n; COOKIE: {cookie} (echoed)\n"
    head += f";; QUESTION SECTION:\n;{name}.\tIN\t{kind}\n\n"
    body = ";; ANSWER SECTION:\n" + "".join(rows) + "\n" if rows else ""
    when = clock.to_datetime(call.world.wall).strftime("%a %b %d %H:%M:%S UTC %Y")
    size = 60 + len(name) * 2 + 28 * len(rows) + (90 if authority else 0)
    tail = f";; Query time: {call.world.rng('dig').between(0, 3)} msec\n;; SERVER: {server}#53({asked}) (UDP)\n"
    return head + body + authority + tail + f";; WHEN: {when}\n;; MSG SIZE  rcvd: {size}\n\n"


def host(call: Call) -> Code:
    """`host name|address [server]`."""
    words = [word for word in call.argv[1:] if not word.startswith("-")]
    if not words:
        call.err("Usage: host [-aCdilrTvVw] [-c class] [-N ndots] [-t type] [-W time] hostname [server]\n")
        return 1
    servers, search, ndots = resolvers(call)
    server = words[1] if len(words) > 1 else (servers[0] if servers else "127.0.0.1")
    if len(words) > 1:
        call.out(f"Using domain server:\nName: {server}\nAddress: {server}#53\nAliases: \n\n")
    name = words[0]
    if is_address(name):
        answer = yield from _ask(call, server, reverse(name), "PTR", 2, 5)
        if answer is None:
            call.out(";; no servers could be reached\n")
            return 1
        if not answer.records:
            call.out(f"Host {reverse(name)}. not found: 3(NXDOMAIN)\n")
            return 1
        call.out("".join(f"{owner} domain name pointer {_value('PTR', value)}\n" for owner, _, value in answer.records))
        return 0
    for full in candidates(name, search, ndots):
        answer = yield from _ask(call, server, full, "A", 2, 5)
        if answer is None:
            call.out(";; no servers could be reached\n")
            return 1
        if answer.records:
            for owner, kind, value in answer.records:
                call.out(f"{owner} is an alias for {value}.\n" if kind == "CNAME" else f"{owner} has address {value}\n")
            return 0
    call.out(f"Host {name} not found: 3(NXDOMAIN)\n")
    return 1
