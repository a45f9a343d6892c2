"""Evicts pods that do not tolerate a node's NoExecute taints (pkg/controller/tainteviction/taint_eviction.go).

A pod that tolerates every such taint for a while (`tolerationSeconds`, 300 s by default for not-ready and unreachable) goes
when the shortest of these times is over; a taint that is lifted before cancels it.
"""

from __future__ import annotations

from ...kernel import clock
from ..api.objects import Obj, key_of, split_key
from ..client import ApiError
from . import common
from .base import Controller
from .nodefit import tolerates


def patience(pod: Obj, taints: list[Obj]) -> int | None:
    """How long a pod may stay: nanoseconds, 0 for not at all, None for as long as it likes."""
    used: list[Obj] = []
    for taint in taints:
        match = next((t for t in pod["spec"].get("tolerations") or () if tolerates(t, taint)), None)
        if match is None:
            return 0
        used.append(match)
    limits = [t["tolerationSeconds"] for t in used if t.get("tolerationSeconds") is not None]
    return max(0, min(limits)) * clock.SECOND if limits else None


class TaintEvictionController(Controller):
    """Keys are pods; the due time of an eviction is in `memory`, so that an earlier one is kept when taints change."""

    name = "taint-eviction-controller"
    source = "taint-eviction-controller"
    resources = ("nodes", "pods")

    def setup(self) -> None:
        """Which nodes have NoExecute taints now."""
        self.tainted: set[str] = {n["metadata"]["name"] for n in self.informer("nodes").list() if self._taints(n)}

    @staticmethod
    def _taints(node: Obj | None) -> list[Obj]:
        return [t for t in ((node or {}).get("spec") or {}).get("taints") or () if t["effect"] == "NoExecute"]

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A node's taints changed, or a pod came to a tainted node."""
        if resource == "pods":
            key = key_of(obj)
            if kind == "DELETED":
                self.memory.pop(key, None)
            elif obj["spec"].get("nodeName") in self.tainted or key in self.memory:
                self.enqueue(key)
            return
        name = obj["metadata"]["name"]
        now_tainted = kind != "DELETED" and bool(self._taints(obj))
        if now_tainted or name in self.tainted:
            for pod in self.informer("pods").list():
                if pod["spec"].get("nodeName") == name:
                    self.enqueue(key_of(pod))
        (self.tainted.add if now_tainted else self.tainted.discard)(name)

    def sync(self, key: str) -> None:
        """Evict one pod now, plan it, or cancel the plan."""
        namespace, name = split_key(key)
        pod = self.informer("pods").get(namespace, name)
        if pod is None or pod["metadata"].get("deletionTimestamp"):
            self.memory.pop(key, None)
            return
        taints = self._taints(self.informer("nodes").get("", pod["spec"].get("nodeName") or ""))
        ref = {"apiVersion": "v1", "kind": "Pod", "name": name, "namespace": namespace}
        limit = patience(pod, taints) if taints else None
        if limit is None:
            if self.memory.pop(key, None) is not None:
                self.event(ref, "Normal", "TaintManagerEviction", f"Cancelling deletion of Pod {key}")
            return
        plan = self.memory.get(key)
        if limit and plan is None:
            plan = {"start": self.world.now, "at": self.world.now + limit}
            self.memory[key] = plan
        elif limit and plan is not None:
            at = plan["start"] + limit
            if at < plan["at"]:
                plan = self.memory[key] = {"start": plan["start"], "at": at}
        if plan is not None and limit and plan["at"] > self.world.now:
            self.enqueue(key, plan["at"] - self.world.now)
            return
        self._evict(pod, ref, key)

    def _evict(self, pod: Obj, ref: Obj, key: str) -> None:
        self.memory.pop(key, None)
        self.event(ref, "Normal", "TaintManagerEviction", f"Marking for deletion Pod {key}")
        namespace, name = split_key(key)
        self.world.emit("taint-eviction-controller", "pod.evict", f"pods/{key}", {"node": pod["spec"].get("nodeName")})
        mark_disruption(self, pod, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint")
        try:
            self.client.delete("pods", namespace, name)
        except ApiError as error:
            if error.code != 404:
                raise


def mark_disruption(controller: Controller, pod: Obj, reason: str, message: str) -> None:
    """Note on a pod why it is about to be deleted: condition DisruptionTarget."""
    meta = pod["metadata"]
    found = {"type": "DisruptionTarget", "status": "True", "reason": reason, "message": message}
    found["lastTransitionTime"] = controller.world.timestamp()
    if meta.get("generation"):
        found["observedGeneration"] = meta["generation"]
    old = (pod.get("status") or {}).get("conditions") or []
    new = common.set_condition(old, found)
    if new is not old:
        try:
            patch = {"metadata": {"uid": meta["uid"]}, "status": {"conditions": [found]}}
            controller.client.patch("pods", meta["namespace"], meta["name"], patch, kind="strategic", subresource="status")
        except ApiError as error:
            if error.code != 404:
                raise
