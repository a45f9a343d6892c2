"""How a kubelet that cannot start says why: configuration, flags, certificates, the runtime's socket, swap."""

from __future__ import annotations

import pytest

from simulator.core.host import processes
from simulator.core.host.machine import hosts

from .conftest import CONFIG, KUBECONFIG, Node

BASE = CONFIG.decode()
ARGV = ["kubelet", "--kubeconfig=/etc/kubernetes/kubelet.conf", "--config=/var/lib/kubelet/config.yaml"]
LOAD = (
    "failed to load kubelet config file, path: /var/lib/kubelet/config.yaml, error: "
    "failed to load Kubelet config file /var/lib/kubelet/config.yaml, error "
)
SOCKET = (
    'failed to run Kubelet: validate service connection: validate CRI v1 runtime API for endpoint "unix:///run/{0}": '
    'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/{0}: '
    'connect: no such file or directory"'
)


def ends(node: Node, *flags: str) -> str:
    """Start a second kubelet and give the error that it ends with ("" when it runs)."""
    processes.kill(node.world, node.kubelet, 15)
    found = processes.start(node.world, host="node01", program="kubelet", argv=[*ARGV, *flags], sink="journal:k")
    if found.state != "X":
        return ""
    assert found.exit_code == 1
    text = hosts(node.world)["node01"].journal[-1].text
    assert '"command failed" err=' in text
    return text.partition(" err=")[2][1:-1].replace('\\"', '"').replace("\\\\", "\\")


CASES = {
    "an empty file": ("", LOAD + 'kubelet config file "/var/lib/kubelet/config.yaml" was empty'),
    "another kind": (
        BASE.replace("KubeletConfiguration", "KubeletConfig"),
        LOAD + 'failed to decode: no kind "KubeletConfig" is registered for version "kubelet.config.k8s.io/v1beta1" in scheme '
        '"k8s.io/kubernetes/pkg/kubelet/apis/config/scheme/scheme.go:33"',
    ),
    "a wrong type": (
        BASE + "maxPods: many\n",
        LOAD + "failed to decode: json: cannot unmarshal string into Go struct field KubeletConfiguration.maxPods of type int32",
    ),
    "a wrong duration": (BASE + "syncFrequency: soon\n", LOAD + 'failed to decode: time: invalid duration "soon"'),
    "no such CA": (
        BASE + "authentication: {x509: {clientCAFile: /etc/kubernetes/pki/no.crt}}\n",
        "failed to run Kubelet: open /etc/kubernetes/pki/no.crt: no such file or directory",
    ),
    "no such socket": (BASE + "containerRuntimeEndpoint: unix:///run/no.sock\n", SOCKET.format("no.sock")),
    "no unix socket": (
        BASE + "containerRuntimeEndpoint: tcp://127.0.0.1:1\n",
        'failed to run Kubelet: protocol "tcp" not supported',
    ),
    "thresholds the wrong way round": (
        BASE + "imageGCLowThresholdPercent: 90\n",
        "failed to validate kubelet configuration, error: invalid configuration: imageGCLowThresholdPercent "
        "(--image-gc-low-threshold) 90 must be less than imageGCHighThresholdPercent (--image-gc-high-threshold) 85, "
        "path: &TypeMeta{Kind:,APIVersion:,}",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_bad_configuration_ends_the_kubelet(node: Node, name: str) -> None:
    text, error = CASES[name]
    node.put("/var/lib/kubelet/config.yaml", text.encode())
    assert ends(node) == error


def test_an_unknown_field_is_only_logged(node: Node) -> None:
    node.put("/var/lib/kubelet/config.yaml", CONFIG.replace(b"staticPodPath", b"staticPodPaths"))
    assert ends(node) == ""
    journal = [line.text for line in hosts(node.world)["node01"].journal if line.unit == "k"]
    assert 'strict decoding error: unknown field \\"staticPodPaths\\"' in journal[0]
    assert not any("Adding static pod path" in text for text in journal)


def test_swap_stops_the_kubelet_unless_told_otherwise(node: Node) -> None:
    hosts(node.world)["node01"].swap["/swapfile"] = 1024
    assert ends(node) == (
        "failed to run Kubelet: running with swap on is not supported, please disable swap or set --fail-swap-on flag to false"
    )
    assert ends(node, "--fail-swap-on=false") == ""


def test_a_kubeconfig_that_is_not_there_asks_for_the_bootstrap_one(node: Node) -> None:
    node.put("/var/lib/kubelet/config.yaml", CONFIG + b"rotateCertificates: true\n")
    node.put("/etc/kubernetes/kubelet.conf", KUBECONFIG.replace(b"token: t", b"client-certificate: /no/cert.pem"))
    assert ends(node, "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf") == (
        "failed to run Kubelet: unable to load bootstrap kubeconfig: "
        "stat /etc/kubernetes/bootstrap-kubelet.conf: no such file or directory"
    )


def test_flags_win_over_the_file(node: Node) -> None:
    assert ends(node, "--max-pods=7", "--cluster-dns=10.0.0.9", "--healthz-port=10250") == ""
    text = [line.text for line in hosts(node.world)["node01"].journal if line.unit == "k"]
    assert text[0].startswith("Flag --max-pods has been deprecated, This parameter should be set via the config file")
    assert any("Failed to start healthz server" in line for line in text)


RUNC = b"version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]\n  SystemdCgroup = %s\n"


@pytest.mark.parametrize(("says", "driver"), [(b"true", "systemd"), (b"false", "cgroupfs")])
def test_the_cgroup_driver_is_what_the_runtime_says(node: Node, says: bytes, driver: str) -> None:
    node.put("/var/lib/kubelet/config.yaml", CONFIG + b"cgroupDriver: cgroupfs\n")
    node.put("/etc/containerd/config.toml", RUNC % says)
    assert ends(node) == ""
    journal = [line.text for line in hosts(node.world)["node01"].journal if line.unit == "k"]
    assert any(f'received from the CRI runtime" cgroupDriver="{driver}"' in text for text in journal)


def test_a_runtime_that_is_down_stops_the_kubelet(node: Node) -> None:
    processes.kill(node.world, node.containerd, 15)
    assert ends(node) == SOCKET.format("containerd/containerd.sock")
