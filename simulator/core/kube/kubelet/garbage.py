"""Logs go with their containers and pods (`kuberuntime_gc.go: evictPodLogsDirectories`, `kuberuntime_container.go: removeContainerLog`).

The real collector looks once a minute; here logs go at the moment what they belong to is removed.
"""

from __future__ import annotations

import contextlib
import posixpath

from ...host import files
from ...runtime.state import Container, Sandbox, namespace
from .context import Kubelet


def link(container: Container) -> str:
    """The legacy link to a container's log below /var/log/containers (`legacyLogSymlink`)."""
    labels = container.labels
    pod, space = labels.get("io.kubernetes.pod.name", ""), labels.get("io.kubernetes.pod.namespace", "")
    return f"/var/log/containers/{pod}_{space}_{container.name}-{container.id}.log"


def container_logs(kubelet: Kubelet, container: Container) -> None:
    """A container is about to be removed: its log, what was rotated of it, and the link to it go."""
    tree = files.tree(kubelet.host)
    gone = [link(container)]
    if container.log_path:
        folder, name = posixpath.split(container.log_path)
        if tree.isdir(folder):
            gone += [posixpath.join(folder, n) for n in tree.listdir(folder) if n == name or n.startswith(f"{name}.")]
    for path in gone:
        _remove(kubelet, path)


def pod_logs(kubelet: Kubelet, sandbox: Sandbox) -> None:
    """A pod has gone: the directory of its logs goes, and the links into it.  Those of a sandbox that nobody gave a directory stay."""
    tree = files.tree(kubelet.host)
    for container in namespace(kubelet.world, kubelet.host.name, "k8s.io").containers.values():
        if container.sandbox == sandbox.id:
            _remove(kubelet, link(container))
    where = sandbox.log_directory
    if sandbox.uid and where.startswith("/var/log/pods/") and where.endswith(f"_{sandbox.uid}") and tree.isdir(where):
        _remove(kubelet, where)


def _remove(kubelet: Kubelet, path: str) -> None:
    with contextlib.suppress(OSError):  # not there: somebody else has cleaned up
        files.remove_file(kubelet.world, kubelet.host, path, recursive=True)
