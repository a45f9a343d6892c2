"""DaemonSets, CronJobs and definitions that end: what one pass does, as small tables."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from simulator.core.kernel import clock
from simulator.core.kube.api.cronspec import Schedule
from simulator.core.kube.api.objects import Obj
from simulator.core.kube.controllers import cronjob, history
from simulator.core.kube.controllers.clusterrole_aggregation import ClusterRoleAggregationController
from simulator.core.kube.controllers.daemonset import HASH, DaemonSetController
from simulator.core.sandbox import Sandbox

from . import one_sync


# -- DaemonSets ----------------------------------------------------------------------------------------------------------
def daemon(strategy: Obj) -> tuple[Obj, Obj]:
    """A DaemonSet and the revision of its template, whose hash is `new`."""
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "x"}]}}
    spec = {"selector": {"matchLabels": {"app": "a"}}, "template": template, "updateStrategy": strategy}
    meta = {"name": "a", "namespace": "default", "uid": "a", "generation": 1}
    ds: Obj = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta, "spec": spec, "status": {}}
    ref = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "a", "uid": "a", "controller": True}
    meta = {"name": "a-new", "namespace": "default", "uid": "r", "labels": {"app": "a", HASH: "new"}, "ownerReferences": [ref]}
    return ds, {"metadata": meta, "revision": 1, "data": history.patch_of(ds)}


def daemon_pod(name: str, node: int, state: str) -> Obj:
    """A pod of a node: `new` or `old`, then `ready`, `unready`, `failed`, `done` or `going`."""
    age, _, how = state.partition(" ")
    ref = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "a", "uid": "a", "controller": True}
    meta: Obj = {"name": name, "namespace": "default", "uid": name, "labels": {"app": "a", HASH: age}, "ownerReferences": [ref]}
    if how == "going":
        meta["deletionTimestamp"] = clock.rfc3339(10**12)
    phase = {"failed": "Failed", "done": "Succeeded"}.get(how, "Running")
    status: Obj = {"phase": phase}
    if how == "ready":
        status["conditions"] = [{"type": "Ready", "status": "True"}]
    return {"metadata": meta, "spec": {"nodeName": f"n{node}", "containers": []}, "status": status}


def rolling(**limits: Any) -> Obj:
    return {"type": "RollingUpdate", "rollingUpdate": limits}


PLAIN, SURGE = rolling(maxUnavailable=1, maxSurge=0), rolling(maxUnavailable=0, maxSurge=1)
DELETE = {"type": "OnDelete"}


@pytest.mark.parametrize(
    ("strategy", "nodes", "pods", "made", "gone"),
    [
        (PLAIN, 3, [], 3, []),
        (PLAIN, 3, ["0 new ready", "1 new unready", "2 new ready"], 0, []),
        (PLAIN, 2, ["0 new ready", "1 new going"], 0, []),
        (PLAIN, 1, ["0 new ready", "0 new ready"], 0, ["p1"]),
        (PLAIN, 1, ["0 new failed"], 0, ["p0"]),
        (PLAIN, 1, ["0 new done"], 0, ["p0"]),
        (PLAIN, 3, ["0 old ready", "1 old ready", "2 old ready"], 0, ["p0"]),
        (PLAIN, 3, ["0 old ready", "1 old unready", "2 old ready"], 0, ["p1"]),
        (PLAIN, 3, ["0 old unready", "1 old unready", "2 old ready"], 0, ["p0", "p1"]),
        (PLAIN, 3, ["0 new unready", "1 old ready", "2 old ready"], 0, []),
        (PLAIN, 3, ["0 new ready", "1 old ready", "2 old ready"], 0, ["p1"]),
        (PLAIN, 3, ["0 new ready", "1 old going", "2 old ready"], 0, []),
        (rolling(maxUnavailable=2, maxSurge=0), 3, ["0 old ready", "1 old ready", "2 old ready"], 0, ["p0", "p1"]),
        (rolling(maxUnavailable="50%", maxSurge=0), 3, ["0 old ready", "1 old ready", "2 old ready"], 0, ["p0", "p1"]),
        (DELETE, 2, ["0 old ready", "1 old unready"], 0, []),
        (SURGE, 3, ["0 old ready", "1 old ready", "2 old ready"], 1, []),
        (SURGE, 2, ["0 old unready", "1 old unready"], 2, []),
        (SURGE, 2, ["0 old ready", "0 new unready", "1 old ready"], 0, []),
        (SURGE, 2, ["0 old ready", "0 new ready", "1 old ready"], 0, ["p0"]),
        (SURGE, 2, ["0 old unready", "0 new unready", "1 old ready"], 0, ["p0"]),
        (SURGE, 2, ["0 new ready", "1 old ready"], 1, []),
        (SURGE, 1, ["0 new going"], 1, []),
    ],
)
def test_what_a_daemon_set_does_next(strategy: Obj, nodes: int, pods: list[str], made: int, gone: list[str]) -> None:
    ds, revision = daemon(strategy)
    held = [daemon_pod(f"p{at}", int(text.split()[0]), text.partition(" ")[2]) for at, text in enumerate(pods)]
    machines = [{"metadata": {"name": f"n{at}", "labels": {}}, "spec": {}} for at in range(nodes)]
    objects = {"daemonsets": [ds], "controllerrevisions": [revision], "pods": held, "nodes": machines}
    looked, asked = one_sync.controller(DaemonSetController, objects)
    looked.sync("default/a")
    assert (len(asked.created), sorted(asked.deleted)) == (made, gone)


def test_a_failed_daemon_pod_is_given_longer_and_longer() -> None:
    ds, revision = daemon(PLAIN)
    objects = {"daemonsets": [ds], "controllerrevisions": [revision], "pods": [daemon_pod("p", 0, "new failed")]}
    objects["nodes"] = [{"metadata": {"name": "n0", "labels": {}}, "spec": {}}]
    looked, asked = one_sync.controller(DaemonSetController, objects)
    begin, when = looked.world.now, []
    for tenth in range(90):
        looked.world.now = begin + tenth * clock.SECOND // 10
        before = len(asked.deleted)
        looked.sync("default/a")
        when += [tenth / 10] * (len(asked.deleted) - before)
    assert when == [0, 1, 3, 7]


# -- CronJobs ------------------------------------------------------------------------------------------------------------
def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2016-05-19T{text}+00:00")


@pytest.mark.parametrize(
    ("schedule", "after", "now", "due", "missed"),
    [
        ("0 * * * *", "09:00:00", "09:59:00", None, 0),
        ("0 * * * *", "09:00:00", "10:00:00", "10:00:00", 0),
        ("0 * * * *", "09:00:00", "10:30:00", "10:00:00", 0),
        ("0 * * * *", "09:00:00", "12:01:00", "12:00:00", 3),
        ("*/15 * * * *", "09:01:00", "10:00:00", "10:00:00", 4),
        ("*/1 * * * *", "09:00:00", "13:00:30", "13:00:00", 240),
        ("0 0 * * *", "09:00:00", "23:59:00", None, 0),
    ],
)
def test_which_run_is_due(schedule: str, after: str, now: str, due: str | None, missed: int) -> None:
    found, count = cronjob.latest(at(after), at(now), Schedule(schedule))
    assert (found, count) == (None if due is None else at(due), missed)


def test_a_clock_that_was_years_off_costs_nothing() -> None:
    found, count = cronjob.latest(at("09:00:00") - dt.timedelta(days=3000), at("10:00:20"), Schedule("* * * * *"))
    assert found == at("10:00:00")
    assert count > 4_000_000


# -- definitions and namespaces that end ---------------------------------------------------------------------------------
def test_a_definition_waits_for_objects_that_finalizers_hold_and_a_namespace_for_its_pods() -> None:
    sandbox = Sandbox.boot()
    names = {"plural": "kites", "kind": "Kite"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    spec = {"group": "sky.example.org", "scope": "Namespaced", "names": names}
    versions = [{"name": "v1", "served": True, "storage": True, "schema": schema}]
    crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": {**spec, "versions": versions}}
    crd["metadata"] = {"name": "kites.sky.example.org"}
    assert sandbox.run("kubectl apply -f -", stdin=json.dumps(crd).encode()).code == 0
    assert "Local" in sandbox.run("kubectl get apiservice v1.sky.example.org").stdout
    kite = {"apiVersion": "sky.example.org/v1", "kind": "Kite", "metadata": {"name": "one", "finalizers": ["example.org/hold"]}}
    sandbox.run("kubectl apply -f -", stdin=json.dumps(kite).encode())
    sandbox.run("kubectl delete crd kites.sky.example.org --wait=false")
    said = sandbox.run("kubectl get crd kites.sky.example.org -o jsonpath='{.status.conditions[-1:].reason}'").stdout
    assert said == "InstanceDeletionInProgress"
    other = {**kite, "metadata": {"name": "two"}}
    refused = sandbox.run("kubectl create -f -", stdin=json.dumps(other).encode())
    assert "create not allowed while custom resource definition is terminating" in refused.stderr
    last = "kubectl get crd kites.sky.example.org -o jsonpath='{.status.conditions[-1:].reason}' -w"
    watched = sandbox.run(f"timeout 130 {last} --output-watch-events=false").stdout
    assert watched == "InstanceDeletionInProgress" + "InstanceDeletionCheckInstanceDeletionInProgress" * 2
    sandbox.run('kubectl patch kite one --type=merge -p \'{"metadata":{"finalizers":null}}\'')
    assert "NotFound" in sandbox.run("kubectl get crd kites.sky.example.org").stderr
    assert "NotFound" in sandbox.run("kubectl get apiservice v1.sky.example.org").stderr

    sandbox.run("kubectl create ns shop; kubectl create cm kept -n shop; kubectl run p -n shop --image=nginx")
    sandbox.settle(20 * clock.SECOND)
    pinned = '{"metadata":{"finalizers":["example.org/hold"]}}'
    sandbox.run(f"kubectl patch pod p -n shop --type=merge -p '{pinned}'")
    sandbox.run("kubectl delete ns shop --wait=false")
    sandbox.advance(sandbox.now + 60 * clock.SECOND)
    assert "kept" in sandbox.run("kubectl get cm -n shop").stdout  # pods first
    sandbox.run('kubectl patch pod p -n shop --type=merge -p \'{"metadata":{"finalizers":null}}\'')
    sandbox.advance(sandbox.now + 60 * clock.SECOND)
    assert "NotFound" in sandbox.run("kubectl get ns shop").stderr


# -- aggregated roles ----------------------------------------------------------------------------------------------------
HAMMER = [{"verbs": ["hammer"], "resources": ["nails"]}, {"verbs": ["hammer"], "resources": ["wedges"]}]
CHISEL, SAW = [{"verbs": ["chisel"], "resources": ["mortises"]}], [{"verbs": ["saw"], "resources": ["boards"]}]


@pytest.mark.parametrize(
    ("roles", "selected", "held", "want"),
    [
        ({"hammer": ("bar", HAMMER)}, ["bar"], SAW, HAMMER),
        ({"hammer": ("not-bar", HAMMER)}, ["bar"], HAMMER, []),
        ({"hammer": ("bar", HAMMER), "chisel": ("bar", CHISEL), "saw": ("not-bar", SAW)}, ["bar"], [], CHISEL + HAMMER),
        (
            {"hammer": ("bar", HAMMER), "chisel": ("bar", CHISEL), "saw": ("not-bar", SAW)},
            ["bar", "not-bar"],
            [],
            CHISEL + HAMMER + SAW,
        ),
        (
            {"hammer": ("bar", HAMMER), "chisel": ("bar", CHISEL), "saw": ("bar", SAW), "other-saw": ("not-bar", SAW)},
            ["bar", "not-bar"],
            [],
            CHISEL + HAMMER + SAW,
        ),
        ({"hammer": ("bar", HAMMER)}, ["bar"], HAMMER, None),
    ],
)
def test_what_a_role_aggregates(roles: dict[str, Any], selected: list[str], held: list[Obj], want: list[Obj] | None) -> None:
    """The rules of what the selectors find, by name, each once; nothing is written when nothing changes."""
    made = [
        {"metadata": {"name": name, "labels": {"foo": label}}, "rules": rules} for name, (label, rules) in sorted(roles.items())
    ]
    rule = {"clusterRoleSelectors": [{"matchLabels": {"foo": label}} for label in selected]}
    whole: Obj = {"metadata": {"name": "combined"}, "aggregationRule": rule, "rules": held}
    sync, asked = one_sync.controller(ClusterRoleAggregationController, {"clusterroles": [*made, whole]})
    applied: list[Obj] = []

    def patch(*call: Any, **_: Any) -> Obj:
        applied.append(call[3])
        return {}

    asked.patch = patch  # type: ignore[method-assign]
    sync.sync("combined")
    assert [body.get("rules", []) for body in applied] == ([] if want is None else [want])
