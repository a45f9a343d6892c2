"""The terminal's kubectl beside the real one: the same command lines in two equal worlds, output, errors and status compared.

The real client is older than the simulated one (v1.36), so what its release has not got or says otherwise is left out or folded
(`of_its_release`).  Each line runs in both worlds, and both settle before the next.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox
from simulator.headless.transcript import settle
from tests.transcripts.normalise import normalise

from .harness import Thread, need_kubectl

need_kubectl()
pytestmark = [pytest.mark.kubectl, pytest.mark.slow, pytest.mark.xdist_group("processes")]

#: The commonest forms, in an order that makes a story; one world each plays them all.
LINES = """
kubectl create deployment web --image=nginx:1.25 --replicas=2
kubectl create deployment web --image=nginx
kubectl run solo --image=nginx --labels=app=solo,tier=front --port=80
kubectl get pods
kubectl get pods -o wide --show-labels
kubectl get pods -L app,tier
kubectl get pods -l 'app in (web,solo)' -o name
kubectl get pods --field-selector status.phase!=Running
kubectl get pods --sort-by=.metadata.name --no-headers
kubectl get deploy,rs,pods
kubectl get all
kubectl get pod solo -o yaml
kubectl get pod solo -o json
kubectl get pods -o jsonpath='{range .items[*]}{.metadata.name}{"\\t"}{.spec.containers[*].image}{"\\n"}{end}'
kubectl get pods -o jsonpath='{.items[?(@.metadata.name=="solo")].spec.nodeName}'
kubectl get pods -o custom-columns=NAME:.metadata.name,IMG:.spec.containers[*].image,X:.foo
kubectl get pods -o go-template='{{range .items}}{{.metadata.name}} {{.metadata.nothing.more}}{{"\\n"}}{{end}}'
kubectl get nodes -o go-template='{{index .items 7}}' 2>&1 | head -1
kubectl get deploy web --subresource=scale
kubectl get nodes
kubectl get ns default -o yaml
kubectl get nope
kubectl get pods nope
kubectl get pods -o bogus 2>&1 | cut -c1-60
kubectl get --raw /healthz
kubectl get pods --watch-only --request-timeout=1s
kubectl expose deploy web --port=80 --target-port=8080
kubectl expose deploy web --port=80
kubectl get svc,endpointslices
kubectl describe deploy web
kubectl describe svc web
kubectl describe rs
kubectl describe nope x
kubectl scale deploy web --replicas=3
kubectl scale deploy web --replicas=3 --current-replicas=1
kubectl set image deploy/web nginx=nginx:1.26
kubectl set image deploy/web other=nginx:1.26
kubectl set env deploy/web A=1 B=2
kubectl set env deploy/web --list
kubectl set resources deploy/web --limits=cpu=200m,memory=64Mi
kubectl rollout status deploy/web
kubectl rollout history deploy/web
kubectl rollout undo deploy/web --to-revision=99
kubectl rollout pause deploy/web
kubectl rollout resume deploy/web
kubectl rollout history svc/web
kubectl label deploy web tier=back
kubectl label deploy web tier=front
kubectl label deploy web tier=front --overwrite
kubectl label deploy web tier-
kubectl annotate deploy web note=hello
kubectl annotate deploy web note-
kubectl taint nodes node01 a=b:NoSchedule
kubectl taint nodes node01 a=c:NoSchedule
kubectl taint nodes node01 a-
kubectl cordon node02
kubectl uncordon node02
kubectl create configmap conf --from-literal=a=1 --from-literal=b=2
kubectl get cm conf -o yaml
kubectl create secret generic sec --from-literal=pw=hunter2
kubectl get secret sec -o jsonpath='{.data.pw}'
kubectl create role reader --verb=get,list --resource=pods
kubectl create rolebinding reads --role=reader --user=jane
kubectl auth can-i list pods --as=jane
kubectl auth can-i delete pods --as=jane
kubectl auth whoami
kubectl patch deploy web -p '{"spec":{"replicas":2}}'
kubectl patch deploy web -p '{"spec":{"replicas":2}}'
kubectl patch svc web --type=json -p '[{"op":"replace","path":"/x/y","value":1}]'
printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: c}\\ndata: {a: x}\\n' > c.yaml; kubectl apply -f c.yaml
kubectl apply -f c.yaml
sed -i s/x/z/ c.yaml; kubectl diff -f c.yaml | tail -n +5
kubectl apply -f c.yaml
kubectl apply view-last-applied cm/c
EDITOR='sed -i s/zz*/yes/' kubectl edit cm c
kubectl replace -f c.yaml
kubectl create -f c.yaml
kubectl apply -f missing.yaml
kubectl explain pod.spec.containers.resources
kubectl explain deploy.spec.strategy.nope
kubectl api-resources --api-group=apps
kubectl api-versions | head -3
kubectl config get-contexts --no-headers | wc -l
kubectl config current-context
kubectl config set-context --current --namespace=kube-system
kubectl config set-context --current --namespace=default
kubectl config use-context nope
kubectl wait --for=condition=Ready pod/solo
kubectl wait --for=delete pod/nope
kubectl wait pod/solo --for=jsonpath='{.status.phase}'=Failed --timeout=1s
kubectl logs nope
kubectl exec nope -- date
kubectl drain node01 --ignore-daemonsets --force --dry-run=client 2>&1 | grep -c evict
kubectl top pods
kubectl delete pod nope
kubectl delete pod solo --now --wait=true -o name
kubectl delete deploy web -o name
kubectl delete svc,cm -l nothing=here
""".strip().splitlines()


class Both:
    """Two equal worlds: one behind HTTPS for the real client, one with the terminal."""

    def __init__(self, home: Path) -> None:
        epoch = time.time_ns() - 35 * SECOND
        served, self.terminal = (Sandbox.build("three-nodes", 1, epoch=epoch) for _ in range(2))
        self.home = home
        (home / ".kube").mkdir()
        self.thread = Served(home, served)
        config = self.thread.config.read_text().replace("slipway", "kubernetes")
        (home / ".kube/config").write_text(config)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(home), "TZ": "UTC"}

    def real(self, line: str) -> tuple[str, str, int]:
        """What the real client says."""
        done = subprocess.run(
            ["bash", "-c", line],
            env=self.env,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        self.thread.call(settle)
        return self.folded(done.stdout), self.folded(done.stderr), done.returncode

    def ours(self, line: str) -> tuple[str, str, int]:
        """What the terminal's kubectl says."""
        result = self.terminal.run(line, limit=60 * SECOND)
        settle(self.terminal)
        return self.folded(result.stdout), self.folded(result.stderr), result.code

    def folded(self, text: str) -> str:
        """Without what is random, and without what another release says otherwise."""
        text = text.replace(f"127.0.0.1:{self.thread.port}", "172.30.1.2:6443").replace(
            f"localhost:{self.thread.port}", "172.30.1.2:6443"
        )
        return of_its_release(normalise(text.replace("kubernetes-admin@kubernetes", "context"), etcd=False))


