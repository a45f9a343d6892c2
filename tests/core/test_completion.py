"""Tab: what stands there, and that asking changes nothing."""

from __future__ import annotations

import pytest

from simulator.core.kernel import snapshot
from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def image() -> bytes:
    box = Sandbox.boot("three-nodes", 5)
    box.run("kubectl create deployment web --image=nginx")
    box.run("kubectl create namespace kitchen")
    box.settle(20 * SECOND)
    return box.snapshot()


@pytest.fixture
def box(image: bytes) -> Sandbox:
    return Sandbox.restore(image)


def ask(box: Sandbox, line: str) -> list[str]:
    return box.complete(next(iter(box.terminals())), line, len(line)).items


@pytest.mark.parametrize(
    ("line", "items"),
    [
        ("kubectl ge", ["get"]),
        ("kubectl rollout re", ["restart", "resume"]),
        ("kubectl get po", ["poddisruptionbudgets.policy", "pods", "podtemplates"]),
        ("kubectl get pods -n ki", ["kitchen"]),
        ("kubectl get pods --namespace=ki", ["--namespace=kitchen"]),
        ("kubectl get nodes node", ["node01", "node02"]),
        ("kubectl get nodes node01 no", ["node02"]),
        ("kubectl describe no/node01", ["no/node01"]),
        ("kubectl -n kube-system get deploy core", ["coredns"]),
        ("kubectl logs -n kube-system kube-sch", ["kube-scheduler-controlplane"]),
        ("kubectl rollout status deployment/", ["deployment/web"]),
        ("kubectl get pods --all-n", ["--all-namespaces"]),
        ("kubectl get pods -o y", ["yaml"]),
        ("kubectl config use-context ku", ["kubernetes-admin@kubernetes"]),
        ("kubectl apply -f /etc/kubern", ["/etc/kubernetes/"]),
        ("kubectl get nonsense x", []),
        ("ls | kubectl get no", ["nodes"]),
        ("ssh node", ["node01", "node02"]),
        ("systemctl rest", ["restart"]),
        ("systemctl restart kube", ["kubelet.service"]),
    ],
)
def test_what_stands_there(box: Sandbox, line: str, items: list[str]) -> None:
    assert ask(box, line) == items


def test_names_of_pods_come_from_the_api_as_the_learner(box: Sandbox) -> None:
    assert [name.rpartition("-")[0] for name in ask(box, "kubectl exec -it we")] == [
        box.run("kubectl get rs -o jsonpath='{.items[0].metadata.name}'").stdout
    ]
    box.run("mv ~/.kube/config /tmp/")
    assert ask(box, "kubectl exec -it we") == []


def test_asking_changes_nothing(box: Sandbox) -> None:
    before = (snapshot.dump(box.world), box.digest(), box.world.trace_seq, [*box.world.trace])
    for line in ("kubectl get pods -n ", "kubectl logs we", "kubectl get deploy", "kubectl get nodes ", "kubectl nope "):
        ask(box, line)
    assert (snapshot.dump(box.world), box.digest(), box.world.trace_seq, [*box.world.trace]) == before
    assert box.drain() == []


def test_an_api_server_that_is_away_gives_nothing(box: Sandbox) -> None:
    box.run("mv /etc/kubernetes/manifests/kube-apiserver.yaml /root/")
    box.advance(box.now + 40 * SECOND)
    assert ask(box, "kubectl get pods we") == []
    assert ask(box, "kubectl descr") == ["describe"]


@pytest.mark.parametrize(
    "words",
    ["rollout undo ", "logs ", "exec -c ", "create ", "create token ", "cp kube-system/", "expose ", "config set-context ", "top node ", "run x --im",
     "get pods --n", "taint nodes ", "set image deployment/", "port-forward ", "certificate "],
)  # fmt: skip
def test_tab_offers_what_the_real_completion_answers(box: Sandbox, words: str) -> None:
    head, _, current = words.rpartition(" ")
    answer = box.run(f"kubectl __completeNoDesc {head} '{current}'").stdout.splitlines()
    assert ask(box, f"kubectl {words}") == sorted(answer[:-1])
