"""The DaemonSet controller: one pod on every node that should have it (pkg/controller/daemon).

The controller does not bind: each pod carries a node affinity for its node's name, and the scheduler does the rest.
"""

from __future__ import annotations

from ...kernel import clock
from ..api.objects import Obj, annotations_of, controller_of, key_of, labels_of, split_key
from ..client import ApiError
from . import claiming, common, history
from .base import Controller
from .nodefit import fits_affinity, untolerated

HASH = "controller-revision-hash"
GENERATION = "deprecated.daemonset.template.generation"
#: (taint key, effect) that every daemon pod tolerates (AddOrUpdateDaemonPodTolerations).
TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
#: The pause before a failed pod is deleted grows from one to the other.
FIRST_PAUSE, LONGEST_PAUSE = clock.SECOND, 15 * clock.MINUTE
HOST_NETWORK = ("node.kubernetes.io/network-unavailable", "NoSchedule")


def target_node(pod: Obj) -> str:
    """The node that a daemon pod is on or meant for (GetTargetNodeName)."""
    if pod["spec"].get("nodeName"):
        return str(pod["spec"]["nodeName"])
    affinity = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    ) or {}
    for term in affinity.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field["key"] == "metadata.name" and field["operator"] == "In" and len(field["values"]) == 1:
                return str(field["values"][0])
    return ""


def tolerations(spec: Obj) -> list[Obj]:
    """The template's tolerations with those of all daemon pods."""
    wanted = [*TOLERATED, *([HOST_NETWORK] if spec.get("hostNetwork") else [])]
    added = [{"effect": effect, "key": key, "operator": "Exists"} for key, effect in wanted]
    mine = [t for t in spec.get("tolerations") or () if t not in added]
    return [*mine, *added]


