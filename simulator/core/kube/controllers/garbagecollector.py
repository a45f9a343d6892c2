"""The garbage collector: objects go when all their owners are gone (pkg/controller/garbagecollector).

A warm graph knows every object's UID and its dependents.  *Background*: a dependent whose owners are all absent is deleted.
*Foreground*: an owner with the finaliser `foregroundDeletion` waits until the dependents that block it are deleted.
*Orphan*: the finaliser `orphan` makes the collector take the owner out of its dependents' references first.
Absence is never believed from the graph alone: the owner is asked for at the API server.
"""

from __future__ import annotations

from functools import lru_cache

from ...kernel.versions import VERSION
from ..api import kinds, packs
from ..api.objects import Obj, key_of, split_key
from ..client import ApiError
from ..component import version_of
from .base import Controller

ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"
_NEEDED = {"delete", "list", "watch"}
#: Never owned and always busy, or served under two groups.
_SKIPPED = frozenset(("events", "leases"))


@lru_cache(maxsize=8)
def _watched(release: str) -> tuple[str, ...]:
    """The resources of the graph: all that a release's server can list, watch and delete."""
    found = (k.plural for k in packs.kinds_of(release) if set(k.verbs) >= _NEEDED and k.plural not in _SKIPPED)
    return tuple(sorted(set(found)))


