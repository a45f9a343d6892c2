"""The test's control plane on the real etcd and API server, started with the flags and files that kubeadm writes."""

from __future__ import annotations

from simulator.core.host import files, processes
from simulator.core.host.process import Process
from simulator.core.host.x509 import KeyPair
from simulator.core.kube.apiserver import copies
from simulator.core.kube.controllers.program import ControllerManager
from simulator.core.kube.kubeadm import manifests, pki
from simulator.core.kube.proxy.program import KubeProxy
from simulator.core.kube.scheduler.program import KubeScheduler

from .apiserver.cluster import CLUSTER, IP, NODE, ControlPlane
from .plane import FakeKubelet, Plane


class RealPlane(Plane):
    """A `Plane` whose API server is the real one."""

    def __init__(self, *, seed: int = 1) -> None:
        self.base = ControlPlane(seed=seed, strict=False)
        self.world, self.host, self.apiserver = self.base.world, NODE, self.base.api
        self.world.tables["programs"].update(
            {
                "kube-controller-manager": ControllerManager(),
                "kube-scheduler": KubeScheduler(),
                "kube-proxy": KubeProxy(),
                "fake-kubelet": FakeKubelet(),
            }
        )
        self.world.tables["copies"] = copies.objects
        ca = KeyPair(self.base.read("/etc/kubernetes/pki/ca.crt"), self.base.read("/etc/kubernetes/pki/ca.key"))
        for path, data in pki.control_plane_kubeconfigs(self.world, ca, f"https://{IP}:6443").items():
            files.write_file(self.world, NODE, "/etc/kubernetes/" + path, data, parents=True)
        self.client = self.base.client()
        self.world.warm["test-client"] = self.client
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
        self.client.create("serviceaccounts", "default", account)  # pods are admitted before a controller manager runs

    def manager(self, *flags: str) -> Process:
        """Start the controller manager as kubeadm does."""
        argv = manifests.controller_manager(CLUSTER)["spec"]["containers"][0]["command"]
        return self._start("kube-controller-manager", [*argv, *flags])

    def scheduler(self, *flags: str) -> Process:
        """Start the scheduler as kubeadm does."""
        return self._start("kube-scheduler", [*manifests.scheduler(CLUSTER)["spec"]["containers"][0]["command"], *flags])

    def _start(self, program: str, argv: list[str]) -> Process:
        return processes.start(self.world, host=self.host, program=program, argv=argv, sink=f"journal:{program}")
