"""StatefulSets, Jobs, CronJobs, disruption budgets and mirrored Endpoints."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from simulator.core.kube.api.cronspec import Schedule, zone_of
from simulator.core.kube.api.objects import Obj, condition

from ..plane import Plane
from ..real_plane import RealPlane


@pytest.fixture(params=["mini", "real"])
def plane(request: pytest.FixtureRequest) -> Plane:
    """A running control plane with two nodes, on the stand-in and on the real API server."""
    return (RealPlane() if request.param == "real" else Plane()).all()


def finish(plane: Plane, name: str, phase: str) -> None:
    """What the kubelet reports when a pod's containers have ended."""
    patch = {"status": {"phase": phase, "conditions": [{"type": "Ready", "status": "False"}]}}
    plane.client.patch("pods", "default", name, patch, kind="strategic", subresource="status")


def stateful(plane: Plane, replicas: int = 3, **spec: Any) -> Obj:
    labels = {"app": "db"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "redis:7"}]}}
    full = {"serviceName": "db", "replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **spec}
    body = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": full}
    return plane.client.create("statefulsets", "default", body)


def test_a_stateful_set_makes_its_pods_in_order_and_takes_them_away_backwards(plane: Plane) -> None:
    stateful(plane)
    seen: list[list[str]] = []
    for _ in range(400):
        plane.world.run_until(plane.world.now + 2_000_000)
        names = plane.names("pods")
        if not seen or seen[-1] != names:
            seen.append(names)
    assert seen[-3:] == [["db-0"], ["db-0", "db-1"], ["db-0", "db-1", "db-2"]]
    labels = plane.get("pods", "db-0")["metadata"]["labels"]
    status = plane.get("statefulsets", "db")["status"]
    assert labels["statefulset.kubernetes.io/pod-name"] == "db-0"
    assert labels["apps.kubernetes.io/pod-index"] == "0"
    assert labels["controller-revision-hash"] == status["currentRevision"] == status["updateRevision"]
    assert (status["replicas"], status["readyReplicas"], status["currentReplicas"]) == (3, 3, 3)
    assert plane.messages("SuccessfulCreate")[0] == "Create Pod db-0 in StatefulSet db successful"
    plane.client.patch("statefulsets", "default", "db", {"spec": {"replicas": 1}}, kind="merge")
    plane.run(2)
    assert plane.names("pods") == ["db-0"]
    assert [m.split()[2] for m in plane.messages("SuccessfulDelete")] == ["db-2", "db-1"]


def test_a_stateful_update_goes_from_the_top_to_the_partition(plane: Plane) -> None:
    made = stateful(plane)
    plane.run(3)
    fresh = plane.get("statefulsets", "db")
    template = {**made["spec"]["template"], "spec": {"containers": [{"name": "c", "image": "redis:8"}]}}
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    plane.client.update("statefulsets", {**fresh, "spec": {**fresh["spec"], "template": template, "updateStrategy": strategy}})
    plane.run(4)
    images = [p["spec"]["containers"][0]["image"] for p in plane.client.list("pods", "default").items]
    assert images == ["redis:7", "redis:8", "redis:8"]
    status = plane.get("statefulsets", "db")["status"]
    assert status["currentRevision"] != status["updateRevision"]
    assert status["updatedReplicas"] == 2


def job(plane: Plane, name: str = "work", **spec: Any) -> Obj:
    uid = {"batch.kubernetes.io/job-name": name}
    template = {
        "metadata": {"labels": uid},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]},
    }
    body: Obj = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": template, **spec}}
    if isinstance(plane, RealPlane):
        body["spec"]["template"]["metadata"] = {}
    else:
        body["spec"] = {"completions": 1, "parallelism": 1, **body["spec"]}
    return plane.client.create("jobs", "default", body)


