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
    docker: bool = False  # Docker is to be installed beside the cluster
    compose: bool = False  # the old `docker-compose` is to be installed

    @property
    def installs(self) -> list[str]:
        """The commands that bring what the platform's machine had and ours has not."""
        return [command for there, command in ((self.docker, INSTALL_DOCKER), (self.compose, INSTALL_COMPOSE)) if there]


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


#: Commands to Docker's engine at the beginning of a line or of a part of one, and what installs it.
_DOCKER = re.compile(
    r"(?m)^[\s`$>|(]*(?:sudo\s+)?docker\s+(?:container\s+|image\s+)?(?:run|build|ps|pull|images|login|tag|push|stop|exec|inspect|compose|ls)\b"
)
_INSTALLS = re.compile(r"get\.docker\.com|install\s[^\n]*\b(?:docker\.io|docker-ce)\b")


def of(imageid: str, texts: Iterable[str]) -> Image:
    """The world for an image and the scenario's texts: a plain machine on which they install a small cluster is one that has it; a
    cluster's machine has Docker when they use it there without installing it, as the platforms' machines had."""
    found = find(imageid)
    known = list(texts)
    if any(_COMPOSE.search(text) for text in known) and not any(_BRINGS_COMPOSE.search(text) for text in known):
        said = "docker-compose is installed, for this scenario uses it"
        found = msgspec.structs.replace(found, compose=True, remark=f"{found.remark}; {said}" if found.remark else said)
    if found.scenario != _UBUNTU.scenario:
        if any(_DOCKER.search(text) for text in known) and not any(_INSTALLS.search(text) for text in known):
            said = "Docker is installed on the cluster's machines, for this scenario uses it"
            return msgspec.structs.replace(found, docker=True, remark=f"{found.remark}; {said}" if found.remark else said)
        return found
    for text in known:
        if match := _KITS.search(text):
            kit = next(name for name in match.groups() if name)
            return msgspec.structs.replace(
                _ONE,
                compose=found.compose,
                remark=f"{kit} is played on a kubeadm cluster of one node, which the machine has from the start",
            )
    if any(_KUBECTL.search(text) for text in known) and not any(_MAKES.search(text) for text in known):
        said = "its pages use kubectl: played on a kubeadm cluster of one node, whatever else its scripts would have put up"
        docker = any(_DOCKER.search(text) for text in known) and not any(_INSTALLS.search(text) for text in known)
        return msgspec.structs.replace(_ONE, compose=found.compose, docker=docker, remark=said)
    return found


#: Commands of kubectl that ask a cluster, and what makes one here (a plain machine's own kubeadm).
_KUBECTL = re.compile(
    r"(?m)(?:^|[`$>|(;&])\s*(?:sudo\s+)?kubectl\s+(?:-\S+\s+)*(?:get|apply|create|run|describe|logs|exec|expose|scale|delete|rollout|cluster-info|wait|label)\b"
)
_MAKES = re.compile(r"\bkubeadm\s+(?:init|join)\b")
#: `docker-compose` at the beginning of a line, and what brings it.
_COMPOSE = re.compile(r"(?m)^[\s`$>|(]*(?:sudo\s+)?docker-compose\s")
_BRINGS_COMPOSE = re.compile(r"install\s[^\n]*\bdocker-compose\b|releases/\S*docker-compose-")
#: What installs the old `docker-compose` where it is not there.
INSTALL_COMPOSE = (
    "command -v docker-compose >/dev/null || { apt-get update -qq && apt-get install -y -qq docker-compose; } >/dev/null 2>&1"
)
#: What installs Docker on a machine that has none.
INSTALL_DOCKER = "command -v docker >/dev/null || { apt-get update -qq && apt-get install -y -qq docker.io docker-buildx docker-compose-v2; } >/dev/null 2>&1"


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
