"""The certificates and kubeconfigs of `kubeadm init` (cmd/kubeadm/app/phases/certs and kubeconfig)."""

from __future__ import annotations

import base64

from ...host import x509
from ...host.x509 import KeyPair
from ...kernel.world import World

CERT_DAYS = 365
CA_DAYS = 3650


def cluster_pki(world: World, *, node: str, ip: str, service_ip: str = "10.96.0.1") -> dict[str, bytes]:
    """Every file below /etc/kubernetes/pki, by path relative to it."""
    ca = x509.issue(world, "kubernetes", days=CA_DAYS)
    front = x509.issue(world, "front-proxy-ca", days=CA_DAYS)
    etcd = x509.issue(world, "etcd-ca", days=CA_DAYS)
    dns = (node, "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
    etcd_dns, etcd_ips = (node, "localhost"), (ip, "127.0.0.1", "::1")
    pairs = {
        "ca": ca,
        "apiserver": x509.issue(world, "kube-apiserver", issuer=ca, dns=dns, ips=(service_ip, ip), server=True),
        "apiserver-kubelet-client": x509.issue(
            world, "kube-apiserver-kubelet-client", issuer=ca, organizations=("kubeadm:cluster-admins",), client=True
        ),
        "front-proxy-ca": front,
        "front-proxy-client": x509.issue(world, "front-proxy-client", issuer=front, client=True),
        "etcd/ca": etcd,
        "etcd/server": x509.issue(world, node, issuer=etcd, dns=etcd_dns, ips=etcd_ips, server=True, client=True),
        "etcd/peer": x509.issue(world, node, issuer=etcd, dns=etcd_dns, ips=etcd_ips, server=True, client=True),
        "etcd/healthcheck-client": x509.issue(world, "kube-etcd-healthcheck-client", issuer=etcd, client=True),
        "apiserver-etcd-client": x509.issue(world, "kube-apiserver-etcd-client", issuer=etcd, client=True),
    }
    files: dict[str, bytes] = {}
    for name, pair in pairs.items():
        files[f"{name}.crt"], files[f"{name}.key"] = pair.cert, pair.key
    files["sa.key"] = x509.new_key(world)
    files["sa.pub"] = x509.public_pem(files["sa.key"])
    return files


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
    pair = x509.issue(world, f"system:node:{node}", issuer=ca, organizations=("system:nodes",), client=True)
    return kubeconfig(ca.cert, server, f"system:node:{node}", pair)
