"""The scheduler at work: what informers say goes into cache and queue, the next pod through a cycle, the outcome to the API
(pkg/scheduler/scheduler.go, eventhandlers.go, schedule_one.go)."""

from __future__ import annotations

from typing import Any

from ...host.process import Process
from ...kernel import clock
from ...kernel.errors import ConnectError
from ...kernel.world import World
from ..api.objects import Obj, key_of
from ..client import ApiError, KubeClient, WatchEvent
from ..component import explain, klog, verbosity
from ..events import SeriesRecorder
from ..feed import Feed
from . import binding, preemption, profiles
from .cache import Cache
from .cycle import FitError, find_feasible, histogram, run_scores
from .framework import Cycle, Lister, NodeInfo, Plugin, PodInfo
from .queue import Queued
from .state import SchedulerState

RESOURCES = ("pods", "nodes", "persistentvolumeclaims", "persistentvolumes", "storageclasses")
QUIET = (
    "services", "replicasets", "statefulsets", "replicationcontrollers", "namespaces", "poddisruptionbudgets", "csinodes",
)  # fmt: skip
#: How many pods one wake tries, and the virtual time that one takes.
BATCH = 8
CYCLE = 2 * clock.MS
NAME = "default-scheduler"
NO_CLAIMS = "no new claims to deallocate"
#: Nodes whose verdicts a trace event lists one by one.
SHOWN = 16


