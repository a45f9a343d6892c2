"""The daemon `kube-proxy` (cmd/kube-proxy/app/server.go): keeps the rules of its host level with Services and EndpointSlices.

It only ever writes rules; what carries packets is the kernel (`kernel.network.translate`).  So when kube-proxy dies the rules
stay as they were, and grow stale.  Rules are written at most once a second (minSyncPeriod).
"""

from __future__ import annotations

import hashlib
import re
from functools import partial
from typing import Any

import msgspec
import yaml

from ...host import files, processes
from ...host.process import Process
from ...kernel import clock, network
from ...kernel.errors import BadInput, ConnectError
from ...kernel.http import Request, Response
from ...kernel.world import World
from .. import component
from ..client import ApiError, InformerState, KubeClient
from ..component import FlagSpec, explain, klog
from ..feed import Feed
from . import chains
from .rules import endpoints_by_port, rules_of

NAME = "kube-proxy"
MIN_SYNC = clock.SECOND
#: How often rules are looked at without a change, once somebody else has written to the host's tables.
SYNC_PERIOD = 30 * clock.SECOND
#: How often the jumps into its chains are looked at, unless somebody has removed the canary chain.
FULL_SYNC = clock.HOUR

_OWN_FLAGS = """
bind-address:ip bind-address-hard-fail:bool cleanup:bool cluster-cidr:string config:string config-sync-period:duration
conntrack-max-per-core:int32 conntrack-min:int32 conntrack-tcp-be-liberal:bool conntrack-tcp-timeout-close-wait:duration
conntrack-tcp-timeout-established:duration conntrack-udp-timeout:duration conntrack-udp-timeout-stream:duration
detect-local-mode:string healthz-bind-address:string healthz-port:int32 hostname-override:string init-only:bool
iptables-localhost-nodeports:bool iptables-masquerade-bit:int32 iptables-min-sync-period:duration iptables-sync-period:duration
ipvs-exclude-cidrs:strings ipvs-min-sync-period:duration ipvs-scheduler:string ipvs-strict-arp:bool ipvs-sync-period:duration
ipvs-tcp-timeout:duration ipvs-tcpfin-timeout:duration ipvs-udp-timeout:duration masquerade-all:bool
metrics-bind-address:string metrics-port:int32 nodeport-addresses:strings oom-score-adj:int32 pod-bridge-interface:string
pod-interface-name-prefix:string proxy-mode:string write-config-to:string
"""
FLAGS: FlagSpec = {**component.GLOBAL_FLAGS, **dict(item.split(":", 1) for item in _OWN_FLAGS.split())}
MODES = ("", "iptables", "ipvs", "nftables")


class ProxyState(msgspec.Struct, omit_defaults=True):
    """Everything one kube-proxy remembers."""

    node: str = ""
    kubeconfig: str = ""
    mode: str = "iptables"
    informers: dict[str, InformerState] = {}
    fed: bool = False
    synced_at: int = -MIN_SYNC
    armed: int = 0
    down_since: int = 0
    config: str = ""
    content: str = ""
    full_at: int = 0


def _is_ip(text: str) -> bool:
    return re.fullmatch(r"\d+\.\d+\.\d+\.\d+|[0-9a-fA-F:]*:[0-9a-fA-F:.]*", text) is not None


def states(world: World) -> dict[str, ProxyState]:
    """The section `kubeproxy`: each proxy's state by process key."""
    return world.section("kubeproxy", dict)


