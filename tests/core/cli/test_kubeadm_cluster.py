"""A cluster made by kubeadm on machines that have none: init, join, and what each refuses."""

import re

import pytest

from simulator.core.sandbox import Sandbox

HEAD = "[ERROR "


@pytest.fixture(scope="module")
def ready() -> bytes:
    """Machines before `kubeadm init`."""
    return Sandbox.boot("kubeadm-ready").snapshot()


@pytest.fixture(scope="module")
def made(ready: bytes) -> tuple[bytes, str]:
    """After `kubeadm init` on the first machine; and the join command."""
    sandbox = Sandbox.restore(ready)
    result = sandbox.run("kubeadm init --pod-network-cidr 10.244.0.0/16", host="controlplane")
    assert (result.code, result.stderr) == (0, "")
    assert "Your Kubernetes control-plane has initialized successfully!" in result.stdout
    command = re.search(r"^kubeadm join .*\\\n.*$", result.stdout, re.MULTILINE)
    assert command
    sandbox.run("mkdir -p ~/.kube; cp /etc/kubernetes/admin.conf ~/.kube/config", host="controlplane")
    return sandbox.snapshot(), " ".join(command[0].replace("\\\n", " ").split())


def test_init_makes_a_cluster_without_network(made: tuple[bytes, str]) -> None:
    sandbox = Sandbox.restore(made[0])
    sandbox.advance(sandbox.now + 30 * 10**9)
    nodes = sandbox.run("kubectl get nodes", host="controlplane").stdout.split("\n")[1].split()
    assert nodes[:3] == ["controlplane", "NotReady", "control-plane"]
    pods = {
        (row.split()[1].rsplit("-", 2)[0] if "coredns" in row else row.split()[1]): row.split()[3]
        for row in sandbox.run("kubectl get pods -A --no-headers", host="controlplane").stdout.splitlines()
    }
    assert pods["coredns"] == "Pending"
    assert all(pods[f"{name}-controlplane"] == "Running" for name in ("etcd", "kube-apiserver", "kube-scheduler"))


def test_a_worker_joins_by_its_token(made: tuple[bytes, str]) -> None:
    sandbox = Sandbox.restore(made[0])
    result = sandbox.run(made[1], host="node01")
    assert result.code == 0, result.stderr
    assert "This node has joined the cluster:" in result.stdout
    sandbox.advance(sandbox.now + 5 * 10**9)
    requests = sandbox.run("kubectl get csr --no-headers", host="controlplane").stdout.split()
    assert requests[2:4] == ["kubernetes.io/kube-apiserver-client-kubelet", f"system:bootstrap:{made[1].split()[4][:6]}"]
    assert requests[-1] == "Approved,Issued"
    assert "node01" in sandbox.run("kubectl get nodes", host="controlplane").stdout
    pair = sandbox.run("openssl x509 -noout -subject -in /var/lib/kubelet/pki/kubelet-client-current.pem", host="node01").stdout
    assert pair == "subject=O = system:nodes, CN = system:node:node01\n"
    again = sandbox.run(made[1], host="node01")
    assert again.code == 1
    for name in ("FileAvailable--etc-kubernetes-kubelet.conf", "Port-10250", "FileAvailable--etc-kubernetes-pki-ca.crt"):
        assert f"\t{HEAD}{name}]" in again.stderr


def _replaced(command: str, old: str, new: str) -> str:
    return re.sub(old, new, command)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            r"sha256:.*",
            "sha256:" + "0" * 64,
            "cluster CA found in cluster-info ConfigMap is invalid: none of the public keys ",
        ),
        (r"sha256:.*", "sha256:abc", 'invalid hash "sha256:abc", expected a 32 byte SHA-256 hash, found 1 bytes'),
        (
            r"\.\w{16} ",
            ".0000000000000000 ",
            "failed to verify JWS signature of received cluster info object, can't trust this API Server",
        ),
        (r"token \w{6}", "token aaaaaa", 'could not find a JWS signature in the cluster-info ConfigMap for token ID "aaaaaa"'),
        (r"172.30.1.2:6443", "172.30.1.2:6444", "failed to request the cluster-info ConfigMap: Get "),
    ],
)
def test_discovery_trusts_only_what_it_can_check(made: tuple[bytes, str], old: str, new: str, message: str) -> None:
    sandbox = Sandbox.restore(made[0])
    result = sandbox.run(_replaced(made[1], old, new), host="node01")
    assert result.code == 1
    head = "error: error execution phase preflight: couldn't validate the identity of the API Server: "
    assert result.stderr.startswith(head)
    assert message in result.stderr


