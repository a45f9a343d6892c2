"""A world of one host with containerd, a kubelet and the stand-in API server."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.core import tables
from simulator.core.host import files, processes
from simulator.core.host.filesystem import FileSystem, Inode
from simulator.core.host.machine import Host, hosts
from simulator.core.kernel import network
from simulator.core.kernel.clock import SECOND
from simulator.core.kernel.world import World
from simulator.core.lab.machines import CNI_TEMPLATE
from simulator.core.runtime import containerd

from .fake_api import FakeApi

KUBECONFIG = b"""
apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters: [{name: k, cluster: {server: "https://172.30.1.2:6443"}}]
users: [{name: u, user: {token: t}}]
"""
CONFIG = b"""
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
staticPodPath: /etc/kubernetes/manifests
"""
PODS = "/api/v1/namespaces/default/pods"


class Node:
    """The test's handle: a world, its API, and short words for what tests do."""

    def __init__(self) -> None:
        self.world = World(seed=7)
        tables.install(self.world, lambda *_: None)
        self.api = FakeApi()
        programs = dict(tables.PROGRAMS)
        programs["fake-api"] = self.api
        self.world.tables["programs"] = tables.Lazy(programs)
        self.add_host("controlplane", "172.30.1.2")
        self.add_host("node01", "172.30.2.2")
        self.start_api()
        self.containerd = processes.start(self.world, host="node01", program="containerd", argv=["/usr/bin/containerd"])
        containerd.preload(self.world, "node01", ["registry.k8s.io/pause:3.10.2"])
        self.put("/etc/containerd/config.toml", CNI_TEMPLATE.encode())
        self.put("/var/lib/kubelet/config.yaml", CONFIG)
        self.put("/etc/kubernetes/kubelet.conf", KUBECONFIG)
        files.make_dir(self.world, "node01", "/etc/kubernetes/manifests", parents=True)
        self.start_kubelet()

    def add_host(self, name: str, ip: str) -> None:
        root = FileSystem(Inode("dir", 0o755, children={}))
        hosts(self.world)[name] = Host(name=name, ip=ip, filesystems={"host": root})
        network.add_namespace(self.world, name, name, [ip])

    def start_api(self) -> None:
        self.api_proc = processes.start(self.world, host="controlplane", program="fake-api", argv=["fake-api"])

    def start_kubelet(self) -> None:
        argv = ["/usr/bin/kubelet", "--kubeconfig=/etc/kubernetes/kubelet.conf", "--config=/var/lib/kubelet/config.yaml"]
        self.kubelet = processes.start(self.world, host="node01", program="kubelet", argv=argv, sink="journal:kubelet.service")

    def put(self, path: str, data: bytes) -> None:
        files.write_file(self.world, "node01", path, data, parents=True)

    def run(self, seconds: float) -> None:
        self.world.run_until(self.world.now + int(seconds * SECOND))

    def pod(self, name: str, image: str = "nginx", **container: Any) -> None:
        spec = {
            "nodeName": "node01",
            "restartPolicy": container.pop("restartPolicy", "Always"),
            "terminationGracePeriodSeconds": 30,
        }
        spec |= container.pop("spec", {})
        spec.setdefault("containers", [{"name": name, "image": image, **container}])
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec, "status": {"phase": "Pending"}}
        self.api.put(self.world, f"{PODS}/{name}", body, "ADDED")

    def get(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.objects[f"{PODS}/{name}"]
        return found

    def exists(self, name: str) -> bool:
        return f"{PODS}/{name}" in self.api.objects

    def status(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(name)["status"]
        return found

    def state(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.status(name)["containerStatuses"][0]["state"]
        return found

    def history(self, name: str) -> list[tuple[str, int, float]]:
        """What STATUS and RESTARTS of a pod's first container were, and since when (virtual seconds since the pod came)."""
        out: list[tuple[str, int, float]] = []
        began = 0
        for version, _, path, obj in self.api.log:
            if path != f"{PODS}/{name}":
                continue
            at = self.api.times[version]
            began = began or at
            for entry in (obj.get("status") or {}).get("containerStatuses") or ():
                ((kind, state),) = entry["state"].items()
                shown = str(state.get("reason") or kind.capitalize())
                if [(shown, entry["restartCount"])] != [one[:2] for one in out[-1:]]:
                    out.append((shown, entry["restartCount"], (at - began) / SECOND))
        return out

    def events(self, reason: str = "") -> list[tuple[str, str, int]]:
        found = [o for p, o in self.api.objects.items() if "/events/" in p]
        return [(e["reason"], e["message"], e["count"]) for e in found if reason in ("", e["reason"])]

    def delete(self, name: str, grace: int | None = None) -> None:
        from simulator.core.kube.client import Credentials, KubeClient

        KubeClient(self.world, "controlplane", "https://172.30.1.2:6443", Credentials(token="t"), "test").delete(
            "pods", "default", name, grace=grace
        )


@pytest.fixture
def node() -> Node:
    return Node()
