"""metrics-server behind API aggregation: installed from its manifest, refused by kubelets' own certificates, then `kubectl top` and an HPA."""

from __future__ import annotations

import json

import pytest

from simulator.core.sandbox import Sandbox

URL = "https://github.com/kubernetes-sigs/metrics-server/releases/latest/download/components.yaml"
INSECURE = '[{"op":"add","path":"/spec/template/spec/containers/0/args/-","value":"--kubelet-insecure-tls"}]'
SECOND = 10**9


class Cluster:
    def __init__(self) -> None:
        self.box = Sandbox.boot("three-nodes")

    def run(self, command: str) -> str:
        done = self.box.run(command)
        return done.stdout + done.stderr

    def wait(self, seconds: int) -> None:
        self.box.advance(self.box.now + seconds * SECOND)

    def condition(self) -> dict[str, str]:
        text = self.run("kubectl get apiservice v1beta1.metrics.k8s.io -o jsonpath='{.status.conditions[0]}'")
        found: dict[str, str] = json.loads(text)
        return found


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return Cluster()


def test_without_it_there_is_no_metrics_api(cluster: Cluster) -> None:
    assert cluster.run("kubectl top nodes") == "error: Metrics API not available\n"


def test_kubelets_own_certificates_are_not_believed(cluster: Cluster) -> None:
    assert "deployment.apps/metrics-server created" in cluster.run(f"kubectl apply -f {URL}")
    cluster.wait(45)
    assert cluster.condition()["reason"] == "MissingEndpoints"
    assert "doesn't contain any IP SANs" in cluster.run("kubectl logs -n kube-system deploy/metrics-server")
    assert "0/1" in cluster.run("kubectl get pods -n kube-system -l k8s-app=metrics-server --no-headers")
    assert cluster.run("kubectl top pods -A") == "error: Metrics API not available\n"
    assert 'an error on the server ("service unavailable")' in cluster.run("kubectl get --raw /apis/metrics.k8s.io/v1beta1/nodes")


def test_with_the_flag_it_tells_what_is_used(cluster: Cluster) -> None:
    cluster.run(f"kubectl patch -n kube-system deploy metrics-server --type=json -p '{INSECURE}'")
    cluster.wait(75)
    assert cluster.condition() == {**cluster.condition(), "status": "True", "reason": "Passed", "message": "all checks passed"}
    head, *rows = cluster.run("kubectl top nodes").splitlines()
    assert head.split() == ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"]
    assert [row.split()[0] for row in rows] == ["controlplane", "node01", "node02"]
    pods = cluster.run("kubectl top pods -n kube-system --sort-by=memory --no-headers").splitlines()
    assert pods[0].startswith("kube-apiserver-controlplane ")
    assert "NodeMetrics" in cluster.run("kubectl api-resources --api-group=metrics.k8s.io")
    assert cluster.run("kubectl top node nope") == 'Error from server (NotFound): nodemetrics.metrics.k8s.io "nope" not found\n'
    assert cluster.run("kubectl top pod") == "No resources found in default namespace.\n"
    assert "cannot list resource" in cluster.run("kubectl top nodes --as=nobody")


def test_an_autoscaler_follows_the_load(cluster: Cluster) -> None:
    cluster.run("kubectl create deployment php --image=registry.k8s.io/hpa-example --port=80")
    cluster.run("kubectl set resources deployment php --requests=cpu=50m")
    cluster.run("kubectl expose deployment php")
    cluster.run("kubectl autoscale deployment php --cpu=50% --min=1 --max=3")
    cluster.run("kubectl run load --image=busybox -- /bin/sh -c 'while sleep 0.2; do wget -q -O- http://php; done'")
    cluster.run("kubectl run busy --image=polinux/stress --overrides='"
                '{"spec":{"containers":[{"name":"busy","image":"polinux/stress","command":["stress","--cpu","2"],'
                '"resources":{"limits":{"cpu":"500m"}}}]}}\'')  # fmt: skip
    cluster.wait(110)
    busy = cluster.run("kubectl top pod busy --no-headers").split()[1]
    assert 500 <= int(busy.removesuffix("m")) <= 502, "the limit holds"
    assert int(cluster.run("kubectl get hpa php -o jsonpath={.status.desiredReplicas}")) >= 2
    assert "New size: " in cluster.run("kubectl describe hpa php")


def test_it_goes_and_the_group_with_it(cluster: Cluster) -> None:
    cluster.run("kubectl delete pod load --now")
    cluster.run("kubectl scale -n kube-system deploy metrics-server --replicas=0")
    cluster.wait(40)
    assert cluster.condition()["status"] == "False"
    assert "metrics.k8s.io" not in cluster.run("kubectl api-versions")
    restored = Sandbox.restore(cluster.box.snapshot())
    restored.advance(restored.now + SECOND)
    cluster.wait(1)
    assert restored.digest() == cluster.box.digest()
