"""The change of Kubernetes v1.24: a kubelet with dockershim, its successor without, and the two ways out."""

from __future__ import annotations

import pytest

from simulator.core.sandbox import Sandbox


class Cluster:
    """A control plane on containerd and a worker on Docker."""

    def __init__(self) -> None:
        self.box = Sandbox.boot("dockershim")

    def run(self, command: str, host: str = "node01") -> str:
        done = self.box.run(command, host=host)
        return done.stdout + done.stderr

    def wait(self, seconds: int) -> None:
        self.box.advance(self.box.now + seconds * 10**9)

    def node(self) -> str:
        rows = self.run("kubectl get nodes -o wide --no-headers", "controlplane").splitlines()
        return next(row for row in rows if row.startswith("node01"))

    def flags(self, text: str) -> None:
        self.run(f"echo 'KUBELET_KUBEADM_ARGS=\"{text}\"' > /var/lib/kubelet/kubeadm-flags.env; systemctl restart kubelet")


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return Cluster()


def test_up_to_v1_23_pods_are_dockers_containers(cluster: Cluster) -> None:
    assert " Ready " in cluster.node() and "v1.23.17" in cluster.node() and cluster.node().endswith("docker://28.5.1")
    names = cluster.run("docker ps --format '{{.Names}}'")
    assert "k8s_POD_kube-proxy-" in names and "k8s_kube-proxy_kube-proxy-" in names
    assert "RuntimeName:  docker" in cluster.run("crictl version")
    assert cluster.run("ctr -n moby containers ls -q").count("\n") == 2
    assert cluster.run("ctr -n k8s.io containers ls -q") == ""
    cluster.run("kubectl run web --image=nginx", "controlplane")
    cluster.wait(15)
    ident = cluster.run("kubectl get pod web -o jsonpath='{.status.containerStatuses[0].containerID}'", "controlplane")
    assert ident.startswith("docker://")
    assert "index.html" in cluster.run("docker exec $(docker ps -q --filter name=k8s_web) ls /usr/share/nginx/html")
    cluster.run("docker rm -f $(docker ps -q --filter name=k8s_web)")
    cluster.wait(15)
    assert "k8s_web_web_default" in cluster.run("docker ps --format '{{.Names}}'")


def test_v1_24_refuses_what_dockershim_needed(cluster: Cluster) -> None:
    cluster.run("systemctl stop kubelet; cp /opt/kubernetes/v1.24.17/kubelet /usr/bin/kubelet; systemctl start kubelet")
    cluster.wait(2)
    assert "failed to parse kubelet flag: unknown flag: --network-plugin" in cluster.run("journalctl -u kubelet -n 4 --no-pager")
    cluster.flags("--container-runtime=docker")
    cluster.wait(2)
    assert 'unsupported CRI runtime: \\"docker\\"' in cluster.run("journalctl -u kubelet -n 4 --no-pager")
    cluster.wait(60)
    assert " NotReady " in cluster.node()


def test_cri_dockerd_is_the_way_to_stay_with_docker(cluster: Cluster) -> None:
    endpoint = "--container-runtime=remote --container-runtime-endpoint=unix:///var/run/cri-dockerd.sock"
    cluster.flags(endpoint)
    cluster.wait(2)
    assert "dial unix /var/run/cri-dockerd.sock: connect: no such file or directory" in cluster.run(
        "journalctl -u kubelet -n 6 --no-pager"
    )
    cluster.run("systemctl enable --now cri-docker; systemctl restart kubelet")
    cluster.wait(30)
    assert " Ready " in cluster.node() and "v1.24.17" in cluster.node() and cluster.node().endswith("docker://28.5.1")
    assert "k8s_web_web_default" in cluster.run("docker ps --format '{{.Names}}'")
    assert "web" in cluster.run("crictl -r unix:///var/run/cri-dockerd.sock -i unix:///var/run/cri-dockerd.sock ps")


def test_or_the_kubelet_goes_to_containerd_itself(cluster: Cluster) -> None:
    cluster.flags("")
    cluster.wait(60)
    assert " Ready " in cluster.node() and cluster.node().endswith("containerd://2.2.1")
    assert cluster.run("docker ps -q") == ""
    assert "web" in cluster.run("crictl -r unix:///run/containerd/containerd.sock -i unix:///run/containerd/containerd.sock ps")
