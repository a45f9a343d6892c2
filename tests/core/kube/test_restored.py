"""A component of the control plane that is taken away right after a restore: the world goes on, and recovers with it.

Nothing is warm after a restore, so every component rebuilds what it knows while what it asks is away.
"""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox

MANIFESTS = "/etc/kubernetes/manifests"
DEPLOYMENT = "kubectl create deployment web --image=nginx --replicas=2"


@pytest.fixture(scope="module")
def booted() -> bytes:
    """A fresh cluster at rest, stored."""
    return Sandbox.boot().snapshot()


@pytest.mark.parametrize("component", ["kube-apiserver", "etcd", "kube-scheduler", "kube-controller-manager"])
def test_a_component_taken_away_right_after_a_restore_comes_back(booted: bytes, component: str) -> None:
    """Two minutes without it, then with it again: a Deployment's pods run."""
    sandbox = Sandbox.restore(booted)
    assert sandbox.run(f"mv {MANIFESTS}/{component}.yaml /root/").code == 0
    sandbox.advance(sandbox.now + 120 * SECOND)
    # the kubelet asks for pods of the runtime, so this holds without an API server
    assert f" {component} " not in sandbox.run("crictl ps").stdout
    assert sandbox.run(f"mv /root/{component}.yaml {MANIFESTS}/").code == 0
    sandbox.advance(sandbox.now + 240 * SECOND)
    assert f" {component} " in sandbox.run("crictl ps").stdout
    made = sandbox.run(DEPLOYMENT)
    assert made.stdout == "deployment.apps/web created\n", made.stderr
    waited = sandbox.run("kubectl wait --for=condition=Available deployment/web --timeout=120s")
    assert waited.stdout == "deployment.apps/web condition met\n", waited.stderr
    assert sandbox.run("kubectl get pods -l app=web --no-headers").stdout.count("Running") == 2


def test_what_the_informers_missed_is_made_up_for(booted: bytes) -> None:
    """Objects written while the restored controller manager is blind are reconciled once it sees."""
    sandbox = Sandbox.restore(booted)
    assert sandbox.run(DEPLOYMENT, settle=20 * SECOND).code == 0
    sandbox = Sandbox.restore(sandbox.snapshot())
    assert sandbox.run(f"mv {MANIFESTS}/kube-apiserver.yaml /root/").code == 0
    sandbox = Sandbox.restore(sandbox.snapshot())
    sandbox.advance(sandbox.now + 60 * SECOND)
    assert sandbox.run(f"mv /root/kube-apiserver.yaml {MANIFESTS}/").code == 0
    sandbox.advance(sandbox.now + 180 * SECOND)
    assert sandbox.run("kubectl get pods -l app=web --no-headers").stdout.count("Running") == 2
    assert sandbox.run("kubectl scale deployment web --replicas=3", settle=30 * SECOND).code == 0
    assert sandbox.run("kubectl get pods -l app=web --no-headers").stdout.count("Running") == 3


def test_roles_hold_while_etcd_is_away(booted: bytes) -> None:
    """A server that has read no roles yet says that it timed out; it does not forbid what it knows nothing of."""
    sandbox = Sandbox.restore(booted)
    assert sandbox.run(f"mv {MANIFESTS}/etcd.yaml /root/").code == 0
    sandbox.advance(sandbox.now + 30 * SECOND)
    answer = sandbox.run("kubectl get nodes --request-timeout=70s")
    assert answer.code == 1
    assert "forbidden" not in answer.stderr.lower()
