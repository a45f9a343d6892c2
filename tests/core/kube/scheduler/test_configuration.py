"""The scheduler's configuration file: profiles, weights, arguments, and what is said of a file that is wrong."""

from __future__ import annotations

import pytest

from simulator.core.host import files, processes
from simulator.core.kernel.errors import BadInput
from simulator.core.kube.scheduler import config, profiles

from ..plane import CONFIG, Plane

HEAD = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
CLIENT = f"clientConnection: {{kubeconfig: {CONFIG}}}\n"
TWO = (
    HEAD
    + CLIENT
    + """
profiles:
- schedulerName: default-scheduler
- schedulerName: packer
  plugins:
    score:
      disabled: [{name: "*"}]
      enabled: [{name: NodeResourcesFit, weight: 5}]
  pluginConfig:
  - name: NodeResourcesFit
    args: {scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 1}]}}
"""
)


def started(text: str, nodes: int = 3) -> Plane:
    plane = Plane()
    for number in range(1, nodes + 1):
        plane.node(f"node{number:02d}")
    files.write_file(plane.world, plane.host, "/etc/kubernetes/scheduler.yaml", text.encode(), parents=True)
    plane.start("kube-scheduler", "--config=/etc/kubernetes/scheduler.yaml")
    plane.start("fake-kubelet")
    plane.run(2)
    return plane


def test_the_default_profile_has_the_default_plugins_in_their_order() -> None:
    profile = profiles.default()["default-scheduler"]
    assert [p.name for p in profile.filter] == [
        "NodeUnschedulable", "NodeName", "TaintToleration", "NodeAffinity", "NodePorts", "NodeResourcesFit", "VolumeRestrictions",
        "NodeVolumeLimits", "VolumeBinding", "VolumeZone", "PodTopologySpread", "InterPodAffinity",
    ]  # fmt: skip
    assert {p.name: profile.weights[p.name] for p in profile.score} == {
        "TaintToleration": 3, "NodeAffinity": 2, "NodeResourcesFit": 1, "PodTopologySpread": 2, "InterPodAffinity": 2,
        "NodeResourcesBalancedAllocation": 1, "ImageLocality": 1,
    }  # fmt: skip
    assert profile.post_filter


def test_two_profiles_place_their_pods_differently() -> None:
    plane = started(TWO)
    for number in range(3):
        plane.pod(f"spread-{number}", cpu="200m")
        plane.pod(f"packed-{number}", cpu="200m", schedulerName="packer")
        plane.run(1)
    nodes = {o["metadata"]["name"]: o["spec"].get("nodeName") for o in plane.client.list("pods", "default").items}
    assert len({nodes[f"spread-{n}"] for n in range(3)}) == 3
    assert len({nodes[f"packed-{n}"] for n in range(3)}) == 1
    assert {e["reportingController"] for e in plane.events("Scheduled") if "packed" in e["message"]} == {"packer"}


def test_a_pod_of_a_scheduler_that_nobody_runs_waits_in_silence() -> None:
    plane = started(TWO)
    plane.pod("lonely", schedulerName="nobody")
    plane.run(5)
    assert not plane.get("pods", "lonely")["spec"].get("nodeName")
    assert not plane.messages("FailedScheduling")


