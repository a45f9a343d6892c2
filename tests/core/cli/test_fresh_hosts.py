"""Machines as they are installed: what kubeadm's documentation says to turn on first is off."""

from __future__ import annotations

import pytest

from simulator.core.sandbox import Sandbox

PACKAGES = """
apt-get update -q && apt-get install -y containerd
mkdir -p -m 755 /etc/apt/keyrings
curl -fsSL https://pkgs.k8s.io/core:/stable:/v1.36/deb/Release.key | gpg --dearmor -o /etc/apt/keyrings/kubernetes-apt-keyring.gpg
echo 'deb [signed-by=/etc/apt/keyrings/kubernetes-apt-keyring.gpg] https://pkgs.k8s.io/core:/stable:/v1.36/deb/ /' > /etc/apt/sources.list.d/kubernetes.list
apt-get update -q && apt-get install -y kubeadm kubelet kubectl
"""
SETTINGS = """
printf 'overlay\\nbr_netfilter\\n' > /etc/modules-load.d/k8s.conf; modprobe overlay; modprobe br_netfilter
printf 'net.bridge.bridge-nf-call-iptables = 1\\nnet.ipv4.ip_forward = 1\\n' > /etc/sysctl.d/k8s.conf; sysctl --system
"""


@pytest.fixture(scope="module")
def box() -> Sandbox:
    return Sandbox.boot("empty-hosts")


def test_forwarding_is_off_until_somebody_turns_it_on(box: Sandbox) -> None:
    fresh = box.run(
        "sysctl net.bridge.bridge-nf-call-iptables; cat /proc/sys/net/ipv4/ip_forward; lsmod | grep -c br_netfilter",
        host="host01",
    )
    assert fresh.stdout == "0\n0\n"
    assert fresh.stderr == "sysctl: cannot stat /proc/sys/net/bridge/bridge-nf-call-iptables: No such file or directory\n"
    assert box.run(PACKAGES, host="host01").code == 0
    refused = box.run("kubeadm init", host="host01")
    assert (
        "\t[ERROR FileContent--proc-sys-net-ipv4-ip_forward]: /proc/sys/net/ipv4/ip_forward contents are not set to 1\n"
        in refused.stderr
    )
    assert box.run(SETTINGS, host="host01").code == 0
    made = box.run("kubeadm init --pod-network-cidr 10.244.0.0/16", host="host01")
    assert made.code == 0, made.stderr
    again = box.run("cat /proc/sys/net/ipv4/ip_forward; lsmod | grep -c '^br_netfilter'", host="host01")
    assert again.stdout == "1\n1\n"


def test_docker_turns_it_on_for_its_bridge(box: Sandbox) -> None:
    done = box.run("apt-get update -q && apt-get install -y docker.io && cat /proc/sys/net/ipv4/ip_forward", host="host02")
    assert done.stdout.endswith("\n1\n"), done.stdout[-300:]


def test_tools_read_what_a_process_substitution_prints() -> None:
    cluster = Sandbox.boot("one-node")
    for command, said in (
        ("openssl x509 -noout -subject -in <(cat /etc/kubernetes/pki/ca.crt)", "subject=CN = kubernetes\n"),
        ("cat /etc/kubernetes/pki/ca.crt | openssl x509 -noout -subject -in /dev/stdin", "subject=CN = kubernetes\n"),
        ("kubectl apply -f <(kubectl create ns made --dry-run=client -o yaml)", "namespace/made created\n"),
        ("kubeadm config validate --config <(kubeadm config print init-defaults)", "ok\n"),
        ("kubectl create cm x --from-file=k=<(printf v) --dry-run=client -o jsonpath='{.data.k}'", "v"),
    ):
        done = cluster.run(command, host="controlplane")
        assert (done.code, done.stdout) == (0, said), done.stderr