class KubeProxy:
    """The `Program`."""

    def start(self, world: World, proc: Process) -> None:
        """Read flags and configuration, listen, and begin to follow Services."""
        flags = component.flags_or_exit(world, proc, FLAGS)
        config = self._config(world, proc, flags)
        # with a file, the flags that it has fields for are ignored
        mode = str(config.get("mode") or "") if config else flags.get("proxy-mode", "")
        if not mode:
            klog(world, proc, "I", "server_linux.go:49", "Using iptables proxy")
        self._validate(world, proc, config, mode)
        kubeconfig = flags.get("kubeconfig") or str((config.get("clientConnection") or {}).get("kubeconfig") or "")
        node = flags.get("hostname-override") or str(config.get("hostnameOverride") or "") or proc.host
        cidr = str(config.get("clusterCIDR") or flags.get("cluster-cidr", ""))
        state = ProxyState(node=node, kubeconfig=kubeconfig, mode=mode or "iptables", config=flags.get("config", ""))
        self._connect(world, proc, state)
        self._announce(world, proc, state)
        for key, name, default, what in (
            ("healthzBindAddress", "healthz-bind-address", "0.0.0.0:10256", "healthz"),
            ("metricsBindAddress", "metrics-bind-address", "127.0.0.1:10249", "metrics"),
        ):
            address, _, port = str(config.get(key) or flags.get(name) or default).rpartition(":")
            try:
                network.listen(world, proc.netns, int(port), host=proc.host, pid=proc.pid, address=address or "0.0.0.0")
            except OSError:
                text = f"failed to start {what} server: listen tcp {address}:{port}: bind: address already in use"
                klog(world, proc, "E", "server.go:455", "Healthz server failed" if what == "healthz" else text, err=text)
        states(world)[proc.key] = state
        net = network.network(world)
        if state.mode == "iptables":
            net.modes.pop(proc.host, None)
        else:
            net.modes[proc.host] = state.mode
        if cidr:
            net.proxied[proc.host] = cidr
        if state.config:
            world.subscribe(files.topic(files.host_of(world, proc.host), proc.mnt, state.config), proc.target, ["config"])
            state.content = self._content(world, proc, state.config)
        world.after(world.rng("kube-proxy-start").between(100, 400) * clock.MS, proc.target, ["start"])

    @staticmethod
    def _content(world: World, proc: Process, path: str) -> str:
        try:
            return hashlib.md5(component.read_file(world, proc, path), usedforsecurity=False).hexdigest()[:8]
        except OSError:
            return ""

    @staticmethod
    def _validate(world: World, proc: Process, config: dict[str, Any], mode: str) -> None:
        """What the component's own validation finds wrong ends it (pkg/proxy/apis/config/validation)."""
        bad: list[str] = []
        address = config.get("bindAddress") or "0.0.0.0"
        if not _is_ip(str(address)):
            bad.append(
                f'KubeProxyConfiguration.BindAddress: Invalid value: "{address}": not a valid textual representation of an IP address'
            )
        if mode not in MODES:
            supported = "must be iptables, ipvs, nftables or blank (blank means the best-available proxy [currently iptables])"
            bad.append(f'KubeProxyConfiguration.ProxyMode: Invalid value: "{mode}": {supported}')
        for key in ("healthzBindAddress", "metricsBindAddress"):
            text = config.get(key)
            where = "KubeProxyConfiguration." + key[:1].upper() + key[1:]
            if text and ":" not in str(text):
                bad.append(f'{where}: Invalid value: "{text}": must be IP:port')
        if bad:
            shown = bad[0] if len(bad) == 1 else f"[{', '.join(bad)}]"
            raise component.fail(world, proc, "run.go:72", f"failed validate: {shown}")

    @staticmethod
    def _connect(world: World, proc: Process, state: ProxyState) -> None:
        """A client, or the two lines with which the real one ends."""
        if not state.kubeconfig:
            klog(
                world,
                proc,
                "I",
                "server.go:420",
                "Neither kubeconfig file nor master URL was specified, falling back to in-cluster config",
            )
            why = "unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined"
        else:
            try:
                reader = partial(component.read_file, world, proc)
                KubeClient.from_kubeconfig(world, proc.netns, reader(state.kubeconfig), user_agent=NAME, read_file=reader)
                return
            except OSError as error:
                why = f"stat {error.filename or state.kubeconfig}: no such file or directory"
            except BadInput as error:
                why = f'error loading config file "{state.kubeconfig}": {error}'
        klog(world, proc, "E", "server.go:136", "Error running ProxyServer", err=why)
        raise component.fail(world, proc, "run.go:72", why)

    @staticmethod
    def _announce(world: World, proc: Process, state: ProxyState) -> None:
        """The lines of a start."""
        ips = network.network(world).namespaces[proc.netns].ips[:1]
        shown = component.Raw("[" + ",".join(f'"{ip}"' for ip in ips) + "]")
        klog(world, proc, "I", "server.go:228", "Successfully retrieved NodeIPs", NodeIPs=shown)
        klog(
            world,
            proc,
            "E",
            "server.go:265",
            "Kube-proxy configuration may be incomplete or incorrect",
            err="nodePortAddresses is unset; NodePort connections will be accepted on all local IPs. "
            "Consider using `--nodeport-addresses primary`",
        )
        klog(world, proc, "I", "server.go:276", "kube-proxy running in single-stack mode", ipFamily="IPv4")
        if state.mode == "ipvs":
            text = "The ipvs proxier is now deprecated and may be removed in a future release. Please use 'nftables' instead."
            klog(world, proc, "E", "server_linux.go:196", text)
        klog(world, proc, "I", "server_linux.go:137", f"Using {state.mode} Proxier")
        klog(world, proc, "I", "server.go:539", "Version info", version=component.version_of(proc))
        for where, what in (("200", "service"), ("106", "endpoint slice"), ("403", "serviceCIDR"), ("309", "node")):
            klog(world, proc, "I", f"config.go:{where}", f"Starting {what} config controller")

    def _config(self, world: World, proc: Process, flags: dict[str, str]) -> dict[str, Any]:
        path = flags.get("config")
        if not path:
            return {}
        try:
            data = yaml.safe_load(component.read_file(world, proc, path))
        except OSError:
            raise component.fail(world, proc, "run.go:72", f"failed complete: open {path}: no such file or directory") from None
        except yaml.YAMLError as error:
            raise component.fail(
                world, proc, "run.go:72", f"failed complete: failed to decode: {component.yaml_error(error)}"
            ) from None
        kind = str(data.get("kind") or "") if isinstance(data, dict) else ""
        version = str(data.get("apiVersion") or "") if isinstance(data, dict) else ""
        if kind != "KubeProxyConfiguration" or version != "kubeproxy.config.k8s.io/v1alpha1":
            scheme = '"k8s.io/kubernetes/pkg/proxy/apis/config/scheme/scheme.go:29"'
            why = f'no kind "{kind}" is registered for version "{version}" in scheme {scheme}'
            raise component.fail(world, proc, "run.go:72", f"failed complete: failed to decode: {why}")
        found: dict[str, Any] = data
        return found

    def warm(self, world: World, proc: Process) -> tuple[ProxyState, Feed, KubeClient]:
        """The process's state and its informers, rebuilt where needed."""
        state = states(world)[proc.key]
        cache = world.warm.setdefault("kubeproxy", {})
        found = cache.get(proc.key)
        if found is None or found[0] is not state:
            client = component.connect(world, proc, state.kubeconfig, NAME)
            feed = Feed(world, proc, client, state.informers, ("services", "endpointslices"), ("nodes",))
            found = cache[proc.key] = (state, feed, client)
            if state.fed and not feed.prime():
                state.fed = False
                self._arm(world, proc, state, world.now + clock.SECOND)
        return found  # type: ignore[no-any-return]

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """A start, a change, or the end of the pause between two writes."""
        if payload[0] == "config":
            self._changed(world, proc)
            return
        state, feed, client = self.warm(world, proc)
        if payload[0] == "start":
            feed.subscribe()
            world.subscribe(f"netfilter:{proc.netns}", proc.target, ["touched"])
        elif payload[0] == "touched":
            self._arm(world, proc, state, world.now + SYNC_PERIOD)
            return
        rang = payload[1] if payload[0] == "wake" else ""
        try:
            changed = [r for r, _ in feed.changes(rang, everything=not state.fed or bool(state.down_since))]
            first = not state.fed
            state.fed, state.down_since = True, 0
        except (ConnectError, ApiError) as error:
            if not state.down_since:
                state.down_since = world.now
                klog(world, proc, "E", "reflector.go:205", "Failed to watch", err=explain(error, client))
            self._arm(world, proc, state, world.now + clock.SECOND + world.rng("reflector").below(clock.SECOND))
            return
        if changed or first or payload[0] == "sync":
            due = state.synced_at + MIN_SYNC
            if due > world.now:
                self._arm(world, proc, state, due)
            else:
                self._sync(world, proc, state, feed)

    def _changed(self, world: World, proc: Process) -> None:
        """The configuration file's directory has changed: other content ends the process, and it is started anew."""
        state = states(world)[proc.key]
        now = self._content(world, proc, state.config)
        if now == state.content:
            return
        why = "content of the proxy server's configuration file was updated"
        klog(world, proc, "E", "server.go:136", "Error running ProxyServer", err=why)
        klog(world, proc, "E", "run.go:72", "command failed", err=why)
        processes.exit(world, proc, 1)

    @staticmethod
    def _arm(world: World, proc: Process, state: ProxyState, at: int) -> None:
        if state.armed not in world.timers:
            state.armed = world.at(at, proc.target, ["sync"])

    def _sync(self, world: World, proc: Process, state: ProxyState, feed: Feed) -> None:
        """Write the host's whole table (syncProxyRules)."""
        state.synced_at = world.now
        endpoints = endpoints_by_port(feed.informers["endpointslices"].list())
        wanted: dict[str, network.Rule] = {}
        ips = [ip for ip in network.network(world).namespaces[proc.netns].ips if not ip.startswith("127.")]
        if state.mode == "nftables":
            # nodePortAddresses is `primary` there, and there is no way in by the loopback
            ips = ips[:1]
        for service in feed.informers["services"].list():
            key = f"{service['metadata']['namespace']}/{service['metadata']['name']}"
            wanted.update(rules_of(service, endpoints.get(key, {}), state.node, ips))
        if state.mode == "nftables":
            wanted = {key: rule for key, rule in wanted.items() if not key.startswith("127.")}
        net = network.network(world)
        table = net.rules.setdefault(proc.host, {})
        touched: list[str] = []
        for key in [k for k in table if k not in wanted]:
            touched.append(table.pop(key).service)
        for key, rule in wanted.items():
            old = table.get(key)
            if old != rule:
                table[key] = rule
                touched.append(rule.service)
        held = net.tables.get(proc.host)
        if held is not None:
            if state.mode == "iptables":
                full = any(chains.CANARY not in held.get(name, {}) for name in ("mangle", "filter", "nat"))
                full = full or not state.full_at or world.now - state.full_at > FULL_SYNC
                chains.write(held, table, net.proxied.get(proc.host, ""), full=full)
                state.full_at = world.now if full else state.full_at
            else:
                chains.clear(held)
            self._arm(world, proc, state, world.now + SYNC_PERIOD)
        else:
            state.full_at = world.now
        if touched:
            names = sorted(set(touched))
            world.emit(f"kube-proxy/{proc.host}", "rules.sync", f"hosts/{proc.host}", {"services": names, "rules": len(table)})

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """Drop state; the rules stay."""
        states(world).pop(proc.key, None)
        cached = world.warm.get("kubeproxy", {}).pop(proc.key, None)
        if cached is not None:
            cached[1].drop()
        return 128 + signal

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """`/healthz` and `/livez` say when rules were last written; `/proxyMode` names the mode."""
        state = states(world)[proc.key]
        if request.path == "/proxyMode":
            return Response(status=200, body=state.mode.encode())
        if request.path in ("/healthz", "/livez"):
            now = clock.to_datetime(world.wall).strftime("%Y-%m-%d %H:%M:%S.%f +0000 UTC")
            body = f'{{"lastUpdated": "{now}","currentTime": "{now}", "nodeEligible": true}}'
            return Response(status=200, body=body.encode(), headers={"content-type": "application/json"})
        return Response(status=404, body=b"404 page not found\n")


PROGRAM = KubeProxy()
