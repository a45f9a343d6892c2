"""What one sync of a controller does, as data (`cases/*_sync.json`): pods made and deleted, patches, and the status that it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.core.kernel import clock
from simulator.core.kube.api.objects import Obj
from simulator.core.kube.client import ApiError
from simulator.core.kube.controllers import job_indexes
from simulator.core.kube.controllers.job import FINALIZER, JobController

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
