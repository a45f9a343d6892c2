"""`python -m simulator bench --large`: the control loop on a hundred nodes; seconds of this process's own CPU time."""

from __future__ import annotations

import gc
import resource
import time

from simulator.core.kernel.clock import SECOND
from simulator.core.kernel.errors import SimulatorError
from simulator.core.kernel.world import World
from simulator.core.kube.api.objects import Obj
from simulator.core.kube.scheduler import profiles
from simulator.core.kube.scheduler.cycle import find_feasible, run_scores
from simulator.core.kube.scheduler.framework import Cycle, Lister, NodeInfo, PodInfo
from simulator.core.lab.cluster import ClusterBuilder
from simulator.core.lab.machines import POD_CIDR
from simulator.core.sandbox import Sandbox

TARGETS = {"large_running_s": 10.0, "large_idle_hour_s": 60.0}
FLOORS = {"decisions_a_second": 2000.0}


class Nothing(Lister):
    """No other objects but the ReplicaSet of the pods."""

    def objects(self, resource: str, namespace: str = "") -> list[Obj]:
        """Nothing."""
        return []

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        """The ReplicaSet."""
        return {"spec": {"selector": {"matchLabels": {"app": "web"}}}} if resource == "replicasets" else None


def decisions(nodes: int = 100, pods: int = 500) -> float:
    """Scheduling decisions a second: filters, scores and choice for pods of one ReplicaSet, without the writes that follow."""
    profile = profiles.of({})["default-scheduler"]
    status = {"allocatable": {"cpu": "64", "memory": "64Gi", "pods": "110"}}
    infos = {}
    for index in range(nodes):
        name = f"node{index:03d}"
        described = {"name": name, "labels": {"kubernetes.io/hostname": name}}
        infos[name] = NodeInfo({"metadata": described, "spec": {}, "status": status})
    owner = [{"kind": "ReplicaSet", "name": "web", "uid": "web", "controller": True}]
    containers = [{"name": "c", "image": "nginx:1.25", "resources": {"requests": {"cpu": "100m"}}}]
    began = time.process_time()
    for index in range(pods):
        meta: Obj = {"name": f"web-{index}", "namespace": "default", "labels": {"app": "web"}, "ownerReferences": owner}
        cycle = Cycle(PodInfo({"metadata": meta, "spec": {"containers": containers}}), infos, Nothing())
        scores = run_scores(cycle, profile, find_feasible(cycle, profile, 0, lambda _node: None))
        best = max(scores, key=lambda name: (sum(scores[name].values()), name))
        infos[best].add(cycle.info)
    return pods / (time.process_time() - began)


def _reference() -> float:
    """Seconds of a fixed piece of plain Python: what this machine is worth just now, so that figures of two runs can be compared."""
    began = time.process_time()
    counts: dict[str, int] = {}
    for number in range(300_000):
        key = f"k{number % 997}"
        counts[key] = counts.get(key, 0) + len(key)
    return time.process_time() - began


def measure(nodes: int = 100, pods: int = 1000) -> dict[str, float]:
    """A Deployment of `pods` on `nodes` until all are ready, and what an hour costs when nothing happens (from five minutes).

    `…_ratio` are in units of the reference loop that ran beside them.
    """
    names = tuple(f"node{index:02d}" for index in range(1, nodes + 1))

    def build(world: World) -> None:
        ClusterBuilder(world, workers=names, pod_cidr="10.0.0.0/8" if nodes > 250 else POD_CIDR).build()

    reference = [_reference()]
    out = {"decisions_a_second": decisions()}
    began = time.process_time()
    sandbox = Sandbox.build(prepare=build)
    out["large_build_s"] = time.process_time() - began
    gc.collect()
    gc.freeze()  # as a worker process does with what is there when it starts
    gc.set_threshold(20_000, 10, 10)
    began, start = time.process_time(), sandbox.now
    sandbox.run(f"kubectl create deployment web --image=nginx:1.25 --replicas={pods}")
    while sandbox.run("kubectl get deployment web -o jsonpath={.status.readyReplicas}").stdout != str(pods):
        sandbox.advance(sandbox.now + SECOND)
        if sandbox.now > start + 600 * SECOND:
            raise SimulatorError(f"{pods} pods are not ready after 600 virtual seconds")
    out["large_running_s"] = time.process_time() - began
    reference.append(_reference())
    began = time.process_time()
    sandbox.run("kubectl get pods -o wide")
    out["large_get_pods_s"] = time.process_time() - began
    sandbox.advance(sandbox.now + 60 * SECOND)
    began = time.process_time()
    sandbox.advance(sandbox.now + 300 * SECOND)
    out["large_idle_hour_s"] = (time.process_time() - began) * 12
    reference.append(_reference())
    out["reference_loop_s"] = sum(reference) / len(reference)
    out["large_running_ratio"] = out["large_running_s"] / out["reference_loop_s"]
    out["large_idle_hour_ratio"] = out["large_idle_hour_s"] / out["reference_loop_s"]
    out["large_process_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
    gc.unfreeze()
    return out
