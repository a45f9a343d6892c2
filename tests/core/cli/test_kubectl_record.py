"""`--record` writes the command line as the change cause."""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox

CAUSE = "-o jsonpath='{.metadata.annotations.kubernetes\\.io/change-cause}'"


@pytest.fixture
def cluster() -> Sandbox:
    """A cluster with a deployment `web`."""
    sandbox = Sandbox.boot("three-nodes")
    assert sandbox.run("kubectl create deployment web --image=nginx:1.24").code == 0
    sandbox.advance(sandbox.now + 20 * SECOND)
    return sandbox


@pytest.mark.parametrize(
    ("command", "cause"),
    [
        ("kubectl set image deploy/web nginx=nginx:1.25 --record", "kubectl set image deploy/web nginx=nginx:1.25 --record=true"),
        ("kubectl scale --replicas=2 deploy web --record", "kubectl scale deploy web --replicas=2 --record=true"),
        ("kubectl annotate deploy web a=b --record=false", ""),
    ],
)
def test_the_change_cause(cluster: Sandbox, command: str, cause: str) -> None:
    assert cluster.run(command).code == 0
    assert cluster.run(f"kubectl get deploy web {CAUSE}").stdout == cause


def test_the_history_shows_it(cluster: Sandbox) -> None:
    cluster.run("kubectl set image deploy/web nginx=nginx:1.25 --record")
    cluster.advance(cluster.now + 20 * SECOND)
    history = cluster.run("kubectl rollout history deploy web").stdout
    assert "2         kubectl set image deploy/web nginx=nginx:1.25 --record=true\n" in history
