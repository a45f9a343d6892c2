"""Empties and finalises terminating namespaces (pkg/controller/namespace/deletion/namespaced_resources_deleter.go)."""

from __future__ import annotations

from ...kernel import clock
from ..api import packs
from ..api.objects import Obj
from ..client import ApiError
from ..component import version_of
from .base import Controller

#: (condition, its message once all is well), in the order of `conditionMessages`.
_FINE = (
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    ("NamespaceDeletionContentFailure", "ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
    ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
    ("NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
)


class NamespaceController(Controller):
    """Keys are namespace names."""

    name = "namespace-controller"
    source = "namespace-controller"
    resources = ("namespaces",)

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A namespace began to terminate (a short wait lets the API server's caches hear of it, as in the real one)."""
        if kind != "DELETED" and obj["metadata"].get("deletionTimestamp"):
            self.enqueue(obj["metadata"]["name"], 5 * clock.SECOND if kind == "ADDED" else 0)

    def sync(self, key: str) -> None:
        """Delete what is in the namespace; when nothing is left, take the finaliser away."""
        space = self.informer("namespaces").get("", key)
        if space is None or not space["metadata"].get("deletionTimestamp"):
            return
        finalizers = (space.get("spec") or {}).get("finalizers") or []
        if "kubernetes" not in finalizers:
            return
        left = self._empty(key)
        if left:
            self._conditions(space, left)
            wait = max((self._grace(obj) for items in left.values() for obj in items), default=0)
            self.enqueue(key, (wait // 2 + 1) * clock.SECOND)
            return
        self._conditions(space, {})
        fresh = self.client.get("namespaces", "", key)
        kept = [name for name in finalizers if name != "kubernetes"]
        spec = {**(fresh.get("spec") or {}), "finalizers": kept}
        self.client.update("namespaces", {**fresh, "spec": spec}, subresource="finalize")

    @staticmethod
    def _grace(obj: Obj) -> int:
        return int(obj["metadata"].get("deletionGracePeriodSeconds") or 0) if obj.get("kind") == "Pod" else 0

    def _empty(self, namespace: str) -> dict[str, list[Obj]]:
        """Delete every object; returns what is still there afterwards, by `resource.group`."""
        left: dict[str, list[Obj]] = {}
        for kind in packs.kinds_of(version_of(self.runtime.proc)):
            if not kind.namespaced or not {"list", "delete"} <= set(kind.verbs) or (kind.plural == "events" and kind.group):
                continue
            try:
                items = self.client.list(kind.group_resource, namespace).items
            except ApiError as error:
                if error.code in (404, 405):
                    continue
                raise
            for obj in items:
                if not obj["metadata"].get("deletionTimestamp"):
                    self._delete(kind.group_resource, namespace, obj["metadata"]["name"])
            if items:
                remaining = self.client.list(kind.group_resource, namespace).items
                if remaining:
                    left[f"{kind.plural}.{kind.group}"] = remaining
        return left

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
