"""Facts about autoscaling as data: how many replicas usage asks for (`cases/autoscaler_replicas.json`), and what a whole look at an
autoscaler makes of it (`cases/autoscaler_looks.json`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.core.kernel.clock import MINUTE, SECOND, rfc3339
from simulator.core.kernel.world import World
from simulator.core.kube.api import quantity
from simulator.core.kube.api.objects import Obj
from simulator.core.kube.apiserver.defaults import workloads
from simulator.core.kube.controllers import podautoscaler_metrics as metrics
from simulator.core.kube.controllers import podautoscaler_scaling as scaling
from simulator.core.kube.controllers.podautoscaler import HorizontalPodAutoscalerController

from .one_sync import Cache, Requests, Still

CASES = Path(__file__).parent / "cases"
NOW = 1_800_000_000 * SECOND
ZERO = "0001-01-01T00:00:00Z"
FLAGS = {"horizontal-pod-autoscaler-cpu-initialization-period": "2m", "horizontal-pod-autoscaler-initial-readiness-delay": "10s"}
AGE = {"hot": 0, "cool": 3 * MINUTE, "now": 0}


def load(name: str) -> Any:
    return json.loads((CASES / f"{name}.json").read_text())


def pod(index: int, case: Obj, resource: str, now: int = NOW, *, turned: bool = False, share: int = 1) -> Obj:
    """A pod of two containers, each asking for its share of `asks`; `turned` says that it became ready when it began."""
    asks = {"requests": {resource: f"{quantity.milli(case['asks']) // share}m"}} if "asks" in case else {}
    began = rfc3339(now - AGE[case["began"]]) if "began" in case else ZERO
    changed = began if turned else ZERO
    meta: Obj = {"name": f"test-pod-{index}", "namespace": "d", "labels": {"name": "test-pod"}}
    if case.get("going"):
        meta["deletionTimestamp"] = rfc3339(now)
    ready = {"type": "Ready", "status": case.get("ready", "True"), "lastTransitionTime": changed}
    return {
        "metadata": meta,
        "spec": {"containers": [{"name": name, "resources": asks} for name in ("container1", "container2")]},
        "status": {"phase": case.get("phase", "Running"), "startTime": began, "conditions": [ready]},
    }


class Numbers(metrics.Source):
    """The metrics APIs' answers of a case."""

    def __init__(self, case: Obj) -> None:
        self.case, self.wall, self.namespace, self.selector = case, NOW, "d", "name=test-pod"
        self.tolerance, self.starting, self.unready_for = 0.1, 2 * MINUTE, 10 * SECOND
        self.pods = [pod(i, p, case.get("resource", "cpu")) for i, p in enumerate(case["pods"])]

    def _get(self, path: str, query: dict[str, list[str]], what: str, api: str) -> list[Obj]:
        levels, stamp = self.case["levels"], ZERO
        if api == "resource":
            items = [
                {
                    "metadata": {"name": name},
                    "timestamp": stamp,
                    "window": "1m0s",
                    "containers": [
                        {"name": f"container{i + 1}", "usage": {self.case["resource"]: f"{amount}m"}}
                        for i, amount in enumerate(used)
                    ],
                }
                for name, used in levels.items()
            ]
        else:
            items = [
                {"describedObject": {"name": f"test-pod-{i}"}, "timestamp": stamp, "value": f"{amount}m"}
                for i, amount in enumerate(levels)
            ]
        if not items:
            raise metrics.Failed(f"no metrics returned from {api} metrics API")
        return items


def calculate(case: Obj) -> list[int]:
    """Replicas, and the usage that is reported."""
    source, current, target = Numbers(case), case["current"], case["target"]
    tolerance = metrics.Tolerance(*case.get("tolerances", [0.1, 0.1]))
    if "resource" in case:
        return list(metrics.by_utilization(source, current, target, case["resource"], case.get("container", ""), tolerance))
    if case["metric"] == "pods":
        return list(metrics.by_mean(source, current, target, source.of_pods({"name": "qps"}), "", tolerance))
    usage = source.of_object({"kind": "Deployment", "name": "d"}, {"name": "qps"})
    if case["metric"].startswith("external"):
        usage = source.external({"name": "qps"})
    if case["metric"].endswith("per pod"):
        return list(metrics.per_pod(current, usage, target, tolerance))
    return [metrics.by_ratio(source, current, usage / target, tolerance), usage]