def test_a_token_that_has_expired_lets_nobody_join(made: tuple[bytes, str]) -> None:
    sandbox = Sandbox.restore(made[0])
    command = sandbox.run("kubeadm token create --ttl 30s --print-join-command", host="controlplane").stdout.strip()
    assert command.startswith("kubeadm join 172.30.1.2:6443 --token ")
    sandbox.advance(sandbox.now + 60 * 10**9)
    result = sandbox.run(command, host="node01")
    assert (result.code, "could not find a JWS signature" in result.stderr) == (1, True)


def test_a_second_init_says_what_is_there(made: tuple[bytes, str]) -> None:
    result = Sandbox.restore(made[0]).run("kubeadm init", host="controlplane")
    assert result.code == 1
    for check in (
        "Port-6443]: Port 6443 is in use",
        "Port-10259]: Port 10259 is in use",
        "FileAvailable--etc-kubernetes-manifests-kube-apiserver.yaml]: /etc/kubernetes/manifests/kube-apiserver.yaml already exists",
        "DirAvailable--var-lib-etcd]: /var/lib/etcd is not empty",
    ):
        assert f"\t{HEAD}{check}" in result.stderr
    assert result.stderr.endswith(
        "error: error execution phase preflight: preflight checks failed\n"
        "To see the stack trace of this error execute with --v=5 or higher\n"
    )


@pytest.mark.parametrize(
    ("before", "check"),
    [
        ("systemctl stop containerd", "CRI]: could not connect to the container runtime: "),
        ("mkdir -p /etc/kubernetes/manifests; touch /etc/kubernetes/manifests/etcd.yaml",
         "FileAvailable--etc-kubernetes-manifests-etcd.yaml]: /etc/kubernetes/manifests/etcd.yaml already exists"),
    ],
)  # fmt: skip
def test_preflight_stops_on_a_machine_that_is_not_ready(ready: bytes, before: str, check: str) -> None:
    sandbox = Sandbox.restore(ready)
    assert sandbox.run(before, host="controlplane").code == 0
    result = sandbox.run("kubeadm init", host="controlplane")
    assert (result.code, f"\t{HEAD}{check}" in result.stderr) == (1, True), result.stderr


def test_init_waits_for_a_kubelet_that_never_comes(ready: bytes) -> None:
    sandbox = Sandbox.restore(ready)
    sandbox.run(
        "mv /usr/bin/kubelet /root/; printf '#!/bin/sh\\nexit 3\\n' > /usr/bin/kubelet; chmod +x /usr/bin/kubelet",
        host="controlplane",
    )
    result = sandbox.run("kubeadm init --ignore-preflight-errors=all", host="controlplane")
    assert result.code == 1
    assert "[kubelet-check] The kubelet is not healthy after 4m0" in result.stdout
    assert (
        "failed while waiting for the kubelet to start: The HTTP call equal to 'curl -sSL http://127.0.0.1:10248/healthz' returned"
        in result.stderr
    )


