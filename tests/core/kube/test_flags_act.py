"""Flags of the control plane's manifests that change what it does."""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox

MANIFESTS = "/etc/kubernetes/manifests"


class Cluster:
    """A cluster whose manifests are edited."""

    def __init__(self) -> None:
        self.box = Sandbox.boot("three-nodes")

    def run(self, command: str, wait: int = 0) -> str:
        """What a command says, after some seconds."""
        done = self.box.run(command)
        self.box.advance(self.box.now + wait * SECOND)
        return done.stdout + done.stderr


@pytest.fixture
def cluster() -> Cluster:
    """A fresh one."""
    return Cluster()


def test_the_api_server_forgets_events_and_refuses_what_is_privileged(cluster: Cluster) -> None:
    edit = f"sed -i 's/- --allow-privileged=true/- --event-ttl=1m0s/' {MANIFESTS}/kube-apiserver.yaml"
    assert cluster.run(edit, wait=50) == ""
    cluster.run("kubectl create deployment web --image=nginx", wait=10)
    assert "Scaled up replica set" in cluster.run("kubectl get events")
    cluster.box.advance(cluster.box.now + 75 * SECOND)
    assert "Scaled up replica set" not in cluster.run("kubectl get events")
    refused = "spec.containers[0].securityContext.privileged: Forbidden: disallowed by cluster policy"
    assert f'The Pod "p" is invalid: {refused}' in cluster.run("kubectl run p --image=nginx --privileged")
    patch = '{"spec":{"template":{"spec":{"containers":[{"name":"nginx","securityContext":{"privileged":true}}]}}}}'
    assert "spec.template.spec.containers[0].securityContext.privileged" in cluster.run(f"kubectl patch deploy web -p '{patch}'")
    for flag, why in (
        ("--event-ttl=soon", 'invalid argument "soon" for "--event-ttl" flag: time: invalid duration "soon"'),
        ("--tls-min-version=TLS13", 'unknown tls version "TLS13"'),
    ):
        cluster.run(f"sed -i -E 's/- --(event-ttl|tls-min-version)=.*/- {flag}/' {MANIFESTS}/kube-apiserver.yaml", wait=30)
        logs = "crictl logs $(crictl ps -a -q --name kube-apiserver | head -1)"
        assert why in cluster.run(logs)


def test_the_controller_manager_looks_at_nodes_as_often_as_it_is_told_and_may_leave_garbage(cluster: Cluster) -> None:
    edit = "s/- --leader-elect=true/- --leader-elect=true\\n    - --node-monitor-period=1m40s\\n    - --enable-garbage-collector=false/"
    assert cluster.run(f"sed -i 's/{edit[2:]}' {MANIFESTS}/kube-controller-manager.yaml", wait=60) == ""
    cluster.run("kubectl create deployment web --image=nginx", wait=10)
    cluster.run("kubectl delete deployment web", wait=30)
    assert "replicaset.apps/web-" in cluster.run("kubectl get rs -o name")  # nobody collects it
    start = cluster.box.now
    cluster.run("ssh node01 systemctl stop kubelet")
    while "NotReady" not in cluster.run("kubectl get node node01") and cluster.box.now < start + 300 * SECOND:
        cluster.box.advance(cluster.box.now + 5 * SECOND)
    took = (cluster.box.now - start) // SECOND
    assert 75 <= took <= 205  # a look every 100 s, 50 s of silence
