"""minikube, MicroK8s, K3s and kind on a machine that has a cluster, and on one that has none; small commands of labs' scripts."""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox

FETCH_KIND = "curl -sLo /usr/local/bin/kind https://kind.sigs.k8s.io/dl/v0.30.0/kind-linux-amd64 && chmod +x /usr/local/bin/kind"


@pytest.fixture
def world() -> Sandbox:
    """One node that takes pods."""
    return Sandbox.boot("playground-1node")


def run(world: Sandbox, command: str) -> str:
    """Both streams of a command."""
    done = world.run(command, limit=600 * SECOND)
    return done.stdout + done.stderr


def test_a_kit_speaks_to_the_machines_cluster_and_says_so(world: Sandbox) -> None:
    """Commands answer from the cluster; add-ons are there afterwards; what would make another cluster is refused."""
    assert "kubeadm cluster stands in for minikube's" in run(world, "minikube start --memory=4096 --driver=docker")
    assert "apiserver: Running" in run(world, "minikube status")
    run(world, "kubectl create deploy w --image=nginx; kubectl expose deploy w --port 80 --type NodePort; sleep 5")
    assert "Welcome to nginx" in run(world, "curl -s $(minikube service w --url)")
    assert "enabled" in run(world, "minikube addons enable metrics-server")
    assert run(world, "minikube addons list").count("✅") == 3  # with the storage class and what makes its volumes
    assert "controlplane" in run(world, "sleep 60; kubectl top node")
    for line in (
        "minikube start --nodes 2",
        "minikube start --nodes=2",
        "minikube stop",
        "minikube delete",
        "minikube addons enable dashboard",
    ):
        assert "not simulated in Slipway yet" in run(world, line), line


def test_microk8s_k3s_and_kind(world: Sandbox) -> None:
    """Installed as their pages say, then `kubectl` below their name."""
    assert "microk8s: command not found" in run(world, "microk8s status")
    said = run(
        world,
        "sudo snap install microk8s --classic && microk8s status --wait-ready && microk8s enable storage && microk8s.kubectl get sc",
    )
    assert "microk8s is running" in said and "local-path (default)" in said
    assert "not simulated in Slipway yet" in run(world, "snap install lxd")
    assert "controlplane" in run(world, "curl -sfL https://get.k3s.io | sh - && k3s kubectl get node")
    assert run(world, f"{FETCH_KIND} && kind create cluster --name x && kind get nodes").endswith(
        "controlplane\nSlipway: this machine's kubeadm cluster stands in for kind's\n"
        'Set kubectl context to "kubernetes-admin@kubernetes"\n'
    )
    assert "not simulated" in run(world, "kind create cluster --config two.yaml")


def test_no_kit_reports_what_did_not_happen(world: Sandbox) -> None:
    """Without an API server nothing runs, starts or is chosen; what has no effect here is refused."""
    run(world, f"snap install microk8s --classic; {FETCH_KIND}")
    for line in ("minikube update-context", "microk8s refresh-certs", "kind delete cluster"):
        assert f"{line}: not simulated in Slipway yet" in run(world, line), line
    run(world, "mv /etc/kubernetes/manifests/kube-apiserver.yaml /root; sleep 30")
    assert "microk8s is not running" in run(world, "microk8s status")
    assert "Started" not in run(world, "microk8s start")
    said = run(world, "minikube start; echo status $?")
    assert "Done!" not in said and "status 80" in said
    assert "no context exists" in run(world, "KUBECONFIG=/nowhere kind create cluster")