def pinned(spec: Obj, node: str) -> Obj:
    """The pod spec with its node affinity replaced by one for the node's name."""
    affinity = dict(spec.get("affinity") or {})
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    nodes = dict(affinity.get("nodeAffinity") or {})
    nodes["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    return {**spec, "affinity": {**affinity, "nodeAffinity": nodes}, "tolerations": tolerations(spec)}


def should_run(node: Obj, ds: Obj) -> tuple[bool, bool]:
    """(a pod should run there, a running one may go on) (NodeShouldRunDaemonPod)."""
    spec = ds["spec"]["template"]["spec"]
    name = node["metadata"]["name"]
    if spec.get("nodeName") not in (None, "", name) or not fits_affinity(spec, name, labels_of(node)):
        return False, False
    taints, mine = node["spec"].get("taints") or [], tolerations(spec)
    if untolerated(taints, mine, ("NoSchedule", "NoExecute")):
        return False, not untolerated(taints, mine, ("NoExecute",))
    return True, True


class DaemonSetController(Controller):
    """Reconciles DaemonSets."""

    name = "daemonset-controller"
    source = "daemonset-controller"
    resources = ("daemonsets", "pods", "nodes", "controllerrevisions")

    def setup(self) -> None:
        """What matters of each node, to tell changes apart from heartbeats."""
        self.seen = {n["metadata"]["name"]: self._shape(n) for n in self.informer("nodes").list()}

    @staticmethod
    def _shape(node: Obj) -> tuple[str, str]:
        return repr(labels_of(node)), repr([(t["key"], t.get("value"), t["effect"]) for t in node["spec"].get("taints") or ()])

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A DaemonSet, one of its pods or revisions, or a node's labels and taints changed."""
        if resource == "daemonsets":
            self.enqueue(key_of(obj))
        elif resource == "nodes":
            name = obj["metadata"]["name"]
            shape = None if kind == "DELETED" else self._shape(obj)
            if self.seen.get(name) != shape:
                for ds in self.informer("daemonsets").list():
                    self.enqueue(key_of(ds))
            if shape is None:
                self.seen.pop(name, None)
            else:
                self.seen[name] = shape
        elif resource == "pods":
            ref = controller_of(obj)
            if ref is not None and ref.get("kind") == "DaemonSet":
                self.enqueue(f"{obj['metadata']['namespace']}/{ref['name']}")
            elif ref is None and kind != "DELETED":
                for ds in claiming.interested(self, "daemonsets", obj):
                    self.enqueue(key_of(ds))

    def sync(self, key: str) -> None:
        """Bring one DaemonSet's pods and status in line."""
        namespace, name = split_key(key)
        ds = self.informer("daemonsets").get(namespace, name)
        if ds is None or ds["metadata"].get("deletionTimestamp"):
            return
        if common.is_empty_selector(ds["spec"].get("selector")):
            text = "This daemon set is selecting all pods. A non-empty selector is required."
            self.event(ds, "Warning", "SelectingAll", text)
            return
        revision, old = history.current(self, ds, HASH)
        digest = labels_of(revision)[HASH]
        nodes = self.informer("nodes").list()
        pods = self._pods(ds)
        failure: ApiError | None = None
        try:
            busy = self._manage(ds, nodes, pods, digest)
            if not busy and (ds["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate") == "RollingUpdate":
                self._rolling(ds, nodes, pods, digest)
        except ApiError as error:
            failure = error
        live = {labels_of(p).get(HASH, "") for items in pods.values() for p in items}
        history.clean_up(self, ds, old, live | {digest}, HASH)
        self._write_status(ds, nodes, pods, digest)
        if failure is not None:
            raise failure

    def _pods(self, ds: Obj) -> dict[str, list[Obj]]:
        """Its pods by node; finished ones that are being deleted do not count."""
        out: dict[str, list[Obj]] = {}
        for pod in claiming.pods(self, ds):
            if not (pod["metadata"].get("deletionTimestamp") and common.is_terminal(pod)):
                out.setdefault(target_node(pod), []).append(pod)
        for items in out.values():
            items.sort(key=lambda p: (p["metadata"].get("creationTimestamp") or "", p["metadata"]["name"]))
        return out

    # -- pods ------------------------------------------------------------------------------------------------------------
    def _manage(self, ds: Obj, nodes: list[Obj], pods: dict[str, list[Obj]], digest: str) -> bool:
        """Create missing pods and delete superfluous ones; True when there was anything to do."""
        create: list[str] = []
        delete: list[Obj] = []
        known = {n["metadata"]["name"] for n in nodes}
        surge = self._limits(ds, len(nodes))[0]
        for node in nodes:
            name = node["metadata"]["name"]
            mine = pods.get(name, [])
            wanted, may_stay = should_run(node, ds)
            alive = [p for p in mine if not p["metadata"].get("deletionTimestamp")]
            if wanted and not mine:
                create.append(name)
            elif may_stay:
                delete += self._ended(ds, alive, name)
                running = [p for p in alive if not common.is_terminal(p)]
                if surge == 0:
                    delete += running[1:]
                elif running:
                    delete += self._excess(ds, running, digest)
                elif wanted:
                    create.append(name)
            else:
                delete += alive
        for name in sorted(set(pods) - known):
            delete += [p for p in pods[name] if not p["metadata"].get("deletionTimestamp") and not p["spec"].get("nodeName")]
        self._apply(ds, create, delete, digest)
        return bool(create or delete)

    def _ended(self, ds: Obj, pods: list[Obj], node: str) -> list[Obj]:
        """Pods that ended and may be deleted now: failed ones with a pause, as a kubelet may reject the next one just the same."""
        gone = []
        for pod in pods:
            phase = (pod.get("status") or {}).get("phase")
            where = f"{pod['metadata']['namespace']}/{pod['metadata']['name']} on node {node}"
            if phase == "Failed":
                wait = self._pause(ds, node)
                if wait:
                    self.enqueue(key_of(ds), wait)
                    continue
                self.event(ds, "Warning", "FailedDaemonPod", f"Found failed daemon pod {where}, will try to kill it")
                gone.append(pod)
            elif phase == "Succeeded":
                self.event(ds, "Normal", "SucceededDaemonPod", f"Found succeeded daemon pod {where}, will try to delete it")
                gone.append(pod)
        return gone

    def _pause(self, ds: Obj, node: str) -> int:
        """Nanoseconds before a failed pod of the node may be deleted; none begins the next, longer pause (`failedPodsBackoff`)."""
        key = f"{ds['metadata']['uid']}/{ds.get('status', {}).get('observedGeneration') or 0}/{node}"
        known = self.memory.get(key)
        now = self.world.now
        if known is not None and now < known["at"] + known["pause"]:
            return int(known["pause"])
        for old in [k for k, v in self.memory.items() if now > v["at"] + 2 * LONGEST_PAUSE]:
            del self.memory[old]
        known = self.memory.get(key)
        self.memory[key] = {"at": now, "pause": min(2 * known["pause"], LONGEST_PAUSE) if known else FIRST_PAUSE}
        return 0

    def _excess(self, ds: Obj, running: list[Obj], digest: str) -> list[Obj]:
        """With surge two pods may be on a node, an old one that is ready and a new one that is not yet available."""
        new = [p for p in running if labels_of(p).get(HASH) == digest]
        old = [p for p in running if labels_of(p).get(HASH) != digest]
        gone = [*new[1:], *old[1:]]
        if new and old:
            settled = common.available_in(new[0], ds["spec"].get("minReadySeconds") or 0, self.world) == 0
            if settled or not common.is_ready(old[0]):
                gone.append(old[0])
        return gone

    def _apply(self, ds: Obj, create: list[str], delete: list[Obj], digest: str) -> None:
        namespace = ds["metadata"]["namespace"]
        template = ds["spec"]["template"]
        for node in create:
            pod = common.pod_from_template(template, ds)
            pod["metadata"]["labels"] = {**(pod["metadata"].get("labels") or {}), HASH: digest}
            generation = annotations_of(ds).get(GENERATION)
            if generation:
                pod["metadata"]["labels"]["pod-template-generation"] = generation
            pod["spec"] = pinned(template["spec"], node)
            try:
                made = self.client.create("pods", namespace, pod)
            except ApiError as error:
                if "being terminated" in error.message:
                    return
                self.event(ds, "Warning", "FailedCreate", f"Error creating: {error}")
                raise
            self.event(ds, "Normal", "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")
        for pod in delete:
            try:
                self.client.delete("pods", namespace, pod["metadata"]["name"])
            except ApiError as error:
                if error.code == 404:
                    continue
                self.event(ds, "Warning", "FailedDelete", f"Error deleting: {error}")
                raise
            self.event(ds, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")

    # -- updates ---------------------------------------------------------------------------------------------------------
    @staticmethod
    def _limits(ds: Obj, desired: int) -> tuple[int, int]:
        """(surge, unavailable) in pods."""
        rolling = (ds["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
        surge = common.int_or_percent(rolling.get("maxSurge", 0), desired, round_up=True)
        unavailable = common.int_or_percent(rolling.get("maxUnavailable", 1), desired, round_up=True)
        return surge, 1 if surge == 0 and unavailable == 0 else unavailable

    def _rolling(self, ds: Obj, nodes: list[Obj], pods: dict[str, list[Obj]], digest: str) -> None:
        """Replace out-of-date pods within the limits; pods that are not available anyway go first (`rollingUpdate`)."""
        wanted = {n["metadata"]["name"] for n in nodes if should_run(n, ds)[0]}
        surge, unavailable = self._limits(ds, len(wanted))
        pairs: list[tuple[str, Obj | None, Obj | None]] = []
        busy = 0  # nodes that the next pass of `_manage` has something to do on
        for name in sorted(wanted | set(pods)):
            alive = [p for p in pods.get(name, ()) if not p["metadata"].get("deletionTimestamp")]
            new = [p for p in alive if self._updated(ds, p, digest)]
            old = [p for p in alive if not self._updated(ds, p, digest)]
            if len(new) > 1 or len(old) > 1:
                busy += 1
            else:
                pairs.append((name, new[0] if new else None, old[0] if old else None))
        if surge:
            self._surge(ds, pairs, wanted, surge - busy, digest)
        else:
            self._replace(ds, pairs, unavailable - busy, digest)

    def _available(self, ds: Obj, pod: Obj) -> bool:
        return common.available_in(pod, ds["spec"].get("minReadySeconds") or 0, self.world) == 0

    def _replace(self, ds: Obj, pairs: list[tuple[str, Obj | None, Obj | None]], room: int, digest: str) -> None:
        """Delete old pods; the next pass makes the new ones."""
        sick: list[Obj] = []
        healthy: list[Obj] = []
        for _, new, old in pairs:
            if old is None or new is not None:
                room -= old is not None or new is None or not self._available(ds, new)
            elif self._available(ds, old):
                healthy.append(old)
            else:
                sick.append(old)
                room -= 1
        self._apply(ds, [], [*sick, *healthy[: max(0, room)]], digest)

    def _surge(self, ds: Obj, pairs: list[tuple[str, Obj | None, Obj | None]], wanted: set[str], room: int, digest: str) -> None:
        """Make new pods beside old ones, and delete old ones whose successor is there; a pod whose node is wanted no more
        goes when enough others are available."""
        gone: list[Obj] = []
        leaving: list[Obj] = []
        must: list[str] = []
        may: list[str] = []
        available = 0
        for name, new, old in pairs:
            counted = old or new
            available += counted is not None and self._available(ds, counted)
            if old is None:
                continue
            if new is not None:
                if self._available(ds, new):
                    gone.append(old)
                else:
                    room -= 1
            elif name not in wanted:
                (leaving if self._available(ds, old) else gone).append(old)
            else:
                (may if self._available(ds, old) else must).append(name)
        gone += leaving[: max(0, available - len(wanted))]
        self._apply(ds, [*must, *may[: max(0, room)]], gone, digest)

    @staticmethod
    def _updated(ds: Obj, pod: Obj, digest: str) -> bool:
        generation = annotations_of(ds).get(GENERATION)
        labels = labels_of(pod)
        return labels.get(HASH) == digest or bool(generation and labels.get("pod-template-generation") == generation)

    # -- status ----------------------------------------------------------------------------------------------------------
    def _write_status(self, ds: Obj, nodes: list[Obj], pods: dict[str, list[Obj]], digest: str) -> None:
        counts = dict.fromkeys(("desired", "current", "misscheduled", "ready", "updated", "available"), 0)
        ready_seconds = ds["spec"].get("minReadySeconds") or 0
        waits: list[int] = []
        for node in nodes:
            wanted, _ = should_run(node, ds)
            mine = pods.get(node["metadata"]["name"], [])
            if not wanted:
                counts["misscheduled"] += bool(mine)
                continue
            counts["desired"] += 1
            if mine:
                wait = common.available_in(mine[0], ready_seconds, self.world)
                counts["current"] += 1
                counts["ready"] += wait is not None
                counts["available"] += wait == 0
                counts["updated"] += self._updated(ds, mine[0], digest)
                if wait:
                    waits.append(wait)
        status: Obj = {
            "currentNumberScheduled": counts["current"],
            "desiredNumberScheduled": counts["desired"],
            "numberMisscheduled": counts["misscheduled"],
            "numberReady": counts["ready"],
            "observedGeneration": ds["metadata"].get("generation") or 0,
        }
        optional = {"numberAvailable": counts["available"], "updatedNumberScheduled": counts["updated"]}
        optional["numberUnavailable"] = counts["desired"] - counts["available"]
        status |= {key: value for key, value in optional.items() if value}
        old = ds.get("status") or {}
        status |= {key: old[key] for key in ("collisionCount", "conditions") if key in old}
        if status != old:
            self.client.update("daemonsets", {**ds, "status": status}, subresource="status")
        if waits:
            self.enqueue(key_of(ds), min(waits) + clock.MS)
