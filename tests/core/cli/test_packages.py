"""apt and dpkg: the steps of the Kubernetes documentation, holds, pins, and what may not be done."""

from __future__ import annotations

import pytest

from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def box() -> Sandbox:
    return Sandbox.boot("three-nodes", 3)


def test_a_fresh_node_holds_its_kubernetes_packages(box: Sandbox) -> None:
    assert box.run("apt-mark showhold").stdout == "kubeadm\nkubectl\nkubelet\n"
    assert "hi  kubeadm        1.36.2-1.1" in box.run("dpkg -l 'kube*'").stdout
    assert box.run("dpkg -S /usr/bin/kubelet; dpkg --print-architecture").stdout == "kubelet: /usr/bin/kubelet\namd64\n"
    assert box.run("dpkg-query -W -f='${Package}=${Version}\\n' kubectl").stdout == "kubectl=1.36.2-1.1\n"


def test_the_steps_of_the_documentation() -> None:
    box = Sandbox.boot("three-nodes", 3)
    assert (
        box.run(
            "sudo rm /etc/apt/sources.list.d/kubernetes.list /etc/apt/keyrings/*; sudo mkdir -p -m 755 /etc/apt/keyrings"
        ).code
        == 0
    )
    key = "curl -fsSL https://pkgs.k8s.io/core:/stable:/v1.35/deb/Release.key"
    assert box.run(f"{key} | sudo gpg --dearmor -o /etc/apt/keyrings/kubernetes-apt-keyring.gpg").code == 0
    entry = "deb [signed-by=/etc/apt/keyrings/kubernetes-apt-keyring.gpg] https://pkgs.k8s.io/core:/stable:/v1.35/deb/ /"
    box.run(f"echo '{entry}' | sudo tee /etc/apt/sources.list.d/kubernetes.list")
    updated = box.run("sudo apt-get update")
    assert updated.code == 0 and "v1.35/deb  Packages" in updated.stdout
    assert box.run("apt-cache madison kubeadm").stdout.startswith(
        "   kubeadm | 1.35.5-1.1 | https://pkgs.k8s.io/core:/stable:/v1.35/deb  Packages\n"
    )
    held = box.run("sudo apt-get install -y kubeadm='1.35.4-*'")
    assert (
        held.code == 100
        and held.stderr == "E: Held packages were changed and -y was used without --allow-change-held-packages.\n"
    )
    assert box.run("sudo apt-mark unhold kubeadm").stdout == "Canceled hold on kubeadm.\n"
    down = box.run("sudo apt-get install -y kubeadm='1.35.4-*'")
    assert down.code == 100 and "Packages were downgraded and -y was used without --allow-downgrades" in down.stderr
    done = box.run("sudo apt-get install -y --allow-downgrades kubeadm='1.35.4-*' && sudo apt-mark hold kubeadm")
    assert (
        done.code == 0
        and "Setting up kubeadm (1.35.4-1.1) ...\n" in done.stdout
        and done.stdout.endswith("kubeadm set on hold.\n")
    )
    assert box.run("kubeadm version -o short").stdout == "v1.35.4\n"


def test_an_archive_without_its_key_is_not_read() -> None:
    box = Sandbox.boot("three-nodes", 3)
    box.run("rm /etc/apt/keyrings/kubernetes-apt-keyring.gpg")
    refused = box.run("apt-get update")
    assert refused.code == 100 and "NO_PUBKEY 234654DA9A296436" in refused.stderr and "is not signed." in refused.stderr


def test_packages_come_and_go(box: Sandbox) -> None:
    done = box.run(
        "apt-get install -y etcd-client && etcdctl version && apt-get remove -y etcd-client; dpkg -l etcd-client | tail -1; which etcdctl"
    )
    assert "Unpacking etcd-client (3.4.30-1ubuntu0.24.04.3) ...\n" in done.stdout and "etcdctl version: 3.4.30\n" in done.stdout
    assert "\nrc  etcd-client" in done.stdout and done.code == 1
    assert box.run("apt-get install -y nosuch").stderr == "E: Unable to locate package nosuch\n"
    assert box.run("apt-get install -y kubelet=9.9").stderr == "E: Version '9.9' for 'kubelet' was not found\n"
    assert "already the newest version" in box.run("apt-get install -y curl").stdout
    assert box.run("apt-get install socat -s").code == 0
    assert "are you root?" in box.run("sudo -u ubuntu apt-get install tree").stderr


def test_a_daemon_that_is_installed_is_enabled_and_runs() -> None:
    box = Sandbox.boot("three-nodes", 1)
    assert box.run("systemctl stop containerd; apt-get remove -y containerd; systemctl start containerd").code != 0
    again = box.run("apt-get install -y containerd; systemctl is-active containerd")
    assert again.stdout.endswith("active\n")
