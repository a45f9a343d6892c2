"""A dynamic provisioner from its manifest: volumes made where the scheduler wants the pod, kept or deleted as their class says."""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox

URL = "https://raw.githubusercontent.com/rancher/local-path-provisioner/v0.0.31/deploy/local-path-storage.yaml"
FOLDER = "/opt/local-path-provisioner"


def claim(name: str, storage_class: str = "local-path", mode: str = "ReadWriteOnce") -> str:
    """A claim of 128 Mi."""
    spec = f"accessModes: [{mode}], storageClassName: {storage_class}, resources: {{requests: {{storage: 128Mi}}}}"
    return f"{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: {name}}}, spec: {{{spec}}}}}\n"


def pod(name: str, claimed: str, extra: str = "") -> str:
    """A pod that mounts a claim at /data."""
    volumes = f"volumes: [{{name: d, persistentVolumeClaim: {{claimName: {claimed}}}}}]"
    container = "{name: c, image: nginx:1.27, volumeMounts: [{name: d, mountPath: /data}]}"
    return f"{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{containers: [{container}], {volumes}{extra}}}}}\n"


STORAGE_CLASS = """{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: %s}, provisioner: %s,
 volumeBindingMode: WaitForFirstConsumer, reclaimPolicy: Retain}
"""
SET = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: c, image: nginx:1.27, volumeMounts: [{name: d, mountPath: /data}]}]}
  volumeClaimTemplates:
  - metadata: {name: d}
    spec: {accessModes: [ReadWriteOnce], storageClassName: keep, resources: {requests: {storage: 1Gi}}}
"""


class Cluster:
    """Three nodes with the provisioner."""

    def __init__(self, image: bytes) -> None:
        self.box = Sandbox.restore(image)

    def run(self, command: str, wait: int = 0) -> str:
        """What a command says, after some seconds."""
        done = self.box.run(command)
        self.box.advance(self.box.now + wait * SECOND)
        return done.stdout + done.stderr

    def apply(self, *texts: str, wait: int = 10) -> None:
        """Apply objects and wait."""
        done = self.box.run("kubectl apply -f -", stdin="---\n".join(texts).encode())
        assert done.code == 0, done.stderr
        self.box.advance(self.box.now + wait * SECOND)

    def events(self, name: str) -> list[str]:
        """`reason: message` of an object's events."""
        columns = "-o custom-columns=R:.reason,M:.message --no-headers"
        text = self.run(f"kubectl get events --field-selector involvedObject.name={name} {columns}")
        return [": ".join(line.split(maxsplit=1)) for line in text.splitlines()]


@pytest.fixture(scope="module")
def installed() -> bytes:
    """The world once the provisioner runs."""
    box = Sandbox.boot("three-nodes")
    assert "storageclass.storage.k8s.io/local-path created" in box.run(f"kubectl apply -f {URL}").stdout
    box.advance(box.now + 20 * SECOND)
    return box.snapshot()


@pytest.fixture
def cluster(installed: bytes) -> Cluster:
    """A fresh copy of it."""
    return Cluster(installed)


def test_a_volume_is_made_where_its_pod_will_run_and_goes_with_its_claim(cluster: Cluster) -> None:
    cluster.apply(claim("data"), wait=20)
    assert cluster.run("kubectl get pvc data -o jsonpath='{.status.phase}'") == "Pending"  # nobody needs it yet
    cluster.apply(pod("web", "data", ", nodeSelector: {kubernetes.io/hostname: node02}"))
    assert cluster.run("kubectl get pod web -o jsonpath='{.status.phase} {.spec.nodeName}'") == "Running node02"
    name = cluster.run("kubectl get pvc data -o jsonpath='{.spec.volumeName}'")
    path = f"{FOLDER}/{name}_default_data"
    shown = cluster.run(f"kubectl describe pv {name}")
    for line in (
        f"Path:          {path}",
        "kubernetes.io/hostname in [node02]",
        "Reclaim Policy:  Delete",
        "Claim:             default/data",
    ):
        assert " ".join(line.split()) in " ".join(shown.split())
    assert "volume.kubernetes.io/selected-node: node02" in cluster.run("kubectl describe pvc data")
    reasons = [event.partition(":")[0] for event in cluster.events("data")]
    assert [r for r in reasons if r != "ExternalProvisioning"] == [
        "WaitForFirstConsumer",
        "Provisioning",
        "ProvisioningSucceeded",
    ]
    cluster.run("kubectl exec web -- sh -c 'echo kept > /data/file'")
    assert cluster.run(f"ssh node02 cat {path}/file") == "kept\n"
    again = Sandbox.restore(cluster.box.snapshot())
    for box in (cluster.box, again):
        box.run("kubectl delete pod web --now && kubectl delete pvc data")
        box.advance(box.now + 20 * SECOND)
    assert again.digest() == cluster.box.digest()
    assert cluster.run("kubectl get pv") == "No resources found\n"
    assert cluster.run(f"ssh node02 ls {FOLDER}") == ""
    assert "No resources found" in cluster.run("kubectl get pods -n local-path-storage -l '!app'")  # helper pods are gone
    assert "has been deleted on node02" in cluster.run("kubectl logs -n local-path-storage deploy/local-path-provisioner")


def test_what_it_cannot_make_stays_pending_and_says_why(cluster: Cluster) -> None:
    cluster.apply(claim("shared", mode="ReadWriteMany"), pod("web", "shared"), wait=40)
    told = 'ProvisioningFailed: failed to provision volume with StorageClass "local-path": NodePath only supports ReadWriteOnce'
    assert any(event.startswith(told) for event in cluster.events("shared"))
    assert cluster.run("kubectl get pod web -o jsonpath='{.status.phase}:{.spec.nodeName}'") == "Pending:"
    cluster.box.advance(cluster.box.now + 600 * SECOND)
    late = 'FailedScheduling: running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded'
    assert late in cluster.events("web")
    cluster.run("kubectl delete pod web --now; kubectl delete pvc shared", wait=5)
    cluster.apply(STORAGE_CLASS % ("other", "example.com/nobody"), claim("lost", "other"), pod("alone", "lost"), wait=40)
    waits = "ExternalProvisioning: Waiting for a volume to be created either by the external provisioner 'example.com/nobody'"
    assert any(event.startswith(waits) for event in cluster.events("lost"))


def test_claims_of_a_stateful_set_survive_its_pods_and_retained_volumes_their_claims(cluster: Cluster) -> None:
    cluster.apply(STORAGE_CLASS % ("keep", "rancher.io/local-path"), SET, wait=40)
    assert cluster.run("kubectl get sts db --no-headers").split()[:2] == ["db", "2/2"]
    node = cluster.run("kubectl get pod db-1 -o jsonpath='{.spec.nodeName}'")
    cluster.run("kubectl exec db-1 -- sh -c 'echo mine > /data/file'; kubectl delete pod db-1", wait=15)
    assert cluster.run("kubectl exec db-1 -- cat /data/file") == "mine\n"
    assert cluster.run("kubectl get pod db-1 -o jsonpath='{.spec.nodeName}'") == node  # the volume's node
    larger = '{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}'
    refused = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"
    assert refused in cluster.run(f"kubectl patch pvc d-db-1 -p '{larger}'")
    cluster.run("kubectl delete sts db; kubectl delete pvc d-db-0 d-db-1", wait=40)
    phases = cluster.run("kubectl get pv -o jsonpath='{.items[*].status.phase}'")
    assert phases == "Released Released"
    assert cluster.run(f"ssh {node} 'cat {FOLDER}/*d-db-1/file'") == "mine\n"
