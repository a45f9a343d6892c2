"""Graceful node shutdown: who goes when, what the API says meanwhile, and that the machine waits."""

from __future__ import annotations

import pytest

from simulator.core.host.machine import hosts
from simulator.core.kernel.clock import SECOND
from simulator.core.kube.kubelet import config, shutdown
from simulator.core.kube.kubelet.shutdown import Period
from simulator.core.sandbox import Sandbox

CRITICAL = 2_000_000_000


@pytest.mark.parametrize(
    ("given", "want"),
    [
        ({}, []),
        ({"shutdownGracePeriod": "300s", "shutdownGracePeriodCriticalPods": "120s"}, [Period(0, 180), Period(CRITICAL, 120)]),
        ({"shutdownGracePeriod": "100s"}, [Period(0, 100), Period(CRITICAL, 0)]),
        ({"shutdownGracePeriodByPodPriority": [
            {"priority": 1000, "shutdownGracePeriodSeconds": 10}, {"priority": 0, "shutdownGracePeriodSeconds": 20}]},
         [Period(0, 20), Period(1000, 10)]),
    ],
)  # fmt: skip
def test_the_groups_of_a_configuration(given: dict[str, object], want: list[Period]) -> None:
    assert shutdown.periods(given) == want


@pytest.mark.parametrize(
    ("priorities", "priority", "want"),
    [
        ((0, CRITICAL), 0, 0), ((0, CRITICAL), CRITICAL, 1), ((0, CRITICAL), CRITICAL + 1000, 1), ((0, CRITICAL), 999, 0),
        ((10, 100), 1, 0), ((10, 100), 10, 0), ((10, 100), 99, 0), ((10, 100), 100, 1), ((10, 100), 1000, 1), ((-5, 5), -10, 0),
    ],
)  # fmt: skip
def test_which_group_a_pod_is_in(priorities: tuple[int, ...], priority: int, want: int) -> None:
    assert shutdown.group([Period(p, 1) for p in priorities], priority) == want


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"shutdownGracePeriod": "3s", "shutdownGracePeriodCriticalPods": "10s"}, "must be <= shutdownGracePeriod"),
        ({"shutdownGracePeriod": "500ms"}, "either zero or otherwise >= 1 sec"),
        ({"shutdownGracePeriod": "3s", "shutdownGracePeriodByPodPriority": [{"priority": 0}]}, "Cannot specify both"),
        ({"shutdownGracePeriod": "30s", "shutdownGracePeriodCriticalPods": "10s"}, ""),
    ],
)
def test_settings_that_contradict_each_other(given: dict[str, object], words: str) -> None:
    found = config.shutdown_problems(given)
    assert [words in text for text in found] == ([True] if words else [])


def test_a_node_that_reboots_ends_its_pods_first() -> None:
    sandbox = Sandbox.boot()

    def say(command: str, host: str = "controlplane") -> str:
        return sandbox.run(command, host=host).stdout

    spec = '{"spec":{"nodeName":"node01","terminationGracePeriodSeconds":15}}'
    say(f"kubectl run slow --image=busybox --overrides='{spec}' -- sh -c 'trap \"\" TERM; while true; do sleep 1; done'")
    say(
        'kubectl run quick --image=nginx --overrides=\'{"spec":{"nodeName":"node01"}}\'; kubectl wait --for=condition=Ready pod --all'
    )
    edit = "s/shutdownGracePeriod: 0s/shutdownGracePeriod: 30s/; s/CriticalPods: 0s/CriticalPods: 10s/"
    say(f"sed -i '{edit}' /var/lib/kubelet/config.yaml; systemctl restart kubelet", "node01")
    sandbox.advance(sandbox.now + 5 * SECOND)
    assert "InhibitDelayMaxSec=30" in say("cat /etc/systemd/logind.conf.d/99-kubelet.conf", "node01")
    say("reboot", "node01")
    sandbox.advance(sandbox.now + 10 * SECOND)
    assert hosts(sandbox.world)["node01"].up
    shown = "kubectl get pod -o jsonpath='{range .items[*]}{.metadata.name}={.status.phase}/{.status.reason} {end}'"
    assert say(shown) == "quick=Failed/Terminated slow=Running/ "
    ready = "kubectl get node node01 -o jsonpath='{.status.conditions[?(@.type==\"Ready\")].message}'"
    assert say(ready) == "node is shutting down"
    assert "Shutdown manager detected shutdown event" in say("kubectl get events --field-selector reason=NodeShutdown")
    say('kubectl run late --image=nginx --overrides=\'{"spec":{"nodeName":"node01"}}\'')
    sandbox.advance(sandbox.now + 3 * SECOND)
    assert "Pod was rejected as the node is shutting down." in say("kubectl get pod late -o jsonpath='{.status.message}'")
    sandbox.advance(sandbox.now + 9 * SECOND)
    assert "slow=Failed/Terminated" in say(shown)  # its own 15 s are less than the 20 of its group
    sandbox.advance(sandbox.now + 60 * SECOND)
    assert say(ready) == "kubelet is posting ready status"
    assert not hosts(sandbox.world)["node01"].going


def test_without_the_setting_the_machine_goes_at_once() -> None:
    sandbox = Sandbox.boot()
    sandbox.run("poweroff", host="node01")
    sandbox.advance(sandbox.now + 3 * SECOND)
    assert not hosts(sandbox.world)["node01"].up
