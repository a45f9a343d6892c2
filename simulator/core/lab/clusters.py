"""Clusters whose control plane is more than one machine: stacked by kubeadm behind a balancer, or with etcd on machines of its own.

Built as kubeadm builds them: the second and third control plane get the shared keys, join etcd as learners and are promoted, then run
their own API server, controller manager and scheduler.  External etcd is three systemd units with certificates, as set up by hand.
"""

from __future__ import annotations

from typing import Any

from ..etcd.client import EtcdClient, TlsFiles
from ..etcd.errors import EtcdError
from ..etcd.member import MemberInfo
from ..host import files, systemd, x509
from ..host.machine import hosts
from ..host.x509 import KeyPair
from ..kernel.clock import MS, SECOND
from ..kernel.errors import ConnectError
from ..kernel.versions import VERSION
from ..kernel.world import World
from ..kube.client import KubeClient
from ..kube.kubeadm import manifests, pki
from .cluster import ClusterBuilder
from .machines import add_machine, configure_kubelet, disable, enable, put, service_unit

BALANCER = "lb"
#: What a joining control plane copies from the first one (kubeadm: upload-certs).
SHARED = ("ca", "front-proxy-ca", "etcd/ca")


class HighlyAvailable(ClusterBuilder):
    """Several control planes with stacked etcd behind a balancer, and workers."""

    def __init__(self, world: World, *, control_planes: int = 3, workers: tuple[str, ...] = ("node01",)) -> None:
        self.others = tuple(f"controlplane{number}" for number in range(2, control_planes + 1))
        super().__init__(world, workers=(*self.others, *workers))
        self.static_count = 4 * control_planes
        self.addresses[BALANCER] = "172.30.1.100"
        self.server = f"https://{self.addresses[BALANCER]}:6443"

    def build(self) -> None:
        """Machines, balancer, the first control plane, the others one after the other, workers."""
        balancer = add_machine(self.world, BALANCER, self.addresses[BALANCER], self.addresses)
        disable(balancer, "containerd.service", "kubelet.service")
        planes = (self.names[0], *self.others)
        servers = "".join(f"    server {name} {self.addresses[name]}:6443 check\n" for name in planes)
        put(self.world, balancer, "/etc/haproxy/haproxy.cfg", _HAPROXY + servers)
        balancer.fs.install("/usr/sbin/haproxy", "haproxy")
        put(
            self.world,
            balancer,
            "/etc/systemd/system/haproxy.service",
            service_unit("HAProxy Load Balancer", "/usr/sbin/haproxy -f /etc/haproxy/haproxy.cfg"),
        )
        enable(self.world, balancer, "haproxy.service")
        systemd.start_unit(self.world, BALANCER, "haproxy.service")
        super().build()

    def configuration(self) -> dict[str, Any]:
        """The ClusterConfiguration: clients reach the API at the balancer."""
        return {**super().configuration(), "controlPlaneEndpoint": self.server.removeprefix("https://")}

    def _join(self, name: str) -> None:
        if name in self.others:
            self._join_control_plane(name)
        else:
            super()._join(name)

    def _join_control_plane(self, name: str) -> None:
        """`kubeadm join --control-plane`, step by step."""
        world, host, ip = self.world, self.hosts[name], self.addresses[name]
        self._pull(name)
        cluster = self.configuration()
        for path, data in self._certificates(cluster, name, ip).items():
            put(world, host, f"/etc/kubernetes/pki/{path}", data, 0o600 if path.endswith(".key") else 0o644)
        for path, data in pki.control_plane_kubeconfigs(world, self.ca, self.server).items():
            put(world, host, f"/etc/kubernetes/{path}", data, 0o600)
            if path == "admin.conf":
                put(world, host, "/root/.kube/config", data, 0o600)
        configure_kubelet(world, host, self.ca, self.server, control_plane=True)
        pods = {
            "kube-apiserver": manifests.apiserver(cluster, ip),
            "kube-controller-manager": manifests.controller_manager(cluster),
            "kube-scheduler": manifests.scheduler(cluster),
        }
        for pod, manifest in pods.items():
            put(world, host, f"/etc/kubernetes/manifests/{pod}.yaml", manifests.dump(manifest), 0o600)
        systemd.start_unit(world, name, "kubelet.service")
        members = self._add_member(name, ip)
        put(
            world,
            host,
            "/etc/kubernetes/manifests/etcd.yaml",
            manifests.dump(manifests.etcd(cluster, name, ip, members=members)),
            0o600,
        )
        self._promote(f"https://{ip}:2380")
        client = KubeClient.from_kubeconfig(world, self.names[0], self.super_admin, user_agent=f"kubeadm/{VERSION}")
        self._until(lambda: self._registered(client, name), f"node {name}")
        self._mark(client, name)

    def _registered(self, client: KubeClient, name: str) -> bool:
        return any(node["metadata"]["name"] == name for node in client.list("nodes").items)

    def _certificates(self, cluster: dict[str, Any], name: str, ip: str) -> dict[str, bytes]:
        """The shared authorities and this machine's own certificates."""
        pairs: dict[str, KeyPair] = {}
        found: dict[str, bytes] = {}
        for spec in pki.CERTIFICATES:
            if spec.base in SHARED:
                pairs[spec.name] = KeyPair(self.pki[f"{spec.base}.crt"], self.pki[f"{spec.base}.key"])
            else:
                pairs[spec.name] = pki.make(self.world, spec, cluster, name, ip, pairs.get(spec.authority))
            found[f"{spec.base}.crt"], found[f"{spec.base}.key"] = pairs[spec.name].cert, pairs[spec.name].key
        return {**found, "sa.key": self.pki["sa.key"], "sa.pub": self.pki["sa.pub"]}

    def _etcd(self) -> EtcdClient:
        tls = TlsFiles(self.pki["etcd/healthcheck-client.crt"], self.pki["etcd/healthcheck-client.key"], self.pki["etcd/ca.crt"])
        return EtcdClient(self.world, self.names[0], [f"https://{self.addresses[self.names[0]]}:2379"], tls)

    def _add_member(self, name: str, ip: str) -> list[tuple[str, str]]:
        """Add the machine's etcd as a learner; returns the members for `--initial-cluster`."""
        etcd, url = self._etcd(), f"https://{ip}:2380"
        added: list[MemberInfo] = []

        def done() -> bool:
            try:
                added[:] = etcd.call("Cluster/MemberAdd", peer_urls=[url], is_learner=True)
            except (EtcdError, ConnectError):
                return False
            return True

        self._until(done, f"etcd member {name}")
        return [(one.name or name, one.peer_urls[0]) for one in added]

    def _promote(self, url: str) -> None:
        etcd = self._etcd()

        def done() -> bool:
            try:
                learner = next((m for m in etcd.call("Cluster/MemberList") if m.peer_urls == [url] and m.is_learner), None)
                if learner is None or not learner.name:
                    return learner is None
                etcd.call("Cluster/MemberPromote", id=learner.id)
            except (EtcdError, ConnectError):
                return False
            return True

        self._until(done, "a learner of etcd")
        self.world.run_until(self.world.now + 6 * SECOND)


