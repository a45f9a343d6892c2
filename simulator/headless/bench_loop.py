"""`python -m simulator bench --large`: the control loop on a hundred nodes; seconds of this process's own CPU time."""

from __future__ import annotations

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


def measure(nodes: int = 100, pods: int = 1000) -> dict[str, float]:
    """A Deployment of `pods` on `nodes` until all are ready, and what an hour costs when nothing happens (from five minutes)."""
    names = tuple(f"node{index:03d}" for index in range(1, nodes + 1))

    def build(world: World) -> None:
        ClusterBuilder(world, workers=names).build()

    out = {"decisions_a_second": decisions()}
    began = time.process_time()
    sandbox = Sandbox.build(prepare=build)
    out["large_build_s"] = time.process_time() - began
    began, start = time.process_time(), sandbox.now
    sandbox.run(f"kubectl create deployment web --image=nginx:1.25 --replicas={pods}")
    while sandbox.run("kubectl get deployment web -o jsonpath={.status.readyReplicas}").stdout != str(pods):
        sandbox.advance(sandbox.now + SECOND)
        if sandbox.now > start + 600 * SECOND:
            raise SimulatorError(f"{pods} pods are not ready after 600 virtual seconds")
    out["large_running_s"] = time.process_time() - began
    sandbox.advance(sandbox.now + 60 * SECOND)
    began = time.process_time()
    sandbox.advance(sandbox.now + 300 * SECOND)
    out["large_idle_hour_s"] = (time.process_time() - began) * 12
    out["large_process_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
    return out
