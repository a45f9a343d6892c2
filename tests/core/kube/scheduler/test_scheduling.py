"""The scheduler as a whole: where pods go, what is said when they cannot, and when they are tried again."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.core.kube.api.objects import condition

from ..plane import Plane
from ..real_plane import RealPlane

CONTROL_PLANE = [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]
TAIL = "no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."


@pytest.fixture(params=["mini", "real"])
def plane(request: pytest.FixtureRequest) -> Plane:
    """Three nodes, one of them the control plane, on the stand-in and on the real API server."""
    made = RealPlane() if request.param == "real" else Plane()
    made.node("controlplane", taints=CONTROL_PLANE)
    made.node("node01")
    made.node("node02")
    made.scheduler()
    made.start("fake-kubelet")
    return made.run(2)


def priority(plane: Plane, value: int, policy: str = "PreemptLowerPriority") -> dict[str, Any]:
    """What a pod's spec says to have a priority: a class for the real API server, the number for the stand-in."""
    if not isinstance(plane, RealPlane):
        return {"priority": value, "preemptionPolicy": policy}
    name = f"p{value}-{policy.lower()}"
    body = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": value}
    if name not in plane.names("priorityclasses", ""):
        plane.client.create("priorityclasses", "", {**body, "preemptionPolicy": policy})
    return {"priorityClassName": name}


def why(plane: Plane, name: str) -> str:
    """The message of PodScheduled=False."""
    found = condition(plane.get("pods", name), "PodScheduled")
    assert found is not None
    assert (found["status"], found["reason"]) == ("False", "Unschedulable")
    return str(found["message"])


def node_of(plane: Plane, name: str) -> str:
    """Where a pod is."""
    return str(plane.get("pods", name)["spec"].get("nodeName", ""))


def test_a_pod_is_bound_and_says_so(plane: Plane) -> None:
    plane.pod("a")
    plane.run(1)
    where = node_of(plane, "a")
    assert where in ("node01", "node02")
    (event,) = plane.events("Scheduled")
    assert event["note"] == f"Successfully assigned default/a to {where}"
    assert (event["reportingController"], event["action"], event["type"]) == ("default-scheduler", "Binding", "Normal")
    assert event["reportingInstance"] == "default-scheduler-controlplane"


CASES: list[tuple[str, dict[str, Any], str]] = [
    ("cpu", {"cpu": "16"}, "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. " + TAIL),
    (
        "selector",
        {"nodeSelector": {"disk": "nvme"}},
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't match Pod's node affinity/selector. "
        + TAIL,
    ),
    (
        "affinity",
        {
            "affinity": {
                "podAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [
                        {"labelSelector": {"matchLabels": {"a": "b"}}, "topologyKey": "kubernetes.io/hostname"}
                    ]
                }
            }
        },
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't match pod affinity rules. " + TAIL,
    ),
    (
        "spread",
        {
            "topologySpreadConstraints": [
                {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}
            ]
        },
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), "
        "2 node(s) didn't match pod topology spread constraints (missing required label). " + TAIL,
    ),
    (
        "claim",
        {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "none"}}]},
        '0/3 nodes are available: persistentvolumeclaim "none" not found. not found',
    ),
]


@pytest.mark.parametrize(("name", "spec", "message"), CASES, ids=[c[0] for c in CASES])
def test_messages_of_failure(plane: Plane, name: str, spec: dict[str, Any], message: str) -> None:
    plane.pod(name, **spec)
    plane.run(1)
    assert why(plane, name) == message
    (event,) = plane.events("FailedScheduling")
    assert event["note"] == message
    assert event["type"] == "Warning"


def test_anti_affinity_leaves_the_third_replica_pending(plane: Plane) -> None:
    rule = {"labelSelector": {"matchLabels": {"app": "solo"}}, "topologyKey": "kubernetes.io/hostname"}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [rule]}}
    for number in range(3):
        plane.pod(f"solo-{number}", labels={"app": "solo"}, affinity=affinity)
    plane.run(1)
    assert sorted(node_of(plane, f"solo-{n}") for n in range(3)) == ["", "node01", "node02"]
    left = next(f"solo-{n}" for n in range(3) if not node_of(plane, f"solo-{n}"))
    assert why(plane, left) == (
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't match pod anti-affinity rules. "
        "no new claims to deallocate, preemption: 0/3 nodes are available: "
        "1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod."
    )


@pytest.mark.parametrize(
    ("spec", "patch"),
    [
        ({"nodeSelector": {"disk": "nvme"}}, {"metadata": {"labels": {"disk": "nvme"}}}),
        ({"cpu": "16"}, {"status": {"allocatable": {"cpu": "32"}}}),
    ],
)
def test_a_node_that_changes_lets_a_waiting_pod_in(plane: Plane, spec: dict[str, Any], patch: dict[str, Any]) -> None:
    plane.pod("late", **spec)
    plane.run(1)
    assert node_of(plane, "late") == ""
    sub = "status" if "status" in patch else ""
    plane.client.patch("nodes", "", "node02", patch, kind="strategic", subresource=sub)
    plane.run(1)
    assert node_of(plane, "late") == "node02"