def test_a_second_scheduler_with_a_lease_of_its_own_takes_its_pods() -> None:
    plane = Plane()
    plane.node("node01")
    text = HEAD + CLIENT + "leaderElection: {leaderElect: true, resourceName: mine}\nprofiles: [{schedulerName: mine}]\n"
    files.write_file(plane.world, plane.host, "/etc/kubernetes/mine.yaml", text.encode(), parents=True)
    plane.scheduler()
    plane.start("kube-scheduler", "--config=/etc/kubernetes/mine.yaml", "--secure-port=10359")
    plane.run(2)
    plane.pod("a")
    plane.pod("b", schedulerName="mine")
    plane.run(2)
    assert plane.get("pods", "a")["spec"]["nodeName"] == plane.get("pods", "b")["spec"]["nodeName"] == "node01"
    assert {"kube-scheduler", "mine"} <= set(plane.names("leases", "kube-system"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: X\napiVersion: v1\n", 'no kind "X" is registered for version "v1"'),
        (HEAD + "profils: []\n", 'strict decoding error: unknown field "profils"'),
        (HEAD + "profiles: [{pluginz: {}}]\n", 'strict decoding error: unknown field "profiles[0].pluginz"'),
        (HEAD + "percentageOfNodesToScore: 101\n", "percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]"),
        (
            HEAD + "podInitialBackoffSeconds: 5\npodMaxBackoffSeconds: 2\n",
            "podMaxBackoffSeconds: Invalid value: 2: must be greater than or equal to PodInitialBackoffSeconds",
        ),
        (
            HEAD + "profiles: [{schedulerName: a}, {schedulerName: a}]\n",
            "profiles[1].schedulerName: Duplicate value: profiles[0].schedulerName",
        ),
        (
            HEAD + "profiles: [{plugins: {filter: {enabled: [{name: Nope}]}}}]\n",
            'initializing profiles: creating profile for scheduler name default-scheduler: FilterPlugin "Nope" does not exist',
        ),
        (
            HEAD + "profiles: [{plugins: {filter: {enabled: [{name: ImageLocality}]}}}]\n",
            'default-scheduler: plugin "ImageLocality" does not extend FilterPlugin plugin',
        ),
        (
            HEAD + "profiles: [{pluginConfig: [{name: InterPodAffinity, args: {hardPodAffinityWeight: 101}}]}]\n",
            "profiles[0].pluginConfig[0].args.hardPodAffinityWeight: Invalid value: 101: not in valid range [0, 100]",
        ),
        (
            HEAD + "profiles: [{pluginConfig: [{name: NodeResourcesFit, args: {scoringStrategy: {type: Best}}}]}]\n",
            'scoringStrategy.type: Unsupported value: "Best": supported values: "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"',
        ),
        (
            HEAD
            + "profiles: [{pluginConfig: [{name: PodTopologySpread, args: {defaultConstraints: [{maxSkew: 0, topologyKey: z, "
            "whenUnsatisfiable: ScheduleAnyway}], defaultingType: List}}]}]\n",
            "defaultConstraints[0].maxSkew: Invalid value: 0: not in valid range (0, inf)",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said(text: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        config.load(text.encode())
    assert message in str(caught.value)


def test_a_scheduler_with_a_bad_file_ends_and_logs_why() -> None:
    plane = started(HEAD + "profiles: [{plugins: {score: {enabled: [{name: Nope}]}}}]\n")
    assert not processes.by_program(plane.world, plane.host, "kube-scheduler")
    assert 'ScorePlugin \\"Nope\\" does not exist' in plane.journal("kube-scheduler")


def test_weights_and_order_follow_the_file() -> None:
    text = (
        HEAD
        + """
profiles:
- plugins:
    multiPoint:
      enabled: [{name: ImageLocality, weight: 7}]
      disabled: [{name: PodTopologySpread}]
    score:
      enabled: [{name: NodeAffinity, weight: 9}]
      disabled: [{name: InterPodAffinity}]
    postFilter: {disabled: [{name: DefaultPreemption}]}
"""
    )
    profile = profiles.of(config.load(text.encode()))["default-scheduler"]
    assert [p.name for p in profile.score] == [
        "NodeAffinity", "TaintToleration", "NodeResourcesFit", "NodeResourcesBalancedAllocation", "ImageLocality",
    ]  # fmt: skip
    assert profile.weights["NodeAffinity"] == 9
    assert profile.weights["ImageLocality"] == 7
    assert "PodTopologySpread" not in {p.name for p in profile.filter}
    assert "InterPodAffinity" in {p.name for p in profile.filter}
    assert not profile.post_filter