@pytest.mark.parametrize("case", load("autoscaler_replicas"), ids=lambda case: case["what"])
def test_how_many_replicas_usage_asks_for(case: Obj) -> None:
    if isinstance(case["want"], str):
        with pytest.raises(metrics.Failed) as failed:
            calculate(case)
        assert case["want"] in str(failed.value)
    else:
        assert calculate(case) == case["want"]


class Pods(Cache):
    """The target's pods."""

    def by_label(self, selector: Any, namespace: str) -> list[Obj]:
        return [o for o in self.list(namespace) if selector.matches(o["metadata"].get("labels"))]


class Scales(Requests):
    """The target's scale and the metrics APIs of a case."""

    case: Obj

    def get(self, resource: str, namespace: str | None, name: str, **_: Any) -> Obj:
        case = self.case
        return {
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"replicas": case["replicas"]},
            "status": {"replicas": case["status"], "selector": "name=test-pod"},
        }

    def call(self, method: str, path: str, query: Obj) -> Obj:
        levels, stamp = self.case["levels"], rfc3339(self.world.wall)
        if path.startswith("/apis/metrics.k8s.io"):
            return {
                "items": [
                    {
                        "metadata": {"name": f"test-pod-{i}"},
                        "timestamp": stamp,
                        "window": "1m0s",
                        "containers": [
                            {"name": name, "usage": {"cpu": f"{level // 2}m", "memory": "512Ki"}}
                            for name in ("container1", "container2")
                        ],
                    }
                    for i, level in enumerate(levels)
                ]
            }
        one = path.startswith("/apis/custom") and "/pods/*/" not in path
        return {
            "items": [
                {"describedObject": {"name": f"test-pod-{i}"}, "timestamp": stamp, "value": f"{level}m"}
                for i, level in enumerate(levels[:1] if one else levels)
            ]
        }


@pytest.mark.parametrize("case", load("autoscaler_looks"), ids=lambda case: case["what"])
def test_what_a_look_at_an_autoscaler_makes_of_it(case: Obj, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "FASTEST", 8)  # the cases are reckoned with it
    spec = {
        "minReplicas": case["min"], "maxReplicas": case["max"], "metrics": case["metrics"],
        "scaleTargetRef": {"kind": case.get("kind", "ReplicationController"), "name": "test", "apiVersion": "apps/v1" if "kind" in case else "v1"},
    }  # fmt: skip
    if "up" in case:
        spec["behavior"] = {"scaleUp": case["up"]}
    hpa: Obj = {"metadata": {"name": "hpa", "namespace": "d", "uid": "u"}, "spec": spec}
    hpa["status"] = {"currentReplicas": case["replicas"], "desiredReplicas": case["replicas"]}
    if spec["metrics"]:
        workloads.autoscaler(hpa)
    spec["minReplicas"] = case["min"]
    world = World(seed=1)
    world.now = 1000 * MINUTE
    client = Scales(world)
    client.case = case
    runtime = Still(world, client, {"horizontalpodautoscalers": [hpa]}, HorizontalPodAutoscalerController.resources)
    pods = [pod(i, p, "cpu", world.wall, turned=True, share=2) for i, p in enumerate(case["pods"])]
    runtime.informers["pods"] = Pods(pods)
    runtime.state.flags |= FLAGS
    sync = HorizontalPodAutoscalerController(runtime)  # type: ignore[arg-type]
    if "recommended" in case:
        sync.memory["d/hpa"] = {
            "recommended": [[n, client.world.now - age * SECOND] for n, age in case["recommended"]],
            "up": [],
            "down": [],
        }
    sync.sync("d/hpa")
    status = next(o["status"] for o in reversed(client.updated) if "conditions" in (o.get("status") or {}))
    assert [[c["type"], c["status"], c["reason"]] for c in status["conditions"]] == case["want"]["conditions"]
    assert status["desiredReplicas"] == case["want"]["desired"]
    scaled = [o["spec"]["replicas"] for o in client.updated if "conditions" not in (o.get("status") or {})]
    assert scaled == ([] if case["want"]["desired"] == case["replicas"] else [case["want"]["desired"]])
    if "percent" in case["want"]:
        found = [m["resource"]["current"]["averageUtilization"] for m in status["currentMetrics"] if m["type"] == "Resource"]
        assert found == [case["want"]["percent"]]
