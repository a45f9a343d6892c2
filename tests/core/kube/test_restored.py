"""A world that was stored and restored goes on as the one that never was, whatever had happened before and happens then."""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import HOUR, MINUTE, SECOND
from simulator.core.sandbox import Sandbox, SnapshotBusy

AWAY = "mv /etc/kubernetes/manifests/{0}.yaml /root/"
BACK = "mv /root/{0}.yaml /etc/kubernetes/manifests/"
DEPLOY = "kubectl create deployment web --image=nginx --replicas=2"
STORIES: dict[str, tuple[list[str | int], list[str | int]]] = {
    "idle for half an hour, compacted, then a deployment": ([30 * MINUTE], [DEPLOY, 8 * SECOND, HOUR]),
    "a deployment, half an hour, its pods deleted": ([DEPLOY, 30 * MINUTE], ["kubectl delete pod --all", MINUTE]),
    "the API server leaves right after": (
        [8 * SECOND],
        [AWAY.format("kube-apiserver"), 8 * SECOND, BACK.format("kube-apiserver"), MINUTE],
    ),
    "the API server is away already": (
        [AWAY.format("kube-apiserver"), 30 * SECOND],
        [8 * SECOND, BACK.format("kube-apiserver"), MINUTE],
    ),
    "etcd leaves right after": ([8 * SECOND], [AWAY.format("etcd"), 8 * SECOND, BACK.format("etcd"), MINUTE]),
    "watches that have ended, then the API server leaves": (
        ["kubectl get --raw '/api/v1/pods?watch=1&timeoutSeconds=2'", "timeout 3 kubectl get pods -w", 8 * SECOND],
        [AWAY.format("kube-apiserver"), 8 * SECOND, BACK.format("kube-apiserver"), MINUTE],
    ),
    "a node is lost": ([DEPLOY, MINUTE], ["!power-off node01", 7 * MINUTE, "!power-on node01", MINUTE]),
    "the scheduler is away and comes back": (
        [AWAY.format("kube-scheduler"), MINUTE, DEPLOY],
        [MINUTE, BACK.format("kube-scheduler"), MINUTE],
    ),
}


def play(sandbox: Sandbox, step: str | int) -> None:
    if isinstance(step, int):
        sandbox.advance(sandbox.now + step)
    elif step.startswith("!"):
        name, *args = step[1:].split()
        sandbox.apply("fault", {"name": name, "args": args}, sandbox.now)
    else:
        sandbox.run(step, settle=0)
    sandbox.drain()
    sandbox.drain_trace()


@pytest.mark.parametrize("story", STORIES)
def test_it_goes_on_as_the_one_that_was_never_stored(story: str) -> None:
    before, after = STORIES[story]
    lasting = Sandbox.boot("three-nodes", 11)
    for step in before:
        play(lasting, step)
    restored = Sandbox.restore(lasting.snapshot())
    for step in after:
        play(lasting, step)
        play(restored, step)
        assert restored.digest() == lasting.digest(), step


def test_no_snapshot_is_taken_while_what_is_warm_could_not_be_made_again() -> None:
    sandbox = Sandbox.boot("three-nodes", 11)
    play(sandbox, AWAY.format("etcd"))
    play(sandbox, MINUTE)
    with pytest.raises(SnapshotBusy):
        sandbox.snapshot()
    assert sandbox.fork().now == sandbox.now