def test_a_job_completes_when_enough_pods_have_succeeded(plane: Plane) -> None:
    job(plane, completions=3, parallelism=2)
    for _ in range(3):
        plane.run(1)
        running = [p["metadata"]["name"] for p in plane.client.list("pods", "default").items if p["status"]["phase"] == "Running"]
        assert 0 < len(running) <= 2
        finish(plane, running[0], "Succeeded")
    plane.run(1)
    done = plane.get("jobs", "work")
    assert done["status"]["succeeded"] == 3
    assert not done["status"].get("active")
    assert [c["type"] for c in done["status"]["conditions"]] == ["SuccessCriteriaMet", "Complete"]
    assert done["status"]["completionTime"]
    assert plane.messages("Completed") == ["Job completed"]
    assert all(not p["metadata"].get("finalizers") for p in plane.client.list("pods", "default").items)


def test_a_job_fails_when_its_backoff_limit_is_exceeded(plane: Plane) -> None:
    job(plane, backoffLimit=1)
    plane.run(1)
    (first,) = plane.names("pods")
    finish(plane, first, "Failed")
    plane.run(5)
    assert len(plane.names("pods")) == 1
    plane.run(8)
    (second,) = [n for n in plane.names("pods") if n != first]
    finish(plane, second, "Failed")
    plane.run(2)
    status = plane.get("jobs", "work")["status"]
    assert [(c["type"], c["reason"]) for c in status["conditions"]] == [
        ("FailureTarget", "BackoffLimitExceeded"),
        ("Failed", "BackoffLimitExceeded"),
    ]
    assert status["failed"] == 2
    assert plane.messages("BackoffLimitExceeded") == ["Job has reached the specified backoff limit"]


def test_a_deleted_job_takes_its_pods_along(plane: Plane) -> None:
    job(plane)
    plane.run(1)
    finish(plane, plane.names("pods")[0], "Succeeded")
    plane.run(1)
    plane.client.delete("jobs", "default", "work", propagation="Background")
    plane.run(2)
    assert plane.names("pods") == []


def cron(plane: Plane, schedule: str, **spec: Any) -> Obj:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]}}
    inner: Obj = (
        {"template": template} if isinstance(plane, RealPlane) else {"template": template, "completions": 1, "parallelism": 1}
    )
    full = {"schedule": schedule, "jobTemplate": {"spec": inner}, **spec}
    body = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick"}, "spec": full}
    return plane.client.create("cronjobs", "default", body)


def test_a_cron_job_starts_a_job_each_minute_and_keeps_three(plane: Plane) -> None:
    cron(plane, "*/1 * * * *")
    for _ in range(6):
        plane.run(61)
        for pod in plane.client.list("pods", "default").items:
            if pod["status"]["phase"] == "Running":
                finish(plane, pod["metadata"]["name"], "Succeeded")
    plane.run(2)
    names = plane.names("jobs")
    assert len(names) == 3
    assert all(n.startswith("tick-") and n.removeprefix("tick-").isdigit() for n in names)
    status = plane.get("cronjobs", "tick")["status"]
    assert status["lastScheduleTime"].endswith(":00Z")
    assert status["lastSuccessfulTime"]
    assert any(
        m.startswith("Saw completed job: tick-") and m.endswith("condition: Complete") for m in plane.messages("SawCompletedJob")
    )


def test_forbid_does_not_start_a_second_job(plane: Plane) -> None:
    cron(plane, "*/1 * * * *", concurrencyPolicy="Forbid")
    plane.run(200)
    assert len(plane.names("jobs")) == 1
    assert plane.messages("JobAlreadyActive")


@pytest.mark.parametrize(
    ("text", "start", "expected"),
    [
        ("*/5 * * * *", "2026-11-02T09:03:00", "2026-11-02T09:05:00"),
        ("0 3 * * *", "2026-11-02T09:03:00", "2026-11-03T03:00:00"),
        ("0 3 * * *", "2026-11-02T03:00:00", "2026-11-03T03:00:00"),
        ("30 8 * * mon-fri", "2026-11-06T09:00:00", "2026-11-09T08:30:00"),
        ("0 0 1 jan *", "2026-11-06T09:00:00", "2027-01-01T00:00:00"),
        ("0 0 13 * 5", "2026-11-06T09:00:00", "2026-11-13T00:00:00"),
        ("@hourly", "2026-11-06T09:10:00", "2026-11-06T10:00:00"),
        ("15,45 9-10 * * *", "2026-11-06T09:20:00", "2026-11-06T09:45:00"),
    ],
)
def test_cron_schedules(text: str, start: str, expected: str) -> None:
    begin = dt.datetime.fromisoformat(start).replace(tzinfo=dt.UTC)
    found = Schedule(text).after(begin)
    assert found is not None
    assert found.strftime("%Y-%m-%dT%H:%M:%S") == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty spec string"),
        ("every day", "expected exactly 5 fields, found 2: [every day]"),
        ("@fortnightly", "unrecognized descriptor: @fortnightly"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("0 0 * * 7", "end of range (7) above maximum (6): 7"),
        ("0 0 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("a * * * *", 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("*/2/3 * * * *", "too many slashes: */2/3"),
    ],
)
def test_bad_cron_schedules(text: str, why: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(why) + "$"):
        Schedule(text)


