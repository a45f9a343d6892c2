"""A cluster from release binaries, openssl and systemd units alone, on a host that has nothing."""

from pathlib import Path

import pytest

from simulator.core.sandbox import Sandbox

SCRIPT = (Path(__file__).parent / "by_hand.sh").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def made() -> Sandbox:
    """The host after the script."""
    sandbox = Sandbox.boot("empty-hosts")
    for part in SCRIPT.split("# -- ")[1:]:
        done = sandbox.run(part.partition("\n")[2], host="host01")
        assert done.code == 0, f"{part[:40]}: {done.stderr}"
    return sandbox


def test_every_component_runs_as_a_service(made: Sandbox) -> None:
    names = "etcd kube-apiserver kube-controller-manager kube-scheduler containerd kubelet kube-proxy"
    assert made.run(f"systemctl is-active {names}", host="host01").stdout.split() == ["active"] * 7
    assert made.run("kubectl get nodes --no-headers", host="host01").stdout.split()[:2] == ["host01", "Ready"]


def test_a_pod_runs_and_its_service_answers(made: Sandbox) -> None:
    made.run("kubectl run web --image=nginx --port 80; kubectl expose pod web; sleep 15", host="host01")
    assert made.run("kubectl get pod web -o jsonpath='{.status.podIP}'", host="host01").stdout.startswith("10.200.0.")
    assert made.run("kubectl exec web -- hostname", host="host01").stdout == "web\n"
    page = made.run("curl -s $(kubectl get service web -o jsonpath={.spec.clusterIP})", host="host01").stdout
    assert "<title>Welcome to nginx!</title>" in page


def test_a_certificate_of_another_authority_is_refused(made: Sandbox) -> None:
    made.run(
        "mkdir -p /root/other && cd /root/other && openssl req -x509 -newkey rsa:2048 -nodes -days 9 -keyout k -out c "
        "-subj /O=system:masters/CN=admin",
        host="host01",
    )
    asked = made.run(
        "kubectl --kubeconfig /dev/null --server https://172.30.1.2:6443 --certificate-authority /root/pki/ca.crt "
        "--client-certificate /root/other/c --client-key /root/other/k get nodes",
        host="host01",
    )
    assert (asked.code, "Unauthorized" in asked.stderr or "certificate" in asked.stderr) == (1, True)


def test_a_downloaded_program_needs_its_execute_bit_and_matches_its_digest(made: Sandbox) -> None:
    get = "cd /tmp; curl -sLO https://dl.k8s.io/release/v1.35.5/bin/linux/amd64/kubectl; "
    assert made.run(get + "./kubectl version --client", host="host01").stderr.endswith("Permission denied\n")
    said = made.run("cd /tmp; chmod +x kubectl; ./kubectl version --client", host="host01").stdout
    assert said.startswith("Client Version: v1.35.5\n")
    check = 'curl -sLO https://dl.k8s.io/v1.35.5/bin/linux/amd64/kubectl.sha256; echo "$(cat kubectl.sha256)  kubectl" | sha256sum --check'
    assert made.run(f"cd /tmp; {check}", host="host01").stdout == "kubectl: OK\n"
    assert (
        made.run("curl -sLo /dev/null -w '%{http_code}' https://dl.k8s.io/v1.36.9/bin/linux/amd64/kubectl", host="host01").stdout
        == "404"
    )
