"""Facts about the default plugins as data: `cases/<plugin>.json` says what a pod meets on which nodes and what comes of it.

A case has a `check`: `filter` (a status a node in `want`, or only its code in `codes`; `pre` is PreFilter's own), `score` (normalised
scores by node; `skip` when PreScore has nothing to do), `hint` (whether an event may make the pod schedulable).  `pods` are on their
nodes, `objects` are what listers give, `args` the plugin's arguments.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from simulator.core.kube.api.objects import Obj
from simulator.core.kube.scheduler import cycle as cycles
from simulator.core.kube.scheduler import preemption, profiles
from simulator.core.kube.scheduler.framework import SKIP, Cycle, Lister, NodeInfo, Plugin, PodInfo, Verdict, default_normalize
from simulator.core.kube.scheduler.plugins.node_resources import broken_line

CASES = Path(__file__).parent / "cases"
PLUGINS = {
    "image_locality": "ImageLocality",
    "inter_pod_affinity": "InterPodAffinity",
    "node_affinity": "NodeAffinity",
    "node_name": "NodeName",
    "node_ports": "NodePorts",
    "node_resources": "NodeResourcesFit",
    "node_unschedulable": "NodeUnschedulable",
    "pod_topology_spread": "PodTopologySpread",
    "taint_toleration": "TaintToleration",
    "volume_binding": "VolumeBinding",
    "volume_restrictions": "VolumeRestrictions",
    "volume_zone": "VolumeZone",
}
RESOURCES = {
    "Namespace": "namespaces",
    "PersistentVolume": "persistentvolumes",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "ReplicaSet": "replicasets",
    "ReplicationController": "replicationcontrollers",
    "Service": "services",
    "StatefulSet": "statefulsets",
    "StorageClass": "storageclasses",
}
TEAMS = [
    {"kind": "Namespace", "metadata": {"name": f"subteam{sub}.team{team}", "labels": {"team": f"team{team}"}}}
    for team in (1, 2)
    for sub in (1, 2)
]


class Objects(Lister):
    """Gives plugins the objects of a case."""

    def __init__(self, items: list[Obj]) -> None:
        self.items: dict[str, list[Obj]] = {}
        for item in items:
            self.items.setdefault(RESOURCES[item["kind"]], []).append({"spec": {}, **item})

    def objects(self, resource: str, namespace: str = "") -> list[Obj]:
        found = self.items.get(resource, [])
        return [o for o in found if not namespace or o["metadata"].get("namespace", "") in ("", namespace)]

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        return next((o for o in self.objects(resource, namespace) if o["metadata"]["name"] == name), None)


def load(name: str) -> list[Obj]:
    found: list[Obj] = json.loads((CASES / f"{name}.json").read_text())
    return found


def whole(pod: Obj) -> Obj:
    """A pod with the members that every pod has."""
    meta = {"name": "p", "namespace": "default", **(pod.get("metadata") or {})}
    return {**pod, "metadata": meta, "spec": pod.get("spec") or {}}


def node_info(node: Obj) -> NodeInfo:
    status = {"allocatable": {"pods": "110"}, **(node.get("status") or {})}
    return NodeInfo({"spec": {}, **node, "metadata": {"name": "n", **(node.get("metadata") or {})}, "status": status})


def world_of(case: Obj) -> tuple[Cycle, list[NodeInfo]]:
    """The cycle of a case, and the nodes that it asks about."""
    asked = [node_info(n) for n in case.get("nodes") or ()]
    nodes = {n.name: n for n in [*asked, *(node_info(n) for n in case.get("failed") or ())]}
    for index, pod in enumerate(case.get("pods") or ()):
        full = whole(pod)
        if "name" not in (pod.get("metadata") or {}):
            full["metadata"]["name"] = f"existing-{index}"
        node = nodes.get(full["spec"].get("nodeName") or "")
        if node is not None:
            node.add(PodInfo(full))
    lister = Objects([*(case.get("objects") or ()), *(TEAMS if case.get("teams") else ())])
    return Cycle(PodInfo(whole(case.get("pod") or {})), nodes, lister), asked


def status_of(verdict: Verdict | None) -> Obj | None:
    if verdict is None:
        return None
    code = "UnschedulableAndUnresolvable" if verdict.unresolvable else "Unschedulable"
    return {"code": code, "reasons": list(verdict.reasons)}


def good(status: Obj | None) -> Obj | None:
    return None if status is None or status["code"] == "Success" else status


def check_filter(plugin: Plugin, case: Obj) -> None:
    cycle, asked = world_of(case)
    answer: Any = plugin.pre_filter(cycle) if plugin.pre_filter is not None else None
    pre = {"code": "Skip", "reasons": []} if answer is SKIP else status_of(answer) if isinstance(answer, Verdict) else None
    if "pre" in case or pre is not None:
        wanted = case.get("pre")
        if pre is not None and wanted is None and pre["code"] == "Skip":
            assert not [w for w in case.get("want") or () if good(w)]
            return
        assert pre == good(wanted)
        if pre is not None:
            return
    if "only" in case:
        assert isinstance(answer, set)
        assert sorted(answer) == sorted(case["only"])
    assert plugin.filter is not None
    for index, node in enumerate(asked):
        found = status_of(plugin.filter(cycle, node))
        if "codes" in case:
            assert ((found or {}).get("code") or "Success") == case["codes"][index], node.name
            continue
        wanted = good((case.get("want") or [None])[index])
        if wanted and isinstance(answer, set) and node.name not in answer:
            continue
        # a pod that not even the empty node could hold is told apart from one for which there is no room now
        if plugin.name == "NodeResourcesFit" and found is not None and wanted is not None:
            assert found["reasons"] == wanted["reasons"]
            continue
        assert found == wanted, node.name


def check_score(plugin: Plugin, case: Obj) -> None:
    cycle, asked = world_of(case)
    if plugin.pre_score is not None:
        skipped = plugin.pre_score(cycle, asked) is SKIP
        assert skipped or not case.get("skip")
        if skipped:
            assert case.get("skip") or len(set(case["want"].values())) <= 1
            return
    assert plugin.score is not None
    scores = {node.name: plugin.score(cycle, node) for node in asked}
    if plugin.normalize is not None:
        plugin.normalize(cycle, scores)
    assert scores == case["want"]


def check_hint(plugin: Plugin, case: Obj) -> None:
    old, new = case.get("old"), case.get("new")
    kind = "add" if old is None else "delete" if new is None else "label"
    if plugin.name == "NodeResourcesFit" and kind == "label":
        kind = "allocatable" if case["event"] == "node" else "scale-down"
    if plugin.hint is None:
        assert case["want"]
        return
    pods = [whole(o) if o is not None and case["event"] == "pod" else o and {"spec": {}, **o} for o in (old, new)]
    for item in pods:
        if item is not None:
            item.setdefault("metadata", {})
    assert plugin.hint(f"{case['event']}-{kind}", PodInfo(whole(case.get("pod") or {})), pods[0], pods[1]) == case["want"]


CHECKS = {"filter": check_filter, "score": check_score, "hint": check_hint}
ALL = [(name, index, case) for name in PLUGINS for index, case in enumerate(load(name))]


@pytest.mark.parametrize(("name", "case"), [pytest.param(n, c, id=f"{n}-{c['check']}-{i}") for n, i, c in ALL])
def test_case(name: str, case: Obj) -> None:
    plugin = profiles.plugin(case.get("plugin") or PLUGINS[name], case.get("args") or {})
    CHECKS[case["check"]](plugin, case)


@pytest.mark.parametrize("case", load("shapes"))
def test_a_shape_is_a_line_through_its_points(case: Obj) -> None:
    points = [(x, y) for x, y in case["points"]]
    assert [[x, broken_line(points, x)] for x, _ in case["want"]] == case["want"]


@pytest.mark.parametrize("case", load("normalize"))
def test_scores_are_scaled_by_the_highest(case: Obj) -> None:
    scores = {str(i): value for i, value in enumerate(case["scores"])}
    default_normalize(scores, reverse=case.get("reverse", False))
    assert list(scores.values()) == case["want"]


def test_there_are_hundreds_of_cases() -> None:
    assert len(ALL) > 300
    assert cycles.MIN_FEASIBLE == 100


# -- preemption and its words --------------------------------------------------------------------------------------------


class Budgets(Objects):
    """The objects of a case with disruption budgets."""

    def __init__(self, case: Obj) -> None:
        super().__init__([])
        self.items["poddisruptionbudgets"] = [
            {**b, "metadata": {"namespace": "default", **(b.get("metadata") or {})}} for b in case.get("pdbs") or ()
        ]


def preempting(case: Obj) -> Cycle:
    cycle, _ = world_of(case)
    return Cycle(cycle.info, cycle.nodes, Budgets(case))


def profile_of(names: list[str]) -> profiles.Profile:
    enabled = {"enabled": [{"name": name} for name in names]}
    return profiles.of(
        {"profiles": [{"plugins": {"multiPoint": {"disabled": [{"name": "*"}]}, "preFilter": enabled, "filter": enabled}}]}
    )["default-scheduler"]


PREEMPTION = load("preemption")
UNRESOLVABLE = "UnschedulableAndUnresolvable"


@pytest.mark.parametrize("case", [c for c in PREEMPTION if c["check"] == "post_filter"])
def test_who_may_preempt_where(case: Obj) -> None:
    error = cycles.FitError(len(case["nodes"]))
    error.verdicts = {name: Verdict((), code == UNRESOLVABLE) for name, code in (case.get("rejected") or {}).items()}
    found, word = preemption.preempt(preempting(case), profile_of(["NodeResourcesFit"]), error)
    assert (found.node if found is not None else "") == case["want"]["nominated"]
    assert ([word] if word else []) == case["want"]["reasons"]


@pytest.mark.parametrize("case", [c for c in PREEMPTION if c["check"] == "victims"])
def test_the_smallest_set_of_victims_on_each_node(case: Obj) -> None:
    cycle, profile = preempting(case), profile_of(case["plugins"])
    found = {}
    for name in sorted(cycle.nodes):
        outcome = preemption.victims_on(cycle, profile, cycle.nodes[name], cycle.lister.objects("poddisruptionbudgets"))
        if not isinstance(outcome, Verdict):
            names = sorted(info.pod["metadata"]["name"] for info in outcome.victims)
            found[name] = {"victims": names, "violations": outcome.violations}
    assert found == case["want"]


@pytest.mark.parametrize("case", [c for c in PREEMPTION if c["check"] == "best"])
def test_the_best_node_to_preempt_on(case: Obj) -> None:
    error = cycles.FitError(len(case["nodes"]))
    error.verdicts = {n["metadata"]["name"]: Verdict((), False) for n in case["nodes"]}
    found, _ = preemption.preempt(preempting(case), profile_of(case["plugins"]), error)
    assert found is not None
    assert found.node in case["want"]


@pytest.mark.parametrize("case", load("fit_error"))
def test_what_is_said_when_no_node_does(case: Obj) -> None:
    error = cycles.FitError(case["total"])
    error.pre_filter, error.post_filter = case.get("pre", ""), case.get("post", "")
    error.verdicts = {name: Verdict(tuple(reasons or ())) for name, reasons in (case.get("nodes") or {}).items()}
    error.absent = Verdict(tuple(case.get("absent") or ()), True)
    assert str(error) == case["want"]


@pytest.mark.parametrize("seed", range(20))
def test_what_is_remembered_of_nodes_changes_no_decision(seed: int) -> None:
    lot = random.Random(seed)
    profile = profiles.of({})["default-scheduler"]
    nodes = {}
    for index in range(6):
        taints = [{"key": "t", "effect": lot.choice(("NoSchedule", "PreferNoSchedule"))}] if lot.random() < 0.3 else []
        name, labels = f"n{index}", {"disk": lot.choice(("ssd", "hdd")), "kubernetes.io/hostname": f"n{index}"}
        status = {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "20"}}
        nodes[name] = NodeInfo({"metadata": {"name": name, "labels": labels}, "spec": {"taints": taints}, "status": status})

    def look(incoming: Obj, memory: profiles.Profile) -> Any:
        cycle = Cycle(PodInfo(incoming), nodes, Objects([]))
        try:
            found = cycles.find_feasible(cycle, memory, 0, lambda _node: None)
        except cycles.FitError as error:
            return str(error)
        return cycles.run_scores(cycle, memory, found)

    for number in range(40):
        request = {"cpu": lot.choice(("100m", "500m", "1"))}
        spec: Obj = {"containers": [{"name": "c", "image": "x", "resources": {"requests": request}}]}
        if lot.random() < 0.3:
            spec["nodeSelector"] = {"disk": "ssd"}
        incoming = whole({"metadata": {"name": f"p{number}", "labels": {"app": "x"}}, "spec": spec})
        outcome = look(incoming, profile)
        assert outcome == look(incoming, profiles.of({})["default-scheduler"])
        if isinstance(outcome, dict):
            best = max(outcome, key=lambda name: (sum(outcome[name].values()), name))
            nodes[best].add(PodInfo(incoming))
        if lot.random() < 0.2:
            node = nodes[lot.choice(sorted(nodes))]
            node.set_node({**node.node, "spec": {"unschedulable": lot.random() < 0.5}})
