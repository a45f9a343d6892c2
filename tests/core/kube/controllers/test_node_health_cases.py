"""Facts about the health of nodes as data (`cases/node_health.json`): when a node counts as lost, what is written of it and its pods,
how its zone is, and which taints its conditions make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.core.kernel.clock import SECOND, rfc3339
from simulator.core.kernel.world import World
from simulator.core.kube.api.objects import Obj, labels_of
from simulator.core.kube.controllers.nodelifecycle import EXCLUDED, NodeLifecycleController

from .one_sync import Requests, Still

CASES = json.loads((Path(__file__).parent / "cases" / "node_health.json").read_text())
START = 200 * 365 * 86_400 * SECOND
FLAGS = {"node-monitor-grace-period": "50s", "node-startup-grace-period": "1m"}


class Kept(Requests):
    """A client whose writes are there afterwards."""

    def update(self, resource: str, obj: Obj, **_: Any) -> Obj:
        super().update(resource, obj)
        if resource == "nodes":
            self.there["nodes"][obj["metadata"]["name"]].update(obj)
        return obj

    def patch(self, resource: str, namespace: str | None, name: str, patch: Any, **_: Any) -> Obj:
        found = super().patch(resource, namespace, name, patch)
        if resource == "nodes":
            found["spec"] = {**found["spec"], **patch["spec"]}
        return found


class Runtime(Still):
    """Everything is known at once."""

    def feed(self, resource: str) -> None:
        pass


class Place:
    """A controller over nodes, with the pods of each."""

    def __init__(self, nodes: list[Obj]) -> None:
        self.world = World(seed=1)
        self.world.now = START
        self.client = Kept(self.world)
        self.nodes = [self.node(n) for n in nodes]
        pods = [self.pod(n["metadata"]["name"]) for n in self.nodes]
        objects: dict[str, list[Obj]] = {"nodes": self.nodes, "pods": pods}
        runtime = Runtime(self.world, self.client, objects, NodeLifecycleController.resources)
        runtime.state.flags |= FLAGS
        self.client.there = {"nodes": {n["metadata"]["name"]: n for n in self.nodes}}
        self.leases = runtime.informers["leases"].held
        self.controller: Any = NodeLifecycleController(runtime)  # type: ignore[arg-type]

    def stamp(self, seconds: int) -> str:
        return rfc3339(self.world.epoch + START + seconds * SECOND)

    def conditions(self, given: list[Obj]) -> list[Obj]:
        return [
            {
                "type": c["type"],
                "status": c["status"],
                "lastHeartbeatTime": self.stamp(c["beat"]),
                "lastTransitionTime": self.stamp(c["turned"]),
                **{k: c[k] for k in ("reason", "message") if k in c},
            }
            for c in given
        ]

    def node(self, given: Obj) -> Obj:
        meta = {"name": given["name"], "uid": given["name"], "resourceVersion": "1", "labels": given.get("labels") or {}}
        meta["creationTimestamp"] = self.stamp(given["created"])
        return {"metadata": meta, "spec": {}, "status": {"conditions": self.conditions(given["conditions"])}}

    def pod(self, node: str) -> Obj:
        status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        return {"metadata": {"name": f"p-{node}", "namespace": "d", "uid": node}, "spec": {"nodeName": node}, "status": status}

    def lease(self, renewed: int | None) -> None:
        self.leases.clear()
        if renewed is not None:
            self.leases["kube-node-lease/node0"] = {"metadata": {"name": "node0"}, "spec": {"renewTime": self.stamp(renewed)}}

    def zones(self) -> dict[str, str]:
        found: dict[str, list[str]] = {}
        for node in self.nodes:
            labels = labels_of(node)
            zone = ":".join(labels.get(f"topology.kubernetes.io/{part}", "") for part in ("region", "zone"))
            if EXCLUDED not in labels:
                found.setdefault(zone, []).append(self.controller.memory[node["metadata"]["name"]]["ready"])
        return {zone: self.controller.zone_state(len(v), sum(one != "True" for one in v)) for zone, v in found.items()}


@pytest.mark.parametrize("case", CASES["zones"], ids=lambda case: case["what"].partition(":")[2].strip()[:60])
def test_how_zones_are(case: Obj) -> None:
    place = Place(case["nodes"])
    place.controller.tick()
    assert place.zones() == case["first"]
    place.world.now += 3600 * SECOND
    for node, conditions in zip(place.nodes, case["then"], strict=False):
        node["status"] = {"conditions": place.conditions(conditions)}
    place.controller.tick()
    assert place.zones() == case["second"]


@pytest.mark.parametrize("case", CASES["health"], ids=lambda case: case["what"][:70])
def test_when_a_node_is_lost(case: Obj) -> None:
    place = Place([case["node"]])
    place.lease(case.get("lease"))
    place.controller.tick()
    if "passes" in case:
        place.world.now += case["passes"] * SECOND
        place.nodes[0]["status"] = {"conditions": place.conditions(case["then"])}
        place.lease(case.get("new lease"))
        place.controller.tick()
    written = [o for o in place.client.updated if "conditions" in o["status"] and "nodeName" not in o["spec"]]
    marked = [o for o in place.client.updated if "nodeName" in o["spec"]]
    if "writes" in case:
        assert len(written) == case["writes"]
    if "want" in case:
        assert written[-1]["status"]["conditions"] == place.conditions(case["want"])
    assert bool(marked) == case["marks"]


@pytest.mark.parametrize("case", CASES["taints"], ids=lambda case: case["what"])
def test_conditions_make_taints(case: Obj) -> None:
    place = Place([{"name": "node0", "created": 0, "conditions": case["conditions"]}])
    place.controller.sync("node0")
    taints = place.nodes[0]["spec"].get("taints") or []
    assert [(t["key"], t["effect"]) for t in taints] == [(key, "NoSchedule") for key in case["want"]]


def test_taints_are_swapped_in_two_writes_and_removed_nodes_said_by_the_next_look() -> None:
    ready = {"type": "Ready", "status": "Unknown", "beat": 0, "turned": 0}
    place = Place([{"name": "node0", "created": 0, "conditions": [ready]}])
    place.controller.sync("node0")
    place.nodes[0]["status"]["conditions"][0]["status"] = "False"
    place.nodes[0]["spec"]["unschedulable"] = True
    place.controller.sync("node0")
    assert [t["key"].rpartition("/")[2] for t in place.nodes[0]["spec"]["taints"]] == ["not-ready", "unschedulable"]
    assert place.client.patched == ["node0"] * 3
    place.controller.changed("nodes", "DELETED", place.nodes[0])
    assert place.client.events == []
    place.controller.runtime.informers["nodes"].held.clear()
    place.controller.tick()
    assert [e["reason"] for e in place.client.events] == ["RemovingNode"]