class Served(Thread):
    """A given world behind HTTPS."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.given = sandbox
        super().__init__(folder, 10)

    def boot(self, seed: int) -> Sandbox:
        """The given world."""
        return self.given


def of_its_release(text: str) -> str:
    """The messages of v1.32 in the words of v1.36."""
    text = re.sub(r"(?m)^Error: ", "error: ", text)
    text = re.sub(r"(?m)^ *creationTimestamp: null\n", "", text)
    text = re.sub(r'(?m)^(\S+ "[^"]*" deleted) from \S+ namespace', r"\1", text)
    text = re.sub(r"spec\.(?:initC|c)ontainers\{[^}]*\}: ", "", text)
    return re.sub(r"(?m)^\S+ +\S+@\S+ .*$", "", text)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    pair = Both(tmp_path_factory.mktemp("both"))
    yield pair
    pair.thread.stop()
    shutil.rmtree(pair.home, ignore_errors=True)


def test_the_two_say_the_same(both: Both) -> None:
    wrong = []
    for line in LINES:
        real, ours = both.real(line), both.ours(line)
        if real != ours:
            wrong.append(f"$ {line}\nreal: {real}\nours: {ours}")
    assert wrong == [], "\n\n".join(wrong)


def test_a_difference_is_noticed(both: Both) -> None:
    nodes = both.real("kubectl get nodes -o name")
    assert nodes == both.ours("kubectl get nodes -o name") and nodes[0].count("node/") == 3
    assert nodes != both.ours("kubectl get namespaces -o name")
