"""Facts about autoscaling as data: how many replicas usage asks for (`cases/autoscaler_replicas.json`), and what a whole look at an
autoscaler makes of it (`cases/autoscaler_looks.json`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.core.kernel.clock import MINUTE, SECOND, rfc3339
from simulator.core.kube.api.objects import Obj
from simulator.core.kube.controllers import podautoscaler_metrics as metrics

CASES = Path(__file__).parent / "cases"
NOW = 1_800_000_000 * SECOND
ZERO = "0001-01-01T00:00:00Z"
AGE = {"hot": 0, "cool": 3 * MINUTE, "now": 0}


def load(name: str) -> Any:
    return json.loads((CASES / f"{name}.json").read_text())


def pod(index: int, case: Obj, resource: str) -> Obj:
    """A pod of two containers, each asking for `asks`."""
    asks = {"requests": {resource: case["asks"]}} if "asks" in case else {}
    began = rfc3339(NOW - AGE[case["began"]]) if "began" in case else ZERO
    changed = began if case.get("turned") else ZERO
    meta: Obj = {"name": f"test-pod-{index}", "namespace": "d", "labels": {"name": "test-pod"}}
    if case.get("going"):
        meta["deletionTimestamp"] = rfc3339(NOW)
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
