"""A small control plane for tests: one host, an API server (a stand-in by default), components, and a fake kubelet."""

from __future__ import annotations

from typing import Any

from simulator.core.host import files, processes
from simulator.core.host.filesystem import FileSystem, Inode
from simulator.core.host.machine import Host, hosts
from simulator.core.host.process import Process
from simulator.core.kernel import network
from simulator.core.kernel.clock import SECOND
from simulator.core.kernel.http import Request
from simulator.core.kernel.world import World, dispatch_wake
from simulator.core.kube.api.objects import Obj
from simulator.core.kube.client import KubeClient
from simulator.core.kube.controllers.program import ControllerManager
from simulator.core.kube.proxy.program import KubeProxy
from simulator.core.kube.scheduler.program import KubeScheduler

from .mini_api import MiniApi

KUBECONFIG = b"""
apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters: [{name: k, cluster: {server: "https://172.30.1.2:6443"}}]
users: [{name: u, user: {token: t}}]
"""
CONFIG = "/etc/kubernetes/test.conf"
START_TIME = 600_000_000


class FakeKubelet:
    """Marks bound pods Running and Ready, and lets deleted ones go; one process for all nodes."""

    def start(self, world: World, proc: Process) -> None:
        world.subscribe("registry:pods", proc.target, ["look"])

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        client = world.warm["test-client"]
        silent = world.warm.get("silent", set())
        for pod in client.list("pods").items:
            meta, status = pod["metadata"], pod.get("status") or {}
            if not pod["spec"].get("nodeName") or pod["spec"]["nodeName"] in silent:
                continue
            if meta.get("deletionTimestamp"):
                client.delete("pods", meta["namespace"], meta["name"], grace=0)
            elif status.get("phase") == "Pending" and "stuck" not in (pod["spec"]["containers"][0].get("image") or ""):
                now = world.timestamp()
                count = world.warm["ips"] = world.warm.get("ips", 0) + 1
                conditions = [c for c in status.get("conditions") or () if c["type"] != "Ready"]
                conditions.append({"type": "Ready", "status": "True", "lastTransitionTime": now})
                body = {
                    "phase": "Running",
                    "conditions": conditions,
                    "podIP": f"192.168.{count // 250}.{count % 250 + 1}",
                    "startTime": now,
                }
                client.patch("pods", meta["namespace"], meta["name"], {"status": body}, kind="merge", subresource="status")

    def stop(self, world: World, proc: Process, signal: int) -> int:
        return 0

    def http(self, world: World, proc: Process, request: Request) -> Any:
        raise AssertionError


