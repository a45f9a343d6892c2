"""The simulated network: namespaces with addresses and listening sockets, links that can be cut, and connections by call.

A *netns* is a host's own (`node01`) or a pod sandbox's (`node01/<sandbox id>`).  A connection is an ordinary call: it finds
the listening process or raises `ConnectError` of the right kind.  Service addresses are translated by the source host's
rules (written by kube-proxy, see `Rules`), so no kube-proxy means no ClusterIPs.
"""

from __future__ import annotations

from typing import Any

import msgspec

from . import clock
from .errors import ConnectError
from .http import Request, Response
from .world import World


class Listener(msgspec.Struct, array_like=True):
    """A listening socket: the process that holds it and how it is bound (`0.0.0.0`, `127.0.0.1`, an address)."""

    host: str
    pid: int
    address: str
    protocol: str = "tcp"


class NetNs(msgspec.Struct):
    """One network namespace.  `listeners` is keyed by `port/protocol`."""

    host: str
    ips: list[str] = []
    listeners: dict[str, list[Listener]] = {}


class Rule(msgspec.Struct):
    """One translated service port: where connections to it may go, in order.  `reject` answers refused at once."""

    endpoints: list[str]
    service: str = ""
    reject: bool = False
    cursor: int = 0


class Network(msgspec.Struct):
    """All namespaces, the owner of each address, each host's service rules, and links that are down or slow."""

    namespaces: dict[str, NetNs] = {}
    owners: dict[str, str] = {}
    rules: dict[str, dict[str, Rule]] = {}
    cut: dict[str, bool] = {}
    down: dict[str, bool] = {}


def network(world: World) -> Network:
    """The world's network section."""
    return world.section("network", Network)


def add_namespace(world: World, netns: str, host: str, ips: list[str]) -> NetNs:
    """Create a namespace that owns `ips` (loopback is implied)."""
    net = network(world)
    ns = net.namespaces[netns] = NetNs(host=host, ips=list(ips), listeners={})
    for ip in ips:
        net.owners[ip] = netns
    return ns


def remove_namespace(world: World, netns: str) -> None:
    """Forget a namespace, its addresses and its sockets."""
    net = network(world)
    ns = net.namespaces.pop(netns, None)
    if ns is not None:
        for ip in ns.ips:
            if net.owners.get(ip) == netns:
                del net.owners[ip]


def listen(world: World, netns: str, port: int, *, host: str, pid: int, address: str = "0.0.0.0", protocol: str = "tcp") -> None:
    """Bind a socket; raises OSError('address already in use') as bind(2) does."""
    ns = network(world).namespaces[netns]
    key = f"{port}/{protocol}"
    held = ns.listeners.setdefault(key, [])
    for other in held:
        if other.address == address or "0.0.0.0" in (other.address, address):
            raise OSError("address already in use")
    held.append(Listener(host, pid, address, protocol))


def close_sockets(world: World, netns: str, pid: int) -> None:
    """Close every listening socket that a process holds in a namespace."""
    ns = network(world).namespaces.get(netns)
    if ns is None:
        return
    for key in list(ns.listeners):
        kept = [item for item in ns.listeners[key] if item.pid != pid]
        if kept:
            ns.listeners[key] = kept
        else:
            del ns.listeners[key]


def link_key(a: str, b: str) -> str:
    """The key of the link between two hosts in `Network.cut`."""
    return "|".join(sorted((a, b)))


def translate(world: World, src_host: str, ip: str, port: int, protocol: str = "tcp") -> tuple[str, int]:
    """Apply the source host's service rules to a destination; raises ConnectError('refused') where a rule rejects."""
    rule = network(world).rules.get(src_host, {}).get(f"{ip}:{port}/{protocol}")
    if rule is None:
        return ip, port
    if rule.reject or not rule.endpoints:
        raise ConnectError("refused", f"{ip}:{port}")
    endpoint = rule.endpoints[world.rng("kube-proxy").below(len(rule.endpoints))]
    to_ip, _, to_port = endpoint.rpartition(":")
    return to_ip, int(to_port)


def connect(world: World, src_netns: str, ip: str, port: int, protocol: str = "tcp") -> Listener:
    """The listener that a connection from `src_netns` to `ip:port` reaches, or ConnectError."""
    net = network(world)
    where = f"{ip}:{port}"
    src = net.namespaces.get(src_netns)
    if src is None or net.down.get(src.host):
        raise ConnectError("no-route", where)
    loopback = ip.startswith("127.") or ip == "::1"
    if loopback and src_netns == src.host and f"{ip}:{port}/{protocol}" in net.rules.get(src.host, {}):
        ip, port = translate(world, src.host, ip, port, protocol)  # a NodePort asked for at the host's own loopback
        loopback = False
    if loopback:
        target = src_netns
    else:
        ip, port = translate(world, src.host, ip, port, protocol)
        owner = net.owners.get(ip)
        if owner is None:
            raise ConnectError("timeout" if not ip.startswith("172.30.") else "no-route", where)
        target = owner
    dst = net.namespaces.get(target)
    if dst is None or net.down.get(dst.host):
        raise ConnectError("no-route" if target in net.down else "timeout", where)
    if dst.host != src.host and net.cut.get(link_key(dst.host, src.host)):
        raise ConnectError("timeout", where)
    if dst.host != src.host and f"{ip}:{port}/{protocol}" in net.rules.get(dst.host, {}):
        return connect(world, dst.host, ip, port, protocol)  # a NodePort: the rules of the host that is asked decide
    for item in dst.listeners.get(f"{port}/{protocol}", ()):
        if item.address == "0.0.0.0" or item.address == ip or (loopback and item.address.startswith("127.")):
            return item
    raise ConnectError("refused", where)


def http(world: World, src_netns: str, ip: str, port: int, request: Request) -> Response:
    """Send a request over the network and return the answer of the process that listens there.

    `Response.latency` includes the network's round trip.  The process's program must define `http` (see host.program).
    """
    item = connect(world, src_netns, ip, port)
    request.source = request.source or src_netns
    answer: Response = world.tables["http"](world, item, request)
    answer.latency += (200 if src_netns.split("/")[0] == item.host else 700) * clock.US
    return answer


Json = dict[str, Any]
