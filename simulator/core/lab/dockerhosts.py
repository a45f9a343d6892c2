"""Hosts without Kubernetes: bare ones to build on, and ones with Docker's engine as its packages install it."""

from __future__ import annotations

from ..host import base, files, systemd
from ..host.machine import Host, UnitState, hosts
from ..host.packaged import CONTAINERD_UNIT, DOCKER_SOCKET, DOCKER_UNIT
from ..kernel import network
from ..kernel.clock import SECOND
from ..kernel.world import World
from .cluster import ClusterBuilder
from .machines import put

#: What containerd.io installs: CRI is off, Docker has no use for it.
_CONTAINERD_CONFIG = """\
#   Copyright 2018-2022 Docker Inc.

disabled_plugins = ["cri"]

#root = "/var/lib/containerd"
#state = "/run/containerd"
#subreaper = true
#oom_score = 0

#[grpc]
#  address = "/run/containerd/containerd.sock"
#  uid = 0
#  gid = 0

#[debug]
#  address = "/run/containerd/debug.sock"
#  uid = 0
#  gid = 0
#  level = "info"
"""
#: Programs of docker-ce, docker-ce-cli and containerd.io: path → program.
DOCKER: dict[str, str] = {
    "/usr/bin/docker": "docker",
    "/usr/bin/dockerd": "dockerd",
    "/usr/bin/containerd": "containerd",
    "/usr/bin/ctr": "ctr",
    "/usr/bin/runc": "runc",
}


def add_host(world: World, name: str, ip: str, neighbours: dict[str, str]) -> Host:
    """A Linux machine with nothing of containers on it."""
    rng = world.rng(f"machine/{name}")
    host = Host(name=name, ip=ip, machine_id=rng.hex(32), boot_id=rng.uuid(), system_uuid=rng.uuid(), boot_at=world.now)
    hosts(world)[name] = host
    base.build(host, kubernetes=False)
    network.add_namespace(world, name, name, [ip])
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback", *(f"{a} {n}" for n, a in neighbours.items())]
    put(world, host, "/etc/hosts", "\n".join(lines) + "\n")
    put(world, host, "/etc/hostname", name + "\n")
    put(world, host, "/etc/machine-id", host.machine_id + "\n", 0o444)
    put(world, host, "/etc/resolv.conf", "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n")
    put(world, host, "/run/systemd/resolve/resolv.conf", "nameserver 172.30.1.1\nsearch .\n")
    return host


def install_docker(world: World, host: Host) -> None:
    """What `apt-get install docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin` leaves behind."""
    for path, program in DOCKER.items():
        host.fs.install(path, program, now=world.wall)
    for plugin in ("docker-buildx", "docker-compose"):
        host.fs.install(f"/usr/libexec/docker/cli-plugins/{plugin}", "docker", now=world.wall)
    put(world, host, "/usr/lib/systemd/system/containerd.service", CONTAINERD_UNIT)
    put(world, host, "/usr/lib/systemd/system/docker.service", DOCKER_UNIT)
    put(world, host, "/usr/lib/systemd/system/docker.socket", DOCKER_SOCKET)
    put(world, host, "/etc/containerd/config.toml", _CONTAINERD_CONFIG)
    files.make_dir(world, host, "/etc/docker", parents=True)
    groups = host.fs.read("/etc/group").decode()
    if "\ndocker:" not in groups:
        host.fs.write("/etc/group", (groups + "docker:x:988:\n").encode())
    for unit in ("containerd.service", "docker.service", "docker.socket"):
        host.units[unit] = UnitState(enabled=True)


_CRIDOCKER_UNIT = """\
[Unit]
Description=CRI Interface for Docker Application Container Engine
Documentation=https://docs.mirantis.com
After=network-online.target firewalld.service docker.service
Wants=network-online.target

[Service]
Type=notify
ExecStart=/usr/bin/cri-dockerd --container-runtime-endpoint fd://
TimeoutSec=0
RestartSec=2
Restart=always
LimitNOFILE=infinity
Delegate=yes
KillMode=process

[Install]
WantedBy=multi-user.target
"""


def dockershim(world: World) -> None:
    """A cluster whose worker still runs Docker, as clusters did up to v1.23: its kubelet is v1.23 and uses dockershim.

    The kubelet of v1.24 lies in /opt/kubernetes/v1.24.17; cri-dockerd is installed and not started.  The control plane is that of v1.36.
    """
    _Dockershim(world, workers=("node01",)).build()


class _Dockershim(ClusterBuilder):
    """Joins its worker with Docker in containerd's place."""

    def _join(self, name: str) -> None:
        host = self.hosts[name]
        config = host.fs.read("/etc/containerd/config.toml")
        install_docker(self.world, host)
        put(self.world, host, "/etc/containerd/config.toml", config)
        host.fs.install("/usr/bin/kubelet", "kubelet:1.23.17", now=self.world.wall)
        host.fs.install("/opt/kubernetes/v1.24.17/kubelet", "kubelet:1.24.17", now=self.world.wall)
        host.fs.install("/usr/bin/cri-dockerd", "cri-dockerd", now=self.world.wall)
        put(self.world, host, "/usr/lib/systemd/system/cri-docker.service", _CRIDOCKER_UNIT)
        socket = "unix:///var/run/dockershim.sock"
        put(self.world, host, "/etc/crictl.yaml", f"runtime-endpoint: {socket}\nimage-endpoint: {socket}\n")
        systemd.start_unit(self.world, name, "docker.service")
        super()._join(name)

    def _flags(self, name: str) -> str:
        if name == self.names[0]:
            return ""
        return "--network-plugin=cni --pod-infra-container-image=registry.k8s.io/pause:3.6"


def build(world: World, names: tuple[str, ...], *, docker: bool) -> None:
    """Hosts `names`, with Docker running on them when `docker`."""
    addresses = {name: f"172.30.1.{2 + 2 * number}" for number, name in enumerate(names)}
    for name in names:
        host = add_host(world, name, addresses[name], addresses)
        if docker:
            install_docker(world, host)
            systemd.start_unit(world, name, "containerd.service")
            systemd.start_unit(world, name, "docker.service")
    world.run_until(world.now + 20 * SECOND)
