"""What one sync of a StatefulSet does, and whose its claims are, as data (`cases/statefulset_*.json`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.core.kernel import clock
from simulator.core.kernel.world import World
from simulator.core.kube.api.objects import Obj
from simulator.core.kube.client import ApiError
from simulator.core.kube.controllers import history, statefulset
from simulator.core.kube.controllers import statefulset_claims as claims

from . import one_sync

CASES = Path(__file__).parent / "cases"
AT = 10**12


def load(name: str) -> Any:
    return json.loads((CASES / f"{name}.json").read_text())


def set_of(case: Obj) -> Obj:
    spec = {
        "replicas": case["replicas"],
        "serviceName": "web",
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "new"}]}},
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        **case.get("spec", {}),
    }
    meta = {"name": "web", "namespace": "default", "uid": "web", "generation": 1}
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta, "spec": spec, "status": {}}


def revisions(owner: Obj, updated: bool) -> list[Obj]:
    """The stored template of the set, and an older one of another image."""
    out = []
    for number, name in enumerate(("web-old", "web-new") if updated else ("web-new",), 1):
        data = history.patch_of(owner)
        if name == "web-old":
            data = {"spec": {"template": {**data["spec"]["template"], "metadata": {"labels": {"app": "web", "was": "old"}}}}}
        ref = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": "web", "controller": True}
        meta = {"name": name, "namespace": "default", "uid": name, "ownerReferences": [ref], "labels": {"app": "web"}}
        out.append({"metadata": meta, "revision": number, "data": data})
    return out


def pod_of(ordinal: int, phase: str, ready: int | None, revision: int, going: bool, updated: bool) -> Obj:
    name = f"web-{ordinal}"
    ref = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": "web", "controller": True}
    labels = {"app": "web", statefulset.POD_NAME: name, statefulset.REVISION: "web-new" if revision or not updated else "web-old"}
    meta: Obj = {"name": name, "namespace": "default", "uid": name, "ownerReferences": [ref], "labels": labels}
    if going:
        meta["deletionTimestamp"] = clock.rfc3339(AT)
    status: Obj = {"phase": phase}
    if ready is not None:
        since = clock.rfc3339(World(seed=1).wall + AT - ready * clock.SECOND)
        status["conditions"] = [{"type": "Ready", "status": "True", "lastTransitionTime": since}]
    return {"metadata": meta, "spec": {"containers": [{"name": "c"}]}, "status": status}


@pytest.mark.parametrize("case", load("statefulset_sync"))
def test_what_a_stateful_set_does_next(case: Obj) -> None:
    owner, updated = set_of(case), bool(case.get("updated"))
    owner["status"] = {"currentRevision": "web-old" if updated else "web-new"}
    objects = {
        "statefulsets": [owner],
        "controllerrevisions": revisions(owner, updated),
        "pods": [pod_of(*[*pod, updated]) for pod in case["pods"]],
    }
    made, asked = one_sync.controller(statefulset.StatefulSetController, objects, at=AT)
    made.sync("default/web")
    created = [
        [claims.ordinal_of(owner, p), int(p["metadata"]["labels"][statefulset.REVISION] == "web-new")]
        for p in asked.created
        if p["kind"] == "Pod"
    ]
    assert created == case["created"]
    assert [int(name.rpartition("-")[2]) for name in asked.deleted] == case["deleted"]
    status = asked.updated[-1]["status"]
    found = {name: status.get(f"{name}Replicas") or 0 for name in ("ready", "available", "current", "updated")}
    found |= {"replicas": status["replicas"], "same": status["currentRevision"] == status["updateRevision"]}
    assert {name: found[name] for name in case.get("status", {})} == case.get("status", {})


def test_a_step_that_fails_is_told_and_the_status_is_written_all_the_same() -> None:
    owner = set_of({"replicas": 3})
    made, asked = one_sync.controller(
        statefulset.StatefulSetController,
        {"statefulsets": [owner], "controllerrevisions": revisions(owner, False)},
        limit=0,
        at=AT,
    )
    with pytest.raises(ApiError, match="not more"):
        made.sync("default/web")
    assert asked.updated[-1]["status"]["replicas"] == 0
    assert [e["reason"] for e in asked.events] == ["FailedCreate"]


def test_pods_and_revisions_that_nobody_controls_are_taken_on() -> None:
    """`kubectl delete --cascade=orphan`, then the same set again."""
    owner = set_of({"replicas": 2})
    stored, pods = revisions(owner, False), [pod_of(i, "Running", 100, 1, False, False) for i in range(2)]
    stray = pod_of(7, "Running", 100, 1, False, False)
    stray["metadata"]["name"] = "other-7"
    for item in [*stored, *pods, stray]:
        item["metadata"]["ownerReferences"] = []
    objects = {"statefulsets": [owner], "controllerrevisions": stored, "pods": [*pods, stray]}
    made, asked = one_sync.controller(statefulset.StatefulSetController, objects, at=AT)
    made.sync("default/web")
    assert sorted(asked.patched) == ["web-0", "web-1", "web-new"]
    assert not asked.created


def claim_of(refs: list[str], pod: Obj) -> Obj:
    name = pod["metadata"]["name"]
    known = {
        "set": {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": "web"},
        "pod": {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": name},
        "rival": {"apiVersion": "v1", "kind": "Pod", "name": "rival", "uid": "rival", "controller": True},
    }
    made = []
    for text in refs:
        base, _, how = text.partition("-")
        ref = dict(known.get(base) or {"apiVersion": "v1", "kind": "Pod", "name": base, "uid": base})
        if base in ("set", "pod"):
            ref["controller"] = how != "loose"
        made.append({**ref, "uid": "gone"} if how == "stale" else ref)
    return {"metadata": {"name": "claim", "namespace": "default", "ownerReferences": made}}


@pytest.mark.parametrize("case", load("statefulset_claims"))
def test_whose_a_claim_is(case: Obj) -> None:
    deleted, scaled = case["policy"]
    policy = {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": deleted, "whenScaled": scaled}}
    owner, pod = set_of({"replicas": case["replicas"], "spec": policy}), pod_of(case["ordinal"], "Running", 0, 0, False, False)
    claim = claim_of(case["refs"], pod)
    assert claims.up_to_date(claim, owner, pod) == case["current"]
    if "want" in case:
        found = claims.with_owners(claim, owner, pod)
        names = {"web": "set", pod["metadata"]["name"]: "pod"}
        assert sorted(str(names.get(r["name"], r["name"])) for r in claims.refs_of(found)) == sorted(case["want"])
        assert claims.up_to_date(found, owner, pod)
