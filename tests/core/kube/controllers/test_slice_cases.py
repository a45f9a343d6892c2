"""EndpointSlices as tables: what an endpoint says of its pod, and which slices one pass writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.core.kube.api.objects import Obj
from simulator.core.kube.controllers import endpoints
from simulator.core.kube.controllers import endpointslice_mirroring as mirroring
from simulator.core.kube.controllers.endpointslice import CONTROLLER, MANAGED, SERVICE, EndpointSliceController, ports_key

from . import one_sync

PORTS: list[Obj] = [{"name": "", "port": 80, "protocol": "TCP"}]


def service(**spec: Any) -> Obj:
    meta = {"name": "web", "namespace": "default", "uid": "web"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": {"app": "web"}, **spec}}


def pod(name: str, *, ready: bool = True, going: bool = False, **spec: Any) -> Obj:
    meta: Obj = {"name": name, "namespace": "default", "uid": name}
    if going:
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    status = {"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}], "phase": "Running"}
    return {"metadata": meta, "spec": spec, "status": {**status, "conditions": [{"type": "Ready", "status": str(ready)}]}}


@pytest.mark.parametrize(
    ("ready", "going", "early", "want"),
    [
        (True, False, False, (True, True, False)),
        (False, False, False, (False, False, False)),
        (True, True, False, (False, True, True)),
        (False, True, False, (False, False, True)),
        (True, False, True, (True, True, False)),
        (False, False, True, (True, False, False)),
        (True, True, True, (True, True, True)),
        (False, True, True, (True, False, True)),
    ],
)
def test_what_an_endpoint_says_of_its_pod(ready: bool, going: bool, early: bool, want: tuple[bool, bool, bool]) -> None:
    made, _ = one_sync.controller(EndpointSliceController, {})
    found = made._endpoint(service(publishNotReadyAddresses=early), pod("p", ready=ready, going=going))
    assert tuple(found["conditions"][k] for k in ("ready", "serving", "terminating")) == want


@pytest.mark.parametrize(
    ("spec", "want"),
    [
        ({}, {}),
        ({"nodeName": "n"}, {"nodeName": "n", "zone": "z"}),
        ({"nodeName": "gone"}, {"nodeName": "gone"}),
        ({"hostname": "h", "subdomain": "web"}, {"hostname": "h"}),
        ({"hostname": "h", "subdomain": "other"}, {}),
        ({"hostname": "h"}, {}),
    ],
)
def test_where_an_endpoint_is(spec: Obj, want: Obj) -> None:
    node = {"metadata": {"name": "n", "labels": {"topology.kubernetes.io/zone": "z"}}}
    made, _ = one_sync.controller(EndpointSliceController, {"nodes": [node]})
    found = made._endpoint(service(), pod("p", **spec))
    assert {k: v for k, v in found.items() if k in ("nodeName", "zone", "hostname")} == want


@pytest.mark.parametrize(
    ("held", "pods", "want"),
    [
        ([], 0, (1, 0, 0)),
        ([], 1, (1, 0, 0)),
        ([], 5, (1, 0, 0)),
        ([], 6, (2, 0, 0)),
        ([], 23, (5, 0, 0)),
        ([3], 3, (0, 0, 0)),
        ([3], 5, (0, 1, 0)),
        ([3], 6, (1, 0, 0)),
        ([3, 3], 8, (0, 1, 0)),
        ([3, 3], 10, (1, 0, 0)),
        ([3, 3], 11, (1, 0, 0)),
        ([3, 3], 13, (1, 1, 0)),
        ([5, 5], 7, (0, 1, 0)),
        ([5, 5], 5, (0, 0, 1)),
        ([5, 5], 0, (0, 1, 1)),
        ([2], 0, (0, 1, 0)),
    ],
)
def test_which_slices_one_pass_writes(held: list[int], pods: int, want: tuple[int, int, int]) -> None:
    """Slices of at most five; pods are numbered through the slices that are there."""
    made, _ = one_sync.controller(EndpointSliceController, {})
    made.flags["max-endpoints-per-slice"] = "5"
    svc = service()
    endpoints = [made._endpoint(svc, pod(f"p{n:02d}")) for n in range(max(pods, sum(held)))]
    slices, at = [], 0
    for number, size in enumerate(held):
        meta = {"name": f"web-{number}", "namespace": "default", "labels": {MANAGED: CONTROLLER, SERVICE: "web"}}
        slices.append({"metadata": meta, "ports": PORTS, "endpoints": endpoints[at : at + size]})
        at += size
    there = {e["targetRef"]["uid"]: e for e in endpoints[:pods]}
    plan = made._plan(svc, {ports_key(PORTS): (PORTS, there)} if there else {}, slices)
    assert (len(plan.create), len(plan.update), len(plan.delete)) == want
    written = [e for s in [*plan.create, *plan.update] for e in s.get("endpoints") or ()]
    assert len(written) <= pods
    assert all(len(s.get("endpoints") or ()) <= 5 for s in [*plan.create, *plan.update])


def test_a_slice_belongs_to_the_service_that_its_labels_name() -> None:
    """Whoever made it; one that another hand relabels leaves its Service, and a Service that goes gets no new ones."""
    meta = {"name": "by-hand", "namespace": "default", "labels": {MANAGED: CONTROLLER, SERVICE: "web"}}
    mine: Obj = {"metadata": meta, "ports": PORTS, "endpoints": [{"addresses": ["10.9.9.9"], "conditions": {}}]}
    made, asked = one_sync.controller(EndpointSliceController, {"services": [service()], "endpointslices": [mine]})
    made.sync("default/web")
    assert [s["metadata"]["name"] for s in asked.updated] == ["by-hand"] and asked.updated[0]["endpoints"] is None
    assert asked.created == [] and asked.deleted == []
    made.work.keys.clear()
    made.changed("endpointslices", "MODIFIED", {**mine, "metadata": {**meta, "labels": {MANAGED: CONTROLLER, SERVICE: "other"}}})
    assert sorted(made.work.keys) == ["default/other", "default/web"]
    made.sync("default/web")
    assert len(asked.created) == 1
    going = service()
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    made, asked = one_sync.controller(EndpointSliceController, {"services": [going]})
    made.sync("default/web")
    assert asked.created == []


CASES = Path(__file__).parent / "cases"


@pytest.mark.parametrize("case", json.loads((CASES / "mirroring.json").read_text()), ids=lambda case: case["what"][:70])
def test_endpoints_that_somebody_wrote_are_mirrored(case: Obj) -> None:
    meta = {"name": "test-ep", "namespace": "test", "uid": case.get("uid", "")}
    meta |= {name: case[name] for name in ("labels", "annotations") if name in case}
    if case.get("going"):
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    source: Obj = {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, "subsets": case["subsets"]}
    svc: Obj = {"metadata": {"name": "test-ep", "namespace": "test", "uid": "svc"}, "spec": {}}
    held = case.get("held", [])
    for item in held:
        item["metadata"] |= {"namespace": "test", "labels": {MANAGED: mirroring.CONTROLLER, SERVICE: "test-ep"}}
    objects = {"endpoints": [source], "services": [svc], "endpointslices": held}
    made, asked = one_sync.controller(mirroring.EndpointSliceMirroringController, objects)
    made.flags["mirroring-max-endpoints-per-subset"] = str(case.get("limit", 1000))
    made.sync("test/test-ep")
    slices, actions = case["want"]
    assert len(asked.created) + len(asked.updated) + len(asked.deleted) == actions
    left = {item["metadata"]["name"]: item for item in held} | {
        o["metadata"]["name"]: o for o in [*asked.updated, *asked.created]
    }
    assert len(left.keys() - set(asked.deleted)) == slices
    for item in [*asked.updated, *asked.created]:
        assert item["metadata"]["labels"] == {**case.get("labels", {}), MANAGED: mirroring.CONTROLLER, SERVICE: "test-ep"}
        assert 0 < len(item["endpoints"]) <= case.get("limit", 1000)


@pytest.mark.parametrize(
    ("ready", "unready", "want"),
    [
        ([], [], ([], [])),
        ([50, 100, 100, 100, 100], [50, 100, 100, 100, 100], ([50, 100, 100, 100, 100], [50, 100, 100, 100, 100])),
        ([100] * 5, [100] * 5, ([100] * 5, [100] * 5)),
        ([90, 110, 50, 10, 20], [101, 200, 200, 201, 298], ([90, 110, 50, 10, 20], [73, 144, 144, 145, 214])),
        ([205, 400, 402, 400, 693], [100, 200, 200, 200, 300], ([98, 191, 192, 191, 328], [0, 0, 0, 0, 0])),
    ],
)
def test_endpoints_hold_a_thousand_addresses(ready: list[int], unready: list[int], want: tuple[list[int], list[int]]) -> None:
    subsets: list[Obj] = [
        {"addresses": [{}] * up, "notReadyAddresses": [{}] * down} for up, down in zip(ready, unready, strict=True)
    ]
    found, cut = endpoints.truncated(subsets)
    assert tuple([len(s.get(kind) or ()) for s in found] for kind in ("addresses", "notReadyAddresses")) == want
    assert cut == (sum(ready) + sum(unready) > 1000)


@pytest.mark.parametrize(
    ("before", "held", "ready", "unready", "want"),
    [
        (None, 0, 0, 0, (0, 0, False)),
        (None, 999, 997, 4, (997, 3, True)),
        (None, 999, 1000, 10, (1000, 0, True)),
        ("truncated", 999, 999, 0, (999, 0, False)),
        ("warning", 1000, 1000, 0, (1000, 0, False)),
        ("warning", 1001, 1001, 0, (1000, 0, True)),
        ("truncated", 1000, 1000, 0, (1000, 0, False)),
        ("invalid", 1001, 1001, 0, (1000, 0, True)),
    ],
)
def test_endpoints_say_that_they_were_cut(before: str | None, held: int, ready: int, unready: int, want: Any) -> None:
    pods = []
    for n in range(ready + unready):
        made = pod(f"p{n:04d}", ready=n < ready)
        made["metadata"]["labels"] = {"app": "web"}
        made["status"]["podIP"] = f"10.0.{n // 250}.{n % 250 + 1}"
        pods.append(made)
    svc = service(ports=[{"port": 80}])
    address = endpoints.EndpointsController._address
    subset: Obj = {"addresses": [address(svc, one) for one in pods[:held]], "ports": [{"port": 80, "protocol": "TCP"}]}
    notes = {"annotations": {endpoints.OVER_CAPACITY: before}} if before else {}
    current: Obj = {"metadata": {"name": "web", "namespace": "default", **notes}, "subsets": [subset] if held else []}
    sync, asked = one_sync.controller(endpoints.EndpointsController, {"services": [svc], "pods": pods, "endpoints": [current]})
    sync.sync("default/web")
    found = asked.updated[-1] if asked.updated else current
    counts = [sum(len(s.get(kind) or ()) for s in found.get("subsets") or ()) for kind in ("addresses", "notReadyAddresses")]
    assert (*counts, (found["metadata"].get("annotations") or {}).get(endpoints.OVER_CAPACITY) == "truncated") == want
    assert endpoints.OVER_CAPACITY not in (found["metadata"].get("annotations") or {}) or want[2]
