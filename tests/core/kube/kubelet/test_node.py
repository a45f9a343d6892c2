"""The node's side: registration, leases, static pods, restarts of the kubelet, of containerd and of the API server."""

from __future__ import annotations

import pytest

from simulator.core.host import files, processes
from simulator.core.host.machine import hosts
from simulator.core.runtime import cri

from .conftest import PODS, Node

NODE = "/api/v1/nodes/node01"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node01"
MANIFEST = b"""
apiVersion: v1
kind: Pod
metadata: {name: fixed, namespace: default}
spec:
  containers: [{name: web, image: "nginx:1.27"}]
"""


def condition(node: Node, kind: str) -> dict[str, str]:
    return next(c for c in node.api.objects[NODE]["status"]["conditions"] if c["type"] == kind)


def test_the_node_registers_and_becomes_ready(node: Node) -> None:
    node.run(12)
    found = node.api.objects[NODE]
    assert found["metadata"]["labels"]["kubernetes.io/hostname"] == "node01"
    assert found["status"]["capacity"]["pods"] == "110"
    assert condition(node, "Ready")["message"] == "kubelet is posting ready status"
    assert [c["type"] for c in found["status"]["conditions"]] == ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"]
    assert node.api.objects[LEASE]["spec"]["leaseDurationSeconds"] == 40


def test_heartbeats_are_cheap(node: Node) -> None:
    node.run(30)
    node.api.requests.clear()
    node.run(100)
    assert [r for r in node.api.requests if r != ("PUT", LEASE)] == []
    assert len(node.api.requests) == 10
    node.run(250)
    assert ("PATCH", NODE + "/status") in node.api.requests


def test_a_static_pod_runs_and_has_a_mirror(node: Node) -> None:
    node.run(15)
    node.put("/etc/kubernetes/manifests/fixed.yaml", MANIFEST)
    node.run(8)
    mirror = node.get("fixed-node01")
    annotations = mirror["metadata"]["annotations"]
    assert annotations["kubernetes.io/config.source"] == "file"
    assert annotations["kubernetes.io/config.mirror"] == annotations["kubernetes.io/config.hash"]
    assert mirror["metadata"]["ownerReferences"][0]["kind"] == "Node"
    assert mirror["status"]["phase"] == "Running"
    node.delete("fixed-node01", grace=0)
    node.run(3)
    assert node.get("fixed-node01")["status"]["phase"] == "Running"
    files.rename_file(node.world, "node01", "/etc/kubernetes/manifests/fixed.yaml", "/root.yaml")
    node.run(5)
    assert not node.exists("fixed-node01")
    assert cri.list_containers(node.world, "node01") == []
    files.rename_file(node.world, "node01", "/root.yaml", "/etc/kubernetes/manifests/fixed.yaml")
    node.run(5)
    assert node.status("fixed-node01")["phase"] == "Running"


def test_two_manifests_of_one_name_do_not_fight(node: Node) -> None:
    """A copy beside the manifest: the first file runs, the other waits, and takes its place once that has gone."""
    node.run(15)
    node.put("/etc/kubernetes/manifests/fixed.yaml", MANIFEST)
    node.run(8)
    node.put("/etc/kubernetes/manifests/fixed.yaml.bak", MANIFEST)
    before = node.get("fixed-node01")["metadata"]["uid"]
    node.run(60)
    assert node.get("fixed-node01")["metadata"]["uid"] == before
    assert len(cri.list_containers(node.world, "node01")) == 1
    files.rename_file(node.world, "node01", "/etc/kubernetes/manifests/fixed.yaml", "/root.yaml")
    node.run(30)
    assert node.status("fixed-node01")["phase"] == "Running" and node.get("fixed-node01")["metadata"]["uid"] != before


ASKS = {
    "  serviceAccountName: robot\n": "serviceaccounts",
    "  imagePullSecrets: [{name: s}]\n": "secrets",
    "  volumes: [{name: v, configMap: {name: c}}]\n": "configmaps",
    "  volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]\n": "persistentvolumeclaims",
    "  volumes: [{name: v, projected: {sources: [{serviceAccountToken: {path: t}}]}}]\n": "serviceaccounts (via projected volumes)",
}


