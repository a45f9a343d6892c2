"""The figures of docs/fidelity.md, measured: what happens so many seconds after what."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

import pytest

from simulator.core.kernel import clock
from simulator.core.kernel.clock import SECOND
from simulator.core.kube.api.objects import condition
from simulator.core.lab import faults
from simulator.core.sandbox import Sandbox


def fresh() -> Sandbox:
    """A three-node world of its own."""
    return Sandbox.restore(Sandbox.boot("three-nodes", 1).snapshot())


def until(sandbox: Sandbox, holds: Callable[[], bool], *, limit: int, step: int = 500) -> float:
    """Virtual seconds until something holds, to the half second."""
    began = sandbox.now
    while not holds():
        assert sandbox.now < began + limit * SECOND, f"not within {limit} s"
        sandbox.advance(sandbox.now + step * 1_000_000)
    return (sandbox.now - began) / SECOND


def kubectl(sandbox: Sandbox, line: str) -> str:
    return sandbox.run("kubectl " + line).stdout


@lru_cache(maxsize=1)
def node_death() -> dict[str, float]:
    """A kubelet dies: seconds to NotReady, to each taint, to the pods' deletion."""
    sandbox = fresh()
    kubectl(sandbox, "create deployment web --image=nginx:1.25 --replicas=2")
    sandbox.advance(sandbox.now + 15 * SECOND)
    faults.inject(sandbox.world, "stop", ["kubelet", "node01"])
    lease = kubectl(sandbox, "get lease -n kube-node-lease node01 -o jsonpath={.spec.renewTime}")
    beat = clock.parse_rfc3339(lease) - sandbox.world.epoch
    ready = "get node node01 -o jsonpath='{.status.conditions[?(@.type==\"Ready\")].status}'"
    taints = "get node node01 -o jsonpath={.spec.taints[*].effect}"
    going = "get pods -l app=web --field-selector spec.nodeName=node01 -o jsonpath={.items[*].metadata.deletionTimestamp}"
    out = {}
    for name, line, wanted in (
        ("unknown", ready, "Unknown"), ("no schedule", taints, "NoSchedule"), ("no execute", taints, "NoExecute"), ("evicted", going, "Z"),
    ):  # fmt: skip
        until(sandbox, lambda line=line, wanted=wanted: wanted in kubectl(sandbox, line), limit=420, step=1000)  # type: ignore[misc]
        out[name] = (sandbox.now - beat) / SECOND
    out["evicted after taint"] = out["evicted"] - out["no execute"]
    return out


@lru_cache(maxsize=1)
def crash_loop() -> list[float]:
    """Seconds between two starts of a container that ends at once."""
    sandbox = fresh()
    kubectl(sandbox, "run crash --image=busybox:1.36 -- false")
    moments: list[int] = []
    seen = 0
    while len(moments) < 7:
        assert sandbox.now < 1500 * SECOND
        sandbox.advance(sandbox.now + 20 * SECOND)
        found = sandbox.world.trace_after(seen)
        seen = sandbox.world.trace_seq
        moments += [e.at for e in found if e.action == "container.start" and (e.detail or {}).get("argv") == ["false"]]
    return [(after - before) / SECOND for before, after in pairwise(moments)]


def progress_deadline() -> float:
    """Seconds from a rollout that cannot go on to ProgressDeadlineExceeded."""
    sandbox = fresh()
    kubectl(sandbox, "create deployment bad --image=nginx:does-not-exist")
    line = "get deploy bad -o jsonpath='{.status.conditions[?(@.type==\"Progressing\")].reason}'"
    return until(sandbox, lambda: "ProgressDeadlineExceeded" in kubectl(sandbox, line), limit=700, step=2000)


def first_look_of_an_autoscaler() -> float:
    """Seconds from an autoscaler's creation to its first conditions."""
    sandbox = fresh()
    kubectl(sandbox, "create deployment web --image=nginx:1.25")
    kubectl(sandbox, "autoscale deployment web --max=3 --cpu=50%")
    return until(sandbox, lambda: bool(kubectl(sandbox, "get hpa web -o jsonpath={.status.conditions}")), limit=40)


def job_retries() -> list[float]:
    """Seconds between the creations of a failing Job's pods."""
    sandbox = fresh()
    kubectl(sandbox, "create job no --image=busybox:1.36 -- false")
    sandbox.advance(sandbox.now + 120 * SECOND)
    line = "get pods -l job-name=no --sort-by=.metadata.creationTimestamp -o jsonpath={.items[*].metadata.creationTimestamp}"
    stamps = kubectl(sandbox, line).split()
    moments = [clock.parse_rfc3339(stamp) / SECOND for stamp in stamps]
    return [after - before for before, after in pairwise(moments)][:3]


FIGURES: list[tuple[str, Callable[[], float], float, float]] = [
    (
        "node-monitor-grace-period 50 s, looked at every 5 s, seen by a client every second",
        lambda: node_death()["unknown"],
        50,
        61,
    ),
    ("NoSchedule taint with the condition", lambda: node_death()["no schedule"], 50, 58),
    ("NoExecute taint with the next look", lambda: node_death()["no execute"], 50, 63),
    ("tolerationSeconds 300 from the taint", lambda: node_death()["evicted after taint"], 299, 303),
    ("eviction about 350 s after the last heartbeat", lambda: node_death()["evicted"], 349, 366),
    ("first restart at once", lambda: crash_loop()[0], 0, 1),
    ("then after 10 s", lambda: crash_loop()[1], 10, 16),
    ("then after 20 s", lambda: crash_loop()[2], 20, 31),
    ("then after 40 s", lambda: crash_loop()[3], 40, 61),
    ("then after 80 s", lambda: crash_loop()[4], 80, 121),
    ("then after 160 s", lambda: crash_loop()[5], 160, 241),
    ("progressDeadlineSeconds 600", progress_deadline, 599, 605),
    ("horizontal-pod-autoscaler-sync-period 15 s", first_look_of_an_autoscaler, 14, 16.5),
    ("a Job's second pod after 10 s", lambda: job_retries()[0], 10, 16),
    ("a Job's third pod after 20 s", lambda: job_retries()[1], 20, 28),
]


@pytest.mark.parametrize(("measure", "low", "high"), [pytest.param(*f[1:], id=f[0]) for f in FIGURES])
def test_a_figure(measure: Callable[[], float], low: float, high: float) -> None:
    assert low <= measure() <= high


def test_a_node_that_never_was_ready_keeps_its_pods_off() -> None:
    sandbox = fresh()
    faults.inject(sandbox.world, "power-off", ["node02"])
    sandbox.advance(sandbox.now + 70 * SECOND)
    found = condition(json.loads(kubectl(sandbox, "get node node02 -o json")), "Ready")
    assert found is not None
    assert (found["status"], found["reason"]) == ("Unknown", "NodeStatusUnknown")
