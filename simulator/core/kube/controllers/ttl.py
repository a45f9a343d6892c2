"""Tells kubelets, by an annotation of their node, how long Secrets and ConfigMaps may be cached (pkg/controller/ttl)."""

from __future__ import annotations

from ..api.objects import Obj, annotations_of
from .base import Controller

ANNOTATION = "node.alpha.kubernetes.io/ttl"
#: (fewest nodes, most nodes, seconds); the ranges overlap so that a cluster at a border does not flap.
BOUNDARIES = ((0, 100, 0), (90, 500, 15), (450, 1000, 30), (900, 2000, 60), (1800, 10_000, 300), (9000, 1 << 31, 600))


class TTLController(Controller):
    """Keys are node names."""

    name = "ttl-controller"
    source = "ttl-controller"
    resources = ("nodes",)

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A node came or went, or its annotation is not what it should be."""
        seconds = self._seconds()
        if kind != "DELETED" and annotations_of(obj).get(ANNOTATION) != str(seconds):
            self.enqueue(obj["metadata"]["name"])

    def _seconds(self) -> int:
        """The time for the present number of nodes; moves to a neighbouring step only beyond its bounds."""
        size = len(self.informer("nodes").objects())
        step = int(self.memory.get("step", 0))
        while size > BOUNDARIES[step][1]:
            step += 1
        while size < BOUNDARIES[step][0]:
            step -= 1
        if step != self.memory.get("step", 0):
            self.memory["step"] = step
            for name in sorted(self.informer("nodes").objects()):
                self.enqueue(name)
        return BOUNDARIES[step][2]

    def sync(self, key: str) -> None:
        """Write one node's annotation."""
        node = self.informer("nodes").get("", key)
        wanted = str(self._seconds())
        if node is not None and annotations_of(node).get(ANNOTATION) != wanted:
            patch = {"metadata": {"annotations": {ANNOTATION: wanted}}}
            self.client.patch("nodes", "", key, patch, kind="strategic")
