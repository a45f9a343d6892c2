"""Claims, volumes and what protects them; replication controllers."""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Sandbox:
    """A fresh cluster."""
    return Sandbox.boot()


def apply(sandbox: Sandbox, text: str) -> None:
    """Apply YAML and let controllers see it."""
    answer = sandbox.run("kubectl apply -f -", stdin=text.encode(), settle=3 * SECOND)
    assert answer.code == 0, answer.stderr


def volume(name: str, size: str, extra: str = "") -> str:
    """A hostPath volume of the class `manual`."""
    spec = (
        f"capacity: {{storage: {size}}}, accessModes: [ReadWriteOnce], hostPath: {{path: /data/{name}}}, storageClassName: manual"
    )
    return f"{{apiVersion: v1, kind: PersistentVolume, metadata: {{name: {name}}}, spec: {{{spec}{extra}}}}}"


def claim(name: str, size: str = "1Gi", storage_class: str = "manual") -> str:
    """A claim."""
    spec = f"accessModes: [ReadWriteOnce], storageClassName: '{storage_class}', resources: {{requests: {{storage: {size}}}}}"
    return f"{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: {name}}}, spec: {{{spec}}}}}"


def field(sandbox: Sandbox, what: str, path: str) -> str:
    """One field of an object."""
    return sandbox.run(f"kubectl get {what} -o jsonpath='{{{path}}}'").stdout


def reasons(sandbox: Sandbox, name: str) -> str:
    """The reasons and messages of a claim's events."""
    return sandbox.run(
        f"kubectl get events --field-selector involvedObject.name={name} -o custom-columns=R:.reason,M:.message --no-headers"
    ).stdout


def test_a_claim_takes_the_smallest_volume_that_fits(sandbox: Sandbox) -> None:
    """Both sides say Bound and name each other."""
    for name, size in (("small", "512Mi"), ("large", "10Gi"), ("middle", "2Gi")):
        apply(sandbox, volume(name, size))
    assert field(sandbox, "pv small", ".status.phase") == "Available"
    apply(sandbox, claim("data"))
    assert field(sandbox, "pvc data", ".status.phase") == "Bound"
    assert field(sandbox, "pvc data", ".spec.volumeName") == "middle"
    assert field(sandbox, "pvc data", ".status.capacity.storage") == "2Gi"
    assert field(sandbox, "pv middle", ".spec.claimRef.name") == "data"
    assert field(sandbox, "pv large", ".status.phase") == "Available"


def test_without_a_provisioner_claims_stay_pending_and_say_why(sandbox: Sandbox) -> None:
    """No class, an unknown class, a class whose provisioner does not run."""
    apply(sandbox, "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: cloud}, provisioner: ebs.csi.aws.com}")
    for name, storage_class in (("plain", ""), ("unknown", "nosuch"), ("cloud", "cloud")):
        apply(sandbox, claim(name, storage_class=storage_class))
        assert field(sandbox, f"pvc {name}", ".status.phase") == "Pending"
    assert "no persistent volumes available for this claim and no storage class is set" in reasons(sandbox, "plain")
    assert 'storageclass.storage.k8s.io "nosuch" not found' in reasons(sandbox, "unknown")
    assert "external provisioner 'ebs.csi.aws.com'" in reasons(sandbox, "cloud")
    apply(sandbox, volume("late", "1Gi").replace("storageClassName: manual", "storageClassName: nosuch"))
    assert field(sandbox, "pvc unknown", ".status.phase") == "Bound"


def test_a_claim_in_use_is_kept_and_its_volume_is_released_afterwards(sandbox: Sandbox) -> None:
    """Finalizers of both; Retain leaves the volume for somebody to look after."""
    apply(sandbox, volume("disk", "1Gi"))
    apply(sandbox, claim("data"))
    pod = "{apiVersion: v1, kind: Pod, metadata: {name: user}, spec: {containers: [{name: c, image: nginx}], "
    apply(sandbox, pod + "volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]}}")
    assert field(sandbox, "pod user", ".spec.nodeName")
    sandbox.run("kubectl delete pvc data --wait=false", settle=5 * SECOND)
    assert field(sandbox, "pvc data", ".metadata.deletionTimestamp")
    sandbox.run("kubectl delete pv disk --wait=false", settle=5 * SECOND)
    assert field(sandbox, "pv disk", ".status.phase") == "Bound"
    sandbox.run("kubectl delete pod user --grace-period=0 --force", settle=10 * SECOND)
    assert "not found" in sandbox.run("kubectl get pvc data").stderr
    assert "not found" in sandbox.run("kubectl get pv disk").stderr


def test_a_claim_that_waits_for_its_first_consumer(sandbox: Sandbox) -> None:
    """Not bound before a pod is scheduled; the scheduler chooses a node from which a volume can be reached."""
    late = "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: manual}, "
    apply(sandbox, late + "provisioner: kubernetes.io/no-provisioner, volumeBindingMode: WaitForFirstConsumer}")
    terms = "[{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [node02]}]}]"
    apply(sandbox, volume("there", "1Gi", f", nodeAffinity: {{required: {{nodeSelectorTerms: {terms}}}}}"))
    apply(sandbox, claim("data"))
    assert field(sandbox, "pvc data", ".status.phase") == "Pending"
    assert "waiting for first consumer to be created before binding" in reasons(sandbox, "data")
    pod = "{apiVersion: v1, kind: Pod, metadata: {name: user}, spec: {containers: [{name: c, image: nginx}], "
    apply(sandbox, pod + "volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]}}")
    sandbox.advance(sandbox.now + 20 * SECOND)
    assert field(sandbox, "pvc data", ".status.phase") == "Bound"
    assert field(sandbox, "pod user", ".spec.nodeName") == "node02"


def test_a_pod_writes_into_the_directory_behind_its_claim(sandbox: Sandbox) -> None:
    """The kubelet finds the volume through the claim, as the node's own user."""
    apply(sandbox, volume("disk", "1Gi"))
    apply(sandbox, claim("data"))
    pod = "{apiVersion: v1, kind: Pod, metadata: {name: user}, spec: {nodeName: node01, containers: [{name: c, image: nginx, "
    pod += "volumeMounts: [{name: d, mountPath: /d}]}], "
    apply(sandbox, pod + "volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]}}")
    sandbox.advance(sandbox.now + 30 * SECOND)
    written = sandbox.run("kubectl exec user -- sh -c 'echo kept > /d/note'")
    assert written.code == 0, written.stderr
    assert sandbox.run("cat /data/disk/note", host="node01").stdout == "kept\n"


def test_a_replication_controller_keeps_its_pods(sandbox: Sandbox) -> None:
    """The oldest kind, by a plain map of labels."""
    template = "{metadata: {labels: {app: old}}, spec: {containers: [{name: c, image: nginx}]}}"
    apply(
        sandbox,
        f"{{apiVersion: v1, kind: ReplicationController, metadata: {{name: old}}, spec: {{replicas: 2, template: {template}}}}}",
    )
    sandbox.advance(sandbox.now + 30 * SECOND)
    assert field(sandbox, "rc old", ".status.readyReplicas") == "2"
    sandbox.run("kubectl scale rc old --replicas=1", settle=40 * SECOND)
    assert len(sandbox.run("kubectl get pods -l app=old --no-headers").stdout.splitlines()) == 1
    sandbox.run("kubectl delete rc old", settle=60 * SECOND)
    assert sandbox.run("kubectl get pods -l app=old --no-headers").stdout == ""