def test_a_taint_that_goes_lets_a_waiting_pod_in(plane: Plane) -> None:
    for name in ("node01", "node02"):
        plane.client.patch("nodes", "", name, {"spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]}}, kind="merge")
    plane.pod("any")
    plane.run(1)
    assert why(plane, "any").startswith("0/3 nodes are available: 3 node(s) had untolerated taint(s).")
    plane.client.patch("nodes", "", "node01", {"spec": {"taints": None}}, kind="merge")
    plane.run(1)
    assert node_of(plane, "any") == "node01"


def test_a_deletion_frees_room(plane: Plane) -> None:
    for number in range(3):
        plane.pod(f"big-{number}", cpu="3")
    plane.run(1)
    waiting = next(f"big-{n}" for n in range(3) if not node_of(plane, f"big-{n}"))
    gone = next(f"big-{n}" for n in range(3) if node_of(plane, f"big-{n}"))
    plane.client.delete("pods", "default", gone)
    plane.run(1)
    assert node_of(plane, waiting)


def test_gated_pods_wait_for_their_gates(plane: Plane) -> None:
    plane.pod("gated", schedulingGates=[{"name": "example.com/wait"}])
    plane.run(1)
    assert node_of(plane, "gated") == ""
    assert not plane.events("FailedScheduling")
    plane.client.patch("pods", "default", "gated", {"spec": {"schedulingGates": None}}, kind="merge")
    plane.run(1)
    assert node_of(plane, "gated")


def test_another_schedulers_pods_are_left_alone(plane: Plane) -> None:
    plane.pod("foreign", schedulerName="mine")
    plane.run(1)
    assert node_of(plane, "foreign") == ""
    assert not plane.events("FailedScheduling")


def test_higher_priority_goes_first_and_preempts(plane: Plane) -> None:
    for number in range(2):
        plane.pod(f"low-{number}", cpu="3", **priority(plane, 1))
    plane.run(1)
    plane.pod("high", cpu="3", **priority(plane, 1000))
    plane.run(0.01)
    plane.run(3)
    assert node_of(plane, "high") in ("node01", "node02")
    (event,) = plane.events("Preempted")
    uid = plane.get("pods", "high")["metadata"]["uid"]
    assert event["note"] == f"Preempted by pod {uid} on node {node_of(plane, 'high')}"
    assert (
        plane.messages("FailedScheduling")[0]
        == "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu."
    )
    assert len([n for n in plane.names("pods") if n.startswith("low")]) == 1


def test_a_pod_that_may_not_preempt_says_so(plane: Plane) -> None:
    for number in range(2):
        plane.pod(f"low-{number}", cpu="3")
    plane.run(1)
    plane.pod("meek", cpu="3", **priority(plane, 1000, "Never"))
    plane.run(1)
    assert why(plane, "meek").endswith("no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.")


def test_a_repeated_failure_of_an_unchanged_pod_becomes_a_series(plane: Plane) -> None:
    plane.pod("huge", cpu="16")
    plane.run(1)
    for _ in range(3):
        plane.pod("x")
        plane.run(1)
        plane.client.delete("pods", "default", "x")
        plane.run(1)
    events = [e for e in plane.events("FailedScheduling") if e["regarding"]["name"] == "huge"]
    assert len(events) == 2
    assert events[1]["series"]["count"] == 2


def test_replicas_spread_over_nodes() -> None:
    plane = Plane().all(4)
    plane.deployment(replicas=8)
    plane.run(3)
    where = [p["spec"]["nodeName"] for p in plane.client.list("pods", "default").items]
    assert sorted(where.count(f"node0{n}") for n in range(1, 5)) == [2, 2, 2, 2]


def test_the_decision_is_traced_with_verdicts_and_scores(plane: Plane) -> None:
    plane.pod("a", cpu="500m")
    plane.run(1)
    (event,) = [e for e in plane.world.trace if (e.actor, e.action) == ("kube-scheduler", "schedule")]
    assert event.detail is not None
    assert event.ref == "pods/default/a"
    assert event.detail["verdicts"] == {"controlplane": ["TaintToleration", "node(s) had untolerated taint(s)"]}
    assert event.detail["node"] == node_of(plane, "a")
    assert set(event.detail["scores"]) == {"node01", "node02"}
    assert event.detail["scores"]["node01"]["TaintToleration"] == 300
    assert "NodeResourcesFit" in event.detail["scores"]["node01"]


def test_without_a_scheduler_pods_wait_and_are_placed_when_it_is_back(plane: Plane) -> None:
    from simulator.core.host import processes

    proc = processes.by_program(plane.world, plane.host, "kube-scheduler")[0]
    processes.kill(plane.world, proc, 15)
    plane.pod("patient")
    plane.run(60)
    assert node_of(plane, "patient") == ""
    plane.scheduler()
    plane.run(4)
    assert node_of(plane, "patient")