@pytest.mark.parametrize(
    ("zone", "start", "expected"),
    [
        ("Asia/Seoul", "2026-11-06T00:30:00", "2026-11-06T15:00:00"),
        ("America/New_York", "2026-03-08T05:30:00", "2026-03-09T04:00:00"),  # the clock goes forward that morning
        ("Etc/UTC", "2026-11-06T00:30:00", "2026-11-07T00:00:00"),
    ],
)
def test_midnight_is_where_the_time_zone_has_it(zone: str, start: str, expected: str) -> None:
    found = Schedule("0 0 * * *", zone_of(zone)).after(dt.datetime.fromisoformat(start).replace(tzinfo=dt.UTC))
    assert found is not None
    assert found.strftime("%Y-%m-%dT%H:%M:%S") == expected


@pytest.mark.parametrize("zone", ["", "Nowhere/Here", "../etc", "local", "Asia//Seoul"])
def test_zones_that_are_none(zone: str) -> None:
    with pytest.raises(ValueError, match=r"(?i)time ?zone"):
        zone_of(zone)


def test_a_schedule_that_never_comes() -> None:
    assert Schedule("0 0 30 2 *").after(dt.datetime(2026, 1, 1, tzinfo=dt.UTC)) is None


@pytest.mark.parametrize(
    ("rule", "desired", "allowed"), [({"minAvailable": 4}, 4, 0), ({"minAvailable": 1}, 1, 3), ({"maxUnavailable": "50%"}, 2, 2)]
)
def test_a_budget_says_how_many_may_go(plane: Plane, rule: dict[str, Any], desired: int, allowed: int) -> None:
    plane.deployment(replicas=4)
    spec = {"selector": {"matchLabels": {"app": "web"}}, **rule}
    body = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "guard"}, "spec": spec}
    plane.client.create("poddisruptionbudgets", "default", body)
    plane.run(3)
    status = plane.get("poddisruptionbudgets", "guard")["status"]
    found = (status["currentHealthy"], status["desiredHealthy"], status["disruptionsAllowed"], status["expectedPods"])
    assert found == (4, desired, allowed, 4)
    allowed_now = condition(plane.get("poddisruptionbudgets", "guard"), "DisruptionAllowed")
    assert allowed_now is not None
    assert allowed_now["reason"] == ("SufficientPods" if allowed else "InsufficientPods")


def test_endpoints_written_by_hand_are_mirrored(plane: Plane) -> None:
    spec = {"ports": [{"port": 5432, "protocol": "TCP"}]}
    plane.client.create(
        "services", "default", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "outside"}, "spec": spec}
    )
    subsets = [{"addresses": [{"ip": "10.9.8.6"}], "ports": [{"port": 5432, "protocol": "TCP"}]}]
    plane.client.create(
        "endpoints", "default", {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "outside"}, "subsets": subsets}
    )
    plane.run(1)
    (found,) = plane.slices("outside")
    assert found["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] == "endpointslicemirroring-controller.k8s.io"
    assert [e["addresses"] for e in found["endpoints"]] == [["10.9.8.6"]]
    plane.client.delete("endpoints", "default", "outside")
    plane.run(1)
    assert plane.slices("outside") == []


def test_a_quota_counts_what_is_there_and_forgets_what_has_gone(plane: Plane) -> None:
    plane.pod("first", cpu="100m")
    plane.run(1)
    hard = {"pods": "5", "requests.cpu": "1", "configmaps": "9"}
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}, "spec": {"hard": hard}}
    plane.client.create("resourcequotas", "default", body)
    plane.run(1)
    assert plane.get("resourcequotas", "small")["status"] == {
        "hard": hard,
        "used": {"pods": "1", "requests.cpu": "100m", "configmaps": "1"},
    }
    plane.client.delete("pods", "default", "first")
    plane.run(1)
    assert plane.get("resourcequotas", "small")["status"]["used"] == {"pods": "0", "requests.cpu": "0", "configmaps": "1"}


