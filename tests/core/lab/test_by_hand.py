"""Failures that a learner makes by hand in a terminal: a full disk, a clock that is wrong."""

from __future__ import annotations

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox


def run(box: Sandbox, command: str, host: str = "controlplane", wait: int = 0) -> str:
    """What a command says, after some seconds."""
    done = box.run(command, host=host)
    box.advance(box.now + wait * SECOND)
    return done.stdout + done.stderr


def test_a_disk_that_is_filled_by_hand_is_under_pressure_until_there_is_room() -> None:
    box = Sandbox.boot("three-nodes")
    full = run(box, "dd if=/dev/zero of=/big bs=1M", "node01", wait=30)
    assert full.startswith("dd: error writing '/big': No space left on device\n")
    assert "node.kubernetes.io/disk-pressure:NoSchedule" in run(box, "kubectl describe node node01 | grep Taints")
    run(box, "rm /big", "node01", wait=330)  # the condition stays for five minutes
    assert "<none>" in run(box, "kubectl describe node node01 | grep Taints")


def test_date_sets_the_machines_clock_and_certificates_end() -> None:
    box = Sandbox.boot("three-nodes")
    assert run(box, "date -s '+2 days' +%F; date +%F", "node02") == "2026-11-04\n2026-11-04\n"
    assert "System clock synchronized: no" in run(box, "timedatectl", "node02")
    assert run(box, "date -s never", "node02") == "date: invalid date ‘never’\n"
    run(box, "date -s '2028-11-20 10:00:00'", "node02", wait=75)
    assert "NotReady" in run(box, "kubectl get node node02 --no-headers")
    why = "x509: certificate has expired or is not yet valid: current time 2028-11-20T"
    assert why in run(box, "journalctl -u kubelet --no-pager | tail -5", "node02")
    assert " Ready" in run(box, "kubectl get node node01 --no-headers")
    run(box, 'kubectl run b --image=busybox:1.36 --overrides=\'{"spec":{"nodeName":"node01"}}\' -- sleep 1000', wait=10)
    assert "date: cannot set date: Operation not permitted" in run(box, "kubectl exec b -- date -s 2030-01-01")


def test_certificates_that_a_later_clock_finds_expired_are_renewed_by_that_clock() -> None:
    box = Sandbox.boot("two-nodes")
    run(box, "date -s '+2 years'", "controlplane")
    assert "<invalid>" in run(box, "kubeadm certs check-expiration", "controlplane")
    assert "certificate has expired" in run(box, "kubectl get nodes 2>&1", "controlplane")
    run(box, "kubeadm certs renew all; cp /etc/kubernetes/admin.conf /root/.kube/config", "controlplane")
    assert "2029" in run(box, "openssl x509 -noout -enddate -in /etc/kubernetes/pki/apiserver.crt", "controlplane")
    again = "for name in etcd kube-apiserver; do crictl stop $(crictl ps -q --name $name); done"
    run(box, again, "controlplane", wait=60)
    assert "v1.36" in run(box, "kubectl get nodes 2>&1", "controlplane")
