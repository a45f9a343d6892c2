"""The API server's figures: lists, tables, creations and a world with many objects, on the scenario `bare`."""

from __future__ import annotations

import time
from typing import Any

from simulator.core.kernel.http import Request
from simulator.core.kube.client import KubeClient
from simulator.core.lab import bare
from simulator.core.sandbox import Sandbox

Obj = dict[str, Any]
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def _client(sandbox: Sandbox) -> KubeClient:
    from simulator.core.host import files

    text = files.read_file(sandbox.world, bare.NAME, "/etc/kubernetes/admin.conf")
    return KubeClient.from_kubeconfig(sandbox.world, bare.NAME, text, user_agent="bench")


def _pod(number: int) -> Obj:
    container = {"name": "c", "image": "nginx:1.29", "resources": {"requests": {"cpu": "10m"}}, "ports": [{"containerPort": 80}]}
    return {"metadata": {"name": f"pod-{number:05}", "labels": {"app": f"a{number % 10}"}}, "spec": {"containers": [container]}}


def _best(work: Any, runs: int) -> float:
    """The best of some runs in seconds: what the code costs, not what else the machine does."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def measure() -> dict[str, float]:
    """Seconds, and creations a second."""
    client = _client(Sandbox.build("bare"))
    for i in range(100):
        client.create("pods", "default", _pod(i))
    path = "/api/v1/namespaces/default/pods"
    out = {"api_get_100_pods_s": _best(lambda: client.request(Request(method="GET", path=path)), 50)}
    for i in range(100, 1000):
        client.create("pods", "default", _pod(i))
    table = Request(method="GET", path=path, headers={"accept": TABLE})
    out["api_1000_pods_table_s"] = _best(lambda: client.request(table), 10)
    began = time.perf_counter()
    for i in range(9000):
        client.create("configmaps", "default", {"metadata": {"name": f"cm-{i:05}"}, "data": {"a": "b"}})
    out["api_creates_per_second"] = 9000 / (time.perf_counter() - began)
    name = "cm-04500"
    out["api_get_of_10000_s"] = _best(lambda: client.get("configmaps", "default", name), 50)
    out["api_patch_of_10000_s"] = _best(
        lambda: client.patch("configmaps", "default", name, {"data": {"a": str(time.time())}}), 20
    )
    return out


TARGETS = {"api_get_100_pods_s": 0.002, "api_1000_pods_table_s": 0.05, "api_get_of_10000_s": 0.002, "api_patch_of_10000_s": 0.005}
#: Figures that are to be at least so high.
FLOORS = {"api_creates_per_second": 2000}
