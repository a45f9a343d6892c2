"""What the kubelet's parts are given: the world, the process, its state, a client and helpers to log, record events and wake."""

from __future__ import annotations

from typing import Any

from ...host import processes
from ...host.machine import Host, hosts
from ...host.process import Process
from ...kernel import clock
from ...kernel.errors import BadInput, ConnectError
from ...kernel.world import World
from .. import component
from ..client import ApiError, KubeClient
from ..events import Recorder
from .state import KubeletState, PodState, kubelets

Obj = dict[str, Any]


class Kubelet:
    """One running kubelet; made anew for every timer, holds nothing itself."""

    __slots__ = ("_client", "host", "proc", "state", "world")

    def __init__(self, world: World, proc: Process) -> None:
        self.world = world
        self.proc = proc
        self.host: Host = hosts(world)[proc.host]
        self.state: KubeletState = kubelets(world)[proc.host]
        self._client: KubeClient | None = None

    @property
    def version(self) -> str:
        """The release of its binary."""
        return component.version_of(self.proc)

    # -- the API --------------------------------------------------------------------------------------------------------
    @property
    def client(self) -> KubeClient:
        """A client by the kubeconfig; raises ConnectError when there is no usable one."""
        if self._client is None:
            warm: dict[str, KubeClient] = self.world.warm.setdefault("kubelet-clients", {})
            found = warm.get(self.proc.key)
            if found is None:
                found = warm[self.proc.key] = self._connect()
            self._client = found
        return self._client

    def _connect(self) -> KubeClient:
        path = self.state.kubeconfig
        if not path:
            raise ConnectError("refused", "no kubeconfig")

        def read(name: str) -> bytes:
            return component.read_file(self.world, self.proc, name)

        try:
            return KubeClient.from_kubeconfig(
                self.world,
                self.proc.netns,
                read(path),
                user_agent=f"kubelet/{self.version} (linux/amd64) kubernetes/80cfa60",
                read_file=read,
            )
        except (OSError, BadInput) as failed:
            raise ConnectError("refused", str(failed)) from failed

    def event(self, obj: Obj, kind: str, reason: str, message: str, field_path: str = "") -> None:
        """Record an Event as the kubelet of this node."""
        try:
            Recorder(self.world, self.client, self.state.events, "kubelet", self.state.node).event(
                obj, kind, reason, message, field_path=field_path
            )
        except (ConnectError, ApiError):
            return

    def pod_event(self, pod: PodState, kind: str, reason: str, message: str, container: str = "") -> None:
        """Record an Event on a pod, or on one of its containers."""
        obj = pod.pod
        if pod.source == "file":
            meta = dict(obj["metadata"])
            meta["uid"] = pod.uid
            obj = {**obj, "apiVersion": "v1", "kind": "Pod", "metadata": meta}
        else:
            obj = {"apiVersion": "v1", "kind": "Pod", **obj}
        self.event(obj, kind, reason, message, container_path(pod.pod, container) if container else "")

    def node_event(self, kind: str, reason: str, message: str) -> None:
        """Record an Event on the node (its reference has the node's name as uid, as the kubelet makes it)."""
        ref = {"kind": "Node", "name": self.state.node, "uid": self.state.node}
        self.event(ref, kind, reason, message)

    # -- logs and time --------------------------------------------------------------------------------------------------
    def log(self, level: str, where: str, message: str, **fields: Any) -> None:
        """A klog line to the kubelet's journal."""
        component.klog(self.world, self.proc, level, where, message, **fields)

    def line(self, level: str, where: str, text: str) -> None:
        """A line to the journal of the code that does not log in fields yet."""
        component.plain(self.world, self.proc, level, where, text)

    def explain(self, failed: Exception) -> str:
        """An error of the client, as Go prints it."""
        if isinstance(failed, ConnectError) and not failed.request:
            return failed.detail or str(failed)
        return component.explain(failed, self.client)

    def rng(self, low: int, high: int) -> int:
        """A latency in ns between `low` and `high` ms."""
        return self.world.rng(f"kubelet/{self.proc.host}").between(low * clock.MS, high * clock.MS)

    def wake(self, pod: PodState, at: int) -> None:
        """See to it that the pod is synced at `at` or before."""
        at = max(at, self.world.now)
        if pod.wake_seq and pod.wake_at <= at and pod.wake_seq in self.world.timers:
            return
        if pod.wake_seq:
            self.world.cancel(pod.wake_seq)
        pod.wake_at = at
        pod.wake_seq = self.world.at(at, self.proc.target, ["pod", pod.uid])

    def stamp(self) -> str:
        """Now, as `metav1.Time`."""
        return clock.rfc3339(self.world.wall + self.host.skew)


def container_path(pod: Obj, name: str) -> str:
    """`spec.containers{nginx}`: the fieldPath of a container in Events."""
    spec = pod["spec"]
    for key in ("containers", "initContainers", "ephemeralContainers"):
        if any(c["name"] == name for c in spec.get(key) or ()):
            return f"spec.{key}{{{name}}}"
    return ""


def find_kubelet(world: World, host: str) -> Kubelet | None:
    """The kubelet that runs on a host, if one does."""
    state = kubelets(world).get(host)
    if state is None:
        return None
    proc = processes.find(world, host, state.pid)
    return Kubelet(world, proc) if proc is not None and proc.program.partition(":")[0] == "kubelet" else None
