"""The scheduling framework's nouns (pkg/scheduler/framework/types.go): pods and nodes as the scheduler sees them, plugins,
verdicts.

A plugin is a `Plugin`: a name and functions for the extension points that it takes part in.  `NodeInfo` and `PodInfo` are warm:
they are rebuilt from informers, hold parsed quantities, and are never part of a snapshot.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec
import orjson

from ..api import quantity
from ..api.objects import Obj

#: What a container without requests counts as when nodes are scored (schedutil.DefaultMilliCPURequest, DefaultMemoryRequest).
DEFAULT_MILLI_CPU = 100
DEFAULT_MEMORY = 200 * 1024 * 1024
MAX_SCORE = 100

Resources = dict[str, int]


def amount(name: str, text: Any) -> int:
    """A quantity as the scheduler counts it: thousandths of a CPU, whole units of everything else."""
    return quantity.milli(text) if name == "cpu" else quantity.value(text)


def _plus(into: Resources, requests: Obj | None) -> None:
    for name, text in (requests or {}).items():
        into[name] = into.get(name, 0) + amount(name, text)


def _peak(into: Resources, other: Resources) -> None:
    for name, value in other.items():
        if value > into.get(name, 0):
            into[name] = value


def _granted(pod: Obj, kind: str) -> dict[str, Obj]:
    """The statuses of containers whose resources the kubelet has set, by name: a resize counts until it is through."""
    statuses = (pod.get("status") or {}).get(kind) or ()
    return {s["name"]: s for s in statuses if s.get("resources") or s.get("allocatedResources")}


def _infeasible(pod: Obj) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "PodResizePending" and c.get("reason") == "Infeasible" for c in conditions)


def _resized(requests: Obj, status: Obj | None, *, infeasible: bool) -> Obj:
    """The larger of what is asked for, allocated and actual; what cannot be given is not counted (determineContainerReqs)."""
    if status is None:
        return requests
    held = [status.get("allocatedResources") or {}, (status.get("resources") or {}).get("requests") or {}]
    known = held if infeasible else [requests, *held]
    names = dict.fromkeys(name for item in known for name in item)
    return {name: max((item[name] for item in known if name in item), key=lambda text: amount(name, text)) for name in names}


def pod_requests(pod: Obj, *, non_zero: bool = False) -> Resources:
    """What a pod needs: the sum of its containers and sidecars, or an init container's peak, plus overhead
    (component-helpers/resource.PodRequests)."""
    spec = pod["spec"]
    granted = {**_granted(pod, "containerStatuses"), **_granted(pod, "initContainerStatuses")}
    infeasible = bool(granted) and _infeasible(pod)

    def of(container: Obj) -> Obj:
        requests = (container.get("resources") or {}).get("requests") or {}
        if granted:
            requests = _resized(requests, granted.get(container.get("name") or ""), infeasible=infeasible)
        if non_zero:
            return {"cpu": f"{DEFAULT_MILLI_CPU}m", "memory": str(DEFAULT_MEMORY), **requests}
        return dict(requests)

    total: Resources = {}
    for container in spec.get("containers") or ():
        _plus(total, of(container))
    sidecars: Resources = {}
    peak: Resources = {}
    for container in spec.get("initContainers") or ():
        mine: Resources = {}
        _plus(mine, of(container))
        if container.get("restartPolicy") == "Always":
            for name, value in mine.items():
                sidecars[name] = sidecars.get(name, 0) + value
                total[name] = total.get(name, 0) + value
            _peak(peak, sidecars)
        else:
            _peak(peak, {name: mine.get(name, 0) + sidecars.get(name, 0) for name in mine | sidecars})
    _peak(total, peak)
    for name, text in ((spec.get("resources") or {}).get("requests") or {}).items():
        total[name] = amount(name, text)
    _plus(total, spec.get("overhead"))
    return total


def host_ports(pod: Obj) -> list[tuple[str, str, int]]:
    """(address, protocol, port) of every host port of a pod."""
    out = []
    spec = pod["spec"]
    sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    for container in [*(spec.get("containers") or ()), *sidecars]:
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                out.append((port.get("hostIP") or "0.0.0.0", port.get("protocol") or "TCP", int(port["hostPort"])))
    return out


class PodInfo:
    """A pod with what the plugins ask of it, parsed once."""

    __slots__ = (
        "affinity",
        "anti",
        "key",
        "labels",
        "namespace",
        "non_zero",
        "pod",
        "ports",
        "priority",
        "requests",
        "signature",
        "uid",
    )

    def __init__(self, pod: Obj) -> None:
        meta, spec = pod["metadata"], pod["spec"]
        self.pod = pod
        self.namespace: str = meta.get("namespace") or ""
        self.key = f"{self.namespace}/{meta.get('name', '')}"
        self.uid: str = meta.get("uid") or ""
        self.labels: dict[str, str] = meta.get("labels") or {}
        self.priority: int = spec.get("priority") or 0
        self.requests = pod_requests(pod)
        self.non_zero = pod_requests(pod, non_zero=True)
        self.ports = host_ports(pod)
        #: See `sign`.
        self.signature: bytes = b""
        affinity = spec.get("affinity") or {}
        self.affinity: Obj = affinity.get("podAffinity") or {}
        self.anti: Obj = affinity.get("podAntiAffinity") or {}

    def sign(self) -> bytes:
        """What local plugins see of the pod, as bytes (fwk.SignPlugin): not its volumes, whose names differ from replica to replica."""
        if not self.signature:
            spec = {key: value for key, value in self.pod["spec"].items() if key != "volumes"}
            for kind in ("initContainers", "containers"):
                if kind in spec:
                    spec[kind] = [{k: v for k, v in one.items() if k != "volumeMounts"} for one in spec[kind]]
            self.signature = orjson.dumps([self.namespace, self.labels, spec], option=orjson.OPT_SORT_KEYS)
        return self.signature

    @property
    def has_affinity(self) -> bool:
        """Whether other pods matter to this one."""
        return bool(self.affinity or self.anti)


#: Every change of a node's picture has a number of its own; what was worked out for a number holds as long as that is the node's.
_GENERATIONS = count(1)


class NodeInfo:
    """A node with the pods that are (or are assumed to be) on it, and the sums over them."""

    __slots__ = (
        "allocatable",
        "counts",
        "generation",
        "images",
        "labels",
        "name",
        "node",
        "non_zero",
        "pods",
        "requested",
        "taints",
        "with_affinity",
    )

    def __init__(self, node: Obj) -> None:
        self.pods: dict[str, PodInfo] = {}
        self.with_affinity: dict[str, PodInfo] = {}
        self.requested: Resources = {}
        self.non_zero: Resources = {}
        self.counts: dict[Any, int] = {}
        self.set_node(node)

    def set_node(self, node: Obj) -> None:
        """Take over a new version of the node."""
        self.generation = next(_GENERATIONS)
        status = node.get("status") or {}
        self.node = node
        self.name: str = node["metadata"]["name"]
        self.labels: dict[str, str] = node["metadata"].get("labels") or {}
        self.taints: list[Obj] = node["spec"].get("taints") or []
        self.allocatable: Resources = {name: amount(name, text) for name, text in (status.get("allocatable") or {}).items()}
        images = status.get("images") or ()
        self.images: dict[str, int] = {name: int(i.get("sizeBytes") or 0) for i in images for name in i.get("names") or ()}

    def add(self, info: PodInfo) -> None:
        """A pod is on this node."""
        self.remove(info.key)
        self.pods[info.key] = info
        if info.has_affinity:
            self.with_affinity[info.key] = info
        self._sum(info, 1)

    def remove(self, key: str) -> PodInfo | None:
        """A pod has left."""
        info = self.pods.pop(key, None)
        if info is not None:
            self.with_affinity.pop(key, None)
            self._sum(info, -1)
        return info

    def _sum(self, info: PodInfo, sign: int) -> None:
        self.counts.clear()
        self.generation = next(_GENERATIONS)
        for name, value in info.requests.items():
            self.requested[name] = self.requested.get(name, 0) + sign * value
        for name, value in info.non_zero.items():
            self.non_zero[name] = self.non_zero.get(name, 0) + sign * value

    def copy(self) -> NodeInfo:
        """A copy to try things on (preemption, nominated pods)."""
        other = NodeInfo.__new__(NodeInfo)
        for slot in ("node", "name", "labels", "taints", "allocatable", "images"):
            setattr(other, slot, getattr(self, slot))
        other.pods, other.with_affinity = dict(self.pods), dict(self.with_affinity)
        other.generation = next(_GENERATIONS)
        other.requested, other.non_zero, other.counts = dict(self.requested), dict(self.non_zero), {}
        return other


class Verdict(msgspec.Struct, frozen=True):
    """Why a node (or a pod) was rejected.  An unresolvable one is not helped by removing pods."""

    reasons: tuple[str, ...]
    unresolvable: bool = False
    plugin: str = ""


class Lister:
    """What plugins may look at besides nodes; the daemon gives informers, tests give lists."""

    def objects(self, resource: str, namespace: str = "") -> list[Obj]:
        """The objects of a resource."""
        raise NotImplementedError

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        """One object."""
        raise NotImplementedError


class Cycle:
    """One attempt for one pod: the pod, all nodes in order, and what plugins remember between extension points."""

    def __init__(self, info: PodInfo, nodes: dict[str, NodeInfo], lister: Lister) -> None:
        self.info = info
        self.pod = info.pod
        self.nodes = nodes
        self.lister = lister
        self.data: dict[str, Any] = {}
        self.skip_filter: set[str] = set()
        self.skip_score: set[str] = set()


#: What PreFilter answers: None (go on), SKIP (this plugin's Filter has nothing to say), a Verdict, or the only nodes that may do.
SKIP = object()
PreFilter = Callable[[Cycle], Any]
Filter = Callable[[Cycle, NodeInfo], Verdict | None]
PreScore = Callable[[Cycle, list[NodeInfo]], Any]
Score = Callable[[Cycle, NodeInfo], int]
Normalize = Callable[[Cycle, dict[str, int]], None]
#: (event, unschedulable pod, old object, new object) -> whether the event may make the pod schedulable.
Hint = Callable[[str, PodInfo, Obj | None, Obj | None], bool]


class Plugin(msgspec.Struct, frozen=True, kw_only=True):
    """A plugin: the functions it offers.  `events` are the cluster events that may undo its rejection."""

    name: str
    pre_enqueue: Callable[[Obj], Verdict | None] | None = None
    pre_filter: PreFilter | None = None
    filter: Filter | None = None
    pre_score: PreScore | None = None
    score: Score | None = None
    normalize: Normalize | None = None
    events: tuple[str, ...] = ()
    hint: Hint | None = None
    #: Whether Filter and Score look at nothing but the pod's own spec and labels and the one node.
    local: bool = False


def default_normalize(scores: dict[str, int], *, reverse: bool) -> None:
    """Scale scores to 0..100 by the highest (helper.DefaultNormalizeScore)."""
    highest = max(scores.values(), default=0)
    if highest == 0:
        if reverse:
            for name in scores:
                scores[name] = MAX_SCORE
        return
    for name, score in scores.items():
        scaled = MAX_SCORE * score // highest
        scores[name] = MAX_SCORE - scaled if reverse else scaled