def test_without_a_cluster_a_kit_is_not_simulated() -> None:
    """A plain machine makes none."""
    world = Sandbox.boot("playground-ubuntu")
    for line in ("snap install microk8s --classic", "curl -sfL https://get.k3s.io | sh -"):
        assert "not simulated in Slipway yet" in run(world, line)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("A=1 B=2 envsubst <<< '$A ${B} $C.'", "1 2 .\n"),
        ("A=1 B=2 envsubst '$B' <<< '$A ${B}'", "$A 2\n"),
        ("tput setaf 1 | od -An -c | tr -s ' '", " 033 [ 3 1 m\n"),
        ("tput nonsense", "tput: unknown terminfo capability 'nonsense'\n"),
        ("echo abcdef | colrm 3 4", "abef\n"),
        ("nice -n 10 echo hi; nice", "hi\n0\nnice: niceness is not simulated in Slipway yet; the command runs as any\n"),
        ("renice -n 5 -p 1; echo $?", "1\nrenice: niceness is not simulated in Slipway yet; 1 keeps its priority\n"),
        ("renice -n 5 -p 999999", "renice: failed to get priority for 999999 (process ID): No such process\n"),
        ("groupadd g; useradd j; gpasswd -a j g; getent group g; gpasswd -d j g; gpasswd -d j g", "Adding user j to group g\ng:x:1001:j\nRemoving user j from group g\nRemoving user j from group g\ngpasswd: user 'j' is not a member of 'g'\n"),
        ("findmnt -n -o FSTYPE /", "ext4\n"),
        ("findmnt -n -o TARGET -T /etc/hosts; findmnt -n -t no-such; echo $?; findmnt -D", "/\n1\nfindmnt --df: not simulated in Slipway yet\n"),
        ("sshd -t; echo $?; echo Prot 2 > /tmp/c; sshd -t -f /tmp/c", "0\n/tmp/c: line 1: Bad configuration option: Prot\n/tmp/c: terminating, 1 bad configuration options\n"),
        ("sshd -T | grep -c ''", "28\n"),
        ("echo 'echo in $1' | sh - x", "sh: x: No such file or directory\n"),
        ("echo 'echo in' | sh -", "in\n"),
        ("stty size < /dev/null", "stty: 'standard input': Inappropriate ioctl for device\n"),
    ],
)  # fmt: skip
def test_small_commands(line: str, said: str) -> None:
    """As the real ones answer."""
    assert run(Sandbox.boot("playground-ubuntu"), line) == said


def test_helm_is_fetched_and_charts_of_addons_act() -> None:
    """Helm's installer brings it; ingress-nginx's chart serves at the node port it was told; cert-manager's brings its definitions."""
    world = Sandbox.boot("playground-2nodes")
    raw = "https://raw.githubusercontent.com/helm/helm/main/scripts/get-helm-3"
    assert run(world, f"rm -f $(command -v helm); curl -fsSL {raw} | bash; helm version --short").endswith("v3.19.2+g8766e71\n")
    run(
        world,
        "helm repo add ingress-nginx https://kubernetes.github.io/ingress-nginx; helm repo add jetstack https://charts.jetstack.io",
    )
    values = "--set controller.service.type=NodePort --set controller.service.nodePorts.http=30080"
    run(world, f"helm install in ingress-nginx/ingress-nginx -n in --create-namespace {values}")
    run(world, "kubectl rollout status deploy/ingress-nginx-controller -n in --timeout=120s")
    assert "404 Not Found" in run(world, "curl -s localhost:30080")
    run(world, "helm install cm jetstack/cert-manager -n cm --create-namespace --set crds.enabled=true")
    assert (
        run(world, "kubectl wait -n cm --for=condition=Available deploy --all; kubectl get crd -o name").count("cert-manager.io")
        == 6
    )


def test_history_is_written_before_each_prompt() -> None:
    """`PROMPT_COMMAND='history -a'`, which labs set to look at what was typed: the file grows line by line, the status stays."""
    world = Sandbox.boot("playground-ubuntu")
    world.apply("open", {"terminal": "t", "host": "ubuntu"}, world.now)
    for line in ("PROMPT_COMMAND='history -a'", "ls /gone", "echo $?", "history -w /tmp/all"):
        world.apply("line", {"terminal": "t", "text": line}, world.now)
        world.advance(world.now + SECOND)
    assert "\n2\n" in "".join(chunk.data for chunk in world.drain())
    said = "PROMPT_COMMAND='history -a'\nls /gone\necho $?\nhistory -w /tmp/all\n"
    assert run(world, "cat /tmp/all") == said == run(world, "cat /root/.bash_history")
    world.apply("line", {"terminal": "t", "text": "history -c"}, world.now)
    world.advance(world.now + SECOND)
    assert run(Sandbox.restore(world.snapshot()), "cat /root/.bash_history") == said
