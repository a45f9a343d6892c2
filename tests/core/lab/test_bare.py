"""The scenario `bare`: an API and what it needs, for suites that test nothing else."""

from __future__ import annotations

import pytest

from simulator.core.kernel.errors import BadInput
from simulator.core.lab import bare
from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    """A bare world."""
    return Sandbox.boot("bare")


def test_there_is_one_node_and_nothing_runs(sandbox: Sandbox) -> None:
    """Pods stay as they are written, without a token volume and without tolerations."""
    assert sandbox.run("kubectl get nodes -o name").stdout == "node/127.0.0.1\n"
    assert sandbox.run("kubectl get pods -A").stdout == "" or "No resources" in sandbox.run("kubectl get pods -A").stderr
    assert sandbox.run("kubectl run web --image=nginx").code == 0
    found = sandbox.run("kubectl get pod web -o jsonpath='{.status.phase} {.spec.nodeName}{.spec.volumes}{.spec.tolerations}'")
    assert found.stdout == "Pending "


def test_controllers_work(sandbox: Sandbox) -> None:
    """A deployment makes pods; the first service address is the small range's."""
    sandbox.run("kubectl create deployment d --image=nginx --replicas=2", settle=5_000_000_000)
    assert len(sandbox.run("kubectl get pods -l app=d -o name").stdout.splitlines()) == 2
    assert sandbox.run("kubectl get svc kubernetes -o jsonpath={.spec.clusterIP}").stdout == "10.0.0.1"


def test_the_token_is_an_administrator(sandbox: Sandbox) -> None:
    """And nobody else is anything."""
    server = "--server=https://172.30.1.2:6443 --certificate-authority=/etc/kubernetes/pki/ca.crt --kubeconfig=/dev/null"
    assert sandbox.run(f"kubectl {server} --token=admin-token get nodes").code == 0
    assert "Unauthorized" in sandbox.run(f"kubectl {server} --token=other get nodes").stderr


def test_flags_of_the_caller_replace_single_ones() -> None:
    """A wrong one is refused with the server's own words."""
    world = Sandbox.build("bare", prepare=lambda world: bare.build(world, {"authorization-mode": "RBAC"}))
    assert world.run("kubectl auth can-i create pods --as=anybody").stdout == "no\n"
    with pytest.raises(BadInput, match='enable-admission-plugins plugin "Nope" is unknown'):
        Sandbox.build("bare", prepare=lambda world: bare.build(world, {"enable-admission-plugins": "Nope"}))
