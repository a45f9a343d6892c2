"""The machines of a scenario: their base files, addresses, units and configuration, before anything runs on them."""

from __future__ import annotations

import posixpath

from ..host import base, files
from ..host.machine import Host, UnitState, hosts
from ..host.packaged import CONTAINERD_UNIT, KUBELET_DROP_IN, KUBELET_UNIT
from ..host.x509 import KeyPair
from ..kernel import clock
from ..kernel import network as kernel_network
from ..kernel.world import World
from ..kube.kubeadm import addons, pki
from ..kube.kubeadm.manifests import PAUSE_IMAGE, dump

POD_CIDR = "192.168.0.0/16"
SERVICE_CIDR = "10.96.0.0/12"


_CONTAINERD_CONFIG = f"""\
version = 3

[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "{PAUSE_IMAGE}"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  SystemdCgroup = true
"""

#: containerd then writes the pods' network itself as soon as the kubelet tells it the node's range.
CNI_TEMPLATE = """
[plugins.'io.containerd.cri.v1.runtime'.cni]
  conf_template = "/etc/containerd/cni.template"
"""

_CRICTL = """\
runtime-endpoint: unix:///run/containerd/containerd.sock
image-endpoint: unix:///run/containerd/containerd.sock
"""


def put(world: World, host: Host, path: str, data: bytes | str, mode: int = 0o644) -> None:
    """Write a configuration file, with the directories above it."""
    raw = data.encode() if isinstance(data, str) else data
    files.write_file(world, host, path, raw, mode=mode, parents=True)


def add_machine(world: World, name: str, ip: str, neighbours: dict[str, str], *, network: bool = True) -> Host:
    """A bare Linux machine with containerd, kubelet and the Kubernetes tools installed; nothing runs yet.

    Without `network` containerd waits for somebody else's CNI configuration.
    """
    rng = world.rng(f"machine/{name}")
    host = Host(name=name, ip=ip, machine_id=rng.hex(32), boot_id=rng.uuid(), system_uuid=rng.uuid(), boot_at=world.now)
    hosts(world)[name] = host
    base.build(host)
    kernel_network.add_namespace(world, name, name, [ip])
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback", *(f"{a} {n}" for n, a in neighbours.items())]
    put(world, host, "/etc/hosts", "\n".join(lines) + "\n")
    put(world, host, "/etc/hostname", name + "\n")
    put(world, host, "/etc/machine-id", host.machine_id + "\n", 0o444)
    put(world, host, "/etc/resolv.conf", "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n")
    put(world, host, "/run/systemd/resolve/resolv.conf", "nameserver 172.30.1.1\nsearch .\n")
    put(world, host, "/usr/lib/systemd/system/containerd.service", CONTAINERD_UNIT)
    put(world, host, "/usr/lib/systemd/system/kubelet.service", KUBELET_UNIT)
    put(world, host, "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf", KUBELET_DROP_IN)
    put(world, host, "/etc/containerd/config.toml", _CONTAINERD_CONFIG + (CNI_TEMPLATE if network else ""))
    put(world, host, "/etc/crictl.yaml", _CRICTL)
    for unit in ("containerd.service", "kubelet.service"):
        enable(world, host, unit, "/usr/lib/systemd/system")
    return host


_WANTS = "/etc/systemd/system/multi-user.target.wants"


def enable(world: World, host: Host, unit: str, folder: str = "/etc/systemd/system") -> None:
    """As `systemctl enable` leaves a unit."""
    host.units[unit] = UnitState(enabled=True)
    files.make_dir(world, host, _WANTS, parents=True)
    files.tree(host).symlink(f"{folder}/{unit}", f"{_WANTS}/{unit}", now=world.wall)


def disable(host: Host, *units: str) -> None:
    """As `systemctl disable`: the units do not start with the machine."""
    for unit in units:
        host.units[unit].enabled = False
        files.tree(host).remove(f"{_WANTS}/{unit}")


def service_unit(description: str, command: str, *, restart: bool = False) -> str:
    """A unit file of a service that is started by hand."""
    again = "Restart=on-failure\nRestartSec=5\n" if restart else ""
    return (
        f"[Unit]\nDescription={description}\n\n[Service]\nExecStart={command}\n{again}\n[Install]\nWantedBy=multi-user.target\n"
    )


def configure_kubelet(world: World, host: Host, ca: KeyPair, server: str, *, control_plane: bool) -> None:
    """What `kubeadm init` and `kubeadm join` leave for the kubelet of a node, after its certificate was signed."""
    pair = pki.kubelet_pair(world, ca, host.name)
    folder, link = posixpath.split(pki.KUBELET_PEM)
    dated = f"{folder}/kubelet-client-{clock.to_datetime(world.wall):%Y-%m-%d-%H-%M-%S}.pem"
    put(world, host, dated, pair.cert + pair.key, 0o600)
    files.tree(host).symlink(dated, f"{folder}/{link}", now=world.wall)
    config = pki.rotating_kubeconfig(ca.cert, server, host.name if control_plane else "")
    put(world, host, "/etc/kubernetes/kubelet.conf", config, 0o600)
    put(world, host, "/etc/kubernetes/pki/ca.crt", ca.cert)
    put(world, host, "/var/lib/kubelet/config.yaml", dump(addons.kubelet_configuration()))
    put(
        world,
        host,
        "/var/lib/kubelet/instance-config.yaml",
        'containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock"\n',
    )
    put(world, host, "/var/lib/kubelet/kubeadm-flags.env", 'KUBELET_KUBEADM_ARGS=""\n')
    files.make_dir(world, host, "/etc/kubernetes/manifests", parents=True)
