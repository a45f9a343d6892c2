"""The worlds in which recordings of real clusters were made, for `python -m simulator transcript`.

`kube`: a cluster after kubeadm without add-ons and mirror pods (the control plane runs as systemd units here); `kubefull`: with kubeadm's
static pods and add-ons; `etcd1 NAME`: one etcd member without TLS; `etcd3 A B C`: three of them; `etcdv2`: one of
etcd 3.4 with API v2; `kubeadm-only`: a machine with the tools and nothing configured.
"""

from __future__ import annotations

from typing import Any

import orjson

from ..etcd.mvcc import Event
from ..host import files, processes, systemd
from ..host.machine import Host, hosts
from ..kernel.clock import SECOND
from ..kernel.errors import BadInput
from ..kernel.world import World
from ..kube.client import KubeClient
from ..kube.kubeadm import addons, manifests
from ..sandbox import Meta, Sandbox
from .cluster import ClusterBuilder
from .etcd_view import etcd_view
from .machines import add_machine, put, service_unit

USER = "learner"
UID = 1001
HOME = "/home/learner"
PREFIX = b"/registry/"
#: What is below it and told by nobody: heartbeats, and the API server's own records.
UNSEEN = ("leases", "masterleases", "ranges")
KUBELET = "/var/lib/kubelet/config.yaml"
#: How long a new world may take to come to rest, and what counts as rest.
SETTLE, QUIET = 60 * SECOND, 5 * SECOND


class _Components(ClusterBuilder):
    """A cluster of which only kubeadm's certificates, kubeconfigs and manifests were made: nothing was uploaded, nobody reads the manifests."""

    def _service(self, host: Host, name: str, command: list[str]) -> None:
        """A component as a unit, etcd in the release of the recordings."""
        if name == "etcd":
            host.fs.install("/usr/local/bin/etcd-server", "etcd:3.6.13")
            put(
                self.world,
                host,
                "/etc/systemd/system/etcd.service",
                service_unit(name, " ".join(["/usr/local/bin/etcd-server", *command[1:]])),
            )
            systemd.start_unit(self.world, host, "etcd.service")
            return
        super()._service(host, name, command)

    def _upload(self, client: KubeClient) -> None:
        """The administrators' binding alone, which `kubeadm init phase kubeconfig admin` makes."""
        for resource, obj in addons.cluster_admins():
            client.create(resource, None, dict(obj))
        self._mark(client, self.names[0])

    def leave_manifests(self) -> None:
        """Write the static pods' manifests, and tell the kubelet to look for none."""
        host = self.hosts[self.names[0]]
        config = files.read_file(self.world, host, KUBELET).decode()
        kept = "".join(line for line in config.splitlines(keepends=True) if not line.startswith("staticPodPath:"))
        put(self.world, host, KUBELET, kept)
        systemd.restart_unit(self.world, host.name, "kubelet.service")
        cluster = self.cluster
        pods = {
            "etcd": manifests.etcd(cluster, host.name, host.ip, tool=self.version),
            "kube-apiserver": manifests.apiserver(cluster, host.ip),
            "kube-controller-manager": manifests.controller_manager(cluster),
            "kube-scheduler": manifests.scheduler(cluster),
        }
        for name, pod in pods.items():
            put(self.world, host, f"/etc/kubernetes/manifests/{name}.yaml", manifests.dump(pod), 0o644)


def _is_report(event: Event) -> bool:
    """Whether a write is a kubelet's report that its node is as before: heartbeats, and the images that it holds."""
    if not event.kv.key.startswith(PREFIX + b"minions/") or event.prev is None or event.type == "DELETE":
        return False

    def told(value: bytes) -> dict[str, Any]:
        node: dict[str, Any] = orjson.loads(value)
        status = {k: v for k, v in (node.get("status") or {}).items() if k != "images"}
        beats = ("lastHeartbeatTime",)
        status["conditions"] = [{k: v for k, v in c.items() if k not in beats} for c in status.get("conditions") or ()]
        meta = {k: v for k, v in node["metadata"].items() if k not in ("resourceVersion", "managedFields")}
        return {**node, "metadata": meta, "status": status}

    return told(event.kv.value) == told(event.prev.value)