class GarbageCollector(Controller):
    """Keys are `resource|namespace/name`."""

    name = "garbage-collector-controller"
    source = "garbage-collector-controller"
    resources = _watched(VERSION)

    @classmethod
    def watched(cls, release: str) -> tuple[str, ...]:
        """What the release's server serves."""
        return _watched(release)

    def setup(self) -> None:
        """Build the graph from what the informers hold already."""
        self.uids: dict[str, str] = {}
        self.owners: dict[str, tuple[str, tuple[str, ...]]] = {}
        self.dependents: dict[str, set[str]] = {}
        for resource in self.watched(version_of(self.runtime.proc)):
            for key, obj in self.informer(resource).objects().items():
                self._put(f"{resource}|{key}", obj)

    # -- the graph -------------------------------------------------------------------------------------------------------
    def _put(self, node: str, obj: Obj) -> None:
        uid = obj["metadata"]["uid"]
        refs = tuple(ref["uid"] for ref in obj["metadata"].get("ownerReferences") or ())
        known = self.owners.get(node)
        if known == (uid, refs):
            return
        if known is not None:
            self._drop(node)
        self.owners[node] = (uid, refs)
        self.uids[uid] = node
        for ref in refs:
            self.dependents.setdefault(ref, set()).add(node)

    def _drop(self, node: str) -> None:
        known = self.owners.pop(node, None)
        if known is None:
            return
        uid, refs = known
        self.uids.pop(uid, None)
        for ref in refs:
            held = self.dependents.get(ref)
            if held is not None:
                held.discard(node)
                if not held:
                    del self.dependents[ref]
            owner = self.uids.get(ref)
            if owner is not None and FOREGROUND in self._finalizers(owner):
                self.enqueue(owner)
        for node_of in sorted(self.dependents.get(uid, ())):
            self.enqueue(node_of)

    def _object(self, node: str) -> Obj | None:
        resource, _, key = node.partition("|")
        return self.informer(resource).objects().get(key)

    def _finalizers(self, node: str) -> list[str]:
        obj = self._object(node)
        return (obj or {"metadata": {}})["metadata"].get("finalizers") or []

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """An object came, changed or went."""
        node = f"{resource}|{key_of(obj)}"
        if kind == "DELETED":
            self._drop(node)
            return
        self._put(node, obj)
        meta = obj["metadata"]
        if meta.get("deletionTimestamp"):
            finalizers = meta.get("finalizers") or ()
            if ORPHAN in finalizers or FOREGROUND in finalizers:
                self.enqueue(node)
        elif any(ref["uid"] not in self.uids for ref in meta.get("ownerReferences") or ()):
            self.enqueue(node)

    # -- the work --------------------------------------------------------------------------------------------------------
    def sync(self, key: str) -> None:
        """Look at one object: should it go, wait, or let its dependents be?"""
        obj = self._object(key)
        if obj is None:
            return
        finalizers = obj["metadata"].get("finalizers") or []
        if obj["metadata"].get("deletionTimestamp"):
            if ORPHAN in finalizers:
                self._orphan(key, obj)
            elif FOREGROUND in finalizers:
                self._foreground(key, obj)
            return
        refs = obj["metadata"].get("ownerReferences") or []
        if refs:
            self._attempt(key, obj, refs)

    def _attempt(self, node: str, obj: Obj, refs: list[Obj]) -> None:
        solid, gone, waiting = [], [], []
        for ref in refs:
            owner = self._owner(ref, obj["metadata"].get("namespace", ""))
            if owner is None:
                gone.append(ref["uid"])
            elif owner["metadata"].get("deletionTimestamp") and FOREGROUND in (owner["metadata"].get("finalizers") or ()):
                waiting.append(ref["uid"])
            else:
                solid.append(ref["uid"])
        if solid:
            if gone or waiting:
                self._unreference(node, obj, gone + waiting)
            return
        finalizers = obj["metadata"].get("finalizers") or ()
        policy = "Background"
        if (waiting and self.dependents.get(obj["metadata"]["uid"])) or FOREGROUND in finalizers:
            policy = "Foreground"
        elif ORPHAN in finalizers:
            policy = "Orphan"
        resource, _, key = node.partition("|")
        namespace, name = split_key(key)
        try:
            self.client.delete(resource, namespace, name, propagation=policy, uid=obj["metadata"]["uid"])
        except ApiError as error:
            if error.code != 404:
                raise

    def _owner(self, ref: Obj, namespace: str) -> Obj | None:
        """The owner of a reference, or None when it is certainly absent."""
        node = self.uids.get(ref["uid"])
        if node is not None:
            return self._object(node)
        info = kinds.by_kind(ref["apiVersion"], ref["kind"])
        if info is None:
            return {"metadata": {}}  # a kind that is not in discovery: nothing is deleted on its account
        try:
            found = self.client.get(info.group_resource, namespace if info.namespaced else "", ref["name"])
        except ApiError as error:
            if error.code != 404:
                raise
            return None
        return found if found["metadata"]["uid"] == ref["uid"] else None

    def _foreground(self, node: str, obj: Obj) -> None:
        """Delete what blocks the owner, or let the owner go."""
        uid = obj["metadata"]["uid"]
        blocking = []
        for dependent in sorted(self.dependents.get(uid, ())):
            item = self._object(dependent)
            refs = (item or {"metadata": {}})["metadata"].get("ownerReferences") or ()
            if item is not None and any(r["uid"] == uid and r.get("blockOwnerDeletion") for r in refs):
                blocking.append(dependent)
                if not item["metadata"].get("deletionTimestamp"):
                    self._attempt(dependent, item, list(refs))
        if not blocking:
            self._remove_finalizer(node, obj, FOREGROUND)

    def _orphan(self, node: str, obj: Obj) -> None:
        for dependent in sorted(self.dependents.get(obj["metadata"]["uid"], ())):
            item = self._object(dependent)
            if item is not None:
                self._unreference(dependent, item, [obj["metadata"]["uid"]])
        self._remove_finalizer(node, obj, ORPHAN)

    def _unreference(self, node: str, obj: Obj, uids: list[str]) -> None:
        resource, _, key = node.partition("|")
        namespace, name = split_key(key)
        refs = [{"$patch": "delete", "uid": uid} for uid in uids]
        try:
            self.client.patch(
                resource,
                namespace,
                name,
                {"metadata": {"ownerReferences": refs, "uid": obj["metadata"]["uid"]}},
                kind="strategic",
            )
        except ApiError as error:
            if error.code != 404:
                raise

    def _remove_finalizer(self, node: str, obj: Obj, finalizer: str) -> None:
        resource, _, key = node.partition("|")
        namespace, name = split_key(key)
        kept = [item for item in obj["metadata"].get("finalizers") or () if item != finalizer]
        patch = {"metadata": {"resourceVersion": obj["metadata"]["resourceVersion"], "finalizers": kept or None}}
        try:
            self.client.patch(resource, namespace, name, patch, kind="merge")
        except ApiError as error:
            if error.code != 404:
                raise
