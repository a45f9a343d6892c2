"""Properties: controllers converge from whatever state and interruption, replay alike, and cost little when idle."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.core.host import processes
from simulator.core.kernel.clock import SECOND
from simulator.core.kube.controllers import common

from ..plane import Plane

ACTIONS = st.lists(
    st.tuples(st.sampled_from(["scale", "image", "kill-pod", "kill-manager", "kill-scheduler", "cordon"]), st.integers(0, 6)),
    max_size=6,
)


def play(actions: list[tuple[str, int]], seed: int) -> Plane:
    """A Deployment, disturbed."""
    plane = Plane(seed=seed).all()
    plane.deployment(replicas=3)
    plane.run(1)
    for action, number in actions:
        if action == "scale":
            plane.client.patch("deployments", "default", "web", {"spec": {"replicas": number}}, kind="merge")
        elif action == "image":
            containers = [{"name": "c", "image": f"nginx:{number}"}]
            plane.client.patch(
                "deployments", "default", "web", {"spec": {"template": {"spec": {"containers": containers}}}}, kind="merge"
            )
        elif action == "kill-pod" and plane.names("pods"):
            names = plane.names("pods")
            plane.client.delete("pods", "default", names[number % len(names)])
        elif action in ("kill-manager", "kill-scheduler"):
            program = "kube-controller-manager" if action == "kill-manager" else "kube-scheduler"
            for proc in processes.by_program(plane.world, plane.host, program):
                processes.kill(plane.world, proc, 9)
            if action == "kill-manager":
                plane.manager()
            else:
                plane.scheduler()
        elif action == "cordon":
            plane.client.patch("nodes", "", "node01", {"spec": {"unschedulable": number % 2 == 0}}, kind="merge")
        plane.world.run_until(plane.world.now + number * 3_000_000)
    return plane.run(60)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(actions=ACTIONS, seed=st.integers(1, 1000))
def test_a_deployment_converges_whatever_happens(actions: list[tuple[str, int]], seed: int) -> None:
    plane = play(actions, seed)
    d = plane.get("deployments", "web")
    wanted = d["spec"]["replicas"]
    pods = [p for p in plane.client.list("pods", "default").items if common.is_active(p)]
    image = d["spec"]["template"]["spec"]["containers"][0]["image"]
    assert [p["spec"]["containers"][0]["image"] for p in pods] == [image] * wanted
    assert all(common.is_ready(p) for p in pods)
    assert (d["status"].get("availableReplicas") or 0) == wanted
    assert d["status"]["observedGeneration"] == d["metadata"]["generation"]


def test_the_same_seed_gives_the_same_trace_and_changes() -> None:
    actions = [("image", 3), ("kill-pod", 1), ("scale", 5), ("kill-manager", 2)]
    first, second = play(actions, 5), play(actions, 5)
    assert first.world.digest == second.world.digest
    assert first.api.changes == second.api.changes


@pytest.mark.parametrize("program", ["kcm", "scheduler"])
def test_a_component_goes_on_from_its_state_alone(program: str) -> None:
    plane, other = Plane().all(), Plane().all()
    for item in (plane, other):
        item.deployment(replicas=3)
        item.world.run_until(item.world.now + 4_000_000)
    other.world.warm.pop(program)
    for key in list(other.world.warm["informers"]):
        if not key.startswith("x"):
            other.world.warm["informers"].pop(key)
    plane.run(3)
    other.run(3)
    assert plane.get("deployments", "web")["status"] == other.get("deployments", "web")["status"]
    assert sorted(plane.names("pods")) == sorted(other.names("pods"))


def test_an_idle_hour_writes_nothing_but_leases() -> None:
    plane = Plane().all()
    plane.deployment()
    plane.run(5)
    before = len(plane.api.changes)
    timers = plane.world.timer_seq
    plane.world.run_until(plane.world.now + 30 * SECOND)
    assert {what.split("/")[0] for _, what in plane.api.changes[before:]} == {"leases"}
    assert plane.world.timer_seq - timers < 30 * 3