class InformerLister(Lister):
    """Gives plugins the informers' objects."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed

    def objects(self, resource: str, namespace: str = "") -> list[Obj]:
        """The objects of a resource."""
        return self.feed.informers[resource].list(namespace or None)

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        """One object."""
        return self.feed.informers[resource].get(namespace, name)


class Scheduler:
    """The warm half of a scheduler process over its `SchedulerState`."""

    def __init__(self, world: World, proc: Process, state: SchedulerState, client: KubeClient) -> None:
        self.world = world
        self.proc = proc
        self.state = state
        self.client = client
        self.feed = Feed(world, proc, client, state.informers, RESOURCES, QUIET)
        self.lister = InformerLister(self.feed)
        self.recorders: dict[str, SeriesRecorder] = {}
        self.cache = Cache()
        self.profiles = profiles.of(state.config) if state.config else profiles.default()
        self.pending: dict[str, PodInfo] = {}
        if state.fed and self.feed.prime():
            self._rebuild()
        elif state.fed:
            state.fed = False
            self._arm(world.now + clock.SECOND)

    def _rebuild(self) -> None:
        """After a restore: the cache from what the informers held."""
        for node in self.feed.informers["nodes"].list():
            self.cache.put_node(node)
        for pod in self.feed.informers["pods"].list():
            if pod["spec"].get("nodeName"):
                if not finished(pod):
                    self.cache.put_pod(pod)
            elif (queued := self.state.queue.pods.get(key_of(pod))) is not None:
                self.pending[queued.key] = PodInfo(pod)
                if queued.where == "binding":
                    self._assume(pod, queued.node)

    # -- news ------------------------------------------------------------------------------------------------------------
    def pump(self, rang: str = "") -> bool:
        """Take in what is new; False when the API server is away."""
        state = self.state
        try:
            for resource, change in self.feed.changes(rang, everything=not state.fed or bool(state.down_since)):
                self._change(resource, change)
            self.feed.refresh_quiet()
        except (ConnectError, ApiError) as error:
            if not state.down_since:
                state.down_since = self.world.now
                klog(self.world, self.proc, "E", "reflector.go:205", "Failed to watch", err=explain(error, self.client))
            pause = clock.SECOND + self.world.rng("reflector").below(clock.SECOND)
            self._arm(self.world.now + pause)
            return False
        state.fed, state.down_since = True, 0
        return True

    def _change(self, resource: str, change: WatchEvent) -> None:
        if resource == "pods":
            self._pod(change.type, change.object)
        elif resource == "nodes":
            self._node(change.type, change.object)
        else:
            if resource == "persistentvolumeclaims":
                self.state.queue.look_again(self.world.now)
            name = {"persistentvolumeclaims": "pvc", "persistentvolumes": "pv"}.get(resource, "storageclass")
            self._move(name, None, change.object)

    def _pod(self, kind: str, pod: Obj) -> None:
        key, now = key_of(pod), self.world.now
        if pod["spec"].get("nodeName"):
            self.state.queue.pods.pop(key, None)
            self.pending.pop(key, None)
            self.state.nominated.pop(key, None)
            if kind == "DELETED" or finished(pod):
                if self.cache.drop_pod(key) is not None:
                    self._move("pod-delete", pod, None)
                return
            before = self.cache.put_pod(pod)
            if before is None:
                self._move("pod-add", None, pod)
            elif before.labels != (pod["metadata"].get("labels") or {}):
                self._move("pod-label", before.pod, pod)
            return
        if kind == "DELETED" or finished(pod) or pod["spec"].get("schedulerName", NAME) not in self.profiles:
            gone = self.state.queue.pods.pop(key, None)
            self.pending.pop(key, None)
            if gone is not None and gone.where == "binding":
                self.cache.drop_pod(key)
            if self.state.nominated.pop(key, None) is not None or gone is not None:
                self._move("pod-delete", pod, None)
            return
        known = self.pending.get(key)
        self.pending[key] = PodInfo(pod)
        same = known is not None and known.pod["spec"] == pod["spec"] and known.labels == self.pending[key].labels
        if key in self.state.queue.pods and same:
            return
        profile = self.profiles[pod["spec"].get("schedulerName") or NAME]
        gated = any(p.pre_enqueue is not None and p.pre_enqueue(pod) is not None for p in profile.pre_enqueue)
        self.state.queue.put(key, pod["metadata"]["uid"], self.pending[key].priority, now, gated=gated)

    def _node(self, kind: str, node: Obj) -> None:
        if kind == "DELETED":
            self.cache.drop_node(node["metadata"]["name"])
            self._move("node-delete", node, None)
            return
        old = self.cache.put_node(node)
        if old is None:
            self._move("node-add", None, node)
            return
        if (old.get("status") or {}).get("allocatable") != (node.get("status") or {}).get("allocatable"):
            self._move("node-allocatable", old, node)
        if old["metadata"].get("labels") != node["metadata"].get("labels"):
            self._move("node-label", old, node)
        spec = ("taints", "unschedulable")
        if any(old["spec"].get(k) != node["spec"].get(k) for k in spec):
            self._move("node-taint", old, node)

    def _move(self, event: str, old: Obj | None, new: Obj | None) -> None:
        self.state.queue.move(event, old, new, self._plugins_of, self.pending, self.world.now)

    def _plugins_of(self, info: PodInfo) -> dict[str, Plugin]:
        return self._profile(info).registered

    # -- work ------------------------------------------------------------------------------------------------------------
    def work(self) -> None:
        """Try up to a batch of pods, then arm the timer for the rest."""
        queue = self.state.queue
        queue.flush(self.world.now)
        for held in queue.held(self.world.now):
            self._held(held)
        tried: set[str] = set()
        while len(tried) < BATCH:
            queued = queue.pop(self.world.now)
            if queued is None:
                break
            tried.add(queued.key)
            self._one(queued)
        self.arm(after=len(tried) * CYCLE)

    def arm(self, *, after: int = 0) -> None:
        """Have a timer for pods that are ready now, or for the next that will be."""
        queue, now = self.state.queue, self.world.now
        if queue.has_ready(now):
            self._arm(now + max(after, self.world.rng("scheduler-wake").between(1, 3) * clock.MS))
            return
        due = queue.next_due()
        if due is not None:
            self._arm(max(due, now + clock.MS))

    def _arm(self, at: int) -> None:
        state = self.state
        if state.armed in self.world.timers:
            if state.armed_at <= at:
                return
            self.world.cancel(state.armed)
        state.armed_at, state.armed = at, self.world.at(at, self.proc.target, ["schedule"])

    def _one(self, queued: Queued) -> None:
        info = self.pending.get(queued.key)
        if info is None or info.uid != queued.uid:
            self.state.queue.pods.pop(queued.key, None)
            return
        if info.pod["metadata"].get("deletionTimestamp"):
            note = f"skip schedule deleting pod: {queued.key}"
            self._recorder(info.pod).event(info.pod, "Warning", "FailedScheduling", "Scheduling", note)
            self.state.queue.pods.pop(queued.key, None)
            return
        if not self.cache.nodes:
            self._failed(queued, info, "no nodes available to schedule pods", None, "")
            return
        self._say(3, "schedule_one.go:94", "Attempting to schedule pod", pod=queued.key)
        cycle = Cycle(info, self.cache.nodes, self.lister)
        try:
            feasible = find_feasible(cycle, self._profile(info), self.state.next_start, self._overlay(info))
        except FitError as error:
            self._unfit(queued, info, cycle, error)
            return
        self.state.next_start = (self.state.next_start + len(feasible) + len(cycle.data["rejected"])) % len(self.cache.nodes)
        scores = run_scores(cycle, self._profile(info), feasible) if len(feasible) > 1 else {feasible[0].name: {}}
        self._say_scores(queued.key, scores)
        self._bind(queued, info, cycle, scores, self._choose(scores))

    def _say(self, level: int, where: str, message: str, **fields: Any) -> None:
        """A line of the log from `--v=level` on."""
        if verbosity(self.state.flags) >= level:
            klog(self.world, self.proc, "I", where, message, **fields)

    def _say_scores(self, key: str, scores: dict[str, dict[str, int]]) -> None:
        """Each plugin's weighted score of each node, then the sums (prioritizeNodes; `--v=10`)."""
        if len(scores) < 2 or verbosity(self.state.flags) < 10:
            return
        for node, parts in scores.items():
            for plugin, score in parts.items():
                self._say(10, "schedule_one.go:867", "Plugin scored node for pod", pod=key, plugin=plugin, node=node, score=score)
        for node, parts in scores.items():
            total = sum(parts.values())
            self._say(10, "schedule_one.go:935", "Calculated node's final score for pod", pod=key, node=node, score=total)

    def _recorder(self, pod: Obj) -> SeriesRecorder:
        """Events say by which profile a pod was looked at."""
        name = pod["spec"].get("schedulerName") or NAME
        if name not in self.recorders:
            self.recorders[name] = SeriesRecorder(self.world, self.client, self.state.events, name, self.proc.host)
        return self.recorders[name]

    def _profile(self, info: PodInfo) -> profiles.Profile:
        return self.profiles[info.pod["spec"].get("schedulerName") or NAME]

    def _overlay(self, info: PodInfo) -> Any:
        """Nodes as they will be once nominated pods of the same or higher priority have come."""
        waiting: dict[str, list[PodInfo]] = {}
        for key, node in self.state.nominated.items():
            other = self.pending.get(key)
            if other is not None and key != info.key and other.priority >= info.priority:
                waiting.setdefault(node, []).append(other)

        def overlay(node: NodeInfo) -> NodeInfo | None:
            if node.name not in waiting:
                return None
            crowded = node.copy()
            for other in waiting[node.name]:
                crowded.add(other)
            return crowded

        return overlay

    def _choose(self, scores: dict[str, dict[str, int]]) -> str:
        """The highest total; among equals by lot."""
        totals = {name: sum(parts.values()) for name, parts in scores.items()}
        best = max(totals.values())
        return self.world.rng("scheduler").choice(sorted(name for name, total in totals.items() if total == best))

    def _bind(self, queued: Queued, info: PodInfo, cycle: Cycle, scores: dict[str, dict[str, int]], node: str) -> None:
        seq = self._trace(queued, cycle, node, scores, cycle.data["rejected"])
        try:
            if self.world.because(seq, lambda: binding.begin(self.client, cycle, node)):
                self.state.queue.hold(queued, node, self.world.now + binding.TIMEOUT)
                self._assume(info.pod, node)
                return
            self.world.because(seq, lambda: self._bind_pod(info, node))
        except (ConnectError, ApiError) as error:
            self._not_bound(queued, info, error)
            return
        self._is_bound(queued, info, node, len(scores), len(cycle.data["rejected"]))

    def _bind_pod(self, info: PodInfo, node: str) -> None:
        """The binding subresource (DefaultBinder)."""
        name = info.pod["metadata"]["name"]
        meta = {"name": name, "namespace": info.namespace, "uid": info.uid}
        body = {"apiVersion": "v1", "kind": "Binding", "metadata": meta, "target": {"kind": "Node", "name": node}}
        self.client.create("pods", info.namespace, body, subresource="binding", name=name)

    def _not_bound(self, queued: Queued, info: PodInfo, error: ConnectError | ApiError) -> None:
        if isinstance(error, ApiError) and error.code == 404:
            self.state.queue.pods.pop(queued.key, None)
            return
        self._failed(queued, info, explain(error, self.client), None, "")

    def _is_bound(self, queued: Queued, info: PodInfo, node: str, feasible: int, rejected: int) -> None:
        self.state.queue.pods.pop(queued.key, None)
        self.state.nominated.pop(queued.key, None)
        self.pending.pop(queued.key, None)
        self._assume(info.pod, node)
        bound = {"pod": queued.key, "node": node, "evaluatedNodes": feasible + rejected, "feasibleNodes": feasible}
        self._say(2, "schedule_one.go:314", "Successfully bound pod to node", **bound)
        self._recorder(info.pod).event(
            info.pod, "Normal", "Scheduled", "Binding", f"Successfully assigned {queued.key} to {node}"
        )

    def _assume(self, pod: Obj, node: str) -> None:
        """The pod takes its room on the node from now on."""
        assumed = {**pod, "spec": {**pod["spec"], "nodeName": node}}
        self.cache.put_pod(assumed)
        self._move("pod-add", None, assumed)

    def _held(self, queued: Queued) -> None:
        """A pod whose volumes are being made: bind it once they are there, give up after ten minutes."""
        info = self.pending.get(queued.key)
        if info is None or info.uid != queued.uid:
            self.state.queue.pods.pop(queued.key, None)
            self.cache.drop_pod(queued.key)
            return
        ready, problem = binding.state(info.pod, self.lister, queued.node)
        if not ready and not problem and self.world.now >= queued.until:
            problem = "context deadline exceeded"
        if not ready and not problem:
            queued.added = queued.until
            return
        try:
            if not problem:
                self._bind_pod(info, queued.node)
                self._is_bound(queued, info, queued.node, 1, 0)
                return
        except (ConnectError, ApiError) as error:
            self.cache.drop_pod(queued.key)
            self._not_bound(queued, info, error)
            return
        self.cache.drop_pod(queued.key)
        self._failed(queued, info, binding.PRE_BIND + problem, None, "")

    # -- failure ---------------------------------------------------------------------------------------------------------
    def _unfit(self, queued: Queued, info: PodInfo, cycle: Cycle, error: FitError) -> None:
        nominated = ""
        profile = self._profile(info)
        candidate, word = (
            preemption.preempt(cycle, profile, error) if profile.post_filter and not error.pre_filter else (None, "")
        )
        if candidate is not None:
            self._preempt(candidate, info)
            nominated = candidate.node
        else:
            error.post_filter = f"{NO_CLAIMS}, {word}" if word else NO_CLAIMS
        if error.pre_filter:  # DynamicResources, first in PostFilter, misses what its PreFilter did not get to note
            error.post_filter = "not found"
        self._trace(queued, cycle, "", {}, error.verdicts)
        self._failed(queued, info, str(error), error, nominated)

    def _preempt(self, candidate: preemption.Candidate, info: PodInfo) -> None:
        for victim in candidate.victims:
            note = f"Preempted by pod {info.uid} on node {candidate.node}"
            message = f"{info.pod['spec'].get('schedulerName') or NAME}: preempting to accommodate a higher priority pod"
            found: Obj = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler", "message": message}
            found["lastTransitionTime"] = self.world.timestamp()
            meta = victim.pod["metadata"]
            try:
                patch = {"metadata": {"uid": meta["uid"]}, "status": {"conditions": [found]}}
                self.client.patch("pods", victim.namespace, meta["name"], patch, kind="strategic", subresource="status")
                self.client.delete("pods", victim.namespace, meta["name"])
            except ApiError as error:
                if error.code != 404:
                    klog(self.world, self.proc, "E", "executor.go:140", "Tried to preempted pod", pod=victim.key, err=str(error))
                continue
            self.world.emit("kube-scheduler", "preempt", f"pods/{victim.key}", {"for": info.key, "node": candidate.node})
            self._recorder(info.pod).event(victim.pod, "Normal", "Preempted", "Preempting", note, related=reference_of(info.pod))

    def _failed(self, queued: Queued, info: PodInfo, message: str, error: FitError | None, nominated: str) -> None:
        """Back into the queue, an Event, and the condition PodScheduled."""
        now = self.world.now
        rejected = error is not None or message.startswith("no nodes available")
        if rejected:
            plugins = error.plugins if error is not None else {"NodeName"}
            self.state.queue.reject(queued, plugins, now)
        else:
            self.state.queue.fail(queued, now)
        if nominated:
            self.state.nominated[queued.key] = nominated
        self._say(2, "schedule_one.go:1120", "Unable to schedule pod; no fit; waiting", pod=queued.key, err=message)
        note = message if len(message) <= 1024 else message[:1020] + " ..."
        self._recorder(info.pod).event(info.pod, "Warning", "FailedScheduling", "Scheduling", note)
        self._condition(info, "Unschedulable" if rejected else "SchedulerError", message, nominated)

    def _condition(self, info: PodInfo, reason: str, message: str, nominated: str) -> None:
        pod = info.pod
        old = next((c for c in (pod.get("status") or {}).get("conditions") or () if c["type"] == "PodScheduled"), None)
        new: Obj = {"lastProbeTime": None, "message": message, "reason": reason, "status": "False", "type": "PodScheduled"}
        generation = pod["metadata"].get("generation")
        if generation:
            new["observedGeneration"] = generation
        same = old is not None and all(old.get(k) == new[k] for k in ("message", "reason", "status"))
        told = (pod.get("status") or {}).get("nominatedNodeName") or ""
        if same and (not nominated or nominated == told):
            return
        kept = old is not None and old["status"] == "False"
        new["lastTransitionTime"] = old["lastTransitionTime"] if kept and old is not None else self.world.timestamp()
        status: Obj = {"conditions": [new]}
        if nominated and nominated != told:
            status["nominatedNodeName"] = nominated
        try:
            name = pod["metadata"]["name"]
            self.client.patch("pods", info.namespace, name, {"status": status}, kind="strategic", subresource="status")
        except (ConnectError, ApiError) as error:
            klog(
                self.world,
                self.proc,
                "E",
                "schedule_one.go:1198",
                "Error updating pod",
                pod=info.key,
                err=explain(error, self.client),
            )

    # -- trace -----------------------------------------------------------------------------------------------------------
    def _trace(self, queued: Queued, cycle: Cycle, node: str, scores: dict[str, dict[str, int]], rejected: dict[str, Any]) -> int:
        """What a learner sees of the decision: each node's verdict or scores by plugin."""
        verdicts = {name: [v.plugin, ", ".join(v.reasons)] for name, v in list(rejected.items())[:SHOWN]}
        best = sorted(scores, key=lambda n: (-sum(scores[n].values()), n))[:SHOWN]
        detail: dict[str, Any] = {"node": node, "verdicts": verdicts, "scores": {name: scores[name] for name in best}}
        detail["nodes"] = len(cycle.nodes)
        if len(rejected) > SHOWN:
            summary = FitError(len(cycle.nodes))
            summary.verdicts = rejected
            detail["rejected"] = histogram(summary)
        action = "schedule" if node else "unschedulable"
        return self.world.emit("kube-scheduler", action, f"pods/{queued.key}", detail)


def finished(pod: Obj) -> bool:
    """Succeeded or Failed: takes no room any more."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def reference_of(pod: Obj) -> Obj:
    """An ObjectReference of a pod."""
    meta = pod["metadata"]
    return {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"], "apiVersion": "v1"}
