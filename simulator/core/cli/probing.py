"""`ping`, `traceroute` and `nc`: whether a packet arrives, how far it comes, and what the one who sent it is told.

iputils' ping and busybox's differ in every line; so do OpenBSD's nc and busybox's.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from ..host.invocation import Call
from ..host.program import Sleep, Wait
from ..kernel import network, routing
from ..kernel.clock import MS, SECOND
from ..kernel.errors import ConnectError, NotSimulated
from ..kernel.http import Request
from ..shell.coreutils import packets
from ..shell.coreutils.curl import REASONS, body_of
from ..shell.coreutils.names import busybox, is_address, resolve
from .interfaces import routes

Code = Generator[Wait, Any, int]


def _options(argv: list[str], valued: str) -> tuple[dict[str, str], list[str]]:
    """Single-letter options (`-c3`, `-c 3`, `-zv`) and the other words."""
    options: dict[str, str] = {}
    words: list[str] = []
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            words.append(word)
            continue
        letters = word[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in valued:
                options[letter] = letters or (rest.pop(0) if rest else "")
                break
            options[letter] = ""
    return options, words


# -- ping ----------------------------------------------------------------------------------------------------------------
def _echo(call: Call, address: str) -> tuple[float, int, str]:
    """(round trip in ms, ttl, "") of one echo, or (0, 0, why)."""
    try:
        path = routing.reach(call.world, call.proc.netns, address)
    except ConnectError as failed:
        return 0.0, 0, failed.kind
    pod = call.proc.netns != call.host.name
    hops = len(path.hosts) - 1 + (1 if pod and len(path.hosts) > 1 else 0)
    ns = network.network(call.world).namespaces.get(network.network(call.world).owners.get(address, ""))
    if ns is not None and len(path.hosts) > 1 and address not in network.network(call.world).namespaces[ns.host].ips:
        hops += 0
    elif len(path.hosts) > 1:
        hops -= 1
    took = (path.latency + call.world.rng("ping").between(-120_000, 180_000)) / 1e6
    return max(took, 0.021), 64 - max(hops, 0), ""


def ping(call: Call) -> Code:
    """`ping [-c count] [-i interval] [-W timeout] [-q] host`: until Ctrl-C without -c."""
    options, words = _options(call.argv[1:], "ciWwstIQM")
    box = busybox(call)
    if not words:
        call.err("ping: usage error: Destination address required\n" if not box else "BusyBox: ping: no host\n")
        return 1
    target = words[-1]
    found = resolve(call, target)
    if not found.addresses:
        yield Sleep(found.waited)
        call.err(f"ping: bad address '{target}'\n" if box else f"ping: {target}: {found.error}\n")
        return 1 if box else 2
    address = found.addresses[0]
    call.out(f"PING {target} ({address}): 56 data bytes\n" if box else f"PING {target} ({address}) 56(84) bytes of data.\n")
    count = int(options["c"]) if options.get("c", "").isdigit() else 0
    if _unroutable(call, address):
        call.err("ping: sendto: Network is unreachable\n" if box else "ping: connect: Network is unreachable\n")
        return 1 if box else 2
    trips: list[float] = []
    sent = errors = 0
    start = call.world.now
    last = start
    while not count or sent < count:
        sent, last = sent + 1, call.world.now
        took, ttl, why = _echo(call, address)
        if not why:
            trips.append(took)
            if "q" not in options:
                line = f"64 bytes from {address}: seq={sent - 1} ttl={ttl} time={took:.3f} ms\n"
                call.out(line if box else f"64 bytes from {address}: icmp_seq={sent} ttl={ttl} time={took:.3g} ms\n")
        elif why in ("no-route", "refused") and not box:
            errors += 1
            own = next((ip for ip in network.network(call.world).namespaces[call.proc.netns].ips), address)
            what = "Host Unreachable" if why == "no-route" else "Port Unreachable"
            call.out(f"From {own} icmp_seq={sent} Destination {what}\n")
        if count and sent == count:
            if why:
                yield Sleep(int(float(options.get("W") or (10 if not errors else 3)) * SECOND))
            break
        yield Sleep(int(float(options.get("i") or 1) * SECOND))
    loss = (sent - len(trips)) * 100 // max(sent, 1)
    call.out(f"\n--- {target} ping statistics ---\n")
    if box:
        call.out(f"{sent} packets transmitted, {len(trips)} packets received, {loss}% packet loss\n")
        if trips:
            call.out(f"round-trip min/avg/max = {min(trips):.3f}/{sum(trips) / len(trips):.3f}/{max(trips):.3f} ms\n")
        return 0 if trips else 1
    extra = f"+{errors} errors, " if errors else ""
    took_all = (last - start) // MS  # up to the last packet sent, as iputils counts it
    call.out(f"{sent} packets transmitted, {len(trips)} received, {extra}{loss}% packet loss, time {took_all}ms\n")
    if trips:
        mean = sum(trips) / len(trips)
        deviation = (sum((one - mean) ** 2 for one in trips) / len(trips)) ** 0.5
        call.out(f"rtt min/avg/max/mdev = {min(trips):.3f}/{mean:.3f}/{max(trips):.3f}/{deviation:.3f} ms\n")
    elif errors:
        call.out("pipe 3\n" if errors > 2 else "")
    call.out("\n" if not trips and not errors else "")
    return 0 if trips else 1


def _unroutable(call: Call, address: str) -> bool:
    return not address.startswith("127.") and not routes(call)


# -- traceroute ----------------------------------------------------------------------------------------------------------
def _way(call: Call, address: str) -> tuple[list[str], str]:
    """(addresses of the hops that answer, "" or why it ends before the target)."""
    net = network.network(call.world)
    netns = call.proc.netns
    pod = netns != call.host.name
    hops: list[str] = []
    if pod and net.namespaces[netns].ips and call.host.name in net.pods:
        hops.append(routes(call)[0][1].split()[1])
    try:
        path = routing.reach(call.world, netns, address)
    except ConnectError as failed:
        passed = [str(hop["host"]) for hop in failed.hops if hop["what"] == "hop"]
        hops += [net.namespaces[host].ips[0] for host in passed if host in net.namespaces]
        return hops, failed.kind
    hops += [net.namespaces[host].ips[0] for host in path.hosts[1:]]
    if not hops or hops[-1] != address:
        hops.append(address)
    return hops, ""


def traceroute(call: Call) -> Code:
    """`traceroute [-n] [-m hops] [-q queries] [-w seconds] host`."""
    options, words = _options(call.argv[1:], "mqwfps")
    box = busybox(call)
    if not words:
        call.err("Usage: traceroute [ -nI ] [ -m max_ttl ] [ -q nqueries ] [ -w waittime ] host [ packetlen ]\n")
        return 2
    found = resolve(call, words[0])
    if not found.addresses:
        yield Sleep(found.waited)
        if box:
            call.err(f"traceroute: bad address '{words[0]}'\n")
            return 1
        call.err(f'{words[0]}: {found.error}\nCannot handle "host" cmdline arg `{words[0]}\' on position 1 (argc 1)\n')
        return 2
    address = found.addresses[0]
    limit = int(options["m"]) if options.get("m", "").isdigit() else 30
    queries = int(options["q"]) if options.get("q", "").isdigit() else 3
    wait = float(options.get("w") or 5)
    call.out(f"traceroute to {words[0]} ({address}), {limit} hops max, {46 if box else 60} byte packets\n")
    if _unroutable(call, address):
        call.err("connect: Network is unreachable\n")
        return 1
    hops, why = _way(call, address)
    rng = call.world.rng("ping")
    for number, hop in enumerate(hops[:limit], 1):
        times = "".join(f"  {rng.between(20, 90) / 1000 + 0.25 * (number - 1):.3f} ms" for _ in range(queries))
        call.out(f"{number:2d}  {hop if 'n' in options else f'{hop} ({hop})'}{times}\n")
    if not why:
        return 0
    if why == "no-route":
        last = hops[-1] if hops else network.network(call.world).namespaces[call.proc.netns].ips[0]
        yield Sleep(3 * SECOND)
        times = "  3054.281 ms !H" + "  3054.190 ms !H" * (queries - 1)
        call.out(f"{len(hops) + 1:2d}  {last if 'n' in options else f'{last} ({last})'}{times}\n")
        return 0
    for number in range(len(hops) + 1, limit + 1):
        yield Sleep(int(wait * SECOND))
        call.out(f"{number:2d}  " + " ".join("*" * queries) + "\n")
    return 0


# -- nc ------------------------------------------------------------------------------------------------------------------
_WHY = {
    "refused": "Connection refused",
    "timeout": "Connection timed out",
    "no-route": "No route to host",
    "reset": "Connection reset",
}


def nc(call: Call) -> Code:
    """`nc [-z] [-v] [-w seconds] [-u] host port…`: whether somebody listens; without -z standard input is sent as HTTP."""
    options, words = _options(call.argv[1:], "wpsie")
    box = busybox(call)
    if "l" in options:
        raise NotSimulated("nc -l")
    if len(words) < 2:
        usage = "usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]\n\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]\n"
        call.err(usage if not box else "BusyBox: nc: missing operand\n")
        return 1
    found = resolve(call, words[0])
    if not found.addresses:
        yield Sleep(found.waited)
        if box:
            call.err(f"nc: bad address '{words[0]}'\n")
        else:
            call.err(f'nc: getaddrinfo for host "{words[0]}" port {words[1]}: {found.error}\n')
        return 1
    address = found.addresses[0]
    protocol = "udp" if "u" in options else "tcp"
    code = 0
    for port in _ports(words[1:]):
        outcome = yield from _one(call, options, words[0], address, port, protocol, box)
        code = max(code, outcome)
    return code


def _ports(words: list[str]) -> list[int]:
    out: list[int] = []
    for word in words:
        low, sep, high = word.partition("-")
        if not low.isdigit() or (sep and not high.isdigit()):
            continue
        out += range(int(low), int(high or low) + 1)
    return out[:1000]


def _one(call: Call, options: dict[str, str], name: str, address: str, port: int, protocol: str, box: bool) -> Code:
    limit = float(options["w"]) if re.fullmatch(r"[\d.]+", options.get("w", "")) else 127.0
    shown = f"{name} ({address})" if not is_address(name) else name
    try:
        path = packets.send(call, address, port, protocol)
    except ConnectError as failed:
        if protocol == "udp" and failed.kind == "timeout":
            return 0
        if failed.kind in ("timeout", "no-route"):
            yield Sleep(int(min(limit, 127.0 if failed.kind == "timeout" else 3.0) * SECOND))
        if box:
            why = (
                "timed out" if failed.kind == "timeout" and "w" in options else f"{name} ({address}:{port}): {_WHY[failed.kind]}"
            )
            call.err(f"nc: {why}\n")
        elif "v" in options:
            why = _WHY[failed.kind] if failed.kind != "timeout" or "w" not in options else "Connection timed out"
            how = "" if failed.kind == "timeout" and "w" in options else "failed: "
            verb = "timed out: Operation now in progress" if how == "" else f"failed: {why}"
            call.err(f"nc: connect to {shown} port {port} ({protocol}) {verb}\n")
        return 1
    yield Sleep(path.latency)
    if "v" in options or (box and "z" in options and "v" in options):
        service = {80: "http", 443: "https", 22: "ssh", 53: "domain"}.get(port, "*")
        line = f"Connection to {shown if not is_address(name) else name} {port} port [{protocol}/{service}] succeeded!\n"
        call.err(f"{name} ({address}:{port}) open\n" if box else line)
    if "z" in options:
        return 0
    data = yield from call.read()
    return _exchange(call, path, data)


def _exchange(call: Call, path: routing.Path, data: bytes) -> int:
    """What was read is an HTTP request, or nothing that this simulator can carry."""
    if not data.strip():
        return 0
    match = re.match(rb"([A-Z]+) (\S+) HTTP/1\.[01]\r?\n", data)
    if match is None:
        raise NotSimulated("nc with other data than an HTTP request")
    head, _, body = data.replace(b"\r\n", b"\n").partition(b"\n\n")
    rows = [line.split(b":", 1) for line in head.split(b"\n")[1:] if b":" in line]
    headers = {key.decode().strip().lower(): value.decode().strip() for key, value in rows}
    target, _, query = match.group(2).decode().partition("?")
    params: dict[str, list[str]] = {}
    for pair in query.split("&") if query else ():
        key, _, value = pair.partition("=")
        params.setdefault(key, []).append(value)
    request = Request(method=match.group(1).decode(), path=target, query=params, headers=headers, body=body, scheme="http")
    answer = routing.send(call.world, call.proc.netns, path, request)
    lines = [f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, '')}"]
    lines += [f"{name.title()}: {value}" for name, value in answer.headers.items()]
    call.out(("\r\n".join(lines) + "\r\n\r\n").encode() + body_of(answer))
    return 0
