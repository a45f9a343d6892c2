"""docs/trace.md names every action that a world emits, and nothing that none does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulator.core.kernel.clock import MINUTE, SECOND
from simulator.core.lab import faults
from simulator.core.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "trace.md").read_text(encoding="utf-8")
SOURCE = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "simulator" / "core").rglob("*.py")))


def documented() -> set[str]:
    """The actions of the table's second column."""
    rows = [line.split("|")[2] for line in TABLE.splitlines() if line.startswith("| `") and line.count("|") == 5]
    return {action for row in rows for action in re.findall(r"`([a-z.]+)`", row)}


@pytest.fixture(scope="module")
def emitted() -> set[str]:
    """The actions of a world in which much happens."""
    sandbox = Sandbox.boot("three-nodes", 5)
    seen: set[str] = set()
    steps = (
        "kubectl create deployment web --image=nginx --replicas=3",
        "kubectl expose deployment web --port=80",
        "kubectl get pods",
        'kubectl run big --image=nginx --overrides=\'{"spec":{"containers":[{"name":"c","image":"nginx",'
        '"resources":{"requests":{"cpu":"99"}}}]}}\'',
        "kubectl delete pod -l app=web --wait=false",
        "mv /etc/kubernetes/manifests/kube-scheduler.yaml /tmp; sleep 30; mv /tmp/kube-scheduler.yaml /etc/kubernetes/manifests/",
    )
    for step in steps:
        sandbox.apply("line", {"terminal": "controlplane", "text": step}, sandbox.now)
        sandbox.advance(sandbox.now + 60 * SECOND)
        seen |= {event.action for event in sandbox.drain_trace()}
    sandbox.apply("fault", {"name": "power-off", "args": ["node01"]}, sandbox.now)
    sandbox.advance(sandbox.now + 8 * MINUTE)
    return seen | {event.action for event in sandbox.drain_trace()}


def test_every_emitted_action_is_documented(emitted: set[str]) -> None:
    assert emitted - set(faults.FAULTS) <= documented()


def test_much_of_what_is_documented_happens_in_one_world(emitted: set[str]) -> None:
    assert len(emitted & documented()) >= 15


def test_every_documented_action_stands_in_the_code() -> None:
    missing = {action for action in documented() if f'"{action}"' not in SOURCE}
    assert not missing
