"""Checks over time: CEL, assertions over the trace, what-if futures; each with a case that holds and one that does not."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.core.kernel.clock import MINUTE, SECOND
from simulator.core.kernel.errors import BadInput
from simulator.core.lab import checks, expressions
from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def web() -> Sandbox:
    """Three replicas that run."""
    sandbox = Sandbox.boot("three-nodes")
    sandbox.run("kubectl create deployment web --image=nginx --replicas=3", settle=30 * SECOND)
    return sandbox


def verdict(sandbox: Sandbox, **check: Any) -> dict[str, Any]:
    row = {"id": "it", "title": "t", "message": {"ko": "아님", "en": "no"}, **check}
    found: dict[str, Any] = checks.evaluate(sandbox, {"checks": [row]})["verdicts"][0]
    return found


WEB = {"resource": "deployments", "name": "web"}


@pytest.mark.parametrize(
    ("source", "state"),
    [
        ("value.spec.replicas == 3", "passed"),
        ("value.spec.replicas > 3", "failed"),
        ("value.spec.template.spec.containers.all(c, c.image.startsWith('nginx'))", "passed"),
        ("value.spec.nowhere == 1", "failed"),
        ("value.spec.replicas", "error"),
        ("value.spec.replicas ==", "error"),
    ],
)
def test_cel(web: Sandbox, source: str, state: str) -> None:
    assert verdict(web, object=WEB, expect={"cel": source})["state"] == state


def test_cel_over_several_looks(web: Sandbox) -> None:
    looks = {"web": {"object": WEB, "path": "spec.replicas"}, "pods": {"objects": {"resource": "pods", "selector": "app=web"}}}
    assert verdict(web, values=looks, expect={"cel": "value.pods.items.size() == value.web"})["state"] == "passed"
    spread = "value.pods.items.map(p, p.spec.nodeName).all(n, n == 'node01')"
    assert verdict(web, values=looks, expect={"cel": spread})["state"] == "failed"


def test_an_expression_cannot_run_for_ever() -> None:
    deep = "[" + ",".join("1" * 1 for _ in range(400)) + "]"
    many = f"{deep}.all(a, {deep}.all(b, {deep}.all(c, a + b + c > 0)))"
    assert expressions.problem(many, ()) or expressions.truth(many[:1999], {}) is False


SCHEDULED = {"actor": "kube-scheduler", "action": "schedule", "ref": "pods/default/web-*"}


def test_eventually_and_never_over_the_trace(web: Sandbox) -> None:
    assert verdict(web, eventually=SCHEDULED)["state"] == "passed"
    assert verdict(web, eventually={**SCHEDULED, "ref": "pods/default/db-*"})["state"] == "failed"
    assert verdict(web, never={"action": "leader.lost"})["state"] == "passed"
    broken = verdict(web, never=SCHEDULED)
    assert broken["state"] == "failed"
    assert {event["action"] for event in broken["evidence"]} == {"schedule"}


def test_always_over_the_trace(web: Sandbox) -> None:
    on_workers = {**SCHEDULED, "that": "event.detail.node in ['node01', 'node02']"}
    assert verdict(web, always=on_workers)["state"] == "passed"
    assert verdict(web, always={**SCHEDULED, "that": "event.detail.node == 'node01'"})["state"] == "failed"


def test_between_two_events(web: Sandbox) -> None:
    fork = web.fork()
    fork.run("kubectl delete deployment web", settle=40 * SECOND)
    after = {"since": {"action": "delete", "ref": "deployments/default/web*"}}
    gone = [e for e in fork.world.trace if e.action == "delete" and e.ref.startswith("deployments/")]
    if not gone:
        after = {"since": {"where": "event.ref.contains('deployments/default/web') && event.seq > 0"}}
    assert verdict(fork, never={**SCHEDULED, **after})["state"] == "passed"
    assert verdict(fork, eventually={**SCHEDULED, **after})["state"] == "failed"


POWER = [{"fault": "power-off node01"}, {"wait": "10m"}]
READY = {"object": WEB, "expect": {"path": "status.readyReplicas", "equals": 3}}


def test_what_if_a_node_goes(web: Sandbox) -> None:
    before = web.digest()
    found = verdict(web, what_if=POWER, **READY)
    assert found["state"] == "passed"
    assert found["what_if"] == ["⚡ power-off node01", "+10m"]
    assert web.digest() == before
    fixed = web.fork()
    fixed.run('kubectl delete deployment web; kubectl run web --image=nginx --overrides=\'{"spec":{"nodeName":"node01"}}\'')
    fixed.advance(fixed.now + MINUTE)
    alone = {"objects": {"resource": "pods", "fields": "status.phase=Running"}}
    assert (
        verdict(fixed, what_if=POWER, **alone, expect={"cel": "value.items.exists(p, !has(p.metadata.deletionTimestamp))"})[
            "state"
        ]
        == "failed"
    )


def test_throughout_and_sometime(web: Sandbox) -> None:
    over = {"for": "8m", "every": "15s"}
    dips = verdict(web, what_if=[{"fault": "power-off node01"}], holds="throughout", **over, **READY)
    assert dips["state"] == "failed"
    assert "(+" in dips["found"]
    assert verdict(web, what_if=[{"fault": "power-off node01"}], holds="sometime", **over, **READY)["state"] == "passed"
    assert verdict(web, holds="throughout", **{"for": "1m", "every": "10s"}, **READY)["state"] == "passed"
    never = {"object": WEB, "expect": {"path": "status.readyReplicas", "equals": 7}}
    assert verdict(web, holds="sometime", **{"for": "1m", "every": "10s"}, **never)["state"] == "failed"


@pytest.mark.parametrize(
    "check",
    [
        {"what_if": [{"fault": "sink node01"}], **READY},
        {"what_if": [{"wait": "25h"}], **READY},
        {"what_if": [], **READY},
        {"holds": "sideways", **READY},
        {"holds": "throughout", "for": "20h", "every": "1s", **READY},
        {"always": SCHEDULED},
    ],
)
def test_what_cannot_be_asked_is_an_error_of_the_author(web: Sandbox, check: dict[str, Any]) -> None:
    found = verdict(web, **check)
    assert found["state"] == "error"
    assert found["found"]


def test_a_bad_expression_is_found_without_a_world() -> None:
    assert "undeclared" in expressions.problem("other.x", ("value",))
    assert expressions.problem("value.x == 1", ("value",)) == ""
    with pytest.raises(BadInput):
        expressions.truth("value +", {"value": 1})
