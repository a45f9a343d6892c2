"""Which of our worlds stands for a platform's image, and what is different there."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec


class Image(msgspec.Struct, frozen=True):
    """A world for an image: the scenario of the core, the hosts by the platform's numbers, and what a reader should know."""

    scenario: str
    hosts: tuple[str, ...]
    remark: str = ""


_ONE = Image("playground-1node", ("controlplane",))
_TWO = Image("playground-2nodes", ("controlplane", "node01"))
_UBUNTU = Image("playground-ubuntu", ("ubuntu",))

#: Patterns of `backend.imageid` in the order they are tried.
_TABLE: tuple[tuple[str, Image], ...] = (
    (r"kubernetes-kubeadm-1node(-\d+GB)?(-rapid)?(-ubuntu[\d.]+)?", _ONE),
    (r"kubernetes-kubeadm-2nodes(-\d+GB)?(-rapid)?(-ubuntu[\d.]+)?", _TWO),
    (r"kubernetes-k3s-1node.*", msgspec.structs.replace(_ONE, remark="K3s is played on a kubeadm cluster of one node, as Killercoda does")),
    (r"kubernetes-k3s-2nodes.*", msgspec.structs.replace(_TWO, remark="K3s is played on a kubeadm cluster of two nodes, as Killercoda does")),
    (r"kubernetes-cluster(-running)?(:.*)?", _TWO),
    (r"kubernetes(:.*)?|kubernetes-(bootcamp|ingress-nginx|helm|gateway-api|crio|by-example).*|ingress-nginx.*",
     msgspec.structs.replace(_TWO, remark="what this image has besides Kubernetes is not installed")),
    (r"minikube.*", msgspec.structs.replace(_ONE, remark="minikube is played on a kubeadm cluster of one node")),
    (r"kind.*", msgspec.structs.replace(_ONE, remark="kind is played on a kubeadm cluster of one node")),
    (r"ubuntu.*|bash.*|git|docker(:.*)?|docker-.*|centos.*|debian.*|linux.*|podman.*|terminal", _UBUNTU),
    (r".*(k8s|kubernetes|kubeadm|k3s|kubectl).*1node.*", msgspec.structs.replace(_ONE, remark="what this image has besides Kubernetes is not installed")),
    (r".*(k8s|kubernetes|kubeadm|k3s|kubectl|cluster).*", msgspec.structs.replace(_TWO, remark="what this image has besides Kubernetes is not installed")),
    (r"openshift.*|rhel.*", msgspec.structs.replace(_ONE, remark="OpenShift is not simulated; played on a kubeadm cluster of one node")),
)  # fmt: skip


#: What a script says that puts up a cluster of its own on one machine.
_KITS = re.compile(
    r"snap\s+install\s+(?:--\S+\s+)*(microk8s)\b|\b(minikube)\s+start\b|get\.(k3s)\.io|\b(kind)\s+create\s+cluster\b"
)


def of(imageid: str, texts: Iterable[str]) -> Image:
    """The world for an image and the scenario's texts: a plain machine on which they install a small cluster is one that has it."""
    found = find(imageid)
    if found.scenario != _UBUNTU.scenario:
        return found
    for text in texts:
        if match := _KITS.search(text):
            kit = next(name for name in match.groups() if name)
            return msgspec.structs.replace(
                _ONE, remark=f"{kit} is played on a kubeadm cluster of one node, which the machine has from the start"
            )
    return found


def find(imageid: str) -> Image:
    """The world for an image; an unknown one is played on Ubuntu, with a remark that says so."""
    for pattern, image in _TABLE:
        if re.fullmatch(pattern, imageid, re.I):
            return image
    if not imageid:
        return _UBUNTU
    return msgspec.structs.replace(
        _UBUNTU, remark=f"image {imageid} is not simulated in Slipway yet; played on Ubuntu with Docker"
    )
