"""Worlds in which no cluster exists yet: machines on which learners make one, with kubeadm or by hand."""

from __future__ import annotations

from ..host import files, systemd
from ..host.machine import hosts
from ..host.packaged import HAPROXY_CONFIG, HAPROXY_UNIT
from ..kernel.clock import SECOND
from ..kernel.versions import MINOR, minor_of, patches
from ..kernel.world import World
from .cluster import ClusterBuilder
from .machines import add_machine, put


def addresses(names: tuple[str, ...]) -> dict[str, str]:
    """The machines' addresses, as a ready-made cluster has them."""
    return {name: f"172.30.1.{2 + 2 * index}" for index, name in enumerate(names)}


def kubeadm_ready(world: World, names: tuple[str, ...] = ("controlplane", "node01", "node02")) -> None:
    """Machines with containerd, kubeadm, kubelet and kubectl installed as the documentation says, up to `kubeadm init`.

    The kubelet restarts every ten seconds, as it has no configuration; pods get a network when somebody brings one.
    """
    known = addresses(names)
    for name in names:
        host = add_machine(world, name, known[name], known, network=False)
        for folder in ("/etc/kubernetes/manifests", "/etc/cni/net.d", "/opt/cni/bin"):
            files.make_dir(world, host, folder, parents=True)
        for unit in ("containerd.service", "kubelet.service"):
            systemd.start_unit(world, name, unit)
    world.run_until(world.now + 5 * SECOND)


CONTROL_PLANES = ("cp1", "cp2", "cp3")


def highly_available(world: World) -> None:
    """Three machines for control planes, one for a worker, and a load balancer at `lb:6443` before them."""
    kubeadm_ready(world, (*CONTROL_PLANES, "node01", "lb"))
    known = addresses((*CONTROL_PLANES, "node01", "lb"))
    host = hosts(world)["lb"]
    for unit in ("kubelet.service", "containerd.service"):
        systemd.stop_unit(world, host, unit)
    servers = "".join(f"\tserver {name} {known[name]}:6443 check\n" for name in CONTROL_PLANES)
    config = f"{HAPROXY_CONFIG}\nfrontend kubernetes\n\tbind *:6443\n\tdefault_backend control-planes\n"
    put(world, host, "/etc/haproxy/haproxy.cfg", f"{config}\nbackend control-planes\n\tbalance roundrobin\n{servers}")
    put(world, host, "/usr/lib/systemd/system/haproxy.service", HAPROXY_UNIT)
    host.fs.install("/usr/sbin/haproxy", "haproxy")
    systemd.start_unit(world, host, "haproxy.service")


#: The release that the `upgrade` scenario begins with.
OLDER = patches("1.35")[0]


def older(world: World) -> None:
    """A cluster one minor release behind, whose machines take their packages from that release's archive."""
    released(world, ("node01",), f"v{OLDER}")


def released(world: World, workers: tuple[str, ...], version: str) -> None:
    """A cluster of an older release, whose machines take their packages from that release's archive."""
    builder = ClusterBuilder(world, workers=workers, version=version)
    builder.build()
    path = "/etc/apt/sources.list.d/kubernetes.list"
    for name in builder.names:
        host = hosts(world)[name]
        text = files.read_file(world, host, path).decode()
        put(world, host, path, text.replace(f"v{MINOR}", f"v{minor_of(version)}"))
