"""What a kubelet remembers, as plain data; the section `kubelet` maps a host's name to its `KubeletState`.

A restarted kubelet begins with an empty state and finds its pods again in its sources and in the runtime, as a real one does.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ...kernel.world import World
from ..client import InformerState
from ..events import EventState

Obj = dict[str, Any]


class Probe(msgspec.Struct, omit_defaults=True):
    """One prober worker (`pkg/kubelet/prober/worker.go`): its newest result, how often it came in a row, and when it runs next."""

    next_at: int = 0
    result: bool | None = None
    streak: int = 0
    last: bool = False
    hold: bool = False


class Track(msgspec.Struct, omit_defaults=True):
    """One container of a pod, over its restarts."""

    id: str = ""
    restarts: int = 0
    reason: str = ""
    message: str = ""
    pull: str = ""
    pull_from: int = 0
    image_backoff: int = 0
    image_failed: int = 0
    image_error: str = ""
    crash_backoff: int = 0
    crash_at: int = 0
    last: Obj | None = None
    seen: str = ""
    probes: dict[str, Probe] = {}
    started: bool = False
    #: The postStart hook that the sync waits for: "runs", or its exit status.
    hook: str = ""
    kill_reason: str = ""
    stopping: bool = False
    #: When a sidecar that is to stop began to wait for the containers that stop before it.
    deferred: int = 0
    image_id: str = ""
    checked: str = ""
    created: bool = False


class Step(msgspec.Struct, omit_defaults=True):
    """A sync of a pod that is under way (`SyncPod`): whether it has done something, what of it failed, and the
    containers that it has seen to: what happens to them meanwhile is for the next one."""

    acted: bool = False
    errors: list[str] = []
    done: list[str] = []


class PodState(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One pod on this node.  `work` is `sync`, `terminating` or `gone`; times are virtual ns."""

    uid: str
    pod: Obj
    source: str
    work: str = "sync"
    sandbox: str = ""
    attempt: int = 0
    tracks: dict[str, Track] = {}
    busy_until: int = 0
    wake_at: int = 0
    wake_seq: int = 0
    started_at: str = ""
    status: Obj = {}
    sent: str = ""
    dirty: bool = False
    #: What a resize has granted, by container; empty before the first.  And its conditions: type → [reason,
    #: message, the generation that it is about].
    allocated: dict[str, Obj] = {}
    #: While a resize is in progress: what its containers had before it, and have until it is through.
    actuated: dict[str, Obj] = {}
    resizing: dict[str, list[str]] = {}
    #: The timer of the next look at the files of its volumes.
    refresh: int = 0
    grace: int = -1
    kill_at: int = 0
    volumes_ready: bool = False
    mount_backoff: int = 0
    waiting_since: int = 0
    #: Its sync, while one is under way; whether the worker has taken an update and only waits for a status that is new enough;
    #: another update is asked for (`pendingUpdate`); when the last sync ended, 0 once the pod has been relisted since; and the
    #: sandbox as it was seen last.
    step: Step | None = None
    waits: bool = False
    pending: bool = False
    synced_at: int = 0
    seen: str = ""
    terminal: str = ""
    reason: str = ""
    message: str = ""
    #: Why the pod's disruption was the node's doing (the DisruptionTarget condition), "" when it was not.
    disrupted: str = ""
    ip: str = ""

    @property
    def name(self) -> str:
        """The pod's name."""
        return str(self.pod["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """The pod's namespace."""
        return str(self.pod["metadata"].get("namespace") or "default")

    @property
    def full_name(self) -> str:
        """`name_namespace`, as the kubelet names pods in its messages."""
        return f"{self.name}_{self.namespace}"


class KubeletState(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Everything one kubelet process knows."""

    pid: int
    host: str
    node: str
    config: Obj = {}
    kubeconfig: str = ""
    labels: dict[str, str] = {}
    taints: list[Obj] = []
    informer: InformerState = msgspec.field(default_factory=lambda: InformerState("pods"))
    events: EventState = msgspec.field(default_factory=EventState)
    pods: dict[str, PodState] = {}
    static: dict[str, str] = {}
    #: Manifests that are no pods (path → digest of what they say), and the timer of the next listing while there are some.
    broken: dict[str, str] = {}
    broken_timer: int = 0
    registered: bool = False
    api_synced: bool = False
    api_retry: int = 0
    lease: Obj | None = None
    #: While it cannot be renewed: how often that failed, then the pause (ns) before it is asked for again; and how often the
    #: node's status could not be sent.
    lease_tries: int = 0
    lease_wait: int = 0
    status_tries: int = 0
    node_status: Obj | None = None
    node_sent_at: int = 0
    node_cidr: str = ""
    runtime_seen: int = 0
    runtime_up: bool = False
    ready: bool | None = None
    started_at: int = 0
    orphan_timer: int = 0
    #: The timer of the next relist, while something in the runtime has changed.
    relist: int = 0
    images_key: str = ""
    #: While it asks for its first certificate: the bootstrap kubeconfig, the request's name, the key (PEM).
    bootstrap: dict[str, str] = {}
    #: Node condition → when its threshold was last met.
    pressure: dict[str, int] = {}
    pressure_timer: int = 0
    #: The timer of the next look at deferred resizes, while there are any.
    resize_timer: int = 0
    #: While the machine goes down in an orderly way: the groups of pods that are left (`shutdown`).
    shutdown: list[Any] | None = None


def kubelets(world: World) -> dict[str, KubeletState]:
    """The section, by host name."""
    return world.section("kubelet", dict)
