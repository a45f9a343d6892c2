"""The daemon `kube-proxy` (cmd/kube-proxy/app/server.go): keeps the rules of its host level with Services and EndpointSlices.

It only ever writes rules; what carries packets is the kernel (`kernel.network.translate`).  So when kube-proxy dies the rules
stay as they were, and grow stale.  Rules are written at most once a second (minSyncPeriod).
"""

from __future__ import annotations

from typing import Any

import msgspec
import yaml

from ...host.process import Process
from ...kernel import clock, network
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from ...kernel.world import World
from .. import component
from ..client import ApiError, InformerState, KubeClient
from ..component import FlagSpec, explain, klog
from ..feed import Feed
from .rules import endpoints_by_port, rules_of

NAME = "kube-proxy"
MIN_SYNC = clock.SECOND

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


class ProxyState(msgspec.Struct):
    """Everything one kube-proxy remembers."""

    node: str = ""
    kubeconfig: str = ""
    mode: str = "iptables"
    informers: dict[str, InformerState] = {}
    fed: bool = False
    synced_at: int = -MIN_SYNC
    armed: int = 0
    down_since: int = 0


def states(world: World) -> dict[str, ProxyState]:
    """The section `kubeproxy`: each proxy's state by process key."""
    return world.section("kubeproxy", dict)


class KubeProxy:
    """The `Program`."""

    def start(self, world: World, proc: Process) -> None:
        """Read flags and configuration, listen, and begin to follow Services."""
        flags = component.flags_or_exit(world, proc, FLAGS)
        config = self._config(world, proc, flags)
        mode = str(flags.get("proxy-mode", config.get("mode") or ""))
        if mode not in MODES:
            supported = "must be iptables,ipvs,nftables or blank (blank means the best-available proxy [currently iptables])"
            raise component.fail(world, proc, "run.go:72", f'ProxyMode: Invalid value: "{mode}": {supported}')
        kubeconfig = flags.get("kubeconfig") or str((config.get("clientConnection") or {}).get("kubeconfig") or "")
        node = flags.get("hostname-override") or str(config.get("hostnameOverride") or "") or proc.host
        state = ProxyState(node=node, kubeconfig=kubeconfig, mode=mode or "iptables")
        component.connect(world, proc, state.kubeconfig, NAME)
        klog(
            world,
            proc,
            "I",
            "server_linux.go:63",
            "Using iptables proxy" if state.mode == "iptables" else f"Using {state.mode} proxy",
        )
        for port, address, what in ((10256, "0.0.0.0", "healthz"), (10249, "127.0.0.1", "metrics")):
            try:
                network.listen(world, proc.netns, port, host=proc.host, pid=proc.pid, address=address)
            except OSError:
                text = f"failed to start {what} server: listen tcp {address}:{port}: bind: address already in use"
                klog(world, proc, "E", "server.go:586", text)
        states(world)[proc.key] = state
        world.after(world.rng("kube-proxy-start").between(100, 400) * clock.MS, proc.target, ["start"])

    def _config(self, world: World, proc: Process, flags: dict[str, str]) -> dict[str, Any]:
        path = flags.get("config")
        if not path:
            return {}
        try:
            data = yaml.safe_load(component.read_file(world, proc, path))
        except OSError:
            raise component.fail(world, proc, "run.go:72", f"failed complete: open {path}: no such file or directory") from None
        except yaml.YAMLError as error:
            raise component.fail(world, proc, "run.go:72", f"failed complete: {error}") from None
        return data if isinstance(data, dict) else {}

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
        state, feed, client = self.warm(world, proc)
        if payload[0] == "start":
            feed.subscribe()
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
        for service in feed.informers["services"].list():
            key = f"{service['metadata']['namespace']}/{service['metadata']['name']}"
            wanted.update(rules_of(service, endpoints.get(key, {}), state.node, ips))
        table = network.network(world).rules.setdefault(proc.host, {})
        touched: list[str] = []
        for key in [k for k in table if k not in wanted]:
            touched.append(table.pop(key).service)
        for key, rule in wanted.items():
            old = table.get(key)
            if old is None or old.endpoints != rule.endpoints or old.service != rule.service:
                table[key] = rule
                touched.append(rule.service)
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
