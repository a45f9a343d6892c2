"""The certificates and kubeconfigs of `kubeadm init` (cmd/kubeadm/app/phases/certs and kubeconfig)."""

from __future__ import annotations

import base64
import ipaddress
from typing import Any

import msgspec

from ...host import x509
from ...host.x509 import KeyPair
from ...kernel.world import World

CERT_DAYS = 365
CA_DAYS = 3650


class CertSpec(msgspec.Struct, frozen=True):
    """One certificate that kubeadm knows: its phase's name, what it is for, its file below the certificates directory, its signer's name
    ("" for an authority), common name ("" for the node's), usages, and whose names it carries (`apiserver`, `etcd` or "")."""

    name: str
    long_name: str
    base: str
    authority: str = ""
    common_name: str = ""
    server: bool = False
    client: bool = False
    names: str = ""


#: GetDefaultCertList: every authority before what it signs.
CERTIFICATES: tuple[CertSpec, ...] = (
    CertSpec(
        "ca", "self-signed Kubernetes CA to provision identities for other Kubernetes components", "ca", common_name="kubernetes"
    ),
    CertSpec(
        "apiserver", "certificate for serving the Kubernetes API", "apiserver", "ca", "kube-apiserver", server=True,
        names="apiserver",
    ),
    CertSpec(
        "apiserver-kubelet-client", "certificate for the API server to connect to kubelet", "apiserver-kubelet-client", "ca",
        "kube-apiserver-kubelet-client", client=True,
    ),
    CertSpec(
        "front-proxy-ca", "self-signed CA to provision identities for front proxy", "front-proxy-ca", common_name="front-proxy-ca"
    ),
    CertSpec(
        "front-proxy-client", "certificate for the front proxy client", "front-proxy-client", "front-proxy-ca",
        "front-proxy-client", client=True,
    ),
    CertSpec("etcd-ca", "self-signed CA to provision identities for etcd", "etcd/ca", common_name="etcd-ca"),
    CertSpec("etcd-server", "certificate for serving etcd", "etcd/server", "etcd-ca", server=True, client=True, names="etcd"),
    CertSpec(
        "etcd-peer", "certificate for etcd nodes to communicate with each other", "etcd/peer", "etcd-ca", server=True, client=True,
        names="etcd-peer",
    ),
    CertSpec(
        "etcd-healthcheck-client", "certificate for liveness probes to healthcheck etcd", "etcd/healthcheck-client", "etcd-ca",
        "kube-etcd-healthcheck-client", client=True,
    ),
    CertSpec(
        "apiserver-etcd-client", "certificate the apiserver uses to access etcd", "apiserver-etcd-client", "etcd-ca",
        "kube-apiserver-etcd-client", client=True,
    ),
)  # fmt: skip


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def alternative_names(spec: CertSpec, cluster: dict[str, Any], node: str, ip: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(DNS names, addresses) of a serving certificate, in the order that kubeadm prints (pkiutil.GetAPIServerAltNames, GetEtcdAltNames)."""
    if not spec.names:
        return (), ()
    if spec.names == "apiserver":
        domain = cluster["networking"]["dnsDomain"]
        first = str(ipaddress.ip_network(cluster["networking"]["serviceSubnet"].split(",")[0], strict=False)[1])
        names = {node, "kubernetes", "kubernetes.default", "kubernetes.default.svc", f"kubernetes.default.svc.{domain}"}
        addresses = [first, ip]
        endpoint = str(cluster.get("controlPlaneEndpoint") or "").rpartition(":")[0]
        extra = [endpoint] if endpoint else []
        extra += (cluster.get("apiServer") or {}).get("certSANs") or ()
        for item in extra:
            if not _is_address(item):
                names.add(item)
            else:
                addresses.append(item)
        return tuple(sorted(names)), tuple(dict.fromkeys(addresses))
    local = (cluster.get("etcd") or {}).get("local") or {}
    extra = list(local.get("peerCertSANs" if spec.names == "etcd-peer" else "serverCertSANs") or ())
    dns = sorted({node, "localhost", *(item for item in extra if not _is_address(item))})
    plain = [ip, "127.0.0.1", "::1"]
    return tuple(dns), (*plain, *(item for item in extra if _is_address(item) and item not in plain))


def cluster_pki(world: World, cluster: dict[str, Any], *, node: str, ip: str) -> dict[str, bytes]:
    """Every file below /etc/kubernetes/pki, by path relative to it."""
    pairs: dict[str, KeyPair] = {}
    files: dict[str, bytes] = {}
    for spec in CERTIFICATES:
        pair = pairs[spec.name] = make(world, spec, cluster, node, ip, pairs.get(spec.authority))
        files[f"{spec.base}.crt"], files[f"{spec.base}.key"] = pair.cert, pair.key
    files["sa.key"] = x509.new_key(world, algorithm=cluster["encryptionAlgorithm"])
    files["sa.pub"] = x509.public_pem(files["sa.key"])
    return files


def make(
    world: World,
    spec: CertSpec,
    cluster: dict[str, Any],
    node: str,
    ip: str,
    authority: KeyPair | None,
    *,
    seconds: int = 0,
    identifiers: bool = False,
    skew: int = 0,
) -> KeyPair:
    """One certificate and its key, for `seconds` or kubeadm's defaults, by a clock that is `skew` ns ahead."""
    dns, ips = alternative_names(spec, cluster, node, ip)
    return x509.issue(
        world,
        spec.common_name or node,
        issuer=authority,
        dns=dns,
        ips=ips,
        server=spec.server,
        client=spec.client,
        days=CERT_DAYS if spec.authority else CA_DAYS,
        seconds=seconds,
        algorithm=cluster["encryptionAlgorithm"],
        identifiers=identifiers,
        skew=skew,
    )


def kubeconfig(
    ca_cert: bytes, server: str, user: str, pair: KeyPair, *, cluster: str = "kubernetes", namespace: str = ""
) -> bytes:
    """A kubeconfig with embedded certificates, laid out as client-go writes it."""
    b64 = {k: base64.b64encode(v).decode() for k, v in (("ca", ca_cert), ("cert", pair.cert), ("key", pair.key))}
    scope = f"    namespace: {namespace}\n" if namespace else ""
    return (
        "apiVersion: v1\nclusters:\n- cluster:\n"
        f"    certificate-authority-data: {b64['ca']}\n    server: {server}\n  name: {cluster}\n"
        f"contexts:\n- context:\n    cluster: {cluster}\n{scope}    user: {user}\n  name: {user}@{cluster}\n"
        f"current-context: {user}@{cluster}\nkind: Config\nusers:\n- name: {user}\n  user:\n"
        f"    client-certificate-data: {b64['cert']}\n    client-key-data: {b64['key']}\n"
    ).encode()


#: kubeconfig file → (user name in the file, common name, organizations).
KUBECONFIGS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "admin.conf": ("kubernetes-admin", "kubernetes-admin", ("kubeadm:cluster-admins",)),
    "super-admin.conf": ("kubernetes-super-admin", "kubernetes-super-admin", ("system:masters",)),
    "controller-manager.conf": ("system:kube-controller-manager", "system:kube-controller-manager", ()),
    "scheduler.conf": ("system:kube-scheduler", "system:kube-scheduler", ()),
}


