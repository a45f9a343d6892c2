"""CoreDNS: names of Services and of their endpoints out of its own copy of the API (`plugin/kubernetes`), all else upstream.

It lists and watches with the token of its service account, so it learns of changes through the API and nothing else: with the
API server away it goes on answering from what it knew.  Names follow the specification of DNS for Services
(github.com/kubernetes/dns, docs/specification.md).
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec

from ...host import dns, files
from ...host.dns import Answer
from ...host.process import Process
from ...host.program import Exited
from ...kernel import clock, network
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from ...kernel.world import World
from ...kube.client import ApiError, Credentials, InformerState, KubeClient
from ...kube.component import explain
from ...kube.feed import Feed
from .. import logs
from . import corefile
from .basics import Quiet

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
#: Port, protocol, and the plugin that opens it.
PORTS = ((53, "udp", ""), (53, "tcp", ""), (9153, "tcp", "prometheus"), (8080, "tcp", "health"), (8181, "tcp", "ready"))
#: How long the reload plugin takes to see another Corefile: 30 s, and up to 15 s more.
RELOAD, JITTER = 30 * clock.SECOND, 15 * clock.SECOND
RESOURCES = ("services", "endpointslices", "namespaces")
PLAIN = {"content-type": "text/plain; charset=utf-8"}


class CoreDnsState(msgspec.Struct, omit_defaults=True):
    """What one CoreDNS remembers: its Corefile, how far its watches have got, since when the API is away."""

    config: str = ""
    informers: dict[str, InformerState] = {}
    fed: bool = False
    down_since: int = 0
    armed: int = 0
    pending: str = ""


def states(world: World) -> dict[str, CoreDnsState]:
    """The section `coredns`: each server's state by process key."""
    return world.section("coredns", dict)


def zones(config: str) -> list[str]:
    """The zones that the `kubernetes` plugin of a Corefile answers for."""
    match = re.search(r"^\s*kubernetes\b([^\n{]*)", config, re.MULTILINE)
    return [zone.strip(".").lower() for zone in match.group(1).split()] if match else []


