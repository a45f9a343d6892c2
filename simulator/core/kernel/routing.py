"""A packet's way: out of its namespace, through each host's tables and policies, over the links, to a listening socket.

From a pod the host sees the packet in PREROUTING and FORWARD, from its own processes in OUTPUT; the host it arrives at in PREROUTING and
then FORWARD (a pod's address) or INPUT (its own).  Replies pass the filter tables back.  A walk may keep its hops, which is what a
learner sees as the packet's trace.
"""

from __future__ import annotations

import ipaddress
from itertools import pairwise
from typing import Any

import msgspec

from . import clock
from .errors import ConnectError
from .http import Request, Response
from .netfilter import Machine, Packet, Tables, Verdict, in_cidr, traverse
from .network import Listener, NetNs, Network, Policy, Rule, Shape, link_key, network
from .world import World

#: Hosts that one packet may be translated on, one after the other.
HOPS = 4
#: A round trip on one host, and between two.
NEAR, FAR = 200 * clock.US, 700 * clock.US
#: How often the first packet of a connection is sent again.
SYN_RETRIES = 6
#: A round trip longer than this is a lost connection to every client here.
PATIENCE = 30 * clock.SECOND
#: The machines' own network, where an address that nobody has is found out by ARP.
LAN = "172.30."


class Path(msgspec.Struct):
    """How a connection went: the listener, the address it was translated to, the hosts it passed and what each did."""

    listener: Listener
    ip: str
    port: int
    latency: int = 0
    hosts: list[str] = []
    hops: list[dict[str, Any]] = []
    #: The address that the server sees as its client's, after source NAT.
    source: str = ""


