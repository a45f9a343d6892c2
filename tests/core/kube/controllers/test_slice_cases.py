"""EndpointSlices as tables: what an endpoint says of its pod, and which slices one pass writes."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.core.kube.api.objects import Obj
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