def test_three_control_planes_share_an_etcd_cluster() -> None:
    sandbox = Sandbox.boot("kubeadm-ready")
    result = sandbox.run(
        "kubeadm init --control-plane-endpoint 172.30.1.2:6443 --upload-certs --pod-network-cidr 10.244.0.0/16",
        host="controlplane",
    )
    commands = [" ".join(text.replace("\\\n", " ").split()) for text in re.findall(r"kubeadm join (?:.*\\\n)+.*", result.stdout)]
    plane = next(text for text in commands if "--control-plane" in text)
    for name in ("node01", "node02"):
        joined = sandbox.run(plane, host=name)
        assert joined.code == 0, joined.stderr
        assert "* A new etcd member was added to the local/stacked etcd cluster." in joined.stdout
    sandbox.advance(sandbox.now + 10 * 10**9)
    pki = "--cacert /etc/kubernetes/pki/etcd/ca.crt --cert /etc/kubernetes/pki/etcd/server.crt --key /etc/kubernetes/pki/etcd/server.key"
    members = sandbox.run(
        f"etcdctl {pki} --endpoints https://127.0.0.1:2379 member list", host="controlplane"
    ).stdout.splitlines()
    assert [
        (row.split(", ")[1], row.split(", ")[2], row.split(", ")[-1])
        for row in sorted(members, key=lambda row: row.split(", ")[2])
    ] == [("started", name, "false") for name in ("controlplane", "node01", "node02")]
    admin = "KUBECONFIG=/etc/kubernetes/admin.conf kubectl --server https://172.30.1.4:6443"
    roles = sandbox.run(f"{admin} get nodes --no-headers", host="node01").stdout
    assert roles.count("control-plane ") == 3
    wrong = sandbox.run("kubeadm reset -f", host="node02")
    assert wrong.code == 0
    members = sandbox.run(
        f"etcdctl {pki} --endpoints https://127.0.0.1:2379 member list", host="controlplane"
    ).stdout.splitlines()
    assert [row.split(", ")[2] for row in members if row] == ["controlplane", "node01"] or len(members) == 2
    assert sandbox.run("ls /etc/kubernetes/manifests /var/lib/etcd /var/lib/kubelet", host="node02").stdout.split() == [
        "/etc/kubernetes/manifests:", "/var/lib/etcd:", "/var/lib/kubelet:",
    ]  # fmt: skip


def test_reset_asks_and_then_a_node_can_join_again(made: tuple[bytes, str]) -> None:
    sandbox = Sandbox.restore(made[0])
    assert sandbox.run(made[1], host="node01").code == 0
    refused = sandbox.run("echo n | kubeadm reset", host="node01")
    assert (refused.code, refused.stdout) == (1, "[reset] Are you sure you want to proceed? [y/N]: ")
    assert "won't proceed; the user didn't answer (Y|y) in order to continue" in refused.stderr
    done = sandbox.run("echo y | kubeadm reset", host="node01")
    assert done.code == 0
    assert (
        "[reset] Deleting contents of directories: [/etc/kubernetes/manifests /var/lib/kubelet /etc/kubernetes/pki]"
        in done.stdout
    )
    assert sandbox.run("kubectl --kubeconfig /etc/kubernetes/admin.conf delete node node01", host="controlplane").code == 0
    assert sandbox.run(made[1], host="node01").code == 0


def test_upgrade_says_what_is_there_and_refuses_what_is_too_far() -> None:
    sandbox = Sandbox.boot("one-node")
    plan = sandbox.run("kubeadm upgrade plan v1.36.3")
    assert plan.code == 0, plan.stderr
    assert "kube-apiserver            controlplane   v1.36.2   v1.36.3\n" in plan.stdout
    assert "Note: Before you can perform this upgrade, you have to update kubeadm to v1.36.3.\n" in plan.stdout
    assert sandbox.run("kubectl get jobs -n kube-system --no-headers").stdout.startswith("upgrade-health-check-")
    far = sandbox.run("kubeadm upgrade apply v1.38.0")
    assert (far.code, "is too high; kubeadm can upgrade only 1 minor version at a time" in far.stderr) == (1, True)
    none = sandbox.run("kubeadm upgrade apply")
    assert none.stderr.startswith("error: missing one or more required arguments. Required arguments: [version]\n")


FLANNEL = "kubectl apply -f https://github.com/flannel-io/flannel/releases/latest/download/kube-flannel.yml"