class Walker:
    """One packet under way."""

    def __init__(self, world: World, src_netns: str, ip: str, port: int, protocol: str) -> None:
        self.world = world
        self.net = network(world)
        self.where = f"{ip}:{port}" if protocol != "icmp" else ip
        self.protocol = protocol
        self.hops: list[dict[str, Any]] = []
        self.src_netns = src_netns
        src = self.net.namespaces.get(src_netns)
        if src is None or self.net.down.get(src.host):
            raise ConnectError("no-route", self.where)
        self.src: NetNs = src
        #: What packets that were lost and sent again cost, in ns.
        self.waited = 0
        self.packet = Packet(src=src.ips[0] if src.ips else "127.0.0.1", dst=ip, port=port, protocol=protocol)

    # -- words ----------------------------------------------------------------------------------------------------------
    def note(self, host: str, what: str, **detail: Any) -> None:
        """Keep a hop."""
        self.hops.append({"host": host, "what": what, **{key: value for key, value in detail.items() if value}})

    def fail(self, kind: str, host: str, why: str, by: tuple[str, ...] = ()) -> ConnectError:
        """The end of a packet that does not arrive."""
        self.note(host, why, by=list(by))
        error = ConnectError(kind, self.where)
        error.hops = self.hops
        return error

    # -- tables ---------------------------------------------------------------------------------------------------------
    def machine(self, host: str) -> Machine:
        """What conditions of rules may ask of a host."""
        rng = self.world.rng("kube-proxy")
        ns = self.net.namespaces[host]
        held = self.net.recent.get(host)
        recent = held if held is not None else {}
        return Machine(tuple(ns.ips), lambda share: rng.unit() < share, recent, self.world.now)

    def run(self, host: str, tables: Tables, table: str, chain: str) -> Verdict:
        """One built-in chain of a host; what `recent` learned is kept."""
        machine = self.machine(host)
        verdict = traverse(tables, table, chain, self.packet, machine)
        if machine.recent and host not in self.net.recent:
            self.net.recent[host] = machine.recent
        return verdict

    def filter(self, host: str, netns: str, chain: str) -> None:
        """The filter table: ConnectError where it drops or rejects."""
        tables = self.net.tables.get(netns)
        if tables is None:
            return
        verdict = self.run(host, tables, "filter", chain)
        if verdict.action == "DROP":
            raise self.fail("timeout", host, "drop", verdict.by or (chain,))
        if verdict.action == "REJECT":
            raise self.fail("refused", host, "reject", verdict.by)

    def translate(self, host: str, chain: str, outside: bool) -> bool:
        """Destination NAT on a host; True when the packet has a new destination."""
        packet = self.packet
        tables = self.net.tables.get(host)
        before = f"{packet.dst}:{packet.port}"
        if tables is not None:
            verdict = self.run(host, tables, "nat", chain)
            if verdict.action == "DROP":
                raise self.fail("timeout", host, "drop", verdict.by)
            if verdict.action == "DNAT":
                to, _, number = verdict.to.partition(":")
                packet.dst, packet.port = to or packet.dst, int(number.partition("-")[0] or packet.port)
                self.note(host, "dnat", address=before, to=f"{packet.dst}:{packet.port}", by=list(verdict.by))
                return True
            if self.net.modes.get(host, "iptables") == "iptables":
                return False  # kube-proxy's rules are among those tables
        rule = self.net.rules.get(host, {}).get(f"{packet.dst}:{packet.port}/{packet.protocol}")
        if rule is None:
            return False
        endpoint = self.choose(host, rule, outside, chain)
        to, _, number = endpoint.rpartition(":")
        packet.dst, packet.port = to, int(number)
        if outside and rule.policy != "Local":
            packet.mark |= 0x4000
        self.note(host, "dnat", service=rule.service, address=before, to=endpoint)
        return True

    def choose(self, host: str, rule: Rule, outside: bool, chain: str) -> str:
        """An endpoint of a Service port, or the error that its rules make."""
        if rule.reject or not rule.endpoints:
            if chain == "OUTPUT" and rule.kind in ("external", "lb"):
                # the refusal is in INPUT and FORWARD only: the host's own packets leave by the default route
                raise self.fail("timeout", host, "default route")
            raise self.fail("refused", host, "reject", ("KUBE-SERVICES",))
        choice = rule.endpoints
        if rule.policy == "Local" and (outside or not rule.kind):
            choice = rule.local
            if not choice:
                raise self.fail("timeout", host, "drop", ("KUBE-SERVICES" if not rule.kind else "KUBE-EXTERNAL-SERVICES",))
        if rule.affinity:
            return self._sticky(host, rule, choice)
        return choice[self.world.rng("kube-proxy").below(len(choice))]

    def _sticky(self, host: str, rule: Rule, choice: list[str]) -> str:
        seen = self.net.recent.setdefault(host, {})
        for endpoint in choice:
            at = seen.get(f"{rule.service}>{endpoint}", {}).get(self.packet.src)
            if at is not None and self.world.now - at <= rule.affinity * clock.SECOND:
                break
        else:
            endpoint = choice[self.world.rng("kube-proxy").below(len(choice))]
        seen.setdefault(f"{rule.service}>{endpoint}", {})[self.packet.src] = self.world.now
        return endpoint

    # -- policies -------------------------------------------------------------------------------------------------------
    def policies(self, host: str, direction: str) -> None:
        """The NetworkPolicies that a host enforces on its pods; what is not allowed is dropped."""
        held = self.net.policies.get(host)
        if not held:
            return
        packet = self.packet
        own, peer = (packet.dst, packet.src) if direction == "ingress" else (packet.src, packet.dst)
        policy: Policy | None = held.get(own)
        rules = getattr(policy, direction) if policy is not None else None
        if rules is None or peer == own or (direction == "ingress" and peer in self.net.namespaces[host].ips):
            return
        for rule in rules:
            if _peer_matches(peer, rule.peers) and _port_matches(packet, rule.ports):
                return
        raise self.fail("timeout", host, "policy", (direction,))

    # -- the way --------------------------------------------------------------------------------------------------------
    def go(self) -> Path:
        """Walk to the end; raises ConnectError."""
        net, packet, src_host = self.net, self.packet, self.src.host
        pod = self.src_netns != src_host
        loopback = packet.dst.startswith("127.") or packet.dst == "::1"
        self.filter(src_host, self.src_netns, "OUTPUT") if pod else None
        if loopback and pod:
            return self.arrive(self.src_netns, src_host, loopback=True)
        packet.iif, packet.oif = ("cni0", "") if pod else ("", "lo" if loopback else "enp1s0")
        if loopback:
            packet.src = "127.0.0.1"
        host = src_host
        moved = self.translate(host, "PREROUTING" if pod else "OUTPUT", outside=False)
        if loopback and not moved:
            return self.arrive(src_host, src_host, loopback=True)
        if pod:
            self.policies(host, "egress")
        passed = [host]
        for _ in range(HOPS):
            owner = self.owner(host, "OUTPUT" if len(passed) == 1 and not pod else "FORWARD")
            dst = net.namespaces[owner]
            self.leave(host, dst.host, owner, first=len(passed) == 1, pod=pod)
            if dst.host == host:
                break
            self.masquerade(host, owner, pod and len(passed) == 1)
            self.cross(host, dst.host, owner)
            host = dst.host
            passed.append(host)
            packet.iif, packet.oif, packet.mark = "enp1s0", "", 0
            if not self.translate(host, "PREROUTING", outside=True):
                break
        else:
            raise self.fail("timeout", host, "loop")
        owner = self.owner(host, "FORWARD")
        path = self.arrive(owner, host, loopback=False)
        path.hosts = passed
        path.source = _seen_as(net, host, owner, packet.src, bool(packet.mark & 0x4000) or packet.src == packet.dst)
        self.replies(src_host, passed[-1], owner, pod)
        path.latency = self.delay(passed)
        return path

    def owner(self, host: str, chain: str) -> str:
        """The namespace that has the destination's address; a packet to nobody's still passes the host's filter."""
        packet, net = self.packet, self.net
        owner = net.owners.get(packet.dst)
        if owner is not None and owner in net.namespaces:
            return owner
        packet.oif = "enp1s0"
        self.filter(host, host, chain)
        if self.net.modes.get(host) in ("ipvs", "nftables") and any(
            k.startswith(packet.dst + ":") for k in net.rules.get(host, {})
        ):
            raise self.fail("refused", host, "no such port")
        if packet.dst.startswith(LAN) or any(in_cidr(packet.dst, cidr) for cidr in net.pods.values()):
            raise self.fail("no-route", host, "no such neighbour")
        raise self.fail("timeout", host, "default route")

    def leave(self, host: str, to: str, owner: str, *, first: bool, pod: bool) -> None:
        """The filter table of a host that the packet comes from or passes on."""
        packet = self.packet
        own = owner == host
        if first and not pod:
            packet.oif = "lo" if own else ("cni0" if to == host else "enp1s0")
            self.filter(host, host, "OUTPUT")
            return
        packet.oif = "cni0" if to == host and not own else "enp1s0"
        if not own and (first or to != host):
            self.filter(host, host, "FORWARD")

    def cross(self, a: str, b: str, owner: str) -> None:
        """The link between two hosts."""
        net = self.net
        if net.down.get(b):
            raise self.fail("no-route" if owner in net.down else "timeout", a, "host is down")
        if net.cut.get(link_key(a, b)):
            raise self.fail("timeout", a, "link is cut")
        through = 1.0
        for shape in self.shapes([a, b]):
            through *= 1 - shape.loss / 100
        if through < 1:
            self.lose(a, through)
        self.note(b, "hop", via=a)

    def lose(self, host: str, through: float) -> None:
        """A link over which only this share of round trips comes through: an echo or a datagram is gone; a connection's first packet is sent again
        after 1 s, 3 s, 7 s …, as Linux does (tcp_syn_retries 6), so that the connection comes late or, in the end, not at all."""
        tries = 0
        while self.world.rng("netem").unit() >= through:
            tries += 1
            if self.packet.protocol != "tcp" or tries > SYN_RETRIES:
                raise self.fail("timeout", host, "lost")
        self.waited += ((1 << tries) - 1) * clock.SECOND

    def masquerade(self, host: str, owner: str, pod: bool) -> None:
        """Source NAT on leaving a host: what kube-proxy marked, and a pod's traffic to what is no pod."""
        packet = self.packet
        if packet.mark & 0x4000 or (pod and owner == self.net.namespaces[owner].host):
            ips = self.net.namespaces[host].ips
            packet.src = ips[0] if ips else packet.src

    def shapes(self, passed: list[str]) -> list[Shape]:
        """What slows the packet on its way: a link both ways (it is there twice), a host's interface on leaving."""
        shapes = self.net.shapes
        if not shapes:
            return []
        keys = [link_key(a, b) for a, b in pairwise(passed)] * 2
        if len(passed) > 1:
            keys += passed
        return [shapes[key] for key in keys if key in shapes]

    def delay(self, passed: list[str]) -> int:
        """The round trip in ns; a link that is slower than anybody waits for loses the connection."""
        total = (NEAR if len(passed) < 2 else FAR) + self.waited
        for shape in self.shapes(passed):
            total += shape.delay + (self.world.rng("netem").between(-shape.jitter, shape.jitter) if shape.jitter else 0)
        if total > PATIENCE:
            raise self.fail("timeout", passed[0], "too slow")
        return max(total, NEAR)

    def arrive(self, owner: str, host: str, *, loopback: bool) -> Path:
        """The last host: its own INPUT or the way to its pod, and the listening socket."""
        net, packet = self.net, self.packet
        dst = net.namespaces[owner]
        if owner == host:
            packet.iif = "lo" if loopback or packet.src in dst.ips else packet.iif or "cni0"
            self.filter(host, host, "INPUT")
        elif not loopback:
            if packet.iif == "enp1s0":
                packet.oif = "cni0"
                self.filter(host, host, "FORWARD")
            self.policies(host, "ingress")
        if owner != host or loopback:
            self.filter(host, owner, "INPUT") if owner != host else None
        if packet.protocol == "icmp":
            return Path(Listener(host, 0, packet.dst, "icmp"), packet.dst, 0, NEAR, [host], self.hops)
        for item in dst.listeners.get(f"{packet.port}/{packet.protocol}", ()):
            if item.address == "0.0.0.0" or item.address == packet.dst or (loopback and item.address.startswith("127.")):
                self.note(host, "deliver", address=f"{packet.dst}:{packet.port}", netns=owner)
                return Path(item, packet.dst, packet.port, NEAR, [host], self.hops)
        raise self.fail("refused", host, "closed port")

    def replies(self, src: str, dst: str, owner: str, pod: bool) -> None:
        """The filter tables on the way back: a host that drops what returns to it never sees the connection."""
        if not self.net.tables:
            return
        out = self.packet
        self.packet = Packet(out.dst, out.src, out.sport, out.protocol, out.port, "ESTABLISHED", oif="enp1s0", iif="enp1s0")
        self.filter(dst, dst, "OUTPUT" if owner == dst else "FORWARD")
        if src != dst or not pod:
            self.filter(src, src, "FORWARD" if pod else "INPUT")
        self.packet = out


