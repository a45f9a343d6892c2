"""How a kubelet gets its client certificate: by a bootstrap token and a certificate request, or from its kubeconfig.

Follows `pkg/kubelet/certificate/bootstrap/bootstrap.go` and client-go's `util/certificate` (certificate_manager.go, certificate_store.go):
the kubeconfig that is written names `<cert-dir>/kubelet-client-current.pem`, a link to the newest pair, which is there as soon as the
controllers have approved and signed the request.  Until then the kubelet runs without a client.
"""

from __future__ import annotations

import base64
import posixpath
from typing import Any

import yaml
from cryptography import x509 as codec
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from ...host import files, x509
from ...kernel import clock
from ...kernel.clock import MS, SECOND
from ...kernel.errors import BadInput, ConnectError
from .. import component
from ..client import ApiError, KubeClient, load_kubeconfig
from .context import Kubelet

Obj = dict[str, Any]

CERT_DIR = "/var/lib/kubelet/pki"
CURRENT = "kubelet-client-current.pem"
#: How often the request is looked at, and how long after a refusal it is made again.
LOOK, AGAIN = SECOND, 5 * SECOND


def _dir(kubelet: Kubelet) -> str:
    return str(kubelet.state.config.get("certDir") or CERT_DIR)


def store(kubelet: Kubelet, cert: bytes, key: bytes) -> None:
    """Write a pair as `kubelet-client-<date>.pem` and point the link at it."""
    folder = _dir(kubelet)
    stamp = clock.to_datetime(kubelet.world.wall).strftime("%Y-%m-%d-%H-%M-%S")
    name = f"kubelet-client-{stamp}.pem"
    files.write_file(kubelet.world, kubelet.host, f"{folder}/{name}", cert + key, mode=0o600, parents=True)
    tree, link = files.tree(kubelet.host), f"{folder}/{CURRENT}"
    if tree.exists(link) or CURRENT in tree.listdir(folder):
        tree.remove(link, now=kubelet.world.wall)
    tree.symlink(f"{folder}/{name}", link, now=kubelet.world.wall)


def keep(kubelet: Kubelet, path: str) -> None:
    """A kubeconfig with the pair in it: the certificate manager stores that as its first one."""
    if CURRENT in _names(kubelet):
        return
    try:
        client = KubeClient.from_kubeconfig(
            kubelet.world, kubelet.proc.netns, component.read_file(kubelet.world, kubelet.proc, path), user_agent="kubelet"
        )
    except (OSError, BadInput):
        return
    if client.credentials.cert and client.credentials.key:
        store(kubelet, client.credentials.cert, client.credentials.key)


def _names(kubelet: Kubelet) -> list[str]:
    try:
        return files.tree(kubelet.host).listdir(_dir(kubelet))
    except OSError:
        return []


def begin(kubelet: Kubelet, bootstrap: str) -> None:
    """Write the kubeconfig that will work, and start to ask."""
    kubelet.log(
        "I",
        "bootstrap.go:101",
        "Use the bootstrap credentials to request a cert, and set kubeconfig to point to the certificate dir",
    )
    text = load_kubeconfig(component.read_file(kubelet.world, kubelet.proc, bootstrap))
    cluster = (text.get("clusters") or [{}])[0].get("cluster") or {}
    pem = posixpath.join(_dir(kubelet), CURRENT)
    config = {
        "apiVersion": "v1",
        "clusters": [{"cluster": cluster, "name": "default-cluster"}],
        "contexts": [
            {"context": {"cluster": "default-cluster", "namespace": "default", "user": "default-auth"}, "name": "default-context"}
        ],
        "current-context": "default-context",
        "kind": "Config",
        "users": [{"name": "default-auth", "user": {"client-certificate": pem, "client-key": pem}}],
    }
    content = yaml.dump(config, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), width=10_000)
    files.write_file(kubelet.world, kubelet.host, kubelet.state.kubeconfig, content.encode(), mode=0o600, parents=True)
    kubelet.state.bootstrap = {"kubeconfig": bootstrap}
    kubelet.world.after(kubelet.rng(300, 900), kubelet.proc.target, ["bootstrap"])