def test_a_network_add_on_makes_nodes_ready_and_pods_talk(made: tuple[bytes, str]) -> None:
    sandbox = Sandbox.restore(made[0])
    assert sandbox.run(made[1], host="node01").code == 0
    applied = sandbox.run(FLANNEL, host="controlplane")
    assert applied.stdout.endswith("daemonset.apps/kube-flannel-ds created\n")
    sandbox.advance(sandbox.now + 40 * 10**9)
    nodes = [row.split()[:2] for row in sandbox.run("kubectl get nodes --no-headers", host="controlplane").stdout.splitlines()]
    assert nodes == [["controlplane", "Ready"], ["node01", "Ready"]]
    assert sandbox.run("ls /etc/cni/net.d", host="node01").stdout == "10-flannel.conflist\n"
    assert "FLANNEL_SUBNET=10.244.1.1/24\n" in sandbox.run("cat /run/flannel/subnet.env", host="node01").stdout
    sandbox.run(
        "kubectl create deployment web --image nginx; kubectl expose deployment web --port 80; sleep 15", host="controlplane"
    )
    sandbox.run("kubectl run c --image busybox --restart Never -- wget -qO- web; sleep 10", host="controlplane")
    assert "<title>Welcome to nginx!</title>" in sandbox.run("kubectl logs c", host="controlplane").stdout


def test_flannel_without_pod_cidrs_says_what_is_missing(ready: bytes) -> None:
    sandbox = Sandbox.restore(ready)
    assert sandbox.run("kubeadm init", host="controlplane").code == 0
    sandbox.run("mkdir -p ~/.kube; cp /etc/kubernetes/admin.conf ~/.kube/config; " + FLANNEL, host="controlplane")
    sandbox.advance(sandbox.now + 60 * 10**9)
    pods = sandbox.run("kubectl get pods -A", host="controlplane").stdout
    assert re.search(r"kube-flannel-ds-\w+ +0/1 +(CrashLoopBackOff|Error)", pods)
    logs = sandbox.run("kubectl -n kube-flannel logs ds/kube-flannel-ds", host="controlplane").stdout
    assert 'failed to acquire lease: node "controlplane" pod cidr not assigned' in logs
    events = sandbox.run("kubectl -n kube-system get events", host="controlplane").stdout
    assert "open /run/flannel/subnet.env: no such file or directory" in events


def test_a_cluster_is_upgraded_by_the_documented_steps() -> None:
    sandbox = Sandbox.boot("upgrade")
    nodes = "kubectl get nodes --no-headers | awk '{print $1, $2, $NF}'"
    assert sandbox.run(nodes).stdout == "controlplane Ready v1.35.5\nnode01 Ready v1.35.5\n"
    archive = "sed -i 's/v1.35/v1.36/' /etc/apt/sources.list.d/kubernetes.list; apt-get update -qq; "
    get = "apt-get install -y --allow-change-held-packages"
    assert sandbox.run(archive + f"{get} kubeadm=1.36.2-1.1", host="controlplane").code == 0
    plan = sandbox.run("kubeadm upgrade plan").stdout
    assert "kube-apiserver            controlplane   v1.35.5   v1.36.2\n" in plan
    assert "etcd                      controlplane   3.6.6-0   3.6.8-0\n" in plan
    done = sandbox.run("kubeadm upgrade apply -y v1.36.2")
    assert done.code == 0, done.stderr
    assert '[upgrade] SUCCESS! A control plane node of your cluster was upgraded to "v1.36.2".' in done.stdout
    assert "Server Version: v1.36.2\n" in sandbox.run("kubectl version").stdout
    assert sandbox.run(nodes).stdout == "controlplane Ready v1.35.5\nnode01 Ready v1.35.5\n"
    assert sandbox.run(archive + f"{get} kubeadm=1.36.2-1.1 && kubeadm upgrade node", host="node01").code == 0
    for name in ("controlplane", "node01"):
        sandbox.run(f"{get} kubelet=1.36.2-1.1 && systemctl daemon-reload && systemctl restart kubelet", host=name)
    sandbox.advance(sandbox.now + 15 * 10**9)
    assert sandbox.run(nodes).stdout == "controlplane Ready v1.36.2\nnode01 Ready v1.36.2\n"
    images = sandbox.run("kubectl get pods -n kube-system -o jsonpath='{..image}'").stdout
    assert "v1.35.5" not in images and "etcd:3.6.8-0" in images