def _peer_matches(address: str, peers: list[str] | None) -> bool:
    if peers is None:
        return True
    for peer in peers:
        cidr, *exceptions = peer.split("!")
        if in_cidr(address, cidr) and not any(in_cidr(address, one) for one in exceptions):
            return True
    return False


def _port_matches(packet: Packet, ports: list[list[Any]] | None) -> bool:
    if ports is None:
        return True
    return any(packet.protocol == protocol and low <= packet.port <= high for protocol, low, high in ports)


def walk(world: World, src_netns: str, ip: str, port: int, protocol: str = "tcp", *, hops: bool = False) -> Path:
    """Send a packet from a namespace to an address; raises ConnectError (its `hops` say how far it came).

    With `hops` the path tells them too.
    """
    if not hops:
        found = _direct(network(world), src_netns, ip, port, protocol)
        if found is not None:
            return found
    return Walker(world, src_netns, ip, port, protocol).go()


def _seen_as(net: Network, host: str, owner: str, src: str, marked: bool = False) -> str:
    """The client's address on arrival: what a host sends to its pods, of its own or masqueraded, leaves by the pods' bridge."""
    cidr = net.pods.get(host, "")
    if owner == host or not cidr or not (marked or src in net.namespaces[host].ips):
        return src
    return str(ipaddress.ip_network(cidr)[1])