_HAPROXY = """\
global
    log stdout format raw local0

defaults
    mode tcp
    timeout connect 5s
    timeout client 1m
    timeout server 1m

frontend kubernetes
    bind *:6443
    default_backend control-planes

backend control-planes
    balance roundrobin
    option tcp-check
"""


class ExternalEtcd(ClusterBuilder):
    """etcd on three machines as systemd units with certificates; the API server of one control plane uses them."""

    def __init__(self, world: World, *, workers: tuple[str, ...] = ("node01",)) -> None:
        super().__init__(world, workers=workers)
        self.static_count = 3
        self.etcd_names = ("etcd1", "etcd2", "etcd3")
        for number, name in enumerate(self.etcd_names):
            self.addresses[name] = f"172.30.1.{50 + number}"

    def build(self) -> None:
        """The etcd machines, then the cluster."""
        authority, client = etcd_machines(self.world, {name: self.addresses[name] for name in self.etcd_names}, self.addresses)
        self._external = authority, client
        super().build()

    def configuration(self) -> dict[str, Any]:
        """The ClusterConfiguration with `etcd.external`."""
        endpoints = [f"https://{self.addresses[name]}:2379" for name in self.etcd_names]
        where = "/etc/kubernetes/pki"
        paths = {
            "caFile": f"{where}/etcd/ca.crt", "certFile": f"{where}/apiserver-etcd-client.crt", "keyFile": f"{where}/apiserver-etcd-client.key",
        }  # fmt: skip
        return {**super().configuration(), "etcd": {"external": {"endpoints": endpoints, **paths}}}

    def certificates(self, found: dict[str, bytes]) -> dict[str, bytes]:
        """kubeadm makes nothing of etcd's; what the API server needs is copied from the etcd machines."""
        authority, client = self._external
        kept = {path: data for path, data in found.items() if not path.startswith("etcd/")}
        return {
            **kept,
            "etcd/ca.crt": authority.cert,
            "apiserver-etcd-client.crt": client.cert,
            "apiserver-etcd-client.key": client.key,
        }


