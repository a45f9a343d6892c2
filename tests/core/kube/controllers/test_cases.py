"""Facts about controllers as data (`cases/*.json`): what a Job's policies make of pods, which indexes are done, how many replicas an
autoscaler may have, what a Deployment's surge comes to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.core.kernel.clock import SECOND, rfc3339
from simulator.core.kube.api import quotas
from simulator.core.kube.api.objects import Obj
from simulator.core.kube.controllers import deployment_util, job_indexes, job_policy, tainteviction
from simulator.core.kube.controllers import podautoscaler_scaling as scaling

CASES = Path(__file__).parent / "cases"
NOW = 10_000 * SECOND


def load(name: str) -> Any:
    return json.loads((CASES / f"{name}.json").read_text())


def indexes(intervals: list[list[int]]) -> set[int]:
    return {i for first, last in intervals for i in range(first, last + 1)}


@pytest.mark.parametrize("case", load("job_failure_policy"))
def test_what_a_failure_policy_makes_of_a_pod(case: Obj) -> None:
    found = job_policy.judge(case["policy"], case["pod"])
    assert found._asdict() == case["want"]


@pytest.mark.parametrize("case", load("job_success_policy"))
def test_when_a_success_policy_is_met(case: Obj) -> None:
    assert job_policy.enough(case["policy"], case["completions"], indexes(case["succeeded"])) == case["want"]


def pods(pairs: list[list[str]]) -> list[Obj]:
    return [{"metadata": {"annotations": {job_indexes.INDEX: i} if i != "-" else {}}, "status": {"phase": p}} for i, p in pairs]


@pytest.mark.parametrize("case", load("job_indexes"))
def test_which_indexes_are_done(case: Obj) -> None:
    assert job_indexes.parse(case["before"], case["completions"]) == indexes(case["status"])
    found = job_indexes.done(case["before"], pods(case["pods"]), case["completions"], "Succeeded")
    assert found == indexes(case["want"])
    assert job_indexes.parse(job_indexes.text_of(found), case["completions"]) == found


@pytest.mark.parametrize("case", load("job_pending_indexes"))
def test_which_indexes_are_next(case: Obj) -> None:
    taken = (
        indexes(case["succeeded"])
        | indexes(case["failed"])
        | {index for pod in pods(case["active"]) if (index := job_indexes.of(pod)) is not None}
    )
    assert job_indexes.free(taken, case["count"], case["completions"]) == case["want"]


@pytest.mark.parametrize(("held", "text"), [({0, 1, 2, 5}, "0-2,5"), ({3, 4}, "3,4"), (set(), ""), ({7}, "7")])
def test_indexes_are_written_in_runs(held: set[int], text: str) -> None:
    assert job_indexes.text_of(held) == text


@pytest.mark.parametrize("case", load("autoscaler_limits"))
def test_how_far_an_autoscaler_may_go_at_once(case: Obj) -> None:
    held = {side: [[count, NOW - int(age) * SECOND] for count, age in case[side]] for side in ("up", "down")}
    if case["behavior"] is None:
        found = scaling.by_rules(case["current"], case["wanted"], case["low"], case["high"])
    else:
        found = scaling.by_behavior(held, case["current"], case["wanted"], case["low"], case["high"], NOW, case["behavior"])
    assert [found[0], found[1][0]] == case["want"]


def deployment(desired: int, **rolling: Any) -> Obj:
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    return {"metadata": {"name": "d"}, "spec": {"replicas": desired, "strategy": strategy}}


@pytest.mark.parametrize("case", load("deployment")["fenceposts"])
def test_surge_and_unavailability_in_pods(case: Obj) -> None:
    d = deployment(case["desired"], maxSurge=case["surge"] or 0, maxUnavailable=case["unavailable"] or 0)
    assert list(deployment_util.fenceposts(d)) == case["want"]


@pytest.mark.parametrize("case", load("deployment")["new"])
def test_how_far_the_new_set_may_grow(case: Obj) -> None:
    d = deployment(case["desired"], maxSurge=case["surge"], maxUnavailable=1)
    old, new = ({"spec": {"replicas": case[name]}} for name in ("old", "new"))
    more = case["new"] > case["desired"]
    assert (case["desired"] if more else deployment_util.new_replicas(d, [old, new], new)) == case["want"]


@pytest.mark.parametrize("case", load("quota_usage"))
def test_what_a_pod_uses_of_a_quota(case: Obj) -> None:
    pod, wall = case["pod"], 10_000 * SECOND
    if "deleted_ago" in case:
        pod["metadata"]["deletionTimestamp"] = rfc3339(wall - case["deleted_ago"] * SECOND)
    assert {name: str(amount) for name, amount in quotas.usage("", "pods", pod, wall).items()} == case["want"]


@pytest.mark.parametrize("case", load("quota_scopes"))
def test_which_pods_a_scope_is_about(case: Obj) -> None:
    scope = case["scope"]
    if isinstance(scope, str):
        spec: Obj = {"scopes": [scope]}
    else:
        spec = {"scopeSelector": {"matchExpressions": [{"scopeName": scope[0], "operator": scope[1], "values": scope[2:]}]}}
    assert quotas.matches({"spec": spec}, case["pod"]) == case["want"]


@pytest.mark.parametrize("case", load("taint_patience"))
def test_how_long_a_pod_may_stay_on_a_tainted_node(case: Obj) -> None:
    found = tainteviction.patience({"spec": {"tolerations": case["tolerations"]}}, case["taints"])
    assert found == (None if case["want"] is None else case["want"] * SECOND)
