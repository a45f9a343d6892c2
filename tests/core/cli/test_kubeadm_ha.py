"""Three control planes behind a load balancer."""

import re

from simulator.core.sandbox import Sandbox


def test_a_cluster_behind_haproxy_outlives_one_of_its_control_planes() -> None:
    sandbox = Sandbox.boot("ha-ready")
    made = sandbox.run(
        "kubeadm init --control-plane-endpoint lb:6443 --upload-certs --pod-network-cidr 10.244.0.0/16", host="cp1"
    )
    assert made.code == 0, made.stderr
    commands = [" ".join(text.replace("\\\n", " ").split()) for text in re.findall(r"kubeadm join (?:.*\\\n)+.*", made.stdout)]
    assert all(text.startswith("kubeadm join lb:6443 ") for text in commands)
    plane = next(text for text in commands if "--control-plane" in text)
    for name in ("cp2", "cp3"):
        joined = sandbox.run(plane, host=name)
        assert joined.code == 0, joined.stderr
    assert sandbox.run(commands[-1], host="node01").code == 0
    sandbox.run("mkdir -p ~/.kube; cp /etc/kubernetes/admin.conf ~/.kube/config", host="cp1")
    sandbox.advance(sandbox.now + 10 * 10**9)
    assert sandbox.run("kubectl config view -o jsonpath='{.clusters[0].cluster.server}'", host="cp1").stdout == "https://lb:6443"
    assert len(sandbox.run("kubectl get nodes -o name", host="cp1").stdout.splitlines()) == 4
    sandbox.run("systemctl stop kubelet; crictl stopp $(crictl pods -q)", host="cp3")
    sandbox.advance(sandbox.now + 70 * 10**9)
    for _ in range(3):
        assert sandbox.run("kubectl get nodes -o name", host="cp1").code == 0
    states = dict(row.split()[:2] for row in sandbox.run("kubectl get nodes --no-headers", host="cp1").stdout.splitlines())
    assert set(states) == {"cp1", "cp2", "cp3", "node01"}
    sandbox.run("systemctl stop haproxy", host="lb")
    assert "lb:6443" in sandbox.run("kubectl get nodes", host="cp1").stderr