class Recorded:
    """One world of a recording and its control steps; raises BadInput for what is not simulated."""

    def __init__(self, env: list[str]) -> None:
        world = World(seed=7)
        world.section("sandbox", lambda: Meta("three-nodes"))
        self.sandbox = Sandbox(world)
        self.world = world
        name = env[0] if env else ""
        if name in ("kube", "kubefull"):
            self._kube(full=name == "kubefull")
        elif name == "etcd1" and len(env) == 2:
            self._machine()
            self._etcd(env[1], 2379, 2380)
        elif name == "etcd3" and len(env) == 4:
            self._machine()
            self._etcd_members(env[1:])
        elif name == "etcdv2":
            self._machine()
            self._etcd_v2()
        elif name == "kubeadm-only":
            tree = files.tree(self._machine())
            tree.edit("/etc").uid = UID  # whoever made those recordings could write there
        else:
            raise BadInput(f"env {' '.join(env)!r}: not simulated in Slipway yet")
        self._user()
        self.sandbox.drain()

    # -- worlds ---------------------------------------------------------------------------------------------------------
    def _machine(self) -> Host:
        return add_machine(self.world, "controlplane", "172.30.1.2", {"controlplane": "172.30.1.2"})

    def _kube(self, *, full: bool) -> None:
        if full:
            ClusterBuilder(self.world).build()
            return
        builder = _Components(self.world, static_pods=False, addons=False)
        builder.build()
        builder.leave_manifests()
        self.sandbox.settle(SETTLE, QUIET)  # the kubelet that was started anew has told what it had to tell

    def _etcd(self, name: str, client: int, peer: int) -> None:
        self._etcd_tools()
        self._etcd_unit(name, client, peer, f"{name}=http://127.0.0.1:{peer}", "new")
        self.world.run_until(self.world.now + 5 * SECOND)

    def _etcd_members(self, names: list[str]) -> None:
        """Three members: clients at 2379, 22379, 32379, peers at 2380, 22380, 32380."""
        self._etcd_tools()
        ports = dict(zip(names, (2379, 22379, 32379), strict=True))
        cluster = ",".join(f"{name}=http://127.0.0.1:{port + 1}" for name, port in ports.items())
        for name, port in ports.items():
            self._etcd_unit(name, port, port + 1, cluster, "new")
            self.world.run_until(self.world.now + SECOND // 3)
        self.world.run_until(self.world.now + 5 * SECOND)

    def _etcd_tools(self) -> None:
        host = hosts(self.world)["controlplane"]
        for tool in ("etcd", "etcdctl", "etcdutl"):
            host.fs.install(f"/usr/local/bin/{tool}", f"{tool}:3.6.13")
        files.make_dir(self.world, host, "/var/lib/etcd", parents=True, uid=UID, gid=UID)

    def _etcd_unit(self, name: str, client: int, peer: int, cluster: str, state: str) -> None:
        host = hosts(self.world)["controlplane"]
        command = (
            f"/usr/local/bin/etcd --name {name} --data-dir /var/lib/etcd/{name}.etcd --listen-client-urls http://127.0.0.1:{client} "
            f"--advertise-client-urls http://127.0.0.1:{client} --listen-peer-urls http://127.0.0.1:{peer} "
            f"--initial-advertise-peer-urls http://127.0.0.1:{peer} --initial-cluster {cluster} --initial-cluster-state {state}"
        )
        put(self.world, host, f"/etc/systemd/system/{name}.service", service_unit(name, command))
        systemd.start_unit(self.world, host, f"{name}.service")

    def _etcd_v2(self) -> None:
        """A member of etcd 3.4 that serves API v2 too."""
        host = hosts(self.world)["controlplane"]
        host.fs.install("/usr/local/bin/etcd", "etcd:3.4.23")
        host.fs.install("/usr/local/bin/etcdctl", "etcdctl:3.4.23")
        command = "/usr/local/bin/etcd --enable-v2=true --data-dir /var/lib/etcd/default.etcd"
        put(self.world, host, "/etc/systemd/system/default.service", service_unit("default", command))
        files.make_dir(self.world, host, "/var/lib/etcd", parents=True, uid=UID, gid=UID)
        systemd.start_unit(self.world, host, "default.service")
        self.world.run_until(self.world.now + 5 * SECOND)

    def _user(self) -> None:
        """User `learner` with an empty working directory and the administrator's kubeconfig."""
        host = hosts(self.world)["controlplane"]
        tree = files.tree(host)
        tree.append("/etc/passwd", f"{USER}:x:{UID}:{UID}::{HOME}:/bin/bash\n".encode())
        tree.append("/etc/group", f"{USER}:x:{UID}:\n".encode())
        for folder in (HOME, f"{HOME}/work", f"{HOME}/.kube"):
            files.make_dir(self.world, host, folder, parents=True, uid=UID, gid=UID)
        if not tree.exists("/usr/local/bin/etcdctl"):
            host.fs.install("/usr/local/bin/etcdctl", "etcdctl:3.6.13")
        if tree.exists("/root/.kube/config"):
            config = files.read_file(self.world, host, "/root/.kube/config")
            files.write_file(self.world, host, f"{HOME}/.kube/config", config, mode=0o600, uid=UID, gid=UID)
            for folder in ("/etc/kubernetes/pki", "/etc/kubernetes/pki/etcd"):
                for name in tree.listdir(folder):
                    if name.endswith(".key"):
                        tree.edit(f"{folder}/{name}").mode = 0o644

    # -- what was written ------------------------------------------------------------------------------------------------
    def revision(self) -> int:
        """The revision of the store that holds the API server's objects; 0 where there is none."""
        store = etcd_view(self.world)[0]
        return store.state.revision if store is not None else 0

    def changes(self, since: int) -> list[list[str]]:
        """The writes below `/registry/` after a revision, in order; none where the history was compacted meanwhile."""
        store = etcd_view(self.world)[0]
        if store is None or since + 1 < store.state.compacted:
            return []
        made: list[list[str]] = []
        for event in store.events(PREFIX, since):
            key = event.kv.key[len(PREFIX) :].decode()
            if key.split("/")[0] not in UNSEEN and not _is_report(event):
                made.append(["DELETE" if event.type == "DELETE" else "CREATE" if event.kv.version == 1 else "UPDATE", key])
        return made

    # -- control steps --------------------------------------------------------------------------------------------------
    def control(self, step: str) -> None:
        """`stop|kill|start NAME`, `add-etcd NAME PORT CLUSTER`, `restore-etcd NAME DATADIR`, `sleep N`; raises BadInput for others."""
        words = step.split()
        if len(words) == 2 and words[0] == "sleep":
            self.sandbox.advance(self.sandbox.now + int(float(words[1]) * SECOND))
            return
        if len(words) == 3 and words[0] == "restore-etcd":
            self._restore(words[1], words[2])
            return
        if len(words) == 4 and words[0] == "add-etcd":
            self._etcd_unit(words[1], int(words[2]), int(words[2]) + 1, words[3], "existing")
            self.sandbox.advance(self.sandbox.now + SECOND // 4)
            return
        if len(words) != 2 or words[0] not in ("stop", "kill", "start"):
            raise BadInput(f"control {step!r}: not simulated in Slipway yet")
        verb, name = words
        host = hosts(self.world)["controlplane"]
        if name in hosts(self.world):
            raise BadInput(f"control {step!r}: not simulated in Slipway yet")
        if verb == "start":
            systemd.start_unit(self.world, host, f"{name}.service")
            self.sandbox.advance(self.sandbox.now + 8 * SECOND)
        elif verb == "stop":
            systemd.stop_unit(self.world, host, f"{name}.service")
        else:
            for proc in processes.by_program(self.world, "controlplane", name):
                processes.kill(self.world, proc, 9)
        self.sandbox.advance(self.sandbox.now + SECOND)

    def _restore(self, name: str, data_dir: str) -> None:
        """Start member NAME on another data directory."""
        host = hosts(self.world)["controlplane"]
        path = f"/etc/systemd/system/{name}.service"
        words = files.read_file(self.world, host, path).decode().split(" ")
        words[words.index("--data-dir") + 1] = data_dir
        put(self.world, host, path, " ".join(words))
        systemd.start_unit(self.world, host, f"{name}.service")
        self.sandbox.advance(self.sandbox.now + 5 * SECOND)


__all__ = ["Recorded"]
