"""Broken clusters as examinations give them: what a learner breaks, sees, and mends."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox


class Lab(NamedTuple):
    """Where it is broken and how; what then shows it (command on the control plane or `node01:`); how it is mended; what is well then."""

    host: str
    breaking: str
    wait: int
    shows: list[tuple[str, str]]
    mending: str
    well: tuple[str, str]


M = "/etc/kubernetes/manifests"
KUBELET = "node01: journalctl -u kubelet"
NODE = ("kubectl get node node01", "node01   Ready")
LABS = {
    "kubelet stopped": Lab(
        "node01", "systemctl stop kubelet", 60, [("kubectl get nodes", "NotReady"), ("kubectl describe node node01", "Kubelet stopped posting node status.")],
        "systemctl start kubelet", NODE,
    ),
    "wrong CA path": Lab(
        "node01", "sed -i 's#pki/ca.crt#pki/WRONG.crt#' /var/lib/kubelet/config.yaml; systemctl restart kubelet", 60,
        [("node01: systemctl status kubelet", "activating (auto-restart) (Result: exit-code)"), (KUBELET, "open /etc/kubernetes/pki/WRONG.crt: no such file")],
        "sed -i 's#pki/WRONG.crt#pki/ca.crt#' /var/lib/kubelet/config.yaml; systemctl restart kubelet", NODE,
    ),
    "wrong port in kubelet.conf": Lab(
        "node01", "sed -i 's#:6443#:6553#' /etc/kubernetes/kubelet.conf; systemctl restart kubelet", 60,
        [("kubectl get nodes", "NotReady"), (KUBELET, "dial tcp 172.30.1.2:6553: connect: connection refused")],
        "sed -i 's#:6553#:6443#' /etc/kubernetes/kubelet.conf; systemctl restart kubelet", NODE,
    ),
    "wrong runtime socket": Lab(
        "node01", "sed -i 's#containerd/containerd.sock#containerd/c.sock#' /var/lib/kubelet/config.yaml; systemctl restart kubelet", 60,
        [(KUBELET, "dial unix /run/containerd/c.sock: connect: no such file or directory")],
        "sed -i 's#containerd/c.sock#containerd/containerd.sock#' /var/lib/kubelet/config.yaml; systemctl restart kubelet", NODE,
    ),
    "wrong binary in the drop-in": Lab(
        "node01", "sed -i 's#/usr/bin/kubelet#/usr/local/bin/kubelet#' /usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf; systemctl daemon-reload; systemctl restart kubelet", 60,
        [("node01: systemctl status kubelet", "status=203/EXEC"), (KUBELET, "Failed at step EXEC spawning /usr/local/bin/kubelet: No such file or directory")],
        "sed -i 's#/usr/local/bin/kubelet#/usr/bin/kubelet#' /usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf; systemctl daemon-reload; systemctl restart kubelet", NODE,
    ),
    "containerd stopped": Lab(
        "node01", "systemctl stop containerd", 60, [("kubectl describe node node01", "container runtime is down"), ("node01: crictl ps", "connect: no such file or directory")],
        "systemctl start containerd", NODE,
    ),
    "no network configuration": Lab(
        "node01", "mv /etc/cni/net.d /root/", 30, [("kubectl describe node node01", "cni plugin not initialized")], "mv /root/net.d /etc/cni/", NODE,
    ),
    "scheduler's command": Lab(
        "controlplane", f"sed -i 's#- kube-scheduler$#- kube-schedulerr#' {M}/kube-scheduler.yaml", 40,
        [("kubectl -n kube-system get pods", "RunContainerError"), ("kubectl -n kube-system get events", "Back-off restarting failed container kube-scheduler in pod"), ("kubectl -n kube-system describe pod kube-scheduler-controlplane", 'exec: "kube-schedulerr": executable file not found in $PATH')],
        f"sed -i 's#- kube-schedulerr$#- kube-scheduler#' {M}/kube-scheduler.yaml", ("kubectl -n kube-system get pod kube-scheduler-controlplane", "1/1     Running"),
    ),
    "controller manager's kubeconfig": Lab(
        "controlplane", f"sed -i 's#kubeconfig=/etc/kubernetes/controller-manager.conf#kubeconfig=/etc/kubernetes/x.conf#' {M}/kube-controller-manager.yaml", 40,
        [("kubectl -n kube-system logs kube-controller-manager-controlplane", "stat /etc/kubernetes/x.conf: no such file or directory")],
        f"sed -i 's#/etc/kubernetes/x.conf#/etc/kubernetes/controller-manager.conf#' {M}/kube-controller-manager.yaml",
        ("kubectl -n kube-system get pod kube-controller-manager-controlplane", "1/1     Running"),
    ),
    "API server's etcd port": Lab(
        "controlplane", f"sed -i 's#127.0.0.1:2379#127.0.0.1:23790#' {M}/kube-apiserver.yaml", 60,
        [("crictl logs $(crictl ps -a --name kube-apiserver -q | head -1)", "dial tcp 127.0.0.1:23790: connect: connection refused"), ("crictl ps", "etcd")],
        f"sed -i 's#127.0.0.1:23790#127.0.0.1:2379#' {M}/kube-apiserver.yaml", ("kubectl get nodes", "controlplane   Ready"),
    ),
    "a manifest that is no YAML": Lab(
        "controlplane", f"sed -i '3s/.*/ broken: [/' {M}/kube-scheduler.yaml", 40,
        [("journalctl -u kubelet", "couldn't parse as pod(yaml: line "), ("kubectl -n kube-system get pods", "kube-apiserver-controlplane")],
        f"sed -i '3s/.*/metadata:/' {M}/kube-scheduler.yaml", ("kubectl -n kube-system get pod kube-scheduler-controlplane", "1/1     Running"),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def base() -> Sandbox:
    made = Sandbox.boot("three-nodes", 1)
    made.advance(40 * SECOND)
    return made


def out(world: Sandbox, line: str, host: str = "controlplane") -> str:
    where, sep, rest = line.partition(": ")
    if sep and where in ("node01", "node02"):
        host, line = where, rest
    found = world.run(line, host=host)
    return found.stdout + found.stderr


@pytest.mark.parametrize("name", LABS)
def test_a_lab_shows_what_is_wrong_and_is_well_again(base: Sandbox, name: str) -> None:
    lab, world = LABS[name], base.fork()
    out(world, lab.breaking, lab.host)
    world.advance(world.now + lab.wait * SECOND)
    for command, expected in lab.shows:
        assert expected in out(world, command), command
    out(world, lab.mending, lab.host)
    world.advance(world.now + 90 * SECOND)
    assert lab.well[1] in out(world, lab.well[0])


def test_a_learners_packet_is_traced_from_hop_to_hop(base: Sandbox) -> None:
    world = base.fork()
    out(world, "kubectl create deploy web --image=nginx; kubectl expose deploy web --port=80")
    world.advance(world.now + 20 * SECOND)
    world.drain_trace()
    out(world, "curl -s -o /dev/null $(kubectl get svc web -o jsonpath={.spec.clusterIP})")
    event = next(e for e in world.drain_trace() if e.action == "packet")
    assert event.actor == "curl"
    assert event.detail is not None
    assert [hop["what"] for hop in event.detail["hops"]] == ["dnat", "hop", "deliver"]
    assert event.detail["hops"][0]["service"] == "default/web"
