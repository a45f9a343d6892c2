"""The kubelet in a whole cluster: real API server, scheduler and controllers beside it."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.core.host.machine import hosts
from simulator.core.kernel.clock import SECOND
from simulator.core.kernel.http import Request
from simulator.core.kube.client import ApiError, KubeClient
from simulator.core.sandbox import Sandbox


class Cluster:
    """The test's handle on a three-node world."""

    def __init__(self) -> None:
        self.sandbox = Sandbox.boot("three-nodes", 1)
        self.world = self.sandbox.world
        config = hosts(self.world)["controlplane"].fs.read("/root/.kube/config")
        self.client = KubeClient.from_kubeconfig(self.world, "controlplane", config, user_agent="test")

    def pod(self, name: str, image: str = "nginx:1.27", **container: Any) -> None:
        spec = {"containers": [{"name": name, "image": image, **container}]}
        self.client.create("pods", "default", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})

    def get(self, name: str) -> dict[str, Any]:
        return self.client.get("pods", "default", name)

    def wait(self, seconds: int) -> None:
        self.sandbox.advance(self.sandbox.now + seconds * SECOND)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def test_every_component_is_there_because_it_runs(cluster: Cluster) -> None:
    pods = cluster.client.list("pods", "kube-system").items
    assert sorted(p["metadata"]["name"] for p in pods if p["metadata"]["name"].endswith("-controlplane")) == [
        "etcd-controlplane",
        "kube-apiserver-controlplane",
        "kube-controller-manager-controlplane",
        "kube-scheduler-controlplane",
    ]
    assert {p["status"]["phase"] for p in pods} == {"Running"}
    assert cluster.sandbox.run("crictl ps -q", host="controlplane").stdout.count("\n") == len(
        [p for p in pods if p["spec"]["nodeName"] == "controlplane"]
    )


def test_without_its_manifest_the_scheduler_is_gone(cluster: Cluster) -> None:
    assert cluster.sandbox.run("mv /etc/kubernetes/manifests/kube-scheduler.yaml /root/").code == 0
    cluster.wait(10)
    with pytest.raises(ApiError):
        cluster.client.get("pods", "kube-system", "kube-scheduler-controlplane")
    cluster.pod("late")
    cluster.wait(20)
    assert "nodeName" not in cluster.get("late")["spec"]
    cluster.sandbox.run("mv /root/kube-scheduler.yaml /etc/kubernetes/manifests/")
    cluster.wait(45)
    assert cluster.get("late")["status"]["phase"] == "Running"


def test_a_pods_token_log_and_exec_target(cluster: Cluster) -> None:
    cluster.pod("web")
    cluster.wait(10)
    pod = cluster.get("web")
    assert pod["status"]["phase"] == "Running"
    node = pod["spec"]["nodeName"]
    base = "/api/v1/namespaces/default/pods/web"
    text = cluster.client.request(Request(method="GET", path=base + "/log", query={"tailLines": ["1"]})).body.decode()
    assert text.endswith("start worker process 32\n")
    answer = cluster.client.request(Request(method="POST", path=base + "/exec", query={"command": ["ls"], "stdout": ["true"]}))
    assert (answer.status, answer.obj["host"], answer.obj["argv"], answer.obj["error"]) == (101, node, ["ls"], "")
    ident = cluster.sandbox.run("crictl ps -q --name web", host=node).stdout.strip()
    listing = cluster.sandbox.run(f"crictl exec {ident} ls /var/run/secrets/kubernetes.io/serviceaccount", host=node)
    assert listing.stdout.split() == ["ca.crt", "namespace", "token"]


def test_a_dead_api_server_comes_back_with_its_manifest(cluster: Cluster) -> None:
    cluster.pod("web")
    cluster.wait(10)
    cluster.sandbox.run("mv /etc/kubernetes/manifests/kube-apiserver.yaml /root/")
    cluster.wait(20)
    assert cluster.sandbox.run("kubectl get pods").code != 0
    node = next(h for h in ("node01", "node02") if "web" in cluster.sandbox.run("crictl ps", host=h).stdout)
    assert "Running" in cluster.sandbox.run("crictl ps --name web", host=node).stdout
    cluster.sandbox.run("mv /root/kube-apiserver.yaml /etc/kubernetes/manifests/")
    cluster.wait(60)
    assert cluster.get("web")["status"]["phase"] == "Running"
    nodes = cluster.client.list("nodes").items
    assert all(any(c["type"] == "Ready" and c["status"] == "True" for c in n["status"]["conditions"]) for n in nodes)


def test_a_restored_world_goes_on_alike(cluster: Cluster) -> None:
    cluster.pod("web")
    cluster.wait(8)
    other = Sandbox.restore(cluster.sandbox.snapshot())
    cluster.wait(120)
    other.advance(cluster.sandbox.now)
    assert other.world.digest == cluster.world.digest
    assert other.run("kubectl get pods -A").stdout == cluster.sandbox.run("kubectl get pods -A").stdout


def test_what_a_pod_that_ends_held_is_free_when_the_scheduler_gives_it_away(cluster: Cluster) -> None:
    """A preemptor takes the place of its victims, whose owner makes new ones at once: nobody is refused by the kubelet."""
    say = cluster.sandbox.run
    say("kubectl create priorityclass high --value=1000; kubectl create deployment fill --image=nginx:1.27 --replicas=4")
    say("kubectl set resources deploy fill --requests=cpu=1500m")
    cluster.wait(15)
    asks = '{"spec":{"priorityClassName":"high","containers":[{"name":"c","image":"nginx:1.27","resources":{"requests":{"cpu":"3"}}}]}}'
    say(f"kubectl run hi --image=nginx:1.27 --overrides='{asks}'")
    cluster.wait(20)
    phases = [(p["metadata"]["name"][:2], p["status"]["phase"]) for p in cluster.client.list("pods", "default").items]
    assert sorted(phases) == [("fi", "Pending")] * 2 + [("fi", "Running")] * 2 + [("hi", "Running")]
