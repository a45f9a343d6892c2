"""Tools of a host that lessons use: certificates, sorted files, pictures of the machine."""

from __future__ import annotations

import pytest

from simulator.core.sandbox import Sandbox

PKI = "/etc/kubernetes/pki"


@pytest.fixture(scope="module")
def box() -> Sandbox:
    return Sandbox.boot("three-nodes", 4)


def test_openssl_reads_the_clusters_own_certificates(box: Sandbox) -> None:
    found = box.run(f"openssl x509 -in {PKI}/apiserver.crt -noout -subject -issuer -ext subjectAltName")
    assert found.code == 0
    assert found.stdout.startswith(
        "subject=CN = kube-apiserver\nissuer=CN = kubernetes\nX509v3 Subject Alternative Name: \n    DNS:controlplane, "
    )
    assert "IP Address:10.96.0.1, IP Address:172.30.1.2\n" in found.stdout
    text = box.run(f"openssl x509 -in {PKI}/ca.crt -text -noout").stdout
    assert "            X509v3 Basic Constraints: critical\n                CA:TRUE\n" in text
    assert "Public Key Algorithm: id-ecPublicKey\n                Public-Key: (256 bit)\n                pub:\n" in text
    admin = "awk '/client-certificate-data/{print $2}' ~/.kube/config | base64 -d | openssl x509 -noout -subject"
    assert box.run(admin).stdout == "subject=O = kubeadm:cluster-admins, CN = kubernetes-admin\n"


def test_openssl_verifies_chains_and_dates(box: Sandbox) -> None:
    assert box.run(f"openssl verify -CAfile {PKI}/ca.crt {PKI}/apiserver.crt").stdout == f"{PKI}/apiserver.crt: OK\n"
    other = box.run(f"openssl verify -CAfile {PKI}/etcd/ca.crt {PKI}/apiserver.crt")
    assert (other.code, other.stderr) == (
        2,
        "CN = kube-apiserver\nerror 20 at 0 depth lookup: unable to get local issuer certificate\n"
        f"error {PKI}/apiserver.crt: verification failed\n",
    )
    assert box.run(f"openssl x509 -in {PKI}/apiserver.crt -noout -checkend 86400").code == 0
    assert box.run(f"openssl x509 -in {PKI}/apiserver.crt -noout -checkend 99999999").stdout == "Certificate will expire\n"


def test_openssl_tells_what_it_cannot_read(box: Sandbox) -> None:
    absent = box.run("openssl x509 -in /absent -noout -text")
    assert absent.code == 1 and "calling stat(/absent)\nUnable to load certificate\n" in absent.stderr
    assert box.run(f"openssl x509 -in {PKI}/sa.pub -noout").stderr.startswith(f"Could not read certificate from {PKI}/sa.pub\n")
    assert "not simulated in Slipway yet" in box.run("openssl req -new").stderr


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("comm <(printf 'a\\nb\\n') <(printf 'b\\nc\\n')", "a\n\t\tb\n\tc\n"),
        ("comm -12 <(printf 'a\\nb\\n') <(printf 'b\\nc\\n')", "b\n"),
        ("join <(printf '1 a\\n2 b\\n') <(printf '1 x\\n3 y\\n')", "1 a x\n"),
        ("join -t: -a1 <(printf '1:a\\n2:b\\n') <(printf '1:x\\n')", "1:a:x\n2:b\n"),
        ("printf 'x\\ny\\n' | less", "x\ny\n"),
        ("printf 'x\\n' > f; more f", "x\n"),
        ("hostnamectl hostname", "controlplane\n"),
    ],
)
def test_small_tools(box: Sandbox, line: str, shown: str) -> None:
    assert box.run(line).stdout == shown


def test_top_shows_the_processes_that_run(box: Sandbox) -> None:
    shown = box.run("top -bn1").stdout
    assert "PID USER" in shown
    assert {"etcd", "kubelet", "kube-apiserver"} <= {line.split()[-1] for line in shown.splitlines()[7:]}
    assert box.run("top").stderr == "top: failed tty get\n"


def test_editors_need_a_terminal(box: Sandbox) -> None:
    found = box.run("vi pod.yaml < /dev/null")
    assert found.code == 1 and "Vim: Warning: Output is not to a terminal" in found.stderr
    assert box.run("nano pod.yaml").stderr.startswith("Standard input is not a terminal")


def test_the_clock_and_the_machine(box: Sandbox) -> None:
    assert "Time zone: Etc/UTC (UTC, +0000)" in box.run("timedatectl").stdout
    assert "Operating System: Ubuntu 24.04.1 LTS" in box.run("hostnamectl").stdout


def test_yq_reads_and_changes_yaml(box: Sandbox) -> None:
    box.run("kubectl create deployment web --image=nginx --replicas=2 --dry-run=client -o yaml > web.yaml")
    assert box.run("yq .spec.replicas web.yaml").stdout == "2\n"
    assert box.run("yq '.spec.template.spec.containers[].image' web.yaml").stdout == "nginx\n"
    box.run("yq -i '.spec.replicas = 5' web.yaml")
    assert box.run("yq '.spec | keys | .[0]' web.yaml; grep replicas web.yaml").stdout == "replicas\n  replicas: 5\n"
    assert box.run("printf 'a: [1, yes]\nb: 2024-01-01\n' | yq -o=json").stdout == (
        '{\n  "a": [\n    1,\n    "yes"\n  ],\n  "b": "2024-01-01"\n}\n'
    )
    assert box.run("printf 'a:\n  b: [x]\n---\na: 2\n' | yq .a").stdout == "b:\n  - x\n---\n2\n"
    box.run("printf '# keep me\na: 1\n' > c.yaml")
    assert "not simulated in Slipway yet" in box.run("yq -i '.a = 2' c.yaml").stderr
    assert box.run("cat c.yaml").stdout == "# keep me\na: 1\n"