def policed(plane: Plane, name: str = "j", restart: str = "Never", **spec: Any) -> Obj:
    template = {"spec": {"restartPolicy": restart, "containers": [{"name": "c", "image": "busybox"}]}}
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": template, **spec}}
    return plane.client.create("jobs", "default", body)


def fail(plane: Plane, name: str, code: int) -> None:
    """A pod whose container has ended with an exit code."""
    now = plane.world.timestamp()
    ended = {
        "name": "c",
        "state": {"terminated": {"exitCode": code, "finishedAt": now}},
        "image": "",
        "imageID": "",
        "ready": False,
    }
    patch = {"status": {"phase": "Failed", "containerStatuses": [{**ended, "restartCount": 0}]}}
    plane.client.patch("pods", "default", name, patch, kind="merge", subresource="status")


def alive(plane: Plane) -> dict[str, str]:
    """The running pods of Jobs by completion index."""
    notes = "batch.kubernetes.io/job-completion-index"
    found = [
        p for p in plane.client.list("pods", "default").items if (p.get("status") or {}).get("phase") in ("Running", "Pending")
    ]
    return {(p["metadata"].get("annotations") or {}).get(notes, ""): p["metadata"]["name"] for p in found}


def test_a_failure_policy_ends_a_job_or_looks_away() -> None:
    plane = RealPlane()
    plane.all()
    rules = [
        {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}},
        {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [7]}},
    ]
    policed(plane, podFailurePolicy={"rules": rules}, backoffLimit=0)
    plane.run(2)
    first = alive(plane)[""]
    fail(plane, first, 7)
    plane.run(12)
    second = alive(plane)[""]
    assert second != first
    assert not plane.get("jobs", "j")["status"].get("failed")
    fail(plane, second, 42)
    plane.run(2)
    found = condition(plane.get("jobs", "j"), "Failed")
    assert found is not None
    assert found["reason"] == "PodFailurePolicy"
    text = f"Container c for pod default/{second} failed with exit code 42 matching FailJob rule at index 0"
    assert found["message"] == text


def test_an_index_that_fails_too_often_is_given_up_and_the_others_go_on() -> None:
    plane = RealPlane()
    plane.all()
    policed(plane, completions=2, parallelism=2, completionMode="Indexed", backoffLimitPerIndex=1)
    plane.run(2)
    pods = alive(plane)
    finish(plane, pods["1"], "Succeeded")
    fail(plane, pods["0"], 1)
    plane.run(3)
    assert "0" not in alive(plane)  # its back-off is 10 s
    plane.run(12)
    again = alive(plane)["0"]
    notes = plane.get("pods", again)["metadata"]["annotations"]
    assert notes["batch.kubernetes.io/job-index-failure-count"] == "1"
    fail(plane, again, 1)
    plane.run(3)
    done = plane.get("jobs", "j")
    assert (done["status"]["completedIndexes"], done["status"]["failedIndexes"]) == ("1", "0")
    found = condition(done, "Failed")
    assert found is not None
    assert (found["reason"], found["message"]) == ("FailedIndexes", "Job has failed indexes")


def test_a_success_policy_ends_a_job_before_all_its_indexes_are_done() -> None:
    plane = RealPlane()
    plane.all()
    policy = {"rules": [{"succeededIndexes": "0"}]}
    policed(plane, completions=3, parallelism=3, completionMode="Indexed", successPolicy=policy)
    plane.run(2)
    finish(plane, alive(plane)["0"], "Succeeded")
    plane.run(3)
    found = condition(plane.get("jobs", "j"), "Complete")
    assert found is not None
    assert (found["reason"], found["message"]) == ("SuccessPolicy", "Matched rules at index 0")
    assert plane.get("jobs", "j")["status"]["completedIndexes"] == "0"
