"""Versions and images of a cluster (cmd/kubeadm/app/{constants,images})."""

from __future__ import annotations

from typing import Any

from ...kernel.versions import MINOR, VERSION, minor_of

Json = dict[str, Any]

REPOSITORY = "registry.k8s.io"
ETCD_TAG = "3.6.8-0"
PAUSE_TAG = "3.10.2"
COREDNS_TAG = "v1.14.2"

#: The images of a kubeadm release by its minor version: (etcd, pause, CoreDNS).
TAGS: dict[str, tuple[str, str, str]] = {
    "1.36": (ETCD_TAG, PAUSE_TAG, COREDNS_TAG),
    "1.35": ("3.6.6-0", "3.10.1", "v1.13.1"),
}
#: Kubernetes minor version → etcd, of each kubeadm release (SupportedEtcdVersion).
SUPPORTED_ETCD: dict[str, dict[int, str]] = {
    "1.36": {34: "3.6.8-0", 35: "3.6.8-0", 36: "3.6.8-0"},
    "1.35": {32: "3.5.24-0", 33: "3.5.24-0", 34: "3.6.5-0", 35: "3.6.6-0"},
}

ETCD_IMAGE = f"{REPOSITORY}/etcd:{ETCD_TAG}"
PAUSE_IMAGE = f"{REPOSITORY}/pause:{PAUSE_TAG}"
COREDNS_IMAGE = f"{REPOSITORY}/coredns/coredns:{COREDNS_TAG}"


def tags_of(tool: str) -> tuple[str, str, str]:
    """(etcd, pause, CoreDNS) that the kubeadm of a version installs."""
    return TAGS.get(minor_of(tool), TAGS[MINOR])


def component(name: str, cluster: Json) -> str:
    """The image of a Kubernetes component."""
    version = str(cluster["kubernetesVersion"]).replace("+", "_")
    return f"{cluster['imageRepository']}/{name}:{version}"


def etcd_tag(cluster: Json, tool: str = VERSION) -> str:
    """The etcd that a kubeadm of that version runs under a cluster's version, or what the configuration asks for."""
    own = ((cluster.get("etcd") or {}).get("local") or {}).get("imageTag")
    if own:
        return str(own)
    supported = SUPPORTED_ETCD.get(minor_of(tool), SUPPORTED_ETCD[MINOR])
    minor = int(minor_of(str(cluster["kubernetesVersion"])).split(".")[1])
    return supported[min(max(minor, min(supported)), max(supported))]


def etcd(cluster: Json, tool: str = VERSION) -> str:
    """etcd's image."""
    own = ((cluster.get("etcd") or {}).get("local") or {}).get("imageRepository")
    return f"{own or cluster['imageRepository']}/etcd:{etcd_tag(cluster, tool)}"


def dns(cluster: Json, tool: str = VERSION) -> str:
    """CoreDNS's image; only the default registry keeps it one level down."""
    settings = cluster.get("dns") or {}
    repository = str(settings.get("imageRepository") or cluster["imageRepository"])
    if repository == REPOSITORY:
        repository += "/coredns"
    return f"{repository}/coredns:{settings.get('imageTag') or tags_of(tool)[2]}"


def pause(cluster: Json, tool: str = VERSION) -> str:
    """The sandbox image."""
    return f"{cluster['imageRepository']}/pause:{tags_of(tool)[1]}"


def control_plane(cluster: Json, tool: str = VERSION) -> list[str]:
    """What `kubeadm config images list` prints (`GetControlPlaneImages`)."""
    names = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"]
    if not (cluster.get("proxy") or {}).get("disabled"):
        names.append("kube-proxy")
    found = [component(name, cluster) for name in names]
    if not (cluster.get("dns") or {}).get("disabled"):
        found.append(dns(cluster, tool))
    found.append(pause(cluster, tool))
    if not (cluster.get("etcd") or {}).get("external"):
        found.append(etcd(cluster, tool))
    return found
