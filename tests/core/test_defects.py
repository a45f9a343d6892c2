"""A mistake of the simulator's own takes one simulated process, never the world."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.core.host import processes
from simulator.core.kernel.clock import MINUTE
from simulator.core.kube.scheduler.program import KubeScheduler
from simulator.core.sandbox import Sandbox


def test_a_program_that_breaks_ends_as_by_a_panic_and_the_world_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox.boot()
    sandbox.drain_trace()
    broken = {"left": 1}
    timer = KubeScheduler.timer

    def fail_once(self: KubeScheduler, *args: Any) -> None:
        if broken["left"]:
            broken["left"] = 0
            raise LookupError("what was not foreseen")
        timer(self, *args)

    monkeypatch.setattr(processes, "STRICT", False)
    monkeypatch.setattr(KubeScheduler, "timer", fail_once)
    sandbox.advance(sandbox.now + MINUTE)
    defects = [event for event in sandbox.drain_trace() if event.action == "defect"]
    assert [(event.ref, event.detail) for event in defects] == [
        ("controlplane/kube-scheduler", {"error": "LookupError: what was not foreseen"})
    ]
    pods = sandbox.run("kubectl get pods -n kube-system kube-scheduler-controlplane --no-headers").stdout.split()
    assert pods[1:4:2] == ["1/1", "1"]


def test_in_tests_such_a_mistake_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: KubeScheduler, *args: Any) -> None:
        raise LookupError("what was not foreseen")

    sandbox = Sandbox.boot()
    monkeypatch.setattr(KubeScheduler, "timer", fail)
    with pytest.raises(LookupError):
        sandbox.advance(sandbox.now + MINUTE)
