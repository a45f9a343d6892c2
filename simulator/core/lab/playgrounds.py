"""Worlds as the public playgrounds have them, for scenarios that were written there (docs/scenarios.md)."""

from __future__ import annotations

import pkgutil
from functools import lru_cache
from typing import Any

import yaml

from ..host import files
from ..host.machine import hosts
from ..kernel.world import World
from ..kube.api.objects import clone
from ..kube.client import KubeClient
from . import dockerhosts
from .cluster import ClusterBuilder

_DOMAIN = "172.30"


#: The resources of local-path-provisioner's objects.
_RESOURCES = {
    "Namespace": "namespaces", "ServiceAccount": "serviceaccounts", "Role": "roles.rbac.authorization.k8s.io",
    "ClusterRole": "clusterroles.rbac.authorization.k8s.io", "RoleBinding": "rolebindings.rbac.authorization.k8s.io",
    "ClusterRoleBinding": "clusterrolebindings.rbac.authorization.k8s.io", "Deployment": "deployments.apps",
    "StorageClass": "storageclasses.storage.k8s.io", "ConfigMap": "configmaps",
}  # fmt: skip


@lru_cache(maxsize=1)
def storage() -> tuple[dict[str, Any], ...]:
    """local-path-provisioner's objects, its storage class as the default one."""
    found = pkgutil.get_data("simulator.core.shell.coreutils", "local-path-storage.yaml")
    assert found is not None
    objects = tuple(obj for obj in yaml.safe_load_all(found) if obj)
    for obj in objects:
        if obj["kind"] == "StorageClass":
            obj["metadata"].setdefault("annotations", {})["storageclass.kubernetes.io/is-default-class"] = "true"
    return objects


class Playground(ClusterBuilder):
    """A kubeadm cluster whose machines have the playgrounds' addresses: 172.30.1.2, 172.30.2.2 …"""

    #: Whether pods may be scheduled on the control plane.
    untainted = False

    def __init__(self, world: World, workers: tuple[str, ...]) -> None:
        super().__init__(world, workers=workers)
        self.addresses = {name: f"{_DOMAIN}.{number}.2" for number, name in enumerate(self.names, 1)}
        self.server = f"https://{self.addresses[self.names[0]]}:6443"

    def _mark(self, client: KubeClient, name: str) -> None:
        super()._mark(client, name)
        if self.untainted:
            client.patch("nodes", None, name, {"spec": {"taints": None}}, kind="merge")

    def build(self) -> None:
        """The cluster, then the machines' numbered names."""
        super().build()
        _numbered(self.world, self.names)

    def _upload(self, client: KubeClient) -> None:
        """Also the playgrounds' default storage class, and what makes its volumes."""
        super()._upload(client)
        for obj in storage():
            kind = str(obj["kind"])
            client.create(_RESOURCES[kind], obj["metadata"].get("namespace"), clone(obj))


class _One(Playground):
    untainted = True

    def build(self) -> None:
        """The cluster, and minikube's command that speaks to it (cli/kits.py)."""
        super().build()
        hosts(self.world)[self.names[0]].fs.install("/usr/local/bin/minikube", "minikube", now=self.world.wall)


#: As Ubuntu's openssh-server brings it; the ready-made worlds have none, as nothing there reads it.
SSHD = (
    b"Include /etc/ssh/sshd_config.d/*.conf\n\n#Port 22\n#ListenAddress 0.0.0.0\n\n#LogLevel INFO\n\n#LoginGraceTime 2m\nPermitRootLogin yes\n"
    b"#StrictModes yes\n#MaxAuthTries 6\n#MaxSessions 10\n\n#PubkeyAuthentication yes\n\n#PasswordAuthentication yes\n#PermitEmptyPasswords no\n"
    b"KbdInteractiveAuthentication no\n\nUsePAM yes\n\n#AllowTcpForwarding yes\nX11Forwarding yes\nPrintMotd no\n#ClientAliveInterval 0\n"
    b"#ClientAliveCountMax 3\n#Banner none\n\nAcceptEnv LANG LC_*\n\nSubsystem\tsftp\t/usr/lib/openssh/sftp-server\n"
)


def _numbered(world: World, names: tuple[str, ...]) -> None:
    """`host01`, `host02` … besides the machines' own names, and where a port is reached from a browser."""
    for name in names:
        host = hosts(world)[name]
        aliases = "".join(f"{hosts(world)[n].ip} host{i:02}\n" for i, n in enumerate(names, 1))
        files.write_file(world, host, "/etc/hosts", files.read_file(world, host, "/etc/hosts") + aliases.encode())
        files.write_file(world, host, "/etc/ssh/sshd_config", SSHD, parents=True)
        files.write_file(world, host, "/etc/killercoda/host", f"http://{host.ip}:PORT\n".encode(), parents=True)


def one_node(world: World) -> None:
    """`kubernetes-kubeadm-1node`: a control plane without its taint."""
    _One(world, ()).build()


def two_nodes(world: World) -> None:
    """`kubernetes-kubeadm-2nodes`: a control plane and one worker."""
    Playground(world, ("node01",)).build()


def ubuntu(world: World) -> None:
    """`ubuntu`: one host with Docker."""
    mirrors = b'{\n  "registry-mirrors": ["https://mirror.gcr.io", "https://docker-mirror.killer.sh"],\n  "log-driver": "json-file"\n}\n'
    dockerhosts.build(world, ("ubuntu",), docker=True)
    files.write_file(world, hosts(world)["ubuntu"], "/etc/docker/daemon.json", mirrors, parents=True)
    _numbered(world, ("ubuntu",))