class Plane:
    """The test's handle."""

    def __init__(self, *, seed: int = 1, api: Any = None) -> None:
        self.world = World(seed=seed)
        self.api = api if api is not None else MiniApi()
        self.world.tables.update(
            dispatch={"proc": processes.dispatch, "wake": dispatch_wake},
            programs={
                "kube-apiserver": self.api,
                "kube-controller-manager": ControllerManager(),
                "kube-scheduler": KubeScheduler(),
                "kube-proxy": KubeProxy(),
                "fake-kubelet": FakeKubelet(),
            },
            sinks={},
            http=processes.serve,
        )
        self.host = "controlplane"
        root = FileSystem(Inode("dir", 0o755, children={}))
        hosts(self.world)[self.host] = Host(name=self.host, ip="172.30.1.2", filesystems={"host": root})
        network.add_namespace(self.world, self.host, self.host, ["172.30.1.2"])
        files.write_file(self.world, self.host, CONFIG, KUBECONFIG, parents=True)
        files.write_file(self.world, self.host, "/etc/kubernetes/pki/ca.crt", b"CA\n", parents=True)
        self.apiserver = self.start("kube-apiserver")
        self.client = KubeClient.from_kubeconfig(self.world, self.host, KUBECONFIG, user_agent="test")
        self.world.warm["test-client"] = self.client
        for name in ("kube-system", "default"):
            self.client.create("namespaces", "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def start(self, program: str, *flags: str) -> Process:
        """Start a program of the table."""
        return processes.start(self.world, host=self.host, program=program, argv=[program, *flags], sink=f"journal:{program}")

    def manager(self, *flags: str) -> Process:
        """Start the controller manager."""
        given = ["--root-ca-file=/etc/kubernetes/pki/ca.crt", f"--kubeconfig={CONFIG}", *flags]
        return self.start("kube-controller-manager", *given)

    def scheduler(self, *flags: str) -> Process:
        """Start the scheduler."""
        return self.start("kube-scheduler", f"--kubeconfig={CONFIG}", *flags)

    def all(self, nodes: int = 2) -> Plane:
        """Nodes, both components and the kubelet, settled."""
        for number in range(1, nodes + 1):
            self.node(f"node{number:02d}")
        self.manager()
        self.scheduler()
        self.start("fake-kubelet")
        return self.run(2)

    def run(self, seconds: float) -> Plane:
        """Let virtual time pass; nodes renew their leases meanwhile."""
        until = self.world.now + int(seconds * SECOND)
        while self.world.now < until:
            self.world.run_until(min(until, self.world.now + 10 * SECOND))
            self.beat()
        return self

    def beat(self) -> None:
        """Renew the lease of every node whose kubelet is not silent."""
        silent = self.world.warm.get("silent", set())
        from simulator.core.kernel.errors import ConnectError

        try:
            leases = self.client.list("leases", "kube-node-lease").items
            for lease in leases:
                if lease["metadata"]["name"] not in silent:
                    from simulator.core.kernel.clock import rfc3339_micro

                    spec = {**lease["spec"], "renewTime": rfc3339_micro(self.world.wall)}
                    self.client.update("leases", {**lease, "spec": spec})
        except ConnectError:
            pass

    def node(
        self,
        name: str,
        *,
        cpu: str = "4",
        memory: str = "8Gi",
        labels: dict[str, str] | None = None,
        taints: list[Obj] | None = None,
    ) -> None:
        """Register a node with its lease."""
        now = self.world.timestamp()
        body: Obj = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **(labels or {})}},
        }
        body["spec"] = {"taints": taints} if taints else {}
        conditions = [
            {"type": "Ready", "status": "True", "lastHeartbeatTime": now, "lastTransitionTime": now, "reason": "KubeletReady"}
        ]
        body["status"] = {"allocatable": {"cpu": cpu, "memory": memory, "pods": "110"}, "conditions": conditions}
        made = self.client.create("nodes", "", body)
        if not (made.get("status") or {}).get("conditions"):
            self.client.update("nodes", {**made, "status": body["status"]}, subresource="status")
        if made["spec"].get("taints") != taints:  # admission taints new nodes; the node lifecycle controller may not run here
            self.client.patch("nodes", "", name, {"spec": {"taints": taints}}, kind="merge")
        meta = {"name": name, "namespace": "kube-node-lease"}
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": meta,
            "spec": {"holderIdentity": name, "renewTime": now},
        }
        self.client.create("leases", "kube-node-lease", lease)

    # -- objects ---------------------------------------------------------------------------------------------------------
    def deployment(self, name: str = "web", replicas: int = 3, image: str = "nginx:1.25", **spec: Any) -> Obj:
        """Create a Deployment."""
        labels = {"app": name}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": image}]}}
        rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
        full = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, "strategy": rolling, **spec}
        full.setdefault("progressDeadlineSeconds", 600)
        body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": full}
        return self.client.create("deployments", "default", body)

    def pod(
        self, name: str, namespace: str = "default", *, labels: dict[str, str] | None = None, cpu: str = "", **spec: Any
    ) -> Obj:
        """Create a pod."""
        container: Obj = {"name": "c", "image": "nginx:1.25"}
        if cpu:
            container["resources"] = {"requests": {"cpu": cpu}}
        meta: Obj = {"name": name, "labels": labels or {}}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container], **spec}}
        return self.client.create("pods", namespace, body)

    def get(self, resource: str, name: str, namespace: str = "default") -> Obj:
        """One object."""
        return self.client.get(resource, namespace, name)

    def names(self, resource: str, namespace: str = "default") -> list[str]:
        """The names of a resource's objects."""
        return [o["metadata"]["name"] for o in self.client.list(resource, namespace).items]

    def events(self, reason: str) -> list[Obj]:
        """The Events with a reason, oldest first."""
        found = [self._both(e) for e in self.client.list("events").items if e["reason"] == reason]
        return sorted(found, key=lambda e: e["metadata"]["name"].rsplit(".", 1)[-1])

    @staticmethod
    def _both(event: Obj) -> Obj:
        """An Event with the field names of both generations, whichever the server gave."""
        names = (("note", "message"), ("regarding", "involvedObject"), ("reportingController", "reportingComponent"))
        both = {new: event.get(new) or event.get(old) for new, old in names}
        return {**event, **both, **{old: both[new] for new, old in names}}

    def slices(self, name: str = "web") -> list[Obj]:
        """The EndpointSlices of a Service."""
        found = self.client.list("endpointslices", "default").items
        return [s for s in found if s["metadata"]["labels"].get("kubernetes.io/service-name") == name]

    def messages(self, reason: str) -> list[str]:
        """Their texts."""
        return [e.get("message") or e.get("note") or "" for e in self.events(reason)]

    def journal(self, program: str) -> str:
        """What a program logged."""
        return "\n".join(line.text for line in hosts(self.world)[self.host].journal if line.unit == program)
