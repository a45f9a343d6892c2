"""What one sync of a controller does, as data (`cases/*_sync.json`): pods made and deleted, patches, and the status that it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.core.kernel import clock
from simulator.core.kube.api.objects import Obj
from simulator.core.kube.client import ApiError
from simulator.core.kube.controllers import deployment_util, job_backoff, job_indexes
from simulator.core.kube.controllers.deployment import DeploymentController
from simulator.core.kube.controllers.job import FINALIZER, JobController
from simulator.core.kube.controllers.podgc import PodGCController as PodGcController
from simulator.core.kube.controllers.ttl import TTLController
from simulator.core.kube.controllers.ttl_after_finished import TTLAfterFinishedController

from . import one_sync

CASES = Path(__file__).parent / "cases"


def load(name: str) -> Any:
    return json.loads((CASES / f"{name}.json").read_text())


def condition(held: list[str]) -> Obj:
    return dict(zip(("type", "status", "reason", "message"), held, strict=True))


# -- Jobs ----------------------------------------------------------------------------------------------------------------
def job_of(case: Obj) -> Obj:
    template = {"metadata": {"labels": {"foo": "bar"}}, "spec": {"restartPolicy": "Never", "containers": [{"image": "foo/bar"}]}}
    meta: Obj = {"name": "foobar", "namespace": "default", "uid": "job", "generation": 1}
    if case.get("deleting"):
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    given = dict(case.get("status") or {})
    if given.pop("started", False):
        given["startTime"] = clock.rfc3339(10**12)
    if "conditions" in given:
        given["conditions"] = [condition(c) for c in given["conditions"]]
    spec = {"template": template, "selector": {"matchLabels": {"foo": "bar"}}, **case["spec"]}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": spec, "status": given}


def pods_of(case: Obj) -> list[Obj]:
    out: list[Obj] = []

    def add(phase: str, *, index: str = "-", ready: bool = False, going: bool = False) -> None:
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "foobar", "uid": "job", "controller": True}
        name = f"pod-{len(out):03d}"
        meta: Obj = {"name": name, "namespace": "default", "uid": name, "ownerReferences": [owner], "finalizers": [FINALIZER]}
        meta["creationTimestamp"] = "2026-01-01T00:00:00Z"
        if index != "-":
            meta["annotations"] = {job_indexes.INDEX: index}
        if going:
            meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        ended = {"terminated": {"finishedAt": "2026-01-01T00:00:00Z"}}
        status: Obj = {
            "phase": phase,
            "containerStatuses": [{"name": "c", "state": ended if phase in ("Failed", "Succeeded") else {}}],
        }
        if ready:
            status["conditions"] = [{"type": "Ready", "status": "True"}]
        out.append({"metadata": meta, "spec": {"containers": [{"name": "c"}]}, "status": status})

    counts = case["pods"]
    for kind, phase in (("pending", "Pending"), ("active", "Running"), ("succeeded", "Succeeded"), ("failed", "Failed")):
        for number in range(counts.get(kind, 0)):
            add(phase, ready=kind == "active" and number < counts.get("ready", 0))
    for _ in range(counts.get("terminating", 0)):
        add("Running", going=True)
    for index, phase in case.get("indexes", ()):
        add(phase, index=index)
    return out


@pytest.mark.parametrize("case", load("job_sync"))
def test_what_a_job_does_next(case: Obj) -> None:
    job = job_of(case)
    made, asked = one_sync.controller(
        JobController, {"jobs": [job], "pods": pods_of(case)}, limit=case.get("limit"), broken=case.get("broken", False)
    )
    if case.get("backoff"):
        made.memory["default/foobar"] = [case["backoff"], made.world.wall]
    failed = False
    try:
        made.sync("default/foobar")
    except ApiError:
        failed = True
    assert failed == bool(case.get("broken") or "limit" in case)
    status = (asked.updated[-1] if asked.updated else job)["status"]
    want = dict(case["want"])
    found = {
        "creations": len(asked.created),
        "deletions": len(asked.deleted),
        "patches": len(asked.patched),
        **{name: status.get(name) or 0 for name in ("active", "ready", "succeeded", "failed", "terminating")},
        "completedIndexes": status.get("completedIndexes") or "",
        "conditions": [[c[k] for k in ("type", "status", "reason", "message")] for c in status.get("conditions") or ()],
        "indexes": sorted(
            int(p["metadata"]["annotations"][job_indexes.INDEX]) for p in asked.created if "annotations" in p["metadata"]
        ),
    }
    assert {name: found[name] for name in want} == want


NOW = 2_000_000_000


def stamp(seconds: int) -> str:
    return clock.rfc3339((NOW + seconds) * clock.SECOND)


@pytest.mark.parametrize("case", load("job_backoff")["left"])
def test_how_long_a_job_waits_after_failures(case: Obj) -> None:
    record = [case["failures"], (NOW - case["ago"]) * clock.SECOND]
    assert job_backoff.left(record, NOW * clock.SECOND) == case["want"] * clock.SECOND


@pytest.mark.parametrize("case", load("job_backoff")["record"])
def test_failures_count_from_the_last_success(case: Obj) -> None:
    def ended(seconds: int) -> Obj:
        return {"metadata": {}, "status": {"containerStatuses": [{"state": {"terminated": {"finishedAt": stamp(seconds)}}}]}}

    before = None if case["before"] is None else [case["before"][0], 0]
    failures, last = job_backoff.after(before, map(ended, case["won"]), map(ended, case["lost"]))
    assert [failures, None if not last else last // clock.SECOND - NOW] == case["want"]


@pytest.mark.parametrize("case", load("job_backoff")["ended"])
def test_when_a_pod_ended(case: Obj) -> None:
    given = case["pod"]

    def state(seconds: int | None) -> Obj:
        return {"name": "c", "state": {} if seconds is None else {"terminated": {"finishedAt": stamp(seconds)}}}

    status: Obj = {"containerStatuses": [state(s) for s in given["containers"]]}
    pod: Obj = {"metadata": {}, "spec": {}, "status": status}
    if "sidecar" in given:
        pod["spec"]["initContainers"] = [{"name": "c", "restartPolicy": "Always"}]
        status["initContainerStatuses"] = [state(given["sidecar"])]
    if "ready" in given:
        status["conditions"] = [{"type": "Ready", "status": "False", "lastTransitionTime": stamp(given["ready"])}]
    if "deleted" in given:
        pod["metadata"] = {"deletionTimestamp": stamp(given["deleted"]), "deletionGracePeriodSeconds": given.get("grace", 0)}
    if "created" in given:
        pod["metadata"]["creationTimestamp"] = stamp(given["created"])
    assert job_backoff.finished_at(pod) == (NOW + case["want"]) * clock.SECOND


# -- Deployments ---------------------------------------------------------------------------------------------------------
def deployment_of(replicas: int, surge: int | None, unavailable: int | None) -> Obj:
    rolling = {"maxSurge": surge or 0, "maxUnavailable": unavailable or 0}
    spec = {"replicas": replicas, "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}
    return {"metadata": {"name": "foo", "namespace": "default", "uid": "foo"}, "spec": spec, "status": {}}


@pytest.mark.parametrize("case", load("deployment_scale"))
def test_a_deployment_is_scaled_in_proportion(case: Obj) -> None:
    before = deployment_of(*case["before"])

    def made(name: str, size: int, age: int) -> Obj:
        said = deployment_of(case.get("said", {}).get(name, case["before"][0]), *case["before"][1:])
        notes = deployment_util.size_annotations(said if name in case.get("said", {}) else before)
        meta = {"name": name, "namespace": "default", "uid": name, "annotations": notes, "creationTimestamp": stamp(age)}
        return {"metadata": meta, "spec": {"replicas": size}, "status": {}}

    new = made(*case["new"]) if case["new"] else None
    old = [made(*one) for one in case["old"]]
    looked, asked = one_sync.controller(DeploymentController, {})
    looked._scale(deployment_of(*case["now"]), new, old)
    sizes = {rs["metadata"]["name"]: rs["spec"]["replicas"] for rs in [*([new] if new else []), *old]}
    sizes |= {rs["metadata"]["name"]: rs["spec"]["replicas"] for rs in asked.updated}
    assert sizes == dict(case["want"])


# -- leftovers -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("case", load("pod_gc"))
def test_which_finished_pods_are_collected(case: Obj) -> None:
    pods: list[Obj] = []
    for index, (name, phase, reason) in enumerate(case["pods"]):
        meta = {"name": name, "namespace": "default", "uid": name, "creationTimestamp": stamp(index)}
        pods.append({"metadata": meta, "spec": {"nodeName": "node"}, "status": {"phase": phase, "reason": reason}})
    looked, asked = one_sync.controller(PodGcController, {"pods": pods, "nodes": [{"metadata": {"name": "node"}}]})
    looked.flags["terminated-pod-gc-threshold"] = str(case["threshold"])
    looked.tick()
    assert sorted(asked.deleted) == case["want"]


@pytest.mark.parametrize("case", load("ttl"))
def test_how_long_nodes_may_cache(case: Obj) -> None:
    nodes = [{"metadata": {"name": f"n{index}"}} for index in range(case["nodes"])]
    looked, _ = one_sync.controller(TTLController, {"nodes": nodes})
    looked.memory["step"] = case["step"]
    assert looked._seconds() == case["want"]


@pytest.mark.parametrize("case", load("ttl_after_finished"))
def test_when_a_finished_job_goes(case: Obj) -> None:
    looked, asked = one_sync.controller(TTLAfterFinishedController, {})
    wall = looked.world.wall
    at = clock.rfc3339(wall + case["at"] * clock.SECOND)
    conditions = [{"type": case["kind"], "status": "True", "lastTransitionTime": at}] if case["kind"] else []
    spec = {} if case["ttl"] is None else {"ttlSecondsAfterFinished": case["ttl"]}
    job = {"metadata": {"name": "j", "namespace": "default", "uid": "j"}, "spec": spec, "status": {"conditions": conditions}}
    looked.runtime.informers["jobs"] = one_sync.Cache([job])
    looked.sync("default/j")
    waits = {key: (due - looked.world.now) // clock.SECOND for key, due in looked.work.keys.items()}
    assert waits == ({"default/j": case["want"]} if case["want"] else {})
    assert asked.deleted == (["j"] if case["want"] == 0 else [])