class CoreDns(Quiet):
    """The `Program`."""

    def start(self, world: World, proc: Process) -> None:
        """Read the Corefile, bind, and begin to follow the API."""
        config = self._corefile(world, proc)
        try:
            servers = corefile.parse(config, self._path(proc))
        except corefile.CorefileError as bad:
            logs.emit(world, proc, str(bad))
            raise Exited(1) from None
        block = corefile.root(servers)
        try:
            for port, protocol, plugin in PORTS:
                if plugin and (block is None or block.plugin(plugin) is None):
                    continue
                network.listen(world, proc.netns, port, host=proc.host, pid=proc.pid, protocol=protocol)
        except OSError:
            logs.emit(world, proc, "Listen: listen tcp :53: bind: address already in use")
            raise Exited(1) from None
        states(world)[proc.key] = CoreDnsState(config=config)
        digest = hashlib.sha512(config.encode()).hexdigest()
        logs.emit(world, proc, ".:53")
        logs.emit(world, proc, f"[INFO] plugin/reload: Running configuration SHA512 = {digest}")
        logs.emit(world, proc, "CoreDNS-1.14.2\nlinux/amd64, go1.25.5, 7ba0c6e")
        if zones(config):
            world.after(20 * clock.MS, proc.target, ["start"])
        if block is not None and block.plugin("reload") is not None and self._path(proc):
            world.subscribe(files.topic(files.host_of(world, proc.host), proc.mnt, self._path(proc)), proc.target, ["file"])

    @staticmethod
    def _path(proc: Process) -> str:
        return proc.argv[proc.argv.index("-conf") + 1] if "-conf" in proc.argv[:-1] else ""

    def _reload(self, world: World, proc: Process) -> None:
        """The reload plugin: another Corefile is taken when it can be read, else the old one stays."""
        state = states(world)[proc.key]
        try:
            config = files.read_file(world, proc.host, self._path(proc), mnt=proc.mnt).decode("utf-8", "replace")
        except OSError:
            return
        if config == state.config:
            return
        try:
            block = corefile.root(corefile.parse(config, self._path(proc)))
        except corefile.CorefileError as bad:
            logs.emit(world, proc, f"[ERROR] plugin/reload: Corefile parse failed: {bad}")
            return
        logs.emit(world, proc, "[INFO] Reloading")
        state.config = config
        network.close_sockets(world, proc.netns, proc.pid)
        for port, protocol, plugin in PORTS:
            if not plugin or (block is not None and block.plugin(plugin) is not None):
                network.listen(world, proc.netns, port, host=proc.host, pid=proc.pid, protocol=protocol)
        digest = hashlib.sha512(config.encode()).hexdigest()
        logs.emit(world, proc, f"[INFO] plugin/reload: Running configuration SHA512 = {digest}\n[INFO] Reloading complete")
        if zones(config):
            world.after(20 * clock.MS, proc.target, ["start"])

    def _corefile(self, world: World, proc: Process) -> str:
        if "-conf" not in proc.argv[:-1]:
            return ""
        path = proc.argv[proc.argv.index("-conf") + 1]
        try:
            return files.read_file(world, proc.host, path, mnt=proc.mnt).decode("utf-8", "replace")
        except OSError:
            logs.emit(world, proc, f"open {path}: no such file or directory")
            raise Exited(1) from None

    # -- its copy of the API --------------------------------------------------------------------------------------------
    def _feed(self, world: World, proc: Process) -> tuple[CoreDnsState, Feed]:
        state = states(world)[proc.key]
        cache = world.warm.setdefault("coredns", {})
        found = cache.get(proc.key)
        if found is None or found[0] is not state:
            feed = Feed(world, proc, self._client(world, proc), state.informers, RESOURCES)
            found = cache[proc.key] = (state, feed)
            if state.fed and not feed.prime():
                state.fed = False
                self._again(world, proc, state)
        return found  # type: ignore[no-any-return]

    @staticmethod
    def _client(world: World, proc: Process) -> KubeClient:
        def mounted(name: str) -> bytes:
            try:
                return files.read_file(world, proc.host, f"{ACCOUNT}/{name}", mnt=proc.mnt)
            except OSError:
                return b""

        host = proc.env.get("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        server = f"https://{host}:{proc.env.get('KUBERNETES_SERVICE_PORT', '443')}"
        credentials = Credentials(ca=mounted("ca.crt"), token=mounted("token").decode().strip())
        return KubeClient(world, proc.netns, server, credentials, "coredns/1.14.2")

    @staticmethod
    def _again(world: World, proc: Process, state: CoreDnsState) -> None:
        if state.armed not in world.timers:
            state.armed = world.after(clock.SECOND + world.rng("coredns").below(clock.SECOND), proc.target, ["sync"])

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """The start, a change of what it watches, or another try after a failure."""
        if payload[0] == "file":
            if "reload" not in states(world)[proc.key].pending:
                states(world)[proc.key].pending = "reload"
                world.after(RELOAD + world.rng("coredns").below(JITTER), proc.target, ["reload"])
            return
        if payload[0] == "reload":
            states(world)[proc.key].pending = ""
            self._reload(world, proc)
            return
        state, feed = self._feed(world, proc)
        if payload[0] == "start":
            feed.subscribe()
        rang = payload[1] if payload[0] == "wake" else ""
        try:
            for _ in feed.changes(rang, everything=not state.fed or bool(state.down_since)):
                pass
            state.fed, state.down_since = True, 0
        except (ConnectError, ApiError) as error:
            if not state.down_since:
                state.down_since = world.now
                why = explain(error, feed.informers["services"].client)
                logs.emit(world, proc, f"[WARNING] plugin/kubernetes: Kubernetes API connection failure: {why}")
                if not state.fed:
                    logs.emit(world, proc, "[WARNING] plugin/kubernetes: starting server with unsynced Kubernetes API")
            self._again(world, proc, state)

    # -- answers --------------------------------------------------------------------------------------------------------
    def http(self, world: World, proc: Process, request: Request) -> Response:
        """A DNS question, `/health` or `/ready` (only when the copy of the API is there)."""
        if request.method == "DNS":
            found = self.answer(world, proc, request.path.lower(), request.param("type", "A"))
            self._log(world, proc, request, found)
            return Response(status=200, obj={"rcode": found.rcode, "records": found.records})
        if request.path == "/health":
            return Response(status=200, headers=dict(PLAIN), body=b"OK")
        if request.path == "/ready":
            state = states(world)[proc.key]
            if zones(state.config) and not state.fed:
                return Response(status=503, headers=dict(PLAIN), body=b"kubernetes")
            return Response(status=200, headers=dict(PLAIN), body=b"OK")
        return Response(status=404, headers=dict(PLAIN), body=b"404 page not found\n")

    def _log(self, world: World, proc: Process, request: Request, found: Answer) -> None:
        """The log plugin's line of a question."""
        block = corefile.root(corefile.parse(states(world)[proc.key].config))
        if block is None or block.plugin("log") is None:
            return
        ns = network.network(world).namespaces.get(request.source)
        source = ns.ips[0] if ns is not None and ns.ips else "127.0.0.1"
        rng = world.rng("coredns")
        name, kind = request.path.lower(), request.param("type", "A")
        flags = "qr,aa,rd" if name.endswith((".cluster.local", ".arpa")) else "qr,rd,ra"
        took = rng.between(80_000, 900_000) / 1e9
        logs.emit(
            world,
            proc,
            f'[INFO] {source}:{rng.between(32768, 60999)} - {rng.below(65536)} "{kind} IN {name}. udp {len(name) + 18} false 512" '
            f"{found.rcode} {flags} {len(name) * 2 + 34} {took:.9f}s",
        )

    def answer(self, world: World, proc: Process, name: str, kind: str) -> Answer:
        """The answer to one question: a zone of the cluster's own, or what the upstream server says."""
        state = states(world)[proc.key]
        zone = next((z for z in zones(state.config) if name == z or name.endswith("." + z)), "")
        if zone:
            feed = self._feed(world, proc)[1]
            if not state.fed:
                return Answer("SERVFAIL")
            if not zone.endswith(".arpa"):
                return self._record(world, proc, feed, name.removesuffix(zone).rstrip("."), name, kind)
            found = reverse(feed, name, self._cluster_zone(state))
            if found is not None:
                return found
        written = _hosts(state.config, name)
        if written:
            return Answer("NOERROR", [[name, "A", ip] for ip in written] if kind == "A" else [])
        return (
            self._forward(world, proc, name, kind)
            if re.search(r"^\s*forward\b", state.config, re.MULTILINE)
            else Answer("REFUSED")
        )

    @staticmethod
    def _cluster_zone(state: CoreDnsState) -> str:
        return next((z for z in zones(state.config) if not z.endswith(".arpa")), "cluster.local")

    @staticmethod
    def _forward(world: World, proc: Process, name: str, kind: str) -> Answer:
        try:
            text = files.read_file(world, proc.host, "/etc/resolv.conf", mnt=proc.mnt).decode("utf-8", "replace")
        except OSError:
            return Answer("SERVFAIL")
        block = corefile.root(corefile.parse(states(world)[proc.key].config))
        plugin = block.plugin("forward") if block is not None else None
        targets = [word for word in (plugin.words[1:] if plugin is not None else ()) if word != "{"]
        servers: list[str] = []
        for target in targets:
            if target.startswith("/"):
                servers += re.findall(r"^\s*nameserver\s+(\S+)", text, re.MULTILINE)
            else:
                servers.append(target.partition("://")[2] or target)
        for server in servers:
            try:
                return dns.ask(world, proc.netns, server, name, kind)
            except ConnectError:
                continue
        return Answer("SERVFAIL")

    def _record(self, world: World, proc: Process, feed: Feed, inner: str, name: str, kind: str) -> Answer:
        """A name below the cluster's zone, without the zone: `web.default.svc`, `1-2-3-4.web.default.svc`, `1-2-3-4.default.pod`."""
        labels = inner.split(".") if inner else []
        if not labels or labels == ["svc"] or labels == ["pod"]:
            return Answer("NOERROR")
        if labels[-1] not in ("svc", "pod") or feed.informers["namespaces"].get("", labels[-2]) is None:
            return Answer("NXDOMAIN")
        if len(labels) == 2:
            return Answer("NOERROR")
        if labels[-1] == "pod":
            address = labels[0].replace("-", ".")
            good = len(labels) == 3 and re.fullmatch(r"\d{1,3}(\.\d{1,3}){3}", address)
            return Answer("NOERROR", [[name, "A", address]] if kind == "A" else []) if good else Answer("NXDOMAIN")
        service = feed.informers["services"].get(labels[-2], labels[-3])
        if service is None or len(labels) > 5:
            return Answer("NXDOMAIN")
        spec = service["spec"]
        if spec.get("type") == "ExternalName":
            target = str(spec.get("externalName") or "")
            beyond = self.answer(world, proc, target, kind) if target.lower() != name else Answer("SERVFAIL")
            return Answer("NOERROR", [[name, "CNAME", target + "."], *beyond.records])
        if len(labels) == 3 and spec.get("clusterIP") != "None":
            if kind == "SRV":
                return Answer("NOERROR", [[name, "SRV", f"0 100 {p['port']} {name}."] for p in spec.get("ports") or ()])
            return Answer("NOERROR", [[name, "A", spec["clusterIP"]]] if kind == "A" else [])
        if len(labels) == 5:
            return _srv(feed, service, labels, name, kind)
        wanted = labels[0] if len(labels) == 4 else ""
        found = sorted({ip for ip, host in endpoints(feed, service) if not wanted or host == wanted})
        if not found:
            return Answer("NXDOMAIN")
        return Answer("NOERROR", [[name, "A", ip] for ip in found] if kind == "A" else [])

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """TERM: lame duck for five seconds, then 0."""
        states(world).pop(proc.key, None)
        cached = world.warm.get("coredns", {}).pop(proc.key, None)
        if cached is not None:
            cached[1].drop()
        if signal == 9:
            return 137
        logs.emit(
            world,
            proc,
            "[INFO] SIGTERM: Shutting down servers then terminating\n[INFO] plugin/health: Going into lameduck mode for 5s",
        )
        return 0


def _hosts(config: str, name: str) -> list[str]:
    """What the hosts plugin's own lines say of a name."""
    block = corefile.root(corefile.parse(config))
    plugin = block.plugin("hosts") if block is not None else None
    return [words[0] for words in (plugin.lines if plugin is not None else ()) if name in words[1:]]


def _srv(feed: Feed, service: dict[str, Any], labels: list[str], name: str, kind: str) -> Answer:
    """`_https._tcp.web.default.svc`: the port of a Service, or of each endpoint of a headless one."""
    spec = service["spec"]
    port, protocol = labels[0].lstrip("_"), labels[1].lstrip("_")
    named = [p for p in spec.get("ports") or () if p.get("name") == port and p.get("protocol", "TCP").lower() == protocol]
    if not named:
        return Answer("NXDOMAIN")
    if kind != "SRV":
        return Answer("NOERROR")
    base = name.partition(".")[2].partition(".")[2]
    if spec.get("clusterIP") != "None":
        return Answer("NOERROR", [[name, "SRV", f"0 100 {named[0]['port']} {base}."]])
    target = named[0].get("targetPort") or named[0]["port"]
    number = target if isinstance(target, int) else named[0]["port"]
    found = sorted({host for _, host in endpoints(feed, service)})
    share = 100 // max(len(found), 1)
    rows = [[name, "SRV", f"0 {share} {number} {host}.{base}."] for host in found]
    return Answer("NOERROR", rows) if rows else Answer("NXDOMAIN")


def endpoints(feed: Feed, service: dict[str, Any]) -> list[tuple[str, str]]:
    """(address, host name) of the endpoints that may be named: the ready ones, or all where the Service publishes them."""
    meta = service["metadata"]
    found: list[tuple[str, str]] = []
    for piece in feed.informers["endpointslices"].list(meta["namespace"]):
        if (piece["metadata"].get("labels") or {}).get("kubernetes.io/service-name") != meta["name"]:
            continue
        for end in piece.get("endpoints") or ():
            if (end.get("conditions") or {}).get("ready") is False:
                continue
            found += [(ip, end.get("hostname") or ip.replace(".", "-")) for ip in end.get("addresses") or ()]
    return found


def reverse(feed: Feed, name: str, zone: str) -> Answer | None:
    """The name behind an address (`10.0.96.10.in-addr.arpa`): a Service's, or an endpoint's of a Service; None for others."""
    address = ".".join(reversed(name.removesuffix(".in-addr.arpa").split(".")))
    services = feed.informers["services"].list()
    for service in services:
        meta = service["metadata"]
        where = f"{meta['name']}.{meta['namespace']}.svc.{zone}."
        if service["spec"].get("clusterIP") == address:
            return Answer("NOERROR", [[name, "PTR", where]])
    rows = [
        [name, "PTR", f"{host}.{service['metadata']['name']}.{service['metadata']['namespace']}.svc.{zone}."]
        for service in services
        for ip, host in endpoints(feed, service)
        if ip == address
    ]
    return Answer("NOERROR", rows) if rows else None
