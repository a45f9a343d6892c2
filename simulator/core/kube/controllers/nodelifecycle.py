"""The node lifecycle controller: which nodes still report (pkg/controller/nodelifecycle/node_lifecycle_controller.go).

Every 5 s each node's status heartbeat and Lease are looked at.  A node that renewed neither for 50 s gets its conditions set
to Unknown, its pods set to not ready, and the taints `not-ready` or `unreachable`: NoSchedule at once, NoExecute through
queues that a zone in trouble slows down.  Cordoning becomes a taint here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...kernel import clock
from ..api.objects import Obj, condition, labels_of
from ..client import ApiError
from ..component import duration, parse_duration
from .base import Controller

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
#: Taints that follow conditions: (condition, status, taint key).
CONDITION_TAINTS = (
    ("Ready", "False", NOT_READY),
    ("Ready", "Unknown", UNREACHABLE),
    ("MemoryPressure", "True", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
    ("NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"),
    ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
)
MANAGED = frozenset(key for _, _, key in CONDITION_TAINTS) | {UNSCHEDULABLE}
#: Labels that are held in step with others: (what leads, what follows).
LABELS = (("kubernetes.io/os", "beta.kubernetes.io/os"), ("kubernetes.io/arch", "beta.kubernetes.io/arch"))
#: A node with this label does not count where a zone is judged.
EXCLUDED = "node.kubernetes.io/exclude-disruption"
WATCHED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


def grace_period(flags: Mapping[str, str], *, never_reported: bool = False) -> int:
    """How long a node's heartbeats may stay away, in ns, by the manager's flags (`--node-monitor-grace-period`)."""
    name, default = ("node-startup-grace-period", 60) if never_reported else ("node-monitor-grace-period", 50)
    text = flags.get(name)
    return parse_duration(text) if text else default * clock.SECOND


class NodeLifecycleController(Controller):
    """Keys are node names; `tick` is monitorNodeHealth."""

    name = "node-lifecycle-controller"
    source = "node-controller"
    resources = ("nodes", "leases", "pods")

    def setup(self) -> None:
        """How often nodes are looked at."""
        self.period = duration(self.flags, "node-monitor-period", 5 * clock.SECOND)

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A node changed: its taints may have to follow."""
        if resource == "nodes":
            name = obj["metadata"]["name"]
            if kind == "DELETED":
                self.memory.pop(name, None)
                self.memory.setdefault("-gone", {})[name] = obj["metadata"]["uid"]  # said by the next look at all nodes
            else:
                self.enqueue(name)

    def _node_event(self, node: Obj, reason: str, message: str) -> None:
        ref = {"apiVersion": "v1", "kind": "Node", "name": node["metadata"]["name"], "uid": node["metadata"]["uid"]}
        self.event(ref, "Normal", reason, message)

    # -- taints ----------------------------------------------------------------------------------------------------------
    def sync(self, key: str) -> None:
        """NoSchedule taints follow conditions and `spec.unschedulable`; labels follow theirs (doNoScheduleTaintingPass)."""
        node = self.informer("nodes").get("", key)
        if node is None:
            return
        labels = labels_of(node)
        behind = {new: labels[old] for old, new in LABELS if old in labels and labels.get(new) != labels[old]}
        if behind:
            self.client.patch("nodes", "", key, {"metadata": {"labels": behind}}, kind="strategic")
            return  # the change comes back here
        wanted = [
            taint
            for item in (node.get("status") or {}).get("conditions") or ()
            for kind, value, taint in CONDITION_TAINTS
            if (item["type"], item["status"]) == (kind, value)
        ]
        if node["spec"].get("unschedulable"):
            wanted.append(UNSCHEDULABLE)
        have = {t["key"] for t in node["spec"].get("taints") or () if t["effect"] == "NoSchedule" and t["key"] in MANAGED}
        self._swap(node, "NoSchedule", [key for key in wanted if key not in have], have - set(wanted))

    def _swap(self, node: Obj, effect: str, add: list[str], drop: set[str]) -> None:
        """Add taints, then take others away, each in a write of its own (SwapNodeControllerTaint)."""
        if add:
            now = self.world.timestamp()
            fresh = [{"effect": effect, "key": key, "timeAdded": now} for key in add]
            node = self._patch_taints(node, [*(node["spec"].get("taints") or ()), *fresh])
        if drop:
            self._patch_taints(
                node, [t for t in node["spec"].get("taints") or () if t["effect"] != effect or t["key"] not in drop]
            )

    def _patch_taints(self, node: Obj, taints: list[Obj]) -> Obj:
        patch = {"metadata": {"resourceVersion": node["metadata"]["resourceVersion"]}, "spec": {"taints": taints or None}}
        return self.client.patch("nodes", "", node["metadata"]["name"], patch, kind="merge")

    def _swap_no_execute(self, node: Obj, add: str | None) -> None:
        """Have the NoExecute taint `add` (or none) of not-ready and unreachable."""
        taints = node["spec"].get("taints") or []
        mine = {t["key"] for t in taints if t["effect"] == "NoExecute" and t["key"] in (NOT_READY, UNREACHABLE)}
        self._swap(node, "NoExecute", [add] if add and add not in mine else [], mine - {add})

    # -- health ----------------------------------------------------------------------------------------------------------
    def tick(self) -> None:
        """Look at every node's heartbeats (monitorNodeHealth)."""
        self.runtime.feed("leases")
        self.runtime.feed("nodes")
        ready: dict[str, str] = {}
        nodes = self.informer("nodes").list()
        for name, uid in self.memory.pop("-gone", {}).items():
            gone = {"metadata": {"name": name, "uid": uid}}
            self._node_event(gone, "RemovingNode", f"Node {name} event: Removing Node {name} from Controller")
        for node in nodes:
            name = node["metadata"]["name"]
            known = name in self.memory
            if not known:
                self._node_event(node, "RegisteredNode", f"Node {name} event: Registered Node {name} in Controller")
            try:
                ready[name] = self._monitor(node, known)
            except ApiError as error:
                if error.code not in (404, 409):
                    raise
        self._taint(nodes, ready)

    def _heartbeat(self, node: Obj) -> tuple[str, str]:
        name = node["metadata"]["name"]
        lease = self.informer("leases").get("kube-node-lease", name)
        renewed = ((lease or {}).get("spec") or {}).get("renewTime") or ""
        found = condition(node, "Ready") or {}
        return renewed, found.get("lastHeartbeatTime") or ""

    def _monitor(self, node: Obj, known: bool) -> str:
        """Returns the node's observed Ready status, after writing Unknown where heartbeats stopped (tryUpdateNodeHealth)."""
        name = node["metadata"]["name"]
        now = self.world.now
        beat = list(self._heartbeat(node))
        found = condition(node, "Ready")
        since = now if found is not None else clock.parse_rfc3339(node["metadata"]["creationTimestamp"]) - self.world.epoch
        seen: dict[str, Any] = self.memory.setdefault(name, {"beat": beat, "probe": since, "ready": "", "evict": ""})
        if not known and beat[0]:
            seen["probe"] = now
        if beat[0] > seen["beat"][0] or beat[1] != seen["beat"][1]:  # a lease counts that is newer than the one before
            seen["beat"], seen["probe"] = beat, now
        observed = found["status"] if found is not None else "Unknown"
        grace = self._grace(found is None)
        if now > seen["probe"] + grace:
            self._set_unknown(node)
            current = "Unknown"
        else:
            current = observed
        seen["ready"] = current
        if current != "True" and observed == "True":
            ref = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node["metadata"]["uid"]}
            self.event(ref, "Normal", "NodeNotReady", f"Node {name} status is now: NodeNotReady")
            self.world.emit("node-controller", "node.notready", f"nodes/{name}", {"ready": current})
            seen["again"] = True
        if current == "True":
            seen.pop("again", None)
        elif seen.get("again"):  # until all pods are marked
            self._mark_pods(name)
            del seen["again"]
        return current

    def _grace(self, never_reported: bool) -> int:
        return grace_period(self.flags, never_reported=never_reported)

    def _set_unknown(self, node: Obj) -> None:
        now = self.world.timestamp()
        conditions = list((node.get("status") or {}).get("conditions") or [])
        changed = False
        for kind in WATCHED:
            index = next((i for i, c in enumerate(conditions) if c["type"] == kind), None)
            base = {"lastTransitionTime": now, "status": "Unknown", "type": kind}
            if index is None:
                message = "Kubelet never posted node status."
                beat = node["metadata"].get("creationTimestamp")
                conditions.append({**base, "lastHeartbeatTime": beat, "message": message, "reason": "NodeStatusNeverUpdated"})
                changed = True
            elif conditions[index]["status"] != "Unknown":
                base |= {"message": "Kubelet stopped posting node status.", "reason": "NodeStatusUnknown"}
                conditions[index] = {**conditions[index], **base}
                changed = True
        if changed:
            status = {**(node.get("status") or {}), "conditions": conditions}
            self.client.update("nodes", {**node, "status": status}, subresource="status")
            self.runtime.feed("nodes")

    def _mark_pods(self, name: str) -> None:
        """Pods of a node that is not ready are not ready (MarkPodsNotReady)."""
        now = self.world.timestamp()
        for pod in self.informer("pods").list():
            if pod["spec"].get("nodeName") != name:
                continue
            conditions = (pod.get("status") or {}).get("conditions") or []
            if not any(c["type"] == "Ready" and c["status"] == "True" for c in conditions):
                continue
            changed = [{**c, "status": "False", "lastTransitionTime": now} if c["type"] == "Ready" else c for c in conditions]
            try:
                self.client.update("pods", {**pod, "status": {**pod["status"], "conditions": changed}}, subresource="status")
            except ApiError as error:
                if error.code not in (404, 409):
                    raise
                continue
            self.event(pod, "Warning", "NodeNotReady", "Node is not ready")

    # -- eviction --------------------------------------------------------------------------------------------------------
    def _taint(self, nodes: list[Obj], ready: dict[str, str]) -> None:
        """NoExecute taints, one node at a time a zone: 0.1 a second, slower or not at all when a zone is in trouble."""
        zones: dict[str, list[Obj]] = {}
        for node in nodes:
            labels = labels_of(node)
            zone = f"{labels.get('topology.kubernetes.io/region', '')}:{labels.get('topology.kubernetes.io/zone', '')}"
            zones.setdefault(zone, []).append(node)
        sick = {zone: [n for n in items if ready.get(n["metadata"]["name"], "True") != "True"] for zone, items in zones.items()}
        counted = {zone: [n for n in items if EXCLUDED not in labels_of(n)] for zone, items in zones.items()}
        down = {n["metadata"]["name"] for items in sick.values() for n in items}
        counts = {z: (len(items), sum(n["metadata"]["name"] in down for n in items)) for z, items in counted.items() if items}
        all_down = all(self.zone_state(*pair) == "FullDisruption" for pair in counts.values())
        for zone in sorted(zones):
            rate = 0.0 if all_down else self._rate(*counts.get(zone, (0, 0)))
            for node in zones[zone]:
                name = node["metadata"]["name"]
                fresh = self.informer("nodes").get("", name)
                if fresh is None or name not in ready:
                    continue
                if ready[name] == "True" or all_down:
                    self._swap_no_execute(fresh, None)
                    continue
                if rate <= 0:
                    continue
                wanted = UNREACHABLE if ready[name] == "Unknown" else NOT_READY
                has = any(
                    t["effect"] == "NoExecute" and t["key"] in (NOT_READY, UNREACHABLE) for t in fresh["spec"].get("taints") or []
                )
                slot = self.memory.setdefault("", {}).get(zone, 0)
                if has or self.world.now >= slot:
                    if not has:
                        self.memory[""][zone] = self.world.now + int(clock.SECOND / rate)
                    self._swap_no_execute(fresh, wanted)

    def zone_state(self, size: int, sick: int) -> str:
        """How a zone is (ComputeZoneState)."""
        if sick and sick == size:
            return "FullDisruption"
        threshold = float(self.flags.get("unhealthy-zone-threshold", "0.55"))
        return "PartialDisruption" if sick > 2 and sick / size >= threshold else "Normal"

    def _rate(self, size: int, sick: int) -> float:
        """Nodes a second that may be tainted in a zone (setLimiterInZone)."""
        if self.zone_state(size, sick) != "PartialDisruption":
            return float(self.flags.get("node-eviction-rate", "0.1"))
        large = int(self.flags.get("large-cluster-size-threshold", "50"))
        return float(self.flags.get("secondary-node-eviction-rate", "0.01")) if size > large else 0.0
