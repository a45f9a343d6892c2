"""A control plane of two processes for tests: etcd and kube-apiserver on one host, no kubelet, no controllers."""

from __future__ import annotations

from typing import Any

from simulator.core.etcd.program import EtcdProgram
from simulator.core.host import files, processes
from simulator.core.host.process import Process
from simulator.core.host.x509 import KeyPair
from simulator.core.kernel.clock import SECOND
from simulator.core.kernel.world import World
from simulator.core.kube.apiserver import copies
from simulator.core.kube.apiserver.program import PROGRAM, server_of
from simulator.core.kube.apiserver.server import Server
from simulator.core.kube.client import KubeClient
from simulator.core.kube.kubeadm import addons, manifests, pki
from tests.core.host_world import make_world

NODE, IP = "controlplane", "172.30.1.2"

CLUSTER = addons.cluster_configuration(pod_cidr="192.168.0.0/16", service_cidr="10.96.0.0/12")


class ControlPlane:
    """The world, its two processes and clients of them."""

    def __init__(self, *, seed: int = 1, strict: bool = True) -> None:
        self.world: World = make_world(NODE, seed=seed)
        self.world.tables["programs"].update({"etcd": EtcdProgram(), "kube-apiserver": PROGRAM})
        self.world.tables["strict"] = strict
        self.world.tables["copies"] = copies.objects
        for path, data in pki.cluster_pki(self.world, CLUSTER, node=NODE, ip=IP).items():
            files.write_file(self.world, NODE, "/etc/kubernetes/pki/" + path, data, parents=True)
        argv = manifests.etcd(CLUSTER, NODE, IP)["spec"]["containers"][0]["command"]
        self.etcd_argv, self.api_argv = argv, manifests.apiserver(CLUSTER, IP)["spec"]["containers"][0]["command"]
        self.etcd = self.start("etcd", self.etcd_argv)
        self.settle(2)
        self.api = self.start("kube-apiserver", self.api_argv)
        self.settle(2)

    def start(self, program: str, argv: list[str]) -> Process:
        """Start one of the two daemons on the host network."""
        return processes.start(self.world, host=NODE, program=program, argv=argv, netns=NODE)

    def settle(self, seconds: float = 1.0) -> None:
        """Let virtual time pass."""
        self.world.run_until(self.world.now + int(seconds * SECOND))

    @property
    def server(self) -> Server:
        """The warm server."""
        return server_of(self.world, self.api)

    def read(self, path: str) -> bytes:
        """A file of the host."""
        return files.read_file(self.world, NODE, path)

    def client(self, name: str = "super-admin", agent: str = "kubectl/v1.36.2 (linux/amd64) kubernetes/98b3519") -> KubeClient:
        """A client of one of kubeadm's kubeconfigs."""
        ca = KeyPair(self.read("/etc/kubernetes/pki/ca.crt"), self.read("/etc/kubernetes/pki/ca.key"))
        made = pki.control_plane_kubeconfigs(self.world, ca, f"https://{IP}:6443")
        text = next(data for path, data in sorted(made.items()) if path == f"{name}.conf")
        return KubeClient.from_kubeconfig(self.world, NODE, text, user_agent=agent)


def pod(name: str = "web", **spec: Any) -> dict[str, Any]:
    """A pod as a user writes it."""
    body = {"containers": [{"name": "c", "image": "nginx:1.25"}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": body}


def deployment(name: str = "web", replicas: int = 1) -> dict[str, Any]:
    """A deployment as `kubectl create deployment` makes it."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "nginx", "image": "nginx:1.25"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": labels}, "spec": spec}
