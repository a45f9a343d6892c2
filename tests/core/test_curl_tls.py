"""curl believes nobody without a reason: issuers, names, client certificates."""

from __future__ import annotations

import pytest

from simulator.core.sandbox import Sandbox

PKI = "/etc/kubernetes/pki"
HELP = (
    "More details here: https://curl.se/docs/sslcerts.html\n\n"
    "curl failed to verify the legitimacy of the server and therefore could not\n"
    "establish a secure connection to it. To learn more about this situation and\n"
    "how to fix it, please visit the web page mentioned above.\n"
)


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    """One node."""
    return Sandbox.boot("one-node")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("curl -sS https://172.30.1.2:6443/version", "SSL certificate problem: unable to get local issuer certificate"),
        (f"curl -sS --cacert {PKI}/etcd/ca.crt https://172.30.1.2:6443/version", "SSL certificate problem: unable to get local issuer certificate"),
        (
            f"curl -sS --cacert {PKI}/ca.crt https://127.0.0.1:6443/version",
            "SSL: no alternative certificate subject name matches target host name '127.0.0.1'",
        ),
        ("curl -sS https://127.0.0.1:10250/pods", "SSL certificate problem: self-signed certificate in certificate chain"),
    ],
)  # fmt: skip
def test_who_is_not_believed(sandbox: Sandbox, command: str, why: str) -> None:
    """Status 60, the reason, and where to read on."""
    result = sandbox.run(command)
    assert (result.code, result.stdout, result.stderr) == (60, "", f"curl: (60) {why}\n{HELP}")


def test_the_right_ca_or_no_question_at_all(sandbox: Sandbox) -> None:
    """--cacert and -k; answers for curl are indented and their lists' items plain."""
    assert sandbox.run(f"curl -s --cacert {PKI}/ca.crt https://172.30.1.2:6443/healthz").stdout == "ok"
    assert sandbox.run("curl -sk https://172.30.1.2:6443/version").stdout.startswith('{\n  "major": "1",\n  "minor": "36",\n')
    client = f"--cert {PKI}/apiserver-kubelet-client.crt --key {PKI}/apiserver-kubelet-client.key"
    listed = sandbox.run(f"curl -s --cacert {PKI}/ca.crt {client} https://172.30.1.2:6443/api/v1/nodes").stdout
    assert '"items": [\n    {\n      "metadata": {' in listed


def test_files_that_are_not_there(sandbox: Sandbox) -> None:
    """Their own numbers."""
    assert sandbox.run("curl -sS --cacert /nope https://172.30.1.2:6443/").code == 77
    result = sandbox.run(f"curl -sSk --cert {PKI}/ca.crt https://172.30.1.2:6443/")
    assert (result.code, result.stderr) == (58, f"curl: (58) unable to set private key file: '{PKI}/ca.crt' type PEM\n")
