"""Table cases for the plugins."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.core.kube.api.objects import Obj
from simulator.core.kube.scheduler import profiles
from simulator.core.kube.scheduler.cycle import enough, run_filters, run_pre_filter, run_scores
from simulator.core.kube.scheduler.framework import SKIP, Cycle, Lister, NodeInfo, Plugin, PodInfo, pod_requests
from simulator.core.kube.scheduler.plugins import (
    inter_pod_affinity,
    node_affinity,
    node_ports,
    node_resources,
    node_unschedulable,
    pod_topology_spread,
    taint_toleration,
)


class Nothing(Lister):
    """No other objects."""

    def objects(self, resource: str, namespace: str = "") -> list[Obj]:
        return []

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        return None


def pod(name: str = "p", labels: dict[str, str] | None = None, **spec: Any) -> Obj:
    spec.setdefault("containers", [{"name": "c", "image": "nginx"}])
    return {"metadata": {"name": name, "namespace": "default", "labels": labels or {}}, "spec": spec}


def node(name: str = "n", labels: dict[str, str] | None = None, *, images: list[Obj] | None = None, **spec: Any) -> NodeInfo:
    status = {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "3"}, "images": images or []}
    return NodeInfo({"metadata": {"name": name, "labels": labels or {}}, "spec": spec, "status": status})


def cycle_of(incoming: Obj, *nodes: NodeInfo) -> Cycle:
    return Cycle(PodInfo(incoming), {n.name: n for n in nodes}, Nothing())


def verdict(plugin: Plugin, incoming: Obj, target: NodeInfo, *others: NodeInfo) -> list[str]:
    """Why the plugin rejects the node, or []."""
    cycle = cycle_of(incoming, target, *others)
    rejected, names, _ = run_pre_filter(cycle, [plugin])
    assert rejected is None
    if names is not None and target.name not in names:
        return ["not among the names"]
    found = run_filters(cycle, [plugin], target)
    return list(found.reasons) if found is not None else []


BLUE = {"key": "team", "value": "blue", "effect": "NoSchedule"}
TAINT_CASES: list[tuple[list[Obj], list[Obj], bool]] = [
    ([BLUE], [], False),
    ([BLUE], [{"key": "team", "operator": "Equal", "value": "blue", "effect": "NoSchedule"}], True),
    ([BLUE], [{"key": "team", "value": "red"}], False),
    ([BLUE], [{"key": "team", "operator": "Exists"}], True),
    ([BLUE], [{"operator": "Exists"}], True),
    ([BLUE], [{"key": "team", "operator": "Exists", "effect": "NoExecute"}], False),
    ([{**BLUE, "effect": "PreferNoSchedule"}], [], True),
    ([{**BLUE, "effect": "NoExecute"}], [], False),
]


@pytest.mark.parametrize(("taints", "tolerations", "fits"), TAINT_CASES)
def test_taints(taints: list[Obj], tolerations: list[Obj], fits: bool) -> None:
    found = verdict(taint_toleration.PLUGIN, pod(tolerations=tolerations), node(taints=taints))
    assert found == ([] if fits else ["node(s) had untolerated taint(s)"])


@pytest.mark.parametrize(
    ("operator", "values", "label", "fits"),
    [
        ("In", ["a", "b"], "a", True),
        ("In", ["a"], None, False),
        ("NotIn", ["a"], None, True),
        ("NotIn", ["a"], "a", False),
        ("Exists", [], "x", True),
        ("DoesNotExist", [], "x", False),
        ("Gt", ["5"], "6", True),
        ("Gt", ["5"], "5", False),
        ("Lt", ["5"], "four", False),
    ],
)
def test_node_affinity(operator: str, values: list[str], label: str | None, fits: bool) -> None:
    item = {"key": "k", "operator": operator, "values": values}
    required = {"nodeSelectorTerms": [{"matchExpressions": [item]}]}
    incoming = pod(affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}})
    labels = {"k": label} if label is not None else {}
    assert (verdict(node_affinity.PLUGIN, incoming, node(labels=labels)) == []) is fits


def test_terms_by_name_narrow_the_search() -> None:
    field = {"key": "metadata.name", "operator": "In", "values": ["b"]}
    required = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    incoming = pod(affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}})
    _, names, narrowed = run_pre_filter(cycle_of(incoming, node("a"), node("b")), [node_affinity.PLUGIN])
    assert names == {"b"}
    assert narrowed == ["NodeAffinity"]


def test_a_cordoned_node_takes_only_who_tolerates_it() -> None:
    cordoned = node(unschedulable=True)
    assert verdict(node_unschedulable.PLUGIN, pod(), cordoned) == ["node(s) were unschedulable"]
    tolerant = pod(tolerations=[{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}])
    assert verdict(node_unschedulable.PLUGIN, tolerant, cordoned) == []


@pytest.mark.parametrize(("mine", "theirs", "fits"), [(80, 80, False), (80, 81, True), (None, 80, True)])
def test_host_ports(mine: int | None, theirs: int, fits: bool) -> None:
    target = node()
    target.add(PodInfo(pod("other", containers=[{"name": "c", "ports": [{"hostPort": theirs, "containerPort": 80}]}])))
    ports = [{"hostPort": mine, "containerPort": 80}] if mine else []
    found = verdict(node_ports.PLUGIN, pod(containers=[{"name": "c", "ports": ports}]), target)
    assert found == ([] if fits else ["node(s) didn't have free ports for the requested pod ports"])


def requests(cpu: str, memory: str) -> list[Obj]:
    return [{"name": "c", "resources": {"requests": {"cpu": cpu, "memory": memory}}}]


@pytest.mark.parametrize(
    ("cpu", "memory", "extra", "reasons"),
    [
        ("1", "1Gi", {}, []),
        ("3500m", "1Gi", {}, ["Insufficient cpu"]),
        ("1", "7900Mi", {}, ["Insufficient memory"]),
        ("4", "8Gi", {}, ["Insufficient cpu", "Insufficient memory"]),
        ("1", "1Gi", {"nvidia.com/gpu": "1"}, ["Insufficient nvidia.com/gpu"]),
    ],
)
def test_resources(cpu: str, memory: str, extra: dict[str, str], reasons: list[str]) -> None:
    target = node()
    target.add(PodInfo(pod("other", containers=requests("1", "1Gi"))))
    container = requests(cpu, memory)[0]
    container["resources"]["requests"] |= extra
    assert verdict(node_resources.FIT, pod(containers=[container]), target) == reasons


def test_a_full_node_has_too_many_pods() -> None:
    target = node()
    for number in range(3):
        target.add(PodInfo(pod(f"p{number}")))
    assert verdict(node_resources.FIT, pod("late"), target) == ["Too many pods"]
    target.remove("default/p0")
    assert verdict(node_resources.FIT, pod("late"), target) == []


def test_requests_sum_containers_and_sidecars_and_take_the_peak_of_init_containers() -> None:
    incoming = pod(
        containers=requests("1", "1Gi"),
        initContainers=[
            {"name": "side", "restartPolicy": "Always", "resources": {"requests": {"cpu": "200m"}}},
            {"name": "init", "resources": {"requests": {"cpu": "3", "memory": "64Mi"}}},
        ],
        overhead={"cpu": "50m"},
    )
    assert pod_requests(incoming) == {"cpu": 3250, "memory": 1024**3}


def test_least_allocated_and_balanced_scores() -> None:
    empty, half = node("empty"), node("half")
    half.add(PodInfo(pod("other", containers=requests("2", "4Gi"))))
    incoming = pod(containers=requests("1", "2Gi"))
    scores = run_scores(cycle_of(incoming, empty, half), profiles.default()["default-scheduler"], [empty, half])
    assert scores["empty"]["NodeResourcesFit"] == 75
    assert scores["half"]["NodeResourcesFit"] == 25
    assert scores["empty"]["NodeResourcesBalancedAllocation"] == scores["half"]["NodeResourcesBalancedAllocation"] == 75


def test_pods_without_requests_are_not_balanced() -> None:
    assert node_resources.BALANCED.pre_score is not None
    assert node_resources.BALANCED.pre_score(cycle_of(pod(), node()), []) is SKIP


def test_images_attract() -> None:
    image = [{"names": ["nginx:latest"], "sizeBytes": 700 * 1024 * 1024}]
    warm, cold = node("warm", images=image), node("cold")
    scores = run_scores(cycle_of(pod(), warm, cold), profiles.default()["default-scheduler"], [warm, cold])
    assert scores["warm"]["ImageLocality"] > scores["cold"]["ImageLocality"] == 0


def spread(skew: int, when: str = "DoNotSchedule") -> list[Obj]:
    return [{"maxSkew": skew, "topologyKey": "zone", "whenUnsatisfiable": when, "labelSelector": {"matchLabels": {"app": "x"}}}]


@pytest.mark.parametrize(("held", "skew", "fits"), [(0, 1, True), (1, 1, False), (1, 2, True)])
def test_topology_spread(held: int, skew: int, fits: bool) -> None:
    a, b = node("a", {"zone": "a"}), node("b", {"zone": "b"})
    for number in range(held):
        a.add(PodInfo(pod(f"x{number}", {"app": "x"})))
    found = verdict(pod_topology_spread.PLUGIN, pod("new", {"app": "x"}, topologySpreadConstraints=spread(skew)), a, b)
    assert found == ([] if fits else ["node(s) didn't match pod topology spread constraints"])


def test_soft_spread_prefers_the_emptier_zone() -> None:
    a, b = node("a", {"zone": "a"}), node("b", {"zone": "b"})
    a.add(PodInfo(pod("x0", {"app": "x"})))
    incoming = pod("new", {"app": "x"}, topologySpreadConstraints=spread(1, "ScheduleAnyway"))
    scores = run_scores(cycle_of(incoming, a, b), profiles.default()["default-scheduler"], [a, b])
    assert scores["b"]["PodTopologySpread"] == 200
    assert scores["a"]["PodTopologySpread"] == 0


def rule(app: str) -> Obj:
    return {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": "zone"}


def near(app: str, kind: str = "podAffinity") -> Obj:
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [rule(app)]}}


def test_pod_affinity_follows_a_pod_of_the_zone() -> None:
    a, a2, b = node("a", {"zone": "a"}), node("a2", {"zone": "a"}), node("b", {"zone": "b"})
    a.add(PodInfo(pod("base", {"app": "base"})))
    incoming = pod(affinity=near("base"))
    assert verdict(inter_pod_affinity.PLUGIN, incoming, a2, a, b) == []
    assert verdict(inter_pod_affinity.PLUGIN, incoming, b, a, a2) == ["node(s) didn't match pod affinity rules"]


def test_the_first_of_a_kind_may_go_anywhere() -> None:
    assert (
        verdict(inter_pod_affinity.PLUGIN, pod("first", {"app": "self"}, affinity=near("self")), node("a", {"zone": "a"})) == []
    )


def test_anti_affinity_works_both_ways() -> None:
    a = node("a", {"zone": "a"})
    a.add(PodInfo(pod("loner", {"app": "loner"}, affinity=near("crowd", "podAntiAffinity"))))
    existing = verdict(inter_pod_affinity.PLUGIN, pod("p", {"app": "crowd"}), a)
    assert existing == ["node(s) didn't satisfy existing pods anti-affinity rules"]
    mine = verdict(inter_pod_affinity.PLUGIN, pod("q", affinity=near("loner", "podAntiAffinity")), a)
    assert mine == ["node(s) didn't match pod anti-affinity rules"]


@pytest.mark.parametrize(("total", "wanted"), [(3, 3), (99, 99), (100, 100), (300, 144), (1000, 420), (5000, 500), (10000, 500)])
def test_how_many_feasible_nodes_are_enough(total: int, wanted: int) -> None:
    assert enough(total) == wanted
