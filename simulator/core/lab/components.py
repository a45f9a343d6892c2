"""Doing something to the control plane's own parts: their manifests, flags and containers.

What a manifest was before it was touched is kept beside it, below /root/.slipway, where `restore` finds it.
"""

from __future__ import annotations

import posixpath
import re

from ..host import files, processes
from ..host.machine import Host, hosts
from ..kernel.errors import BadInput
from ..kernel.world import World
from ..runtime.state import runtime

MANIFESTS = "/etc/kubernetes/manifests"
KEPT = "/root/.slipway"
FLAGS_ENV = "/var/lib/kubelet/kubeadm-flags.env"
NAMES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


def _manifest(world: World, component: str, host: Host | None) -> tuple[Host, str]:
    """The machine and the path of a component's manifest; raises BadInput."""
    name = component if component.startswith("kube-") or component == "etcd" else f"kube-{component}"
    if name not in NAMES:
        raise BadInput(f"fault: COMPONENT {component!r} is none of {', '.join(NAMES)}")
    path = f"{MANIFESTS}/{name}.yaml"
    for machine in [host] if host is not None else [hosts(world)[n] for n in sorted(hosts(world))]:
        tree = files.tree(machine)
        if tree.exists(path) or tree.exists(_kept(path)):
            return machine, path
    raise BadInput(f"fault: no manifest of {name}" + (f" on {host.name}" if host is not None else ""))


def _kept(path: str) -> str:
    return KEPT + path


def keep(world: World, host: Host, path: str) -> None:
    """Remember what a file was before it was touched for the first time."""
    tree = files.tree(host)
    if tree.exists(path) and not tree.exists(_kept(path)):
        tree.mkdir(posixpath.dirname(_kept(path)), True, mode=0o700, now=world.wall)
        tree.write(_kept(path), tree.read(path), now=world.wall)


def take_away(world: World, component: str, host: Host | None) -> None:
    """Move a manifest away."""
    machine, path = _manifest(world, component, host)
    if not files.tree(machine).exists(path):
        raise BadInput(f"fault take-away: {component} is away already")
    keep(world, machine, path)
    files.remove_file(world, machine, path)


def restore(world: World, component: str, host: Host | None) -> None:
    """Put back what `keep` remembers."""
    if component == "kubelet":
        machine, path = _kubelet(host), FLAGS_ENV
    else:
        machine, path = _manifest(world, component, host)
    tree = files.tree(machine)
    if not tree.exists(_kept(path)):
        raise BadInput(f"fault restore: nothing was done to {component}")
    files.write_file(world, machine, path, tree.read(_kept(path)), mode=0o600 if path.startswith(MANIFESTS) else 0o644)
    files.remove_file(world, machine, _kept(path))


def _kubelet(host: Host | None) -> Host:
    if host is None:
        raise BadInput("fault: COMPONENT kubelet needs a HOST")
    return host


def set_flag(world: World, component: str, flag: str, host: Host | None) -> None:
    """Set a flag in a manifest's command, or in the kubelet's environment file (which the unit reads when it is restarted)."""
    name = flag.partition("=")[0]
    if component == "kubelet":
        machine = _kubelet(host)
        keep(world, machine, FLAGS_ENV)
        text = files.tree(machine).read(FLAGS_ENV).decode()
        text = re.sub(rf"{re.escape(name)}(=\S*?)?(?=[\s\"])", "", text)
        text = re.sub(r'^(KUBELET_KUBEADM_ARGS=")\s*(.*?)\s*"', rf'\g<1>\g<2> {flag}"', text, flags=re.MULTILINE)
        files.write_file(world, machine, FLAGS_ENV, text.replace('" --', '"--').encode())
        return
    machine, path = _manifest(world, component, host)
    tree = files.tree(machine)
    if not tree.exists(path):
        raise BadInput(f"fault set-flag: {component} is away")
    keep(world, machine, path)
    rows = tree.read(path).decode().split("\n")
    at = next((n for n, row in enumerate(rows) if re.match(rf"\s*- {re.escape(name)}(=|$)", row)), None)
    if at is None:
        first = next((n for n, row in enumerate(rows) if re.match(r"\s*- --", row)), None)
        if first is None:
            raise BadInput(f"fault set-flag: the manifest of {component} has no flags")
        rows.insert(first, re.sub(r"- --.*", lambda _: f"- {flag}", rows[first]))
    else:
        rows[at] = re.sub(r"- --.*", lambda _: f"- {flag}", rows[at])
    files.write_file(world, machine, path, "\n".join(rows).encode(), mode=0o600)


def signal_containers(world: World, space: str, pod: str, container: str, signal: int) -> int:
    """Send a signal to the first processes of a pod's containers; how many there were."""
    count = 0
    for name in sorted(hosts(world)):
        held = runtime(world, name).namespaces.get("k8s.io")
        for record in list(held.containers.values()) if held is not None else ():
            labels = record.labels
            if labels.get("io.kubernetes.pod.namespace") != space or labels.get("io.kubernetes.pod.name") != pod:
                continue
            if record.state != "RUNNING" or (container and record.name != container):
                continue
            proc = processes.find(world, name, record.pid)
            if proc is not None:
                processes.kill(world, proc, signal)
                count += 1
    return count
