"""The literal tables that give a world its behaviour: what runs, what can be typed, where timers go, which state there is.

Entries are `module:attribute` below `simulator.core` and are imported on first use, so that a process which never runs `nerdctl` never
loads it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from .cli.completions import COMPLETE
from .cli.hosttools import COMMANDS as HOST_TOOLS
from .etcd.member import EtcdSection
from .etcd.replication import arrive as etcd_arrive
from .host import cron, dns, executor, power, processes, systemd
from .host.haproxy import Balancer
from .host.machine import Host
from .host.processes import ProcessTable
from .host.virtual import VIRTUAL
from .kernel.netfilter import Tables
from .kernel.network import Network
from .kernel.world import World, dispatch_wake
from .kube.apiserver import copies
from .kube.apiserver.program import Running as ApiServerState
from .kube.controllers.base import ManagerState
from .kube.kubelet.state import KubeletState
from .kube.proxy.program import ProxyState
from .kube.scheduler.state import SchedulerState
from .lab.streaming.held import Streams
from .runtime import cgroups
from .runtime.images import MadeImage
from .runtime.programs.certmanager import Authority as CertManagerState
from .runtime.programs.coredns import CoreDnsState
from .runtime.programs.ingress_nginx import IngressState
from .runtime.programs.local_path import Provisioner as LocalPathState
from .runtime.programs.metallb import Controller as MetalLBState
from .runtime.programs.metrics_server import Scrapes as MetricsScrapes
from .runtime.programs.nginx import NginxState
from .runtime.state import RuntimeState
from .runtime.table import PROGRAMS as RUNTIME_PROGRAMS
from .runtime.table import SINKS as RUNTIME_SINKS
from .shell import terminal
from .shell.coreutils.table import COMMANDS as HOST_COMMANDS


class Lazy(dict[str, Any]):
    """A table whose `module:attribute` entries are imported when they are first asked for."""

    def _load(self, name: str) -> Any:
        entry = super().__getitem__(name)
        if isinstance(entry, str):
            module, _, attribute = entry.partition(":")
            entry = getattr(import_module(f"simulator.core.{module}"), attribute)
            self[name] = entry
        return entry

    def __getitem__(self, name: str) -> Any:
        return self._load(name)

    def get(self, name: str, default: Any = None) -> Any:
        """The entry, or `default`."""
        return self._load(name) if name in self else default


#: Daemons by program name (the part before `:`).
PROGRAMS = Lazy(
    {
        "etcd": "etcd.program:PROGRAM",
        "haproxy": "host.haproxy:PROGRAM",
        "kube-apiserver": "kube.apiserver.program:PROGRAM",
        "kube-controller-manager": "kube.controllers.program:PROGRAM",
        "kube-scheduler": "kube.scheduler.program:PROGRAM",
        "kube-proxy": "kube.proxy.program:PROGRAM",
        "kubelet": "kube.kubelet.program:PROGRAM",
        "kubectl-server": "cli.kubectl.serving:PROGRAM",
        **RUNTIME_PROGRAMS,
    }
)

#: Commands by program name.
COMMANDS = Lazy(
    {
        **HOST_COMMANDS,
        **HOST_TOOLS,
        "kubectl": "cli.kubectl:main",
        "git": "cli.git:main",
        "kustomize": "cli.kubetools:kustomize",
        "kubectx": "cli.kubetools:kubectx",
        "kubens": "cli.kubetools:kubens",
        "helm": "cli.helm:main",
        "etcdctl": "cli.etcdctl:main",
        "etcdutl": "cli.etcdutl:main",
        "containerd": "cli.daemons:containerd_main",
        "cosign": "cli.cosign:main",
        "dockerd": "cli.daemons:dockerd_main",
        "ctr": "cli.ctr:main",
        "docker": "cli.docker:main",
        "nerdctl": "cli.nerdctl:main",
        "podman": "cli.podman:main",
        "make": "cli.make:make",
        "zip": "cli.ziptools:zip_",
        "unzip": "cli.ziptools:unzip",
        "htpasswd": "cli.webtools:htpasswd",
        "apache2ctl": "cli.webtools:apache2ctl",
        "a2ensite": "cli.webtools:a2ensite",
        "docker-compose": "cli.webtools:compose",
        "runc": "cli.runc:main",
        "redis-cli": "cli.rediscli:main",
        "python3": "cli.python:main",
        "node": "cli.node:node",
        "crictl": "cli.crictl:main",
        "kubeadm": "cli.kubeadm:main",
    }
)

#: Sections of a world by name, with their types.
SECTIONS: dict[str, Any] = {
    "apiserver": dict[str, ApiServerState],
    "cert-manager": dict[str, CertManagerState],
    "coredns": dict[str, CoreDnsState],
    "ingress-nginx": dict[str, IngressState],
    "etcd": EtcdSection,
    "haproxy": dict[str, Balancer],
    "hosts": dict[str, Host],
    "hub": dict[str, str],
    "images": dict[str, MadeImage],
    "kcm": dict[str, ManagerState],
    "kubelet": dict[str, KubeletState],
    "kubeproxy": dict[str, ProxyState],
    "local-path": dict[str, LocalPathState],
    "metallb": dict[str, MetalLBState],
    "metrics-server": dict[str, MetricsScrapes],
    "network": Network,
    "nginx": dict[str, NginxState],
    "processes": ProcessTable,
    "redis": dict[str, dict[str, str]],
    "runtime": dict[str, RuntimeState],
    "scheduler": dict[str, SchedulerState],
    "streams": Streams,
    "terminals": terminal.Terminals,
}


def network_plugin(world: World, host: str, payload: Any) -> None:
    """A node's network plugin has something to do."""
    from .kube import netpolicy

    netpolicy.dispatch(world, host, payload)


#: Timer targets by the part before `:`.
DISPATCH: dict[str, Callable[[World, str, Any], None]] = {
    "co": executor.dispatch,
    "cron": cron.dispatch,
    "etcd": etcd_arrive,
    "net": network_plugin,
    "power": power.dispatch,
    "proc": processes.dispatch,
    "unit": systemd.dispatch,
    "wake": dispatch_wake,
}

#: Where processes' output goes, by the part before `:` of `Process.sink`.
SINKS: dict[str, Callable[..., Any]] = {"fd": executor.fd_sink, "stdout": executor.standard_output, **RUNTIME_SINKS}


def firewall(world: World, host: str) -> Tables:
    """The iptables tables of a host that nobody has changed by hand."""
    from .kube.proxy import chains

    return chains.render(world, host)


def install(world: World, tty: Callable[[World, str, int, str], None] = terminal.show) -> None:
    """Give a world its behaviour; `tty` receives what daemons write to a terminal."""
    world.tables.update(
        {
            "programs": PROGRAMS,
            "commands": COMMANDS,
            "dispatch": DISPATCH,
            "sinks": SINKS,
            "http": processes.serve,
            "firewall": firewall,
            "resolve": dns.lookup,
            "virtual": {**VIRTUAL, "cgroup": cgroups.proc_cgroup, "cgroupfs": cgroups.content, "oom": cgroups.proc_oom},
            "cgroups": cgroups.directory,
            "tty": tty,
            "complete": Lazy(COMPLETE),
            "copies": copies.objects,
            "units": systemd.keep,
            "cron": cron.changed,
        }
    )


def known(names: Iterable[str]) -> list[str]:
    """Those names that a world can run, sorted."""
    return sorted(n for n in names if n in COMMANDS or n in PROGRAMS)
