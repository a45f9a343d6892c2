"""CertificateSigningRequests from request to a certificate that the cluster believes."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from simulator.core.kernel.clock import HOUR, SECOND
from simulator.core.kube.client import ApiError, KubeClient
from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    """A fresh cluster."""
    return Sandbox.boot()


KEY = ec.derive_private_key(0xBEEF, ec.SECP256R1())


def request(name: str, *organizations: str) -> str:
    """A PKCS#10 request as `openssl req` would make it, base64 of PEM."""
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, o) for o in organizations]
    subject = x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signed = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(KEY, hashes.SHA256())
    return base64.b64encode(signed.public_bytes(serialization.Encoding.PEM)).decode()


def apply(sandbox: Sandbox, name: str, **spec: object) -> str:
    """Create a request; what kubectl said."""
    wanted = {"request": request("jane", "devs"), "signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"]}
    body = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": name}}
    answer = sandbox.run("kubectl create -f -", stdin=json.dumps({**body, "spec": {**wanted, **spec}}).encode())
    return answer.stdout + answer.stderr


def conditions(sandbox: Sandbox, name: str) -> list[dict[str, str]]:
    """The request's conditions."""
    text = sandbox.run(f"kubectl get csr {name} -o jsonpath='{{.status.conditions}}'").stdout
    return json.loads(text) if text else []


def test_an_approved_request_is_signed_by_the_clusters_ca_and_lets_its_holder_in(sandbox: Sandbox) -> None:
    """Subject, usages and life as asked; the key stays the requester's."""
    assert apply(sandbox, "jane", expirationSeconds=86400).endswith("created\n")
    assert sandbox.run("kubectl certificate approve jane", settle=5 * SECOND).code == 0
    pem = base64.b64decode(sandbox.run("kubectl get csr jane -o jsonpath='{.status.certificate}'").stdout)
    found = x509.load_pem_x509_certificate(pem)
    ca = x509.load_pem_x509_certificate(sandbox.run("cat /etc/kubernetes/pki/ca.crt").stdout.encode())
    found.verify_directly_issued_by(ca)
    assert found.subject.rfc4514_string() == "CN=jane,O=devs"
    assert found.public_key() == KEY.public_key()
    assert list(found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert (found.not_valid_after_utc - found.not_valid_before_utc).total_seconds() == 86400
    key = KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    for name, data in (("jane.crt", pem), ("jane.key", key)):
        assert sandbox.run(f"cat > /root/{name}", stdin=data).code == 0
    sandbox.run("kubectl config set-credentials jane --client-certificate=/root/jane.crt --client-key=/root/jane.key")
    sandbox.run("kubectl config set-context jane --cluster=kubernetes --user=jane")
    who = sandbox.run("kubectl --context=jane auth whoami").stdout
    assert "jane" in who and "[devs system:authenticated]" in who


def test_a_denied_request_stays_unsigned_and_cannot_be_approved_any_more(sandbox: Sandbox) -> None:
    """Approved and Denied exclude each other."""
    apply(sandbox, "no")
    assert sandbox.run("kubectl certificate deny no", settle=5 * SECOND).code == 0
    assert [c["type"] for c in conditions(sandbox, "no")] == ["Denied"]
    held = json.loads(sandbox.run("kubectl get csr no -o json").stdout)
    held["status"]["conditions"].append({"type": "Approved", "status": "True"})
    text = sandbox.run("cat /etc/kubernetes/admin.conf").stdout.encode()
    client = KubeClient.from_kubeconfig(sandbox.world, "controlplane", text, user_agent="test")
    with pytest.raises(ApiError, match="Approved and Denied conditions are mutually exclusive"):
        client.update("certificatesigningrequests", held, subresource="approval")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"usages": ["fly"]}, 'spec.usages[0]: Unsupported value: "fly": supported values: "any", "cert sign", '),
        ({"usages": []}, "spec.usages: Required value"),
        ({"request": "aGVsbG8="}, 'spec.request: Invalid value: "aGVsbG8=": PEM block type must be CERTIFICATE REQUEST'),
        ({"expirationSeconds": 10}, "may not specify a duration less than 600 seconds (10 minutes)"),
        ({"signerName": "plain"}, 'must be a fully qualified domain and path of the form "example.com/signer-name"'),
        ({"request": request("eve", "system:masters")}, "signer with system:masters group is not allowed"),
    ],
)
def test_what_cannot_be_signed_is_refused(sandbox: Sandbox, spec: dict[str, object], said: str) -> None:
    """Validation and admission."""
    assert said in apply(sandbox, "bad", **spec)


def test_usages_that_do_not_fit_the_signer_fail(sandbox: Sandbox) -> None:
    """The signer says so in a condition; nothing is signed."""
    apply(sandbox, "server", usages=["server auth"])
    sandbox.run("kubectl certificate approve server", settle=5 * SECOND)
    failed = [c for c in conditions(sandbox, "server") if c["type"] == "Failed"]
    assert [c["message"] for c in failed] == ["invalid usage for client certificate: server auth"]


def test_a_nodes_own_client_certificate_is_approved_by_itself(sandbox: Sandbox) -> None:
    """kubeadm lets members of system:nodes renew theirs; nobody else's name."""
    body = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest"}
    usages = ["digital signature", "client auth"]
    for name, subject in (("mine", "system:node:node01"), ("other", "system:node:node02")):
        spec = {"signerName": "kubernetes.io/kube-apiserver-client-kubelet", "usages": usages}
        spec["request"] = request(subject, "system:nodes")
        text = json.dumps({**body, "metadata": {"name": name}, "spec": spec}).encode()
        made = sandbox.run("kubectl --kubeconfig /etc/kubernetes/kubelet.conf create -f -", host="node01", stdin=text)
        assert made.code == 0, made.stderr
    sandbox.advance(sandbox.now + 5 * SECOND)
    assert [c["reason"] for c in conditions(sandbox, "mine")] == ["AutoApproved"]
    assert sandbox.run("kubectl get csr mine -o jsonpath='{.status.certificate}'").stdout
    assert conditions(sandbox, "other") == []


def test_old_requests_are_cleaned_away() -> None:
    """An issued one after an hour, one that nobody looked at after a day; the cleaner looks every hour."""
    sandbox = Sandbox.boot()
    for name in ("jane", "other"):
        assert apply(sandbox, name).endswith("created\n")
    assert sandbox.run("kubectl certificate approve jane", settle=5 * SECOND).code == 0
    names = sandbox.run("kubectl get csr -o name").stdout
    assert "/jane" in names and "/other" in names
    sandbox.advance(sandbox.now + 2 * HOUR + 60 * SECOND)
    names = sandbox.run("kubectl get csr -o name").stdout
    assert "/jane" not in names and "/other" in names