def etcd_machines(world: World, addresses: dict[str, str], neighbours: dict[str, str]) -> tuple[KeyPair, KeyPair]:
    """Machines with one etcd member each, TLS for clients and peers; returns the authority and a client's pair."""
    authority = x509.issue(world, "etcd-ca", days=3650)
    cluster = ",".join(f"{name}=https://{ip}:2380" for name, ip in addresses.items())
    for name, ip in addresses.items():
        host = add_machine(world, name, ip, neighbours)
        disable(host, "containerd.service", "kubelet.service")
        pair = x509.issue(world, name, issuer=authority, dns=(name, "localhost"), ips=(ip, "127.0.0.1"), server=True, client=True)
        admin = x509.issue(world, "etcd-admin", issuer=authority, client=True)
        for path, data in (
            ("ca.crt", authority.cert),
            ("server.crt", pair.cert),
            ("server.key", pair.key),
            ("client.crt", admin.cert),
            ("client.key", admin.key),
        ):
            put(world, host, f"/etc/etcd/{path}", data, 0o600 if path.endswith(".key") else 0o644)
        for tool in ("etcd", "etcdctl", "etcdutl"):
            host.fs.install(f"/usr/local/bin/{tool}", f"{tool}:3.6.13")
        command = (
            f"/usr/local/bin/etcd --name {name} --data-dir /var/lib/etcd --cert-file=/etc/etcd/server.crt --key-file=/etc/etcd/server.key "
            "--trusted-ca-file=/etc/etcd/ca.crt --client-cert-auth --peer-cert-file=/etc/etcd/server.crt --peer-key-file=/etc/etcd/server.key "
            f"--peer-trusted-ca-file=/etc/etcd/ca.crt --peer-client-cert-auth --listen-peer-urls https://{ip}:2380 "
            f"--initial-advertise-peer-urls https://{ip}:2380 --listen-client-urls https://{ip}:2379,https://127.0.0.1:2379 "
            f"--advertise-client-urls https://{ip}:2379 --initial-cluster {cluster} --initial-cluster-token etcd-cluster-0 "
            "--initial-cluster-state new"
        )
        put(world, host, "/etc/systemd/system/etcd.service", service_unit("etcd", command, restart=True))
        environment = (
            f"export ETCDCTL_ENDPOINTS={','.join(f'https://{one}:2379' for one in addresses.values())}\n"
            "export ETCDCTL_CACERT=/etc/etcd/ca.crt ETCDCTL_CERT=/etc/etcd/client.crt ETCDCTL_KEY=/etc/etcd/client.key\n"
        )
        files.tree(host).append("/root/.bashrc", environment.encode())
    for name in addresses:
        enable(world, hosts(world)[name], "etcd.service")
        systemd.start_unit(world, name, "etcd.service")
        world.run_until(world.now + 300 * MS)
    world.run_until(world.now + 3 * SECOND)
    return authority, x509.issue(world, "kube-apiserver-etcd-client", issuer=authority, client=True)


def three_etcd(world: World) -> None:
    """Three machines with etcd and nothing else."""
    addresses = {f"etcd{number}": f"172.30.1.{9 + number}" for number in (1, 2, 3)}
    etcd_machines(world, addresses, addresses)


__all__ = ["ExternalEtcd", "HighlyAvailable", "etcd_machines", "three_etcd"]