def _request(node: str, key: bytes) -> bytes:
    name = codec.Name(
        [
            codec.NameAttribute(NameOID.ORGANIZATION_NAME, "system:nodes"),
            codec.NameAttribute(NameOID.COMMON_NAME, f"system:node:{node}"),
        ]
    )
    builder = codec.CertificateSigningRequestBuilder().subject_name(name)
    return x509.sign_request(builder, x509.load_key(key)).public_bytes(serialization.Encoding.PEM)


def step(kubelet: Kubelet) -> None:
    """Make the request, or look whether it has been answered."""
    held = kubelet.state.bootstrap
    if not held:
        return
    try:
        client = KubeClient.from_kubeconfig(
            kubelet.world,
            kubelet.proc.netns,
            component.read_file(kubelet.world, kubelet.proc, held["kubeconfig"]),
            user_agent=f"kubelet/{kubelet.version} (linux/amd64) kubernetes/98b3519",
        )
    except (OSError, BadInput):
        kubelet.world.after(AGAIN, kubelet.proc.target, ["bootstrap"])
        return
    try:
        wait = _look(kubelet, client) if "name" in held else _ask(kubelet, client)
    except (ApiError, ConnectError) as failed:
        text = f"cannot create certificate signing request: {component.explain(failed, client)}"
        kubelet.log(
            "E", "certificate_manager.go:596", "Failed while requesting a signed certificate from the control plane", err=text
        )
        wait = AGAIN
    if wait:
        kubelet.world.after(wait, kubelet.proc.target, ["bootstrap"])


def _ask(kubelet: Kubelet, client: KubeClient) -> int:
    key = x509.new_key(kubelet.world, f"kubelet/{kubelet.proc.host}/pki")
    body = {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"generateName": "csr-"},
        "spec": {
            "request": base64.b64encode(_request(kubelet.state.node, key)).decode(),
            "signerName": "kubernetes.io/kube-apiserver-client-kubelet",
            "usages": ["digital signature", "client auth"],
        },
    }
    made = client.create("certificatesigningrequests", None, body)
    kubelet.state.bootstrap = {**kubelet.state.bootstrap, "name": made["metadata"]["name"], "key": key.decode()}
    return LOOK


def _look(kubelet: Kubelet, client: KubeClient) -> int:
    held = kubelet.state.bootstrap
    try:
        found = client.get("certificatesigningrequests", None, held["name"])
    except ApiError as failed:
        if failed.code != 404:
            raise
        kubelet.state.bootstrap = {"kubeconfig": held["kubeconfig"]}
        return AGAIN
    status = found.get("status") or {}
    conditions = {c["type"]: c for c in status.get("conditions") or ()}
    for kind in ("Denied", "Failed"):
        if kind in conditions:
            text = f"certificate signing request is {kind.lower()}, reason: {conditions[kind].get('reason', '')}"
            kubelet.log("E", "certificate_manager.go:596", "Certificate request was not signed", err=text)
            kubelet.state.bootstrap = {"kubeconfig": held["kubeconfig"]}
            return AGAIN
    if not status.get("certificate") or "Approved" not in conditions:
        return LOOK
    kubelet.log("I", "csr.go:274", "Certificate signing request is approved, waiting to be issued", csr=held["name"])
    kubelet.log("I", "csr.go:270", "Certificate signing request is issued", csr=held["name"])
    store(kubelet, base64.b64decode(status["certificate"]), held["key"].encode())
    kubelet.state.bootstrap = {}
    kubelet.world.warm.get("kubelet-clients", {}).pop(kubelet.proc.key, None)
    kubelet.world.after(200 * MS, kubelet.proc.target, ["register", 200 * MS])
    return 0
