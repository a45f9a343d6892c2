"""What holds under random work and random faults: a few dozen seeds of `python -m simulator soak`, and that it would tell."""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.lab import faults
from simulator.core.sandbox import Sandbox
from simulator.headless import soak


@pytest.fixture(scope="module")
def image() -> bytes:
    """A fresh world."""
    return Sandbox.boot("three-nodes", 1).snapshot()


@pytest.mark.parametrize("block", range(6))
def test_the_invariants_hold(image: bytes, block: int) -> None:
    for seed in range(block * 4, block * 4 + 4):
        soak.play(image, seed)


def test_the_same_seed_leaves_the_same_trace(image: bytes) -> None:
    assert soak.play(image, 5) == soak.play(image, 5)


def test_a_pod_that_moves_is_noticed(image: bytes) -> None:
    run = soak.Run(image, 1)
    run.set_up()
    run.check()
    run.node_of = dict.fromkeys(run.node_of, "elsewhere")
    with pytest.raises(soak.Broken, match="moved from elsewhere"):
        run.check()


def test_too_many_pods_are_noticed(image: bytes) -> None:
    run = soak.Run(image, 1)
    run.set_up()
    run.check()
    pod = {
        "kind": "Pod",
        "metadata": {"name": "extra", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "x"}]},
    }
    for number in range(2):
        run.client.create("pods", "soak", {**pod, "metadata": {"name": f"extra-{number}", "labels": {"app": "web"}}})
    with pytest.raises(soak.Broken, match="deployment web: 5 pods, 4 with surge"):
        run.check()


def test_a_cluster_that_does_not_come_to_rest_is_noticed(image: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "BOUND", 120)
    run = soak.Run(image, 1)
    run.set_up()
    faults.inject(run.world, "power-off", ["node01"])
    run.sandbox.advance(run.sandbox.now + 60 * SECOND)
    with pytest.raises(soak.Broken, match="not at rest 120 s after the last fault: node node01 is not Ready"):
        run.converge()


def test_pods_run_again_after_a_loss_of_power() -> None:
    sandbox = Sandbox.restore(Sandbox.boot("three-nodes", 1).snapshot())
    sandbox.run('kubectl run web --image=nginx:1.25 --overrides=\'{"spec":{"nodeName":"node01"}}\'')
    sandbox.advance(sandbox.now + 10 * SECOND)
    faults.inject(sandbox.world, "power-off", ["node01"])
    sandbox.advance(sandbox.now + 20 * SECOND)
    faults.inject(sandbox.world, "power-on", ["node01"])
    sandbox.advance(sandbox.now + 60 * SECOND)
    seen = sandbox.run("kubectl get pod web --no-headers").stdout.split()
    assert seen[:4] == ["web", "1/1", "Running", "1"]
    assert "Unknown" in sandbox.run("kubectl get pod web -o jsonpath={..lastState.terminated.reason}").stdout
    assert sandbox.run("kubectl get node node01 --no-headers").stdout.split()[1] == "Ready"
