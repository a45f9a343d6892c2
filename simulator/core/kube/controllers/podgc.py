"""Removes pods that nobody will ever finish (pkg/controller/podgc/gc_controller.go).

Every 20 s: finished pods beyond the threshold (12,500), oldest first; pods bound to a node that has been gone for 40 s;
terminating pods that were never scheduled.
"""

from __future__ import annotations

from ...kernel import clock
from ..api.objects import Obj
from ..client import ApiError
from . import common
from .base import Controller
from .tainteviction import mark_disruption

QUARANTINE = 40 * clock.SECOND


def _rank(pod: Obj) -> tuple[bool, str, str]:
    """Finished pods in the order in which they go: evicted ones, then the oldest (byEvictionAndCreationTimestamp)."""
    evicted = (pod.get("status") or {}).get("reason") == "Evicted"
    return not evicted, pod["metadata"].get("creationTimestamp") or "", pod["metadata"]["name"]


class PodGCController(Controller):
    """Works by `tick` alone."""

    name = "pod-garbage-collector-controller"
    source = "pod-garbage-collector"
    resources = ("pods", "nodes")
    period = 20 * clock.SECOND

    def tick(self) -> None:
        """One pass of the collector."""
        pods = self.informer("pods").objects()
        nodes = self.informer("nodes").objects()
        gone: dict[str, list[Obj]] = {}
        finished: list[Obj] = []
        for key in sorted(pods):
            pod = pods[key]
            node = pod["spec"].get("nodeName")
            if node and node not in nodes:
                gone.setdefault(node, []).append(pod)
            elif not node and pod["metadata"].get("deletionTimestamp"):
                self._delete(pod)
            elif common.is_terminal(pod):
                finished.append(pod)
        self._orphans(gone)
        threshold = int(self.flags.get("terminated-pod-gc-threshold", "12500"))
        if 0 < threshold < len(finished):
            finished.sort(key=_rank)
            for pod in finished[: len(finished) - threshold]:
                self._delete(pod)

    def _orphans(self, gone: dict[str, list[Obj]]) -> None:
        for name in [n for n in self.memory if n not in gone]:
            del self.memory[name]
        for name in sorted(gone):
            since = self.memory.setdefault(name, self.world.now)
            if self.world.now < since + QUARANTINE:
                continue
            for pod in gone[name]:
                if not common.is_terminal(pod):
                    mark_disruption(self, pod, "DeletionByPodGC", "PodGC: node no longer exists")
                    patch = {"status": {"phase": "Failed"}}
                    try:
                        self.client.patch(
                            "pods",
                            pod["metadata"]["namespace"],
                            pod["metadata"]["name"],
                            patch,
                            kind="strategic",
                            subresource="status",
                        )
                    except ApiError as error:
                        if error.code != 404:
                            raise
                self._delete(pod)

    def _delete(self, pod: Obj) -> None:
        try:
            self.client.delete("pods", pod["metadata"]["namespace"], pod["metadata"]["name"], grace=0, uid=pod["metadata"]["uid"])
        except ApiError as error:
            if error.code not in (404, 409):
                raise