def control_plane_kubeconfigs(world: World, ca: KeyPair, server: str) -> dict[str, bytes]:
    """admin, super-admin, controller-manager and scheduler kubeconfigs."""
    out = {}
    for name, (user, common_name, groups) in KUBECONFIGS.items():
        pair = x509.issue(world, common_name, issuer=ca, organizations=groups, client=True)
        out[name] = kubeconfig(ca.cert, server, user, pair)
    return out


def kubelet_kubeconfig(world: World, ca: KeyPair, server: str, node: str) -> bytes:
    """The kubelet's kubeconfig of a node."""
    return kubeconfig(ca.cert, server, f"system:node:{node}", kubelet_pair(world, ca, node))


def kubelet_pair(world: World, ca: KeyPair, node: str) -> KeyPair:
    """A node's client certificate, as the controllers sign it for a kubelet."""
    return x509.issue(world, f"system:node:{node}", issuer=ca, organizations=("system:nodes",), client=True)


def public_kubeconfig(ca_cert: bytes, server: str) -> str:
    """What cluster-info tells everybody: the API server and its authority."""
    return (
        "apiVersion: v1\nclusters:\n- cluster:\n"
        f'    certificate-authority-data: {base64.b64encode(ca_cert).decode()}\n    server: {server}\n  name: ""\n'
        'contexts: null\ncurrent-context: ""\nkind: Config\nusers: null\n'
    )


#: Where a kubelet keeps its newest pair.
KUBELET_PEM = "/var/lib/kubelet/pki/kubelet-client-current.pem"


def rotating_kubeconfig(ca_cert: bytes, server: str, node: str = "") -> bytes:
    """The kubelet's kubeconfig that names KUBELET_PEM: of a control plane's `node`, or as TLS bootstrap writes it."""
    cluster, user = ("kubernetes", f"system:node:{node}") if node else ("default-cluster", "default-auth")
    context, scope = (f"{user}@{cluster}", "") if node else ("default-context", "    namespace: default\n")
    return (
        "apiVersion: v1\nclusters:\n- cluster:\n"
        f"    certificate-authority-data: {base64.b64encode(ca_cert).decode()}\n    server: {server}\n  name: {cluster}\n"
        f"contexts:\n- context:\n    cluster: {cluster}\n{scope}    user: {user}\n  name: {context}\n"
        f"current-context: {context}\nkind: Config\nusers:\n- name: {user}\n  user:\n"
        f"    client-certificate: {KUBELET_PEM}\n    client-key: {KUBELET_PEM}\n"
    ).encode()
