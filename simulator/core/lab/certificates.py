"""Letting a machine's certificates end: the leaves below /etc/kubernetes/pki, in kubeconfigs, and the kubelet's own.

Each is signed anew by its authority with the same subject, key and extensions; it ended a day ago.
"""

from __future__ import annotations

import base64
import datetime as dt
import re

from ..host import files, x509
from ..host.filesystem import Tree
from ..host.machine import Host
from ..kernel import clock
from ..kernel.errors import BadInput
from ..kernel.world import World

PKI = "/etc/kubernetes/pki"
#: Name → file, as `kubeadm certs` names them, and the authority that signs it.
LEAVES: dict[str, tuple[str, str]] = {
    "apiserver": (f"{PKI}/apiserver.crt", f"{PKI}/ca"),
    "apiserver-kubelet-client": (f"{PKI}/apiserver-kubelet-client.crt", f"{PKI}/ca"),
    "apiserver-etcd-client": (f"{PKI}/apiserver-etcd-client.crt", f"{PKI}/etcd/ca"),
    "front-proxy-client": (f"{PKI}/front-proxy-client.crt", f"{PKI}/front-proxy-ca"),
    "etcd-server": (f"{PKI}/etcd/server.crt", f"{PKI}/etcd/ca"),
    "etcd-peer": (f"{PKI}/etcd/peer.crt", f"{PKI}/etcd/ca"),
    "etcd-healthcheck-client": (f"{PKI}/etcd/healthcheck-client.crt", f"{PKI}/etcd/ca"),
    "admin.conf": ("/etc/kubernetes/admin.conf", f"{PKI}/ca"),
    "controller-manager.conf": ("/etc/kubernetes/controller-manager.conf", f"{PKI}/ca"),
    "scheduler.conf": ("/etc/kubernetes/scheduler.conf", f"{PKI}/ca"),
    "super-admin.conf": ("/etc/kubernetes/super-admin.conf", f"{PKI}/ca"),
    "kubelet.conf": ("/etc/kubernetes/kubelet.conf", f"{PKI}/ca"),
    "kubelet": ("/var/lib/kubelet/pki/kubelet-client-current.pem", f"{PKI}/ca"),
}


def expire(world: World, host: Host, which: str) -> None:
    """Let one certificate, or all of a machine's, be over; raises BadInput when there is none."""
    tree = files.tree(host)
    if which and which not in LEAVES:
        raise BadInput(f"fault expire-certificates: NAME {which!r} is none of {', '.join(LEAVES)}")
    if which == "kubelet.conf" and b"client-certificate-data" not in _read(tree, LEAVES[which][0]):
        which = "kubelet"  # the kubeconfig only names the kubelet's own file
    count = 0
    for name in [which] if which else list(LEAVES):
        path, authority = LEAVES[name]
        issuer = _issuer(world, tree, authority)
        if issuer is None or not tree.exists(path):
            continue
        old = tree.read(path)
        new = _redated_config(world, old, issuer) if path.endswith(".conf") else _redated(world, old, issuer)
        if new != old:
            files.write_file(world, host, path, new)
            count += 1
    if not count:
        raise BadInput(f"fault expire-certificates: {host.name} has no {which or 'certificates'} that its authorities could sign")


def _read(tree: Tree, path: str) -> bytes:
    return tree.read(path) if tree.exists(path) else b""


def _issuer(world: World, tree: Tree, authority: str) -> x509.KeyPair | None:
    """The authority's certificate and key: of this machine, or of whichever machine has them (workers have none)."""
    from ..host.machine import hosts

    for found in [tree, *(files.tree(hosts(world)[name]) for name in sorted(hosts(world)))]:
        if found.exists(authority + ".key") and found.exists(authority + ".crt"):
            return x509.KeyPair(found.read(authority + ".crt"), found.read(authority + ".key"))
    return None


def _redated(world: World, pem: bytes, issuer: x509.KeyPair) -> bytes:
    now = clock.to_datetime(world.wall).replace(microsecond=0)
    start, end = now - dt.timedelta(days=366), now - dt.timedelta(days=1)
    match = re.search(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", pem, re.DOTALL)
    if match is None:
        return pem
    try:
        fresh = x509.redated(world, match.group(), issuer, start, end)
    except ValueError:
        return pem
    return pem[: match.start()] + fresh + pem[match.end() :]


def _redated_config(world: World, text: bytes, issuer: x509.KeyPair) -> bytes:
    """A kubeconfig with its `client-certificate-data` replaced."""

    def one(match: re.Match[bytes]) -> bytes:
        try:
            pem = base64.b64decode(match.group(2), validate=True)
        except ValueError:
            return match.group()
        return match.group(1) + base64.b64encode(_redated(world, pem, issuer))

    return re.sub(rb"(client-certificate-data:\s*)([A-Za-z0-9+/=]+)", one, text)
