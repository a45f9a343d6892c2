"""Quotas with scopes, budgets without pods or numbers, claims of scaled-down stateful sets: in a whole cluster."""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def base() -> Sandbox:
    made = Sandbox.boot("three-nodes", 1)
    made.advance(30 * SECOND)
    return made


def out(world: Sandbox, line: str, stdin: str = "") -> str:
    found = world.run(line, stdin=stdin.encode())
    return found.stdout + found.stderr


def test_a_quota_with_a_scope_is_about_its_pods_alone(base: Sandbox) -> None:
    world = base.fork()
    out(world, "kubectl create quota idle --hard=pods=1 --scopes=BestEffort")
    assert "created" in out(world, "kubectl run a --image=nginx")
    limited = '{"spec":{"containers":[{"name":"b","image":"nginx","resources":{"requests":{"cpu":"10m"}}}]}}'
    assert "created" in out(world, f"kubectl run b --image=nginx --overrides='{limited}'")
    refused = out(world, "kubectl run c --image=nginx")
    assert 'pods "c" is forbidden: exceeded quota: idle, requested: pods=1, used: pods=1, limited: pods=1' in refused
    world.advance(world.now + 5 * SECOND)
    assert out(world, "kubectl get quota idle -o jsonpath={.status.used.pods}") == "1"
    out(world, "kubectl delete pod a --now")
    world.advance(world.now + 5 * SECOND)
    assert out(world, "kubectl get quota idle -o jsonpath={.status.used.pods}") == "0"


def test_a_budget_says_what_it_cannot_count(base: Sandbox) -> None:
    world = base.fork()
    out(world, "kubectl create pdb none --selector=app=nobody --min-available=1")
    out(world, "kubectl create job once --image=busybox -- sleep 3600")
    out(world, "kubectl create pdb jobs --selector=job-name=once --max-unavailable=1")
    out(world, "kubectl run lone --image=nginx --labels=app=lone")
    out(world, "kubectl create pdb lone --selector=app=lone --max-unavailable=1")
    world.advance(world.now + 10 * SECOND)
    assert "No matching pods found" in out(world, "kubectl describe pdb none")
    condition = "kubectl get pdb jobs -o jsonpath={.status.conditions[0].reason}:{.status.conditions[0].message}"
    assert out(world, condition) == "SyncFailed:jobs.batch does not implement the scale subresource"
    assert "(selector: &LabelSelector{MatchLabels:map[string]string{app: lone,}," in out(world, "kubectl describe pdb lone")


SET = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 2
  serviceName: db
  persistentVolumeClaimRetentionPolicy: {whenScaled: Delete}
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: c, image: nginx, volumeMounts: [{name: d, mountPath: /d}]}]}
  volumeClaimTemplates:
  - {metadata: {name: d}, spec: {accessModes: [ReadWriteOnce], storageClassName: "", resources: {requests: {storage: 1Gi}}}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: one}
spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /one}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: two}
spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /two}}
"""


def test_a_scaled_down_set_takes_its_claims_with_it_where_it_says_so(base: Sandbox) -> None:
    world = base.fork()
    out(world, "kubectl apply -f -", SET)
    world.advance(world.now + 30 * SECOND)
    assert out(world, "kubectl get pvc -o name").split() == ["persistentvolumeclaim/d-db-0", "persistentvolumeclaim/d-db-1"]
    out(world, "kubectl scale sts db --replicas=1")
    world.advance(world.now + 15 * SECOND)
    assert out(world, "kubectl get pvc -o name").split() == ["persistentvolumeclaim/d-db-0"]


def test_a_completed_pod_holds_its_claim_until_it_is_deleted(base: Sandbox) -> None:
    world = base.fork()
    claim = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c}, spec: {accessModes: [ReadWriteOnce], storageClassName: '', resources: {requests: {storage: 1Gi}}}}"
    out(world, "kubectl apply -f -", SET.partition("---")[2] + "\n---\n" + claim)
    spec = '{"spec":{"containers":[{"name":"p","image":"busybox","command":["true"]}],"volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"c"}}]}}'
    out(world, f"kubectl run p --image=busybox --restart=Never --overrides='{spec}'")
    world.advance(world.now + 15 * SECOND)
    assert "Completed" in out(world, "kubectl get pod p")
    out(world, "kubectl delete pvc c --wait=false")
    world.advance(world.now + 20 * SECOND)
    assert "Terminating" in out(world, "kubectl get pvc c")
    out(world, "kubectl delete pod p")
    world.advance(world.now + 5 * SECOND)
    assert "not found" in out(world, "kubectl get pvc c")
