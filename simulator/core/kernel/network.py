"""The simulated network: namespaces with addresses and listening sockets, links that can be cut, and what they own.

A *netns* is a host's own (`node01`) or a pod sandbox's (`node01/<sandbox id>`).  A connection is an ordinary call: it finds
the listening process or raises `ConnectError` of the right kind.  How a packet gets there is `routing.py`: service addresses are
translated by the rules of the host that it passes (written by kube-proxy, see `Rule`), so no kube-proxy means no ClusterIPs.
"""

from __future__ import annotations

from typing import Any

import msgspec

from .http import Request, Response
from .netfilter import Tables
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


class Rule(msgspec.Struct, omit_defaults=True):
    """One destination of a Service port, as kube-proxy wrote it on one host.

    `endpoints` are those of the whole cluster, `local` those on this node; `policy` Local means that only the local ones may be used
    (from outside, for destinations other than a ClusterIP).  `reject` answers refused at once: there is no endpoint at all.  `kind` is
    empty for the ClusterIP, else `nodeport`, `external` or `lb`; `affinity` is ClientIP's time in seconds.
    """

    endpoints: list[str]
    service: str = ""
    reject: bool = False
    kind: str = ""
    policy: str = ""
    local: list[str] = []
    affinity: int = 0


class Allow(msgspec.Struct, omit_defaults=True):
    """One rule of a NetworkPolicy for one pod: peers as addresses and networks (`cidr!exception!…`), None for everybody;
    ports as [protocol, first, last], None for every port."""

    peers: list[str] | None = None
    ports: list[list[Any]] | None = None


class Policy(msgspec.Struct, omit_defaults=True):
    """What a pod may receive and send; None where no policy isolates that direction."""

    ingress: list[Allow] | None = None
    egress: list[Allow] | None = None


class Shape(msgspec.Struct, omit_defaults=True):
    """`tc … netem` of an interface: delay (and jitter) in ns each way, loss in percent."""

    delay: int = 0
    jitter: int = 0
    loss: float = 0.0


class Network(msgspec.Struct, omit_defaults=True):
    """All namespaces, the owner of each address, each host's service rules, and links that are down or slow."""

    namespaces: dict[str, NetNs] = {}
    owners: dict[str, str] = {}
    rules: dict[str, dict[str, Rule]] = {}
    cut: dict[str, bool] = {}
    down: dict[str, bool] = {}
    #: Tables that somebody has changed by hand, by namespace (see netfilter.py).
    tables: dict[str, Tables] = {}
    #: What `recent` remembers: host → list → source → time.
    recent: dict[str, dict[str, dict[str, int]]] = {}
    #: NetworkPolicies as each host enforces them: host → pod address → policy.
    policies: dict[str, dict[str, Policy]] = {}
    #: Certificate and key of the nodes' network plugin, once it has needed them (see kube/netpolicy.py).
    plugin: list[bytes] = []
    #: Slow and lossy links (`a|b`) and interfaces (`host`).
    shapes: dict[str, Shape] = {}
    #: The proxy mode of hosts where it is not iptables.
    modes: dict[str, str] = {}
    #: The pod network of each host, and the clusterCIDR that its kube-proxy was told.
    pods: dict[str, str] = {}
    proxied: dict[str, str] = {}


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


def is_local(world: World, netns: str, address: str) -> bool:
    """May a socket of a namespace be bound to this address: any address, loopback, or one of the namespace's own?"""
    return address in ("0.0.0.0", "::", "::1") or address.startswith("127.") or address in network(world).namespaces[netns].ips


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


def changed(world: World) -> None:
    """Links or hosts have gone down or come back: ring for those who hold connections (topic `network`)."""
    world.ring("network")


def connect(world: World, src_netns: str, ip: str, port: int, protocol: str = "tcp") -> Listener:
    """The listener that a connection from `src_netns` to `ip:port` reaches, or ConnectError."""
    return routing.walk(world, src_netns, ip, port, protocol).listener


def http(world: World, src_netns: str, ip: str, port: int, request: Request) -> Response:
    """Send a request over the network and return the answer of the process that listens there.

    `Response.latency` includes the network's round trip.  The process's program must define `http` (see host.program).
    """
    return routing.send(world, src_netns, routing.walk(world, src_netns, ip, port), request)


from . import routing  # noqa: E402  it needs the structures above; imported here, not at each call