def _direct(net: Network, src_netns: str, ip: str, port: int, protocol: str) -> Path | None:
    """The short way, for most packets: to an address that somebody has, with nobody in between who could object; else None."""
    src = net.namespaces.get(src_netns)
    if src is None or net.tables or net.policies or net.shapes or net.cut or net.down:
        return None
    key, host = f"{port}/{protocol}", src.host
    loopback = ip.startswith("127.")
    if f"{ip}:{key}" in net.rules.get(host, ()):
        return None
    owner = src_netns if loopback else net.owners.get(ip)
    dst = net.namespaces.get(owner) if owner is not None else None
    if dst is None or (dst.host != host and f"{ip}:{key}" in net.rules.get(dst.host, ())):
        return None
    for item in dst.listeners.get(key, ()):
        if item.address == "0.0.0.0" or item.address == ip or (loopback and item.address.startswith("127.")):
            near = dst.host == host
            seen = "127.0.0.1" if loopback else _seen_as(net, dst.host, owner or "", src.ips[0] if src.ips else "")
            return Path(item, ip, port, NEAR if near else FAR, [host] if near else [host, dst.host], source=seen)
    return None


def send(world: World, src_netns: str, path: Path, request: Request) -> Response:
    """Give a request to the process at the end of a walk."""
    request.source = request.source or src_netns
    request.client = request.client or path.source
    request.port = path.port
    answer: Response = world.tables["http"](world, path.listener, request)
    answer.latency += path.latency
    return answer


def reach(world: World, src_netns: str, ip: str) -> Path:
    """An ICMP echo: where it is answered; raises ConnectError."""
    return Walker(world, src_netns, ip, 0, "icmp").go()
