"""Faults as inputs: each does what it says, everything visible stays truthful, and what is wrong is refused with its name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulator.core.kernel.clock import MINUTE, SECOND
from simulator.core.kernel.errors import BadInput
from simulator.core.lab.faults import FAULTS, usage
from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def base() -> Sandbox:
    made = Sandbox.boot("three-nodes", 1)
    made.advance(30 * SECOND)
    made.run("kubectl run p --image=nginx", settle=20 * SECOND)
    made.advance(made.now + 15 * SECOND)
    return made


def fault(world: Sandbox, line: str, seconds: int = 0) -> None:
    name, *args = line.split()
    world.apply("fault", {"name": name, "args": args}, world.now)
    world.advance(world.now + seconds * SECOND)


def out(world: Sandbox, line: str, host: str = "controlplane") -> str:
    found = world.run(line, host=host)
    return found.stdout + found.stderr


BAD = {
    "nothing": "fault 'nothing' does not exist; there are: corrupt, cut,",
    "cut node01": "fault cut takes: cut HOST HOST|internet",
    "power-off node09": "fault: no host 'node09'; there are: controlplane, node01, node02",
    "slow controlplane node01 soon": "fault slow: DELAY 'soon' is no time",
    "slow controlplane node01 1s most": "fault slow: LOSS 'most' is no share",
    "skew-clock node01 never": "fault skew-clock: DURATION 'never' is no duration",
    "fill-disk node01 much": "fault fill-disk: AMOUNT 'much' is neither",
    "fill-memory node01 120%": "fault fill-memory: AMOUNT '120%' is neither",
    "take-away kubelet": "fault: COMPONENT 'kubelet' is none of etcd,",
    "take-away etcd node01": "fault: no manifest of etcd on node01",
    "set-flag etcd name=x": "fault set-flag: FLAG 'name=x' does not begin with --",
    "restore etcd": "fault restore: nothing was done to etcd",
    "corrupt node01 /nope": "fault corrupt: FILE '/nope' is no file of node01",
    "expire-certificates controlplane x": "fault expire-certificates: NAME 'x' is none of",
    "kill-container nope": "fault kill-container: no pod default/nope runs",
    "stop nope node01": "fault: no unit 'nope.service' on node01",
    "kill nope": "fault: no process 'nope' runs",
}


@pytest.mark.parametrize("line", BAD)
def test_what_cannot_be_done_is_refused(base: Sandbox, line: str) -> None:
    world = base.fork()
    before = world.digest()
    with pytest.raises(BadInput, match=re.escape(BAD[line])):
        fault(world, line)
    assert world.digest() == before


def test_each_fault_is_documented_and_says_how_it_is_written() -> None:
    text = (Path(__file__).parents[3] / "docs" / "simulator.md").read_text(encoding="utf-8")
    for name in FAULTS:
        assert usage(name).startswith(name), name
        assert re.search(rf"`{re.escape(name)} ", text), name


def test_an_expired_serving_certificate_is_refused_by_every_client(base: Sandbox) -> None:
    world = base.fork()
    fault(world, "expire-certificates controlplane apiserver", 70)
    text = out(world, "kubectl get nodes")
    assert "Unable to connect to the server: tls: failed to verify certificate: x509: certificate has expired" in text
    assert "p " in out(world, "crictl ps --name p", "node01") or out(world, "crictl ps -q", "node01")
    assert "Ready" in out(world, "kubectl get nodes --insecure-skip-tls-verify")


def test_an_expired_client_certificate_is_unauthorized(base: Sandbox) -> None:
    world = base.fork()
    fault(world, "expire-certificates controlplane admin.conf")
    text = out(world, "kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes")
    assert "You must be logged in to the server" in text


def test_an_expired_kubelet_certificate_keeps_the_kubelet_from_starting(base: Sandbox) -> None:
    world = base.fork()
    fault(world, "expire-certificates node01 kubelet.conf")
    fault(world, "restart kubelet node01", 15)
    text = out(world, "journalctl -u kubelet", "node01")
    assert "part of the existing bootstrap client certificate in /etc/kubernetes/kubelet.conf is expired" in text
    assert "unable to load bootstrap kubeconfig: stat /etc/kubernetes/bootstrap-kubelet.conf: no such file or directory" in text


def test_a_wrong_flag_crash_loops_a_component_until_it_is_restored(base: Sandbox) -> None:
    world = base.fork()
    fault(world, "set-flag scheduler --no-such=1", 40)
    assert " 0/1     Error " in out(world, "kubectl -n kube-system get pod kube-scheduler-controlplane")
    assert "Back-off restarting failed container kube-scheduler in pod" in out(world, "kubectl -n kube-system get events")
    assert "Error: unknown flag: --no-such" in out(world, "kubectl -n kube-system logs kube-scheduler-controlplane")
    fault(world, "restore scheduler", 40)
    assert "1/1     Running" in out(world, "kubectl -n kube-system get pod kube-scheduler-controlplane")


def test_the_api_server_taken_away_refuses_while_pods_run_on(base: Sandbox) -> None:
    world = base.fork()
    fault(world, "take-away kube-apiserver", 60)
    text = out(world, "kubectl get pods")
    assert "The connection to the server 172.30.1.2:6443 was refused - did you specify the right host or port?" in text
    assert "nginx" in out(world, "crictl ps", "node01") + out(world, "crictl ps", "node02") or "p" in out(
        world, "crictl ps", "node01"
    )
    fault(world, "restore kube-apiserver", 60)
    assert "p      1/1     Running" in out(world, "kubectl get pods")


def test_a_slow_link_and_a_cut_one(base: Sandbox) -> None:
    world = base.fork()
    fault(world, "slow controlplane node01 300ms")
    assert "time=60" in out(world, "ping -c 1 172.30.1.4")
    fault(world, "cut controlplane node01", 60)
    assert "NotReady" in out(world, "kubectl get node node01")
    fault(world, "mend controlplane node01", 30)
    assert "NotReady" not in out(world, "kubectl get node node01")
    assert "time=0." in out(world, "ping -c 1 172.30.1.4")


def test_a_killed_container_is_started_again(base: Sandbox) -> None:
    world = base.fork()
    fault(world, "kill-container p", 5)
    assert "1 (" in out(world, "kubectl get pod p")
    assert "137" in out(world, "kubectl get pod p -o jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}")


def test_a_skewed_clock_is_seen_on_that_machine_only(base: Sandbox) -> None:
    world = base.fork()
    fault(world, "skew-clock node01 400d")
    assert "2027" in out(world, "date", "node01")
    assert "2026" in out(world, "date")
    fault(world, "restart kubelet node01", 12)
    assert "is expired" in out(world, "journalctl -u kubelet", "node01")


def test_a_corrupt_manifest_ends_its_pod(base: Sandbox) -> None:
    world = base.fork()
    fault(world, "corrupt controlplane /etc/kubernetes/manifests/kube-scheduler.yaml", 40)
    assert "kube-scheduler" not in out(world, "kubectl -n kube-system get pods")
    assert "Could not process manifest file" in out(world, "journalctl -u kubelet")
    fault(world, "restore kube-scheduler", 40)
    assert "kube-scheduler-controlplane            1/1     Running" in out(world, "kubectl -n kube-system get pods")


def test_leaders_change_when_a_leader_is_killed(base: Sandbox) -> None:
    world = base.fork()
    holder = "kubectl -n kube-system get lease kube-scheduler -o jsonpath={.spec.holderIdentity}"
    before = out(world, holder)
    fault(world, "kill kube-scheduler")
    world.advance(world.now + MINUTE)
    assert out(world, holder) != before


def test_a_lossy_link_loses_echoes_and_makes_connections_late() -> None:
    sandbox = Sandbox.boot()
    sandbox.run(
        'kubectl run web --image=nginx --overrides=\'{"spec":{"nodeName":"node01"}}\'; kubectl wait --for=condition=Ready pod/web'
    )
    address = sandbox.run("kubectl get pod web -o jsonpath={.status.podIP}").stdout
    sandbox.apply("fault", {"name": "slow", "args": ["controlplane", "node01", "1ms", "15%"]}, sandbox.now)
    lost = int(sandbox.run(f"ping -c 60 -q {address}").stdout.split("% packet loss")[0].split()[-1])
    assert 10 <= lost <= 55  # 28 % of the round trips, more or less
    asked = f"for i in $(seq 20); do curl -s -o /dev/null -w '%{{http_code}} %{{time_total}}\\n' http://{address}; done"
    answers = [line.split() for line in sandbox.run(asked).stdout.splitlines()]
    assert {code for code, _ in answers} == {"200"}
    assert {float(took) // 1 for _, took in answers} >= {0.0, 1.0}  # first packets are sent again after a second
    assert (
        "28"
        in sandbox.run(f"for i in $(seq 20); do curl -s -m 0.5 -o /dev/null -w '%{{exitcode}} ' http://{address}; done").stdout
    )