@pytest.mark.parametrize("lines", ASKS)
def test_a_static_pod_may_not_refer_to_the_api(node: Node, lines: str) -> None:
    node.run(15)
    node.put("/etc/kubernetes/manifests/fixed.yaml", MANIFEST + b"\n" + lines.encode())
    node.run(8)
    said = f"can't process config file /etc/kubernetes/manifests/fixed.yaml: static pods may not reference {ASKS[lines]}"
    assert any(said in line.text.replace('\\"', "") for line in hosts(node.world)["node01"].journal)
    assert not node.exists("fixed-node01")


def test_a_changed_manifest_replaces_the_pod(node: Node) -> None:
    node.run(15)
    node.put("/etc/kubernetes/manifests/fixed.yaml", MANIFEST)
    node.run(8)
    node.put("/etc/kubernetes/manifests/fixed.yaml", MANIFEST.replace(b"1.27", b"1.26"))
    node.run(15)
    assert node.get("fixed-node01")["spec"]["containers"][0]["image"] == "nginx:1.26"
    assert node.status("fixed-node01")["phase"] == "Running"
    assert len(cri.list_pod_sandboxes(node.world, "node01")) == 1


def test_pods_run_on_while_the_api_server_is_away(node: Node) -> None:
    node.run(15)
    node.pod("web", "nginx:1.27")
    node.run(8)
    processes.kill(node.world, node.api_proc, 9)
    main = next(p for p in hosts(node.world)["node01"].processes.values() if p.program == "nginx")
    processes.kill(node.world, main, 9)
    node.run(5)
    assert [c.attempt for c in cri.list_containers(node.world, "node01") if c.state == "RUNNING"] == [1]
    node.start_api()
    node.run(15)
    assert node.status("web")["containerStatuses"][0]["restartCount"] == 1


def test_a_restarted_kubelet_takes_its_pods_over(node: Node) -> None:
    node.run(15)
    node.pod("web", "nginx:1.27")
    node.run(8)
    before = cri.list_containers(node.world, "node01")[0].id
    processes.kill(node.world, node.kubelet, 15)
    node.run(5)
    node.start_kubelet()
    node.run(10)
    assert [c.id for c in cri.list_containers(node.world, "node01")] == [before]
    assert node.status("web")["phase"] == "Running"


def test_a_stopped_containerd_makes_the_node_not_ready(node: Node) -> None:
    node.run(15)
    node.pod("web", "nginx:1.27")
    node.run(10)
    processes.kill(node.world, node.containerd, 15)
    node.run(20)
    assert condition(node, "Ready")["status"] == "True"
    node.run(20)
    assert condition(node, "Ready")["status"] == "False"
    assert condition(node, "Ready")["reason"] == "KubeletNotReady"
    assert condition(node, "Ready")["message"] == "container runtime is down"
    processes.start(node.world, host="node01", program="containerd", argv=["/usr/bin/containerd"])
    node.run(5)
    assert condition(node, "Ready")["status"] == "True"
    assert f"{PODS}/web" in node.api.objects


def test_an_unknown_flag_ends_the_kubelet(node: Node) -> None:
    found = processes.start(node.world, host="node01", program="kubelet", argv=["kubelet", "--nonsense"], sink="journal:k")
    assert found.exit_code == 1
    text = hosts(node.world)["node01"].journal[-1].text
    assert text.endswith('"command failed" err="failed to parse kubelet flag: unknown flag: --nonsense"')


def test_a_missing_configuration_ends_the_kubelet(node: Node) -> None:
    found = processes.start(
        node.world, host="node01", program="kubelet", argv=["kubelet", "--config=/nope.yaml"], sink="journal:k"
    )
    assert found.exit_code == 1
    assert "open /nope.yaml: no such file or directory" in hosts(node.world)["node01"].journal[-1].text
