"""Facts about CronJobs, DaemonSets, Deployments, disruption budgets, the garbage collector and zones, as data (`cases/*.json`)."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from simulator.core.kernel import clock
from simulator.core.kernel.world import World
from simulator.core.kube.api.cronspec import Schedule
from simulator.core.kube.api.objects import Obj
from simulator.core.kube.controllers import cronjob, daemonset, deployment_status, deployment_util, history, nodelifecycle
from simulator.core.kube.controllers.deployment import DeploymentController
from simulator.core.kube.controllers.disruption import DisruptionController
from simulator.core.kube.controllers.garbagecollector import GarbageCollector

from . import one_sync

CASES = Path(__file__).parent / "cases"
#: Virtual time of every sync, and its wall clock.
AT = 10**12
WALL = World(seed=1).wall + AT


def load(name: str) -> Any:
    return json.loads((CASES / f"{name}.json").read_text())


def ago(seconds: int) -> str:
    return clock.rfc3339(WALL - seconds * clock.SECOND)


# -- CronJobs ------------------------------------------------------------------------------------------------------------
HOUR = dt.datetime(2016, 5, 19, 10, tzinfo=dt.UTC)


@pytest.mark.parametrize("case", load("cronjob_times"))
def test_which_run_of_a_cron_job_is_due(case: Obj) -> None:
    def at(seconds: int) -> dt.datetime:
        return HOUR + dt.timedelta(seconds=seconds)

    def text(seconds: int) -> str:
        return at(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")

    cron = {"metadata": {"creationTimestamp": text(case["created"])}, "spec": {"schedule": case["schedule"]}}
    if "deadline" in case:
        cron["spec"]["startingDeadlineSeconds"] = case["deadline"]
    status = {"lastScheduleTime": text(case["last"])} if "last" in case else {}
    since = cronjob.since(cron, status, at(case["now"]))
    schedule = Schedule(case["schedule"])
    if case.get("never"):
        with pytest.raises(ValueError, match="less than 1 second"):
            cronjob.latest(since, at(case["now"]), schedule)
        return
    if "deadline" not in case:
        assert since == at(case["since"])
    due, missed = cronjob.latest(at(case["since"]), at(case["now"]), schedule)
    assert due == (None if case["due"] is None else at(case["due"]))
    assert case["missed"] in (missed, "many" if missed > cronjob.MANY else "few" if missed else 0)


# -- DaemonSets ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("case", load("daemonset")["run"])
def test_whether_a_daemon_pod_belongs_on_a_node(case: Obj) -> None:
    given = case["node"]
    node = {"metadata": {"name": "node", "labels": given["labels"]}, "spec": {"taints": given["taints"]}}
    assert list(daemonset.should_run(node, {"spec": {"template": {"spec": case["spec"]}}})) == case["want"]


def daemon_pods(node: str, letters: str) -> list[Obj]:
    """`o` old, `n` new, capital: not ready; `x` old and going, `F` old and failed."""
    out = []
    for number, letter in enumerate(letters):
        name = f"{node}-{number}"
        ref = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "d", "uid": "d", "controller": True}
        labels = {"app": "d", daemonset.HASH: "new" if letter in "nN" else "old"}
        meta: Obj = {"name": name, "namespace": "default", "uid": name, "ownerReferences": [ref], "labels": labels}
        meta["creationTimestamp"] = ago(100 - number)
        if letter == "x":
            meta["deletionTimestamp"] = ago(0)
        ready = {"type": "Ready", "status": "True" if letter in "onx" else "False", "lastTransitionTime": ago(50)}
        status = {"phase": "Failed" if letter == "F" else "Running", "conditions": [ready]}
        out.append({"metadata": meta, "spec": {"nodeName": node}, "status": status})
    return out


@pytest.mark.parametrize("case", load("daemonset")["roll"])
def test_one_pass_of_a_daemon_sets_update(case: Obj) -> None:
    nodes: list[Obj] = []
    pods: list[Obj] = []
    for number, letters in enumerate(case["nodes"]):
        name = f"n{number:02d}"
        taints = [{"key": "away", "effect": "NoSchedule"}] if letters.startswith("!") else []
        nodes.append({"metadata": {"name": name, "uid": name}, "spec": {"taints": taints}})
        pods += daemon_pods(name, letters.removeprefix("!"))
    rolling = {"maxSurge": case.get("surge", 0), "maxUnavailable": case.get("unavailable", 0)}
    template = {"metadata": {"labels": {"app": "d"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"selector": {"matchLabels": {"app": "d"}}, "template": template}
    spec["updateStrategy"] = {"type": "RollingUpdate", "rollingUpdate": rolling}
    ds = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "d", "namespace": "default", "uid": "d"},
        "spec": spec,
    }
    revision: Obj = {
        "metadata": {"name": "d-new", "namespace": "default", "uid": "r", "labels": {"app": "d", daemonset.HASH: "new"}}
    }
    revision["metadata"]["ownerReferences"] = daemon_pods("n", "n")[0]["metadata"]["ownerReferences"]
    revision |= {"revision": 1, "data": history.patch_of(ds)}
    objects = {"daemonsets": [ds], "nodes": nodes, "pods": pods, "controllerrevisions": [revision]}
    made, asked = one_sync.controller(daemonset.DaemonSetController, objects, at=AT)
    made.sync("default/d")
    assert [len(asked.created), len(asked.deleted)] == case["want"]


# -- Deployments ---------------------------------------------------------------------------------------------------------
def deployment_of(replicas: int, surge: int | str, unavailable: int | str, kind: str = "RollingUpdate") -> Obj:
    strategy = {"type": kind, "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    return {"metadata": {"name": "d", "namespace": "default", "uid": "d"}, "spec": {"replicas": replicas, "strategy": strategy}}


def set_of(name: str, size: int, available: int = 0) -> Obj:
    meta = {"name": name, "namespace": "default", "uid": name, "creationTimestamp": ago(10)}
    return {"metadata": meta, "spec": {"replicas": size}, "status": {"availableReplicas": available}}


def size_after(asked: one_sync.Requests) -> int | None:
    return asked.updated[-1]["spec"]["replicas"] if asked.updated else None


@pytest.mark.parametrize(("desired", "surge", "old", "new", "want"), load("deployment_rolling")["grow"])
def test_how_the_new_set_grows(desired: int, surge: int, old: int, new: int, want: int | None) -> None:
    made, asked = one_sync.controller(DeploymentController, {}, at=AT)
    fresh = set_of("new", new)
    made._grow_new(deployment_of(desired, surge, 0 if surge else 1), [set_of("old", old), fresh], fresh)
    assert size_after(asked) == want


@pytest.mark.parametrize(("desired", "spare", "old", "new", "ready", "fresh", "want"), load("deployment_rolling")["shrink"])
def test_how_old_sets_shrink(desired: int, spare: int, old: int, new: int, ready: int, fresh: int, want: int | None) -> None:
    """With no surge and no pod to spare one may be missing all the same."""
    made, asked = one_sync.controller(DeploymentController, {}, at=AT)
    before, after = set_of("old", old, ready), set_of("new", new, fresh)
    made._shrink_old(deployment_of(desired, 0, spare), [before, after], [before], after)
    assert size_after(asked) == want


@pytest.mark.parametrize(("desired", "current", "updated", "available", "want"), load("deployment_rolling")["complete"])
def test_when_a_rollout_is_complete(desired: int, current: int, updated: int, available: int, want: bool) -> None:
    status = {"replicas": current, "updatedReplicas": updated, "availableReplicas": available}
    assert deployment_util.is_complete(deployment_of(desired, 0, 1), status) is want


@pytest.mark.parametrize(("before", "after", "want"), load("deployment_rolling")["progress"])
def test_what_counts_as_progress(before: list[int], after: list[int], want: bool) -> None:
    names = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    d = {"status": dict(zip(names, before, strict=True))}
    assert deployment_util.is_progressing(d, dict(zip(names, after, strict=True))) is want


@pytest.mark.parametrize(("deadline", "began", "now", "reason", "want"), load("deployment_rolling")["late"])
def test_when_a_rollout_is_late(deadline: int | None, began: int, now: int, reason: str, want: bool) -> None:
    said = {"type": "Progressing", "status": "True", "reason": reason, "lastUpdateTime": ago(now - began)}
    d = deployment_of(1, 0, 1)
    d["spec"]["progressDeadlineSeconds"] = deadline
    d["status"] = {"conditions": [said]}
    made, _ = one_sync.controller(DeploymentController, {}, at=AT)
    late = deployment_util.has_deadline(d) and deployment_status._timed_out(made.world, d, d["status"])
    assert late is want


@pytest.mark.parametrize(("replicas", "most", "kind", "want"), load("deployment_rolling")["unavailable"])
def test_how_many_pods_may_be_missing(replicas: int, most: int | str, kind: str, want: int) -> None:
    assert deployment_util.max_unavailable(deployment_of(replicas, 1, most, kind)) == want


# -- disruption budgets --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("case", load("disruption"))
def test_how_many_pods_of_a_budget_may_go(case: Obj) -> None:
    pods = []
    for number, given in enumerate(case["pods"]):
        meta: Obj = {"name": str(number), "namespace": "default", "uid": f"p{number}", "labels": {"app": "x"}}
        owner = given["owner"]
        if owner:
            kind, version = ("Job", "batch/v1") if owner == "Job" else ("ReplicaSet", "apps/v1")
            meta["ownerReferences"] = [{"apiVersion": version, "kind": kind, "name": owner, "uid": owner, "controller": True}]
        if given.get("going"):
            meta["deletionTimestamp"] = ago(1)
        conditions = [{"type": "Ready", "status": str(given["ready"])}]
        pods.append({"metadata": meta, "spec": {}, "status": {"phase": "Running", "conditions": conditions}})
    sets = [set_of(name, size) for name, size in case.get("sets", {}).items()]
    claimed = {name: ago(seconds) for name, seconds in case.get("disrupted", {}).items()}
    meta = {"name": "b", "namespace": "default", "uid": "b", "generation": 1}
    budget: Obj = {"metadata": meta, "spec": {**case["spec"], "selector": {"matchLabels": {"app": "x"}}}}
    budget |= {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "status": {"disruptedPods": claimed}}
    objects = {"poddisruptionbudgets": [budget], "pods": pods, "replicasets": sets}
    made, asked = one_sync.controller(DisruptionController, objects, at=AT)
    made.sync("default/b")
    status = asked.updated[-1]["status"]
    assert [status[k] for k in ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")] == case["want"]
    if "events" in case:
        assert [e["reason"] for e in asked.events] == case["events"]


# -- the garbage collector -----------------------------------------------------------------------------------------------
class Deletions(one_sync.Requests):
    """Requests that keep how something was deleted."""

    how: list[str]

    def delete(self, resource: str, namespace: str | None, name: str, **options: Any) -> Obj:
        """Remember the policy."""
        self.how.append(f"delete {options['propagation']}")
        return {}

    def patch(self, resource: str, namespace: str | None, name: str, patch: Any, **options: Any) -> Obj:
        """Remember that references were changed."""
        if resource != "events":
            self.how.append("patch")
        return super().patch(resource, namespace, name, patch, **options)


class Collector(GarbageCollector):
    """A garbage collector whose graph is of a few kinds."""

    resources = ("configmaps", "nodes", "persistentvolumes")

    def setup(self) -> None:
        """Build the graph from what the case says."""
        self.uids, self.owners, self.dependents = {}, {}, {}
        for resource in self.resources:
            for key, obj in self.informer(resource).objects().items():
                self._put(f"{resource}|{key}", obj)


@pytest.mark.parametrize("case", load("garbage"))
def test_what_becomes_of_a_dependent(case: Obj) -> None:
    def config(name: str, *, namespace: str = "default", **meta: Any) -> Obj:
        head = {"name": name, "namespace": namespace, "uid": name, **meta}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": head}

    def ref(name: str) -> Obj:
        kinds = {"node": ("v1", "Node"), "unknown": ("example.com/v1", "Thing")}
        version, kind = kinds.get(name, ("v1", "ConfigMap"))
        told = {"misnamed": "other", "namesake": "there"}.get(name, name)
        return {"apiVersion": version, "kind": kind, "name": told, "uid": "there" if name == "misnamed" else name}

    going = {"deletionTimestamp": ago(1)}
    item = config("item", ownerReferences=[ref(name) for name in case["refs"]], finalizers=case.get("finalizers", []))
    item["metadata"] |= going if case.get("going") else {}
    owners = [config("there"), config("elsewhere", namespace="other"), config("leaving", **going)]
    owners.append(config("waiting", finalizers=["foregroundDeletion"], **going))
    below = [config("below", ownerReferences=[ref("item")])] if case.get("below") else []
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node", "uid": "node"}}
    objects = {"configmaps": [*owners, *below], "nodes": [node]}
    where = "configmaps"
    if case.get("cluster"):
        where = "persistentvolumes"
        del item["metadata"]["namespace"]
    objects[where] = [*objects.get(where, []), item]
    looked, asked = one_sync.controller(Collector, objects, at=AT)
    deletions = Deletions(looked.world)
    deletions.there, deletions.events, deletions.how = asked.there, asked.events, []
    looked.client = looked.runtime.client = deletions
    looked.sync(f"{where}|item" if case.get("cluster") else f"{where}|default/item")
    assert deletions.how == case["want"]
    assert [e["reason"] for e in deletions.events] == case.get("events", [])


# -- nodes ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("case", load("zones"))
def test_how_fast_the_nodes_of_a_zone_are_tainted(case: Obj) -> None:
    nodes: list[Obj] = []
    ready: dict[str, str] = {}

    def add(zone: str, down: bool, **labels: str) -> None:
        name = f"{zone}{len(nodes)}"
        place = {"topology.kubernetes.io/zone": zone, **labels}
        nodes.append({"metadata": {"name": name, "uid": name, "labels": place, "resourceVersion": "1"}, "spec": {}})
        ready[name] = "Unknown" if down else "True"

    for zone, (size, sick) in case["zones"].items():
        for number in range(size):
            add(zone, number < sick)
    for name, down in (("excluded", False), ("excluded_down", True)):
        for _ in range(case.get(name, 0)):
            add("a", down, **{nodelifecycle.EXCLUDED: "true"})
    made, asked = one_sync.controller(nodelifecycle.NodeLifecycleController, {"nodes": nodes}, at=AT)
    made._taint(nodes, ready)
    slots = made.memory.get("", {})
    rates = {zone: round(clock.SECOND / (slots[f":{zone}"] - AT), 3) for zone in case["zones"] if f":{zone}" in slots}
    assert rates == {
        zone: rate
        for zone, rate in case["want"].items()
        if rate and any(down == "Unknown" for name, down in ready.items() if name.startswith(zone))
    }
    assert len(asked.patched) == len(rates)


def test_old_labels_of_a_node_follow_the_new_ones() -> None:
    labels = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "arm64", "beta.kubernetes.io/arch": "amd64"}
    node: Obj = {"metadata": {"name": "n", "uid": "n", "labels": labels, "resourceVersion": "1"}, "spec": {}}
    made, asked = one_sync.controller(nodelifecycle.NodeLifecycleController, {"nodes": [node]}, at=AT)
    made.sync("n")
    assert asked.patched == ["n"]
    labels |= {"beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": "arm64"}
    made.sync("n")
    assert asked.patched == ["n"]
