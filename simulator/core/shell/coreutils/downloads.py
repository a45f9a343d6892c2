"""Release files of Kubernetes, containerd, runc, CNI plugins and crictl, for those who install them by hand."""

from __future__ import annotations

import hashlib

from ...host.filesystem import Inode
from ...host.packaged import CONTAINERD_UNIT
from ...kernel.clock import DAY, DEFAULT_EPOCH
from ...kernel.versions import NEWEST, PATCH
from .archive import build, pack

#: Binaries of a Kubernetes release (dl.k8s.io/<version>/bin/linux/amd64).
KUBERNETES = (
    "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubeadm", "kubectl", "kubelet",
)  # fmt: skip
CONTAINERD, RUNC, CNI, CRICTL = "2.2.1", "1.3.4", "1.8.0", "1.36.0"
CNI_PLUGINS = (
    "bandwidth", "bridge", "dhcp", "dummy", "firewall", "host-device", "host-local", "ipvlan", "loopback", "macvlan", "portmap", "ptp",
    "sbr", "static", "tap", "tuning", "vlan", "vrf",
)  # fmt: skip
_WHEN = DEFAULT_EPOCH - 60 * DAY


def released(version: str) -> bool:
    """Whether there is such a release of Kubernetes."""
    parts = version.split(".")
    return len(parts) == 3 and int(parts[2]) <= NEWEST.get(".".join(parts[:2]), -1)


def _program(name: str, target: str) -> Inode:
    return Inode("exec", 0o755, 0, 0, _WHEN, b"", None, target or name)


def binary(name: str, version: str) -> bytes:
    """One binary of a Kubernetes release, as a download carries it."""
    return pack(_program(name, name if version == PATCH else f"{name}:{version}"))


def digest(data: bytes) -> bytes:
    """The content of a `.sha256` file."""
    return hashlib.sha256(data).hexdigest().encode()


def server(version: str) -> bytes:
    """kubernetes-server-linux-amd64.tar.gz."""
    folders = [(name, Inode("dir", 0o755, 0, 0, _WHEN)) for name in ("kubernetes", "kubernetes/server", "kubernetes/server/bin")]
    suffix = "" if version == PATCH else f":{version}"
    return build(
        [*folders, *((f"kubernetes/server/bin/{name}", _program(name, name + suffix)) for name in KUBERNETES)], compress=True
    )


def containerd() -> bytes:
    """containerd-<version>-linux-amd64.tar.gz."""
    names = ("containerd", "ctr", "containerd-shim-runc-v2")
    return build(
        [("bin", Inode("dir", 0o755, 0, 0, _WHEN)), *((f"bin/{name}", _program(name, name)) for name in names)], compress=True
    )


def containerd_unit() -> bytes:
    """containerd.service of its repository, for /usr/local/bin."""
    return CONTAINERD_UNIT.replace("/usr/bin/containerd", "/usr/local/bin/containerd").encode()


def runc() -> bytes:
    """runc.amd64."""
    return pack(_program("runc", "runc"))


def plugins() -> bytes:
    """cni-plugins-linux-amd64-<version>.tgz."""
    return build([(f"./{name}", _program(name, "cni-plugin")) for name in CNI_PLUGINS], compress=True)


def crictl() -> bytes:
    """crictl-<version>-linux-amd64.tar.gz."""
    return build([("crictl", _program("crictl", "crictl"))], compress=True)


def packed(name: str) -> bytes:
    """An archive with one program at its top."""
    return build([(name, _program(name, name))], compress=True)


def helm() -> bytes:
    """helm-<version>-linux-amd64.tar.gz."""
    return build(
        [("linux-amd64", Inode("dir", 0o755, 0, 0, _WHEN)), ("linux-amd64/helm", _program("helm", "helm"))], compress=True
    )
