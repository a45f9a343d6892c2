"""What the machines' journals and logs say of a failure: the lines that somebody who looks for its cause has to find there."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox

SERVER = r"https://172.30.1.2:6443"
REFUSED = r": dial tcp 172.30.1.2:6443: connect: connection refused"
LEASE = rf'{SERVER}/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node01\?timeout=10s\\"{REFUSED}'
SOCKET = r'rpc error: code = Unavailable desc = connection error: desc = \\"transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: no such file or directory\\"'
M = "/etc/kubernetes/manifests"


class Failure(NamedTuple):
    """What is typed (on the control plane, or after `node01: `), how many seconds pass, and patterns of lines of the kubelet's journal on
    `host`, in their order."""

    host: str
    typed: list[str]
    wait: int
    lines: list[str]


FAILURES = {
    "no server": Failure(
        "node01", [f"mv {M}/kube-apiserver.yaml /root/"], 25,
        [*[rf'controller.go:251\] "Failed to update lease" err="Put \\"{LEASE}"$'] * 5,
         r'controller.go:171\] "failed to update lease using latest lease, fallback to ensure lease" err="failed 5 attempts to update lease"',
         rf'controller.go:201\] "Failed to ensure lease exists, will retry" err="Get \\"{LEASE}" interval="200ms"$',
         r'interval="400ms"$', r'interval="800ms"$', r'interval="1.6s"$', r'interval="3.2s"$', r'interval="6.4s"$', r'interval="7s"$'],
    ),
    "no server for longer than a node's status lasts": Failure(
        "node01", [f"mv {M}/kube-apiserver.yaml /root/"], 320,
        [rf'"Error updating node status, will retry" err="failed to patch status \\"{{\\\\\\"status\\\\\\":{{\\\\\\"\$setElementOrder/conditions\\\\\\":.*for node \\"node01\\": Patch \\"{SERVER}/api/v1/nodes/node01/status\?timeout=10s\\"{REFUSED}"$',
         *[rf'"Error updating node status, will retry" err="error getting node \\"node01\\": Get \\"{SERVER}/api/v1/nodes/node01\?timeout=10s\\"{REFUSED}"$'] * 4,
         r'"Unable to update node status" err="update node status exceeds retry count"$'],
    ),
    "a flag that nobody knows": Failure(
        "controlplane", [rf"sed -i 's/- kube-scheduler$/- kube-scheduler\n    - --nonsense/' {M}/kube-scheduler.yaml"], 30,
        [r'"Error syncing pod, skipping" err="failed to \\"StartContainer\\" for \\"kube-scheduler\\" with CrashLoopBackOff: \\"back-off 10s restarting failed '
         r'container=kube-scheduler pod=kube-scheduler-controlplane_kube-system\(\w{32}\)\\"" pod="kube-system/kube-scheduler-controlplane" podUID="\w{32}"$'],
    ),
    "no YAML": Failure(
        "controlplane", [f"sed -i 's/^  labels:/  labels/' {M}/kube-scheduler.yaml"], 45,
        [rf'"Unable to process watch event" err="can\'t process config file \\"{M}/kube-scheduler.yaml\\": {M}/kube-scheduler.yaml: couldn\'t parse as pod\(yaml: line \d+: [a-z ]+\), please',
         *[rf'file.go:187\] "Could not process manifest file" err="{M}/kube-scheduler.yaml: couldn\'t parse as pod\(yaml: line .*" path="{M}/kube-scheduler.yaml"$'] * 2],
    ),
    "a pod without an image": Failure(
        "controlplane", [f"sed -i '/  image: /d' {M}/kube-scheduler.yaml"], 25,
        [r'"Could not process manifest file" err="invalid pod: spec.containers\[0\].image: Required value" path='],
    ),
    "no runtime": Failure(
        "node01", ["node01: systemctl stop containerd"], 60,
        [rf'"Container runtime sanity check failed" err="{SOCKET}"$', rf'"ListPodSandbox with filter from runtime service failed" err="{SOCKET}" filter="?nil"?$',
         rf'"GenericPLEG: Unable to retrieve pods" err="{SOCKET}"$', r'"Skipping pod synchronization" err="container runtime is down"$'],
    ),
    "no network plugin": Failure(
        "node01", ["node01: mv /etc/cni/net.d /root/", """kubectl run lonely --image=nginx '--overrides={"spec":{"nodeName":"node01"}}'"""], 40,
        [r'"Container runtime network not ready" networkReady="NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized"$',
         r'"Error syncing pod, skipping" err="network is not ready: container runtime network not ready: NetworkReady=false .*" pod="default/lonely" podUID="[0-9a-f-]{36}"$'],
    ),
    "no node": Failure(
        "node01", ["kubectl delete node node01"], 25,
        [r'"Failed to update lease" err="', r'"Failed to get node when trying to set owner ref to the node lease" err="nodes \\"node01\\" not found" node="node01"$',
         r'"Error updating node status, will retry" err="error getting node \\"node01\\": node \\"node01\\" not found"$',
         *[r'"Error updating node status, will retry" err="error getting node \\"node01\\": nodes \\"node01\\" not found"$'] * 4,
         r'"Unable to update node status" err="update node status exceeds retry count"$'],
    ),
    "an image that is not there": Failure(
        "node01", ["""kubectl run none --image=nginx:nonsense '--overrides={"spec":{"nodeName":"node01"}}'"""], 60,
        [r'"Unhandled Error" err="container none start failed in pod none_default\(.*\): ErrImagePull: rpc error: code = NotFound .*" logger="UnhandledError"$',
         r'"Error syncing pod, skipping" err="failed to \\"StartContainer\\" for \\"none\\" with ErrImagePull: .*" pod="default/none"',
         r'"Error syncing pod, skipping" err="failed to \\"StartContainer\\" for \\"none\\" with ImagePullBackOff: \\"Back-off pulling image .*" pod="default/none"'],
    ),
    "a configMap that is not there": Failure(
        "node01", ["kubectl run none --image=nginx "
        """'--overrides={"spec":{"nodeName":"node01","volumes":[{"name":"v","configMap":{"name":"absent"}}]}}'"""], 10,
        [r'E\d{4} \S+ +\d+ configmap.go:193\] Couldn\'t get configMap default/absent: configmap "absent" not found$',
         r'nestedpendingoperations.go:348\] Operation for "{volumeName:kubernetes.io/configmap/(\S+)-v podName:\1 nodeName:}" failed. No retries permitted until '
         r'2026-11-02 09:\S+ \+0000 UTC m=\+\d+\.\d{9} \(durationBeforeRetry 500ms\). Error: MountVolume.SetUp failed for volume "v" \(UniqueName: '
         r'"kubernetes.io/configmap/\1-v"\) pod "none" \(UID: "\1"\) : configmap "absent" not found$', r"durationBeforeRetry 1s"],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def base() -> Sandbox:
    made = Sandbox.boot("three-nodes", 1)
    made.advance(40 * SECOND)
    return made


@pytest.mark.parametrize("name", FAILURES)
def test_the_kubelet_says_what_it_cannot_do(base: Sandbox, name: str) -> None:
    failure, world = FAILURES[name], base.fork()
    known = len(world.run("journalctl -u kubelet", host=failure.host).stdout.splitlines())
    for line in failure.typed:
        _, there, typed = line.rpartition("node01: ")
        world.run(typed, host="node01" if there else "controlplane")
    world.advance(world.now + failure.wait * SECOND)
    said = iter(world.run("journalctl -u kubelet", host=failure.host).stdout.splitlines()[known:])
    for pattern in failure.lines:
        assert any(re.search(pattern, line) for line in said), pattern


def test_a_node_whose_server_comes_back_renews_its_lease_within_seven_seconds_and_is_quiet(base: Sandbox) -> None:
    world = base.fork()
    world.run(f"mv {M}/kube-apiserver.yaml /root/")
    world.advance(world.now + 40 * SECOND)
    world.run(f"mv /root/kube-apiserver.yaml {M}/")
    world.advance(world.now + 40 * SECOND)
    assert "NotReady" not in world.run("kubectl get nodes").stdout
    said = world.run("journalctl -u kubelet --since -15s", host="node01").stdout
    assert "Failed" not in said, said


def test_logs_go_with_their_containers_and_pods(base: Sandbox) -> None:
    world = base.fork()
    world.run("kubectl run sad --image=busybox --restart=Always -- false")
    world.advance(world.now + 150 * SECOND)
    where = "node01" if "sad" in world.run("ls /var/log/pods", host="node01").stdout else "node02"
    logs = world.run("ls /var/log/pods/default_sad_*/sad/", host=where).stdout.split()
    links = world.run("ls /var/log/containers | grep sad_", host=where).stdout.split()
    assert len(logs) == len(links) == 2
    assert int(logs[0][:-4]) >= 2
    world.run("kubectl delete pod sad --grace-period=1")
    world.advance(world.now + 5 * SECOND)
    assert "sad" not in world.run("ls /var/log/pods /var/log/containers", host=where).stdout


def test_syslog_has_what_the_journal_has(base: Sandbox) -> None:
    world = base.fork()
    journal = world.run("journalctl -o cat").stdout.splitlines()
    rows = world.run("cat /var/log/syslog").stdout.splitlines()
    assert [row.split(": ", 1)[1] for row in rows] == journal
    assert re.match(r"2026-11-02T09:00:\d\d\.\d{6}\+00:00 controlplane \w+\[\d+\]: ", rows[0])
