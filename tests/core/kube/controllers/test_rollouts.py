"""Deployments and ReplicaSets, from the outside: what objects and Events a rollout leaves behind."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.core.kube.api.objects import Obj, condition
from simulator.core.kube.controllers import common
from simulator.core.kube.controllers import deployment_util as util

from ..plane import Plane
from ..real_plane import RealPlane

REVISION = "deployment.kubernetes.io/revision"


def retag(plane: Plane, image: str, name: str = "web", **spec: Any) -> None:
    """What `kubectl set image` sends."""
    d = plane.get("deployments", name)
    template = {**d["spec"]["template"], "spec": {"containers": [{"name": "c", "image": image}]}}
    plane.client.update("deployments", {**d, "spec": {**d["spec"], "template": template, **spec}})


def replicas(plane: Plane) -> dict[str, int]:
    """Replicas by image."""
    sets = plane.client.list("replicasets", "default").items
    return {rs["spec"]["template"]["spec"]["containers"][0]["image"]: rs["spec"]["replicas"] for rs in sets}


@pytest.fixture(params=["mini", "real"])
def plane(request: pytest.FixtureRequest) -> Plane:
    """A running control plane with two nodes, on the stand-in and on the real API server."""
    return (RealPlane() if request.param == "real" else Plane()).all()


def test_a_deployment_becomes_a_replica_set_and_pods(plane: Plane) -> None:
    plane.deployment(replicas=3)
    plane.run(2)
    d = plane.get("deployments", "web")
    (rs,) = plane.client.list("replicasets", "default").items
    digest = rs["metadata"]["labels"]["pod-template-hash"]
    assert rs["metadata"]["name"] == f"web-{digest}"
    assert rs["metadata"]["annotations"] == {REVISION: "1", util.DESIRED_REPLICAS: "3", util.MAX_REPLICAS: "4"}
    assert d["metadata"]["annotations"][REVISION] == "1"
    assert {
        k: d["status"].get(k)
        for k in ("replicas", "readyReplicas", "availableReplicas", "updatedReplicas", "terminatingReplicas")
    } == {
        "replicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "updatedReplicas": 3,
        "terminatingReplicas": 0,
    }
    progressing, available = condition(d, "Progressing"), condition(d, "Available")
    assert progressing is not None
    assert progressing["reason"] == "NewReplicaSetAvailable"
    assert progressing["message"] == f'ReplicaSet "web-{digest}" has successfully progressed.'
    assert available is not None
    assert available["message"] == "Deployment has minimum availability."
    assert plane.messages("ScalingReplicaSet") == [f"Scaled up replica set web-{digest} from 0 to 3"]
    assert sorted(plane.messages("SuccessfulCreate")) == sorted(f"Created pod: {n}" for n in plane.names("pods"))


def test_a_rolling_update_stays_within_its_limits_and_numbers_revisions(plane: Plane) -> None:
    plane.deployment(replicas=4)
    plane.run(2)
    retag(plane, "nginx:1.26")
    lows: list[int] = []
    for _ in range(400):
        plane.world.run_until(plane.world.now + 2_000_000)
        pods = [p for p in plane.client.list("pods", "default").items if common.is_active(p)]
        lows.append(sum(1 for p in pods if common.is_ready(p)))
        assert sum(util.replicas(rs) for rs in plane.client.list("replicasets", "default").items) <= 5
    assert min(lows) >= 3
    assert replicas(plane) == {"nginx:1.25": 0, "nginx:1.26": 4}
    assert plane.get("deployments", "web")["metadata"]["annotations"][REVISION] == "2"
    steps = [m.split("replica set ")[1].split(" ", 1)[1] for m in plane.messages("ScalingReplicaSet")]
    assert steps[:4] == ["from 0 to 4", "from 0 to 1", "from 4 to 3", "from 1 to 2"]


def test_undo_gives_the_old_replica_set_a_new_revision(plane: Plane) -> None:
    plane.deployment(replicas=2)
    plane.run(2)
    retag(plane, "nginx:1.26")
    plane.run(3)
    retag(plane, "nginx:1.25")
    plane.run(3)
    assert replicas(plane) == {"nginx:1.25": 2, "nginx:1.26": 0}
    old = next(rs for rs in plane.client.list("replicasets", "default").items if util.replicas(rs) == 2)
    assert old["metadata"]["annotations"][REVISION] == "3"
    assert old["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"


def test_a_change_cause_reaches_the_replica_set(plane: Plane) -> None:
    plane.deployment()
    plane.run(2)
    patch = {"metadata": {"annotations": {"kubernetes.io/change-cause": "initial"}}}
    plane.client.patch("deployments", "default", "web", patch, kind="merge")
    plane.run(1)
    (rs,) = plane.client.list("replicasets", "default").items
    assert rs["metadata"]["annotations"]["kubernetes.io/change-cause"] == "initial"


def test_a_paused_deployment_scales_but_does_not_roll(plane: Plane) -> None:
    plane.deployment(replicas=2)
    plane.run(2)
    plane.client.patch("deployments", "default", "web", {"spec": {"paused": True}}, kind="merge")
    plane.run(1)
    found = condition(plane.get("deployments", "web"), "Progressing")
    assert found is not None
    assert (found["status"], found["reason"]) == ("Unknown", "DeploymentPaused")
    retag(plane, "nginx:1.26", replicas=3)
    plane.run(1)
    assert replicas(plane) == {"nginx:1.25": 3}
    plane.client.patch("deployments", "default", "web", {"spec": {"paused": False}}, kind="merge")
    plane.run(3)
    assert replicas(plane) == {"nginx:1.25": 0, "nginx:1.26": 3}


def test_recreate_stops_everything_before_it_starts_anything(plane: Plane) -> None:
    plane.deployment(replicas=2, strategy={"type": "Recreate"})
    plane.run(2)
    retag(plane, "nginx:1.26")
    for _ in range(300):
        plane.world.run_until(plane.world.now + 2_000_000)
        images = {p["spec"]["containers"][0]["image"] for p in plane.client.list("pods", "default").items}
        assert len(images) <= 1
    assert replicas(plane) == {"nginx:1.25": 0, "nginx:1.26": 2}


def test_a_rollout_that_is_stuck_exceeds_its_deadline(plane: Plane) -> None:
    plane.deployment(replicas=1, progressDeadlineSeconds=20)
    plane.run(2)
    retag(plane, "stuck:1")
    plane.run(40)
    found = condition(plane.get("deployments", "web"), "Progressing")
    assert found is not None
    assert (found["status"], found["reason"]) == ("False", "ProgressDeadlineExceeded")
    assert found["message"].endswith("has timed out progressing.")
    assert plane.get("deployments", "web")["status"]["availableReplicas"] == 1


def test_old_replica_sets_beyond_the_history_limit_go(plane: Plane) -> None:
    plane.deployment(replicas=1, revisionHistoryLimit=1)
    for tag in ("1.26", "1.27", "1.28"):
        plane.run(2)
        retag(plane, f"nginx:{tag}")
    plane.run(4)
    assert set(replicas(plane)) == {"nginx:1.27", "nginx:1.28"}


def test_a_rollout_that_is_scaled_is_scaled_in_proportion(plane: Plane) -> None:
    plane.deployment(replicas=10, strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}})
    plane.run(2)
    retag(plane, "stuck:1")
    plane.run(2)
    assert replicas(plane) == {"nginx:1.25": 8, "stuck:1": 5}
    plane.client.patch("deployments", "default", "web", {"spec": {"replicas": 15}}, kind="merge")
    plane.run(2)
    assert replicas(plane) == {"nginx:1.25": 11, "stuck:1": 7}


def test_scaling_down_takes_pending_pods_before_running_ones(plane: Plane) -> None:
    plane.deployment(replicas=2)
    plane.run(2)
    running = set(plane.names("pods"))
    plane.world.warm["silent"] = {"node01", "node02"}
    plane.client.patch("deployments", "default", "web", {"spec": {"replicas": 3}}, kind="merge")
    plane.run(1)
    plane.client.patch("deployments", "default", "web", {"spec": {"replicas": 2}}, kind="merge")
    plane.run(1)
    left = {p["metadata"]["name"] for p in plane.client.list("pods", "default").items if common.is_active(p)}
    assert left == running


def test_a_replica_set_replaces_adopts_and_releases_pods(plane: Plane) -> None:
    plane.deployment(replicas=2)
    plane.run(2)
    first, second = plane.names("pods")
    plane.client.delete("pods", "default", first)
    plane.run(1)
    assert len(plane.names("pods")) == 2
    assert first not in plane.names("pods")
    pod = plane.get("pods", second)
    plane.client.update("pods", {**pod, "metadata": {**pod["metadata"], "labels": {"app": "other"}}})
    plane.run(1)
    assert not plane.get("pods", second)["metadata"].get("ownerReferences")
    assert len(plane.names("pods")) == 3
    (rs,) = plane.client.list("replicasets", "default").items
    pod = plane.get("pods", second)
    plane.client.update("pods", {**pod, "metadata": {**pod["metadata"], "labels": rs["spec"]["template"]["metadata"]["labels"]}})
    plane.run(1)
    assert len([p for p in plane.client.list("pods", "default").items if common.is_active(p)]) == 2


def test_a_refusal_is_met_once_by_slow_start_and_reported() -> None:
    plane = Plane().all()
    from ..mini_api import Refused

    def refuse(method: str, plural: str, _namespace: str, _name: str) -> None:
        if (method, plural) == ("POST", "pods"):
            raise Refused(
                403,
                "Forbidden",
                'pods "web-" is forbidden: exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2',
            )

    plane.api.refuse = refuse
    plane.deployment(replicas=8)
    plane.run(0.004)
    plane.run(0.02)
    (rs,) = plane.client.list("replicasets", "default").items
    failure = condition(rs, "ReplicaFailure")
    assert failure is not None
    assert failure["reason"] == "FailedCreate"
    assert "exceeded quota" in failure["message"]
    (event,) = plane.events("FailedCreate")
    assert event["message"].startswith("Error creating: pods")
    assert event["count"] < 8
    carried = condition(plane.get("deployments", "web"), "ReplicaFailure")
    assert carried is not None
    assert carried["reason"] == "FailedCreate"
    plane.api.refuse = None
    plane.run(30)
    assert plane.get("deployments", "web")["status"]["availableReplicas"] == 8
    assert condition(plane.get("deployments", "web"), "ReplicaFailure") is None


@pytest.mark.parametrize(
    ("surge", "unavailable", "wanted", "expected"),
    [
        ("25%", "25%", 4, (1, 1)),
        ("25%", "25%", 3, (1, 0)),
        ("25%", "25%", 1, (1, 0)),
        (0, 0, 5, (0, 1)),
        ("0%", "1%", 5, (0, 1)),
        (3, 2, 10, (3, 2)),
    ],
)
def test_fenceposts(surge: Any, unavailable: Any, wanted: int, expected: tuple[int, int]) -> None:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    d: Obj = {"spec": {"replicas": wanted, "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}}
    assert util.fenceposts(d) == expected


def test_template_hashes_look_real_and_depend_on_the_collision_count() -> None:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    digests = {common.compute_hash(template, count) for count in (None, 0, 1, 2)}
    assert len(digests) == 4
    assert all(5 <= len(d) <= 10 and set(d) <= set("bcdfghjklmnpqrstvwxz2456789") for d in digests)
    assert common.fnv32a(b"foobar") == 0xBF9CF968


def test_the_deprecated_rollback_annotation_still_works(plane: Plane) -> None:
    plane.deployment(replicas=1)
    plane.run(2)
    retag(plane, "nginx:1.26")
    plane.run(2)
    patch = {"metadata": {"annotations": {"deprecated.deployment.rollback.to": "1"}}}
    plane.client.patch("deployments", "default", "web", patch, kind="merge")
    plane.run(3)
    assert replicas(plane) == {"nginx:1.25": 1, "nginx:1.26": 0}
    assert plane.messages("DeploymentRollback") == ['Rolled back deployment "web" to revision 1']
    assert "deprecated.deployment.rollback.to" not in plane.get("deployments", "web")["metadata"]["annotations"]
