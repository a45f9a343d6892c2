"""Empties and finalises terminating namespaces (pkg/controller/namespace/deletion/namespaced_resources_deleter.go)."""

from __future__ import annotations

from typing import NamedTuple

from ...kernel import clock
from ..api import packs
from ..api.objects import Obj
from ..client import ApiError
from ..component import version_of
from . import common
from .base import Controller, Retry

#: (condition, its message once all is well), in the order of `conditionMessages`.
_FINE = (
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    ("NamespaceDeletionContentFailure", "ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
    ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
    ("NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
)


#: Every event of a namespace waits that long: other API servers and etcd members may still have to hear of its end.
PATIENCE = 5 * clock.SECOND
#: What content that only finalizers hold is given, in seconds (`finalizerEstimateSeconds`).
FINALIZERS = 15


class Emptied(NamedTuple):
    """What one pass over a namespace left: objects by `resource.group`, how long they may still take (seconds), whether pods alone were looked at."""

    left: dict[str, list[Obj]]
    estimate: int
    pods_only: bool


class NamespaceController(Controller):
    """Keys are namespace names.  Pods go first, and nothing else goes before the last of them (`OrderedNamespaceDeletion`)."""

    name = "namespace-controller"
    source = "namespace-controller"
    resources = ("namespaces",)

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A terminating namespace changed."""
        if kind != "DELETED" and obj["metadata"].get("deletionTimestamp"):
            self.enqueue(obj["metadata"]["name"], PATIENCE)

    def sync(self, key: str) -> None:
        """Delete what is in the namespace; when nothing is left, take the finaliser away."""
        space = self.informer("namespaces").get("", key)
        if space is None or not space["metadata"].get("deletionTimestamp"):
            return
        finalizers = (space.get("spec") or {}).get("finalizers") or []
        if not finalizers:
            return
        done = self._empty(space)
        self._conditions(space, {} if done.pods_only else done.left)
        if done.estimate:
            self.enqueue(key, (done.estimate // 2 + 1) * clock.SECOND)
            return
        if done.left:
            raise Retry(f"unexpected items still remain in namespace: {key}")
        fresh = self.client.get("namespaces", "", key)
        kept = [name for name in finalizers if name != "kubernetes"]
        spec = {**(fresh.get("spec") or {}), "finalizers": kept}
        self.client.update("namespaces", {**fresh, "spec": spec}, subresource="finalize")

    def _empty(self, space: Obj) -> Emptied:
        """Delete the pods; once they are gone, every other object (`deleteAllContent`)."""
        namespace = space["metadata"]["name"]
        estimate = self._pods_take(space)
        pods = self._clear("pods", namespace)
        if pods:
            held = any(p["metadata"].get("finalizers") for p in pods)
            return Emptied({"pods.": pods}, estimate or (FINALIZERS if held else 0), True)
        left: dict[str, list[Obj]] = {}
        estimate = 0
        for kind in packs.kinds_of(version_of(self.runtime.proc)):
            if not kind.namespaced or not {"list", "delete"} <= set(kind.verbs) or (kind.plural == "events" and kind.group):
                continue
            remaining = self._clear(kind.group_resource, namespace) if kind.group_resource != "pods" else []
            if remaining:
                left[f"{kind.plural}.{kind.group}"] = remaining
                if any(o["metadata"].get("finalizers") for o in remaining):
                    estimate = FINALIZERS
        return Emptied(left, estimate, False)

    def _pods_take(self, space: Obj) -> int:
        """The longest grace of the pods that still run, in seconds; 0 once that much has passed (`estimateGracefulTermination`)."""
        pods = self.client.list("pods", space["metadata"]["name"]).items
        waits = (p["spec"].get("terminationGracePeriodSeconds") or 0 for p in pods if not common.is_terminal(p))
        longest = max(waits, default=0)
        past = self.world.wall - clock.parse_rfc3339(space["metadata"]["deletionTimestamp"])
        return 0 if past >= longest * clock.SECOND else longest

    def _clear(self, resource: str, namespace: str) -> list[Obj]:
        """Delete the objects of one kind; returns what is still there afterwards."""
        try:
            items = self.client.list(resource, namespace).items
        except ApiError as error:
            if error.code in (404, 405):
                return []
            raise
        for obj in items:
            if not obj["metadata"].get("deletionTimestamp"):
                self._delete(resource, namespace, obj["metadata"]["name"])
        return self.client.list(resource, namespace).items if items else []

    def _delete(self, resource: str, namespace: str, name: str) -> None:
        try:
            self.client.delete(resource, namespace, name, propagation="Background")
        except ApiError as error:
            if error.code not in (404, 405):
                raise

    def _conditions(self, space: Obj, left: dict[str, list[Obj]]) -> None:
        """Say in the namespace's status how far deletion is."""
        status = dict(space.get("status") or {})
        old = status.get("conditions") or []
        new: list[Obj] = []
        remaining = [f"{name} has {len(items)} resource instances" for name, items in sorted(left.items())]
        holding: dict[str, int] = {}
        for items in left.values():
            for obj in items:
                for finalizer in obj["metadata"].get("finalizers") or ():
                    holding[finalizer] = holding.get(finalizer, 0) + 1
        waiting = [f"{name} in {count} resource instances" for name, count in sorted(holding.items())]
        for kind, reason, message in _FINE:
            value = "False"
            if kind == "NamespaceContentRemaining" and remaining:
                value, reason, message = "True", "SomeResourcesRemain", "Some resources are remaining: " + ", ".join(remaining)
            if kind == "NamespaceFinalizersRemaining" and waiting:
                value, reason = "True", "SomeFinalizersRemain"
                message = "Some content in the namespace has finalizers remaining: " + ", ".join(waiting)
            before = next((c for c in old if c["type"] == kind), None)
            same = before is not None and before["status"] == value
            since = before["lastTransitionTime"] if same and before is not None else self.world.timestamp()
            new.append({"lastTransitionTime": since, "message": message, "reason": reason, "status": value, "type": kind})
        if new != old:
            fresh = self.client.get("namespaces", "", space["metadata"]["name"])
            fresh = {**fresh, "status": {**(fresh.get("status") or {}), "conditions": new}}
            self.client.update("namespaces", fresh, subresource="status")
