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
#: Served under two groups; and always busy, so of leases only those of nodes that go are asked for.
_SKIPPED = frozenset(("events", "leases"))
_NODE_LEASES = "leases|kube-node-lease/"


@lru_cache(maxsize=8)
def _watched(release: str) -> tuple[str, ...]:
    """The resources of the graph: all that a release's server can list, watch and delete."""
    found = (k.plural for k in packs.kinds_of(release) if set(k.verbs) >= _NEEDED and k.plural not in _SKIPPED)
    return tuple(sorted(set(found)))


class WrongScope(Exception):
    """A cluster-scoped object names an owner of a kind that lives in namespaces: it is left alone."""


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
            if resource == "nodes":
                self.enqueue(f"{_NODE_LEASES}{obj['metadata']['name']}")
            return
        self._put(node, obj)
        meta = obj["metadata"]
        if meta.get("deletionTimestamp"):
            finalizers = meta.get("finalizers") or ()
            if ORPHAN in finalizers or FOREGROUND in finalizers:
                self.enqueue(node)
        elif any(self._doubtful(ref, meta) for ref in meta.get("ownerReferences") or ()):
            self.enqueue(node)

    def _doubtful(self, ref: Obj, meta: Obj) -> bool:
        """Whether a reference's owner is not known, or known in another namespace."""
        node = self.uids.get(ref["uid"])
        if node is None:
            return True
        namespace = split_key(node.partition("|")[2])[0]
        return namespace not in ("", meta.get("namespace", ""))

    # -- the work --------------------------------------------------------------------------------------------------------
    def sync(self, key: str) -> None:
        """Look at one object: should it go, wait, or let its dependents be?"""
        obj = self._lease(key) if key.startswith(_NODE_LEASES) else self._object(key)
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

    def _lease(self, node: str) -> Obj | None:
        try:
            return self.client.get("leases", *split_key(node.partition("|")[2]))
        except ApiError as error:
            if error.code != 404:
                raise
            return None

    def _attempt(self, node: str, obj: Obj, refs: list[Obj]) -> None:
        solid, gone, waiting = [], [], []
        for ref in refs:
            try:
                owner = self._owner(node, obj, ref)
            except WrongScope:
                return
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
            if waiting:
                self._break_cycle(node, obj, refs)
        elif ORPHAN in finalizers:
            policy = "Orphan"
        resource, _, key = node.partition("|")
        namespace, name = split_key(key)
        try:
            self.client.delete(resource, namespace, name, propagation=policy, uid=obj["metadata"]["uid"])
        except ApiError as error:
            if error.code != 404:
                raise

    def _owner(self, node: str, obj: Obj, ref: Obj) -> Obj | None:
        """The owner of a reference, or None when it is certainly absent; raises WrongScope where the reference can mean nothing.

        An owner is looked for in the dependent's own namespace: one of that UID elsewhere, or of another kind or name, is none.
        """
        namespace = obj["metadata"].get("namespace", "")
        known = self.uids.get(ref["uid"])
        found = self._object(known) if known is not None else None
        if found is not None:
            elsewhere = found["metadata"].get("namespace", "") not in ("", namespace)
            if elsewhere:
                self._tell(obj, ref)
            if not elsewhere and found["metadata"]["name"] == ref["name"] and self._is_kind(str(known), ref):
                return found
        info = kinds.by_kind(ref["apiVersion"], ref["kind"])
        if info is None:
            return {"metadata": {}}  # a kind that is not in discovery: nothing is deleted on its account
        if info.namespaced and not namespace:
            raise WrongScope
        try:
            found = self.client.get(info.group_resource, namespace if info.namespaced else "", ref["name"])
        except ApiError as error:
            if error.code != 404:
                raise
            return None
        return found if found["metadata"]["uid"] == ref["uid"] else None

    @staticmethod
    def _is_kind(node: str, ref: Obj) -> bool:
        info = kinds.by_kind(ref["apiVersion"], ref["kind"])
        return info is None or info.plural == node.partition("|")[0]

    def _tell(self, obj: Obj, ref: Obj) -> None:
        """An owner in another namespace is told of (`reportInvalidNamespaceOwnerRef`)."""
        namespace = obj["metadata"].get("namespace", "")
        named = f"{ref['apiVersion']}/{ref['kind']}, namespace: {namespace}, name: {ref['name']}, uid: {ref['uid']}"
        self.event(obj, "Warning", "OwnerRefInvalidNamespace", f'ownerRef [{named}] does not exist in namespace "{namespace}"')

    def _break_cycle(self, node: str, obj: Obj, refs: list[Obj]) -> None:
        """Where a dependent is itself waiting for its dependents there may be a circle: the object blocks its owners no more."""
        below = sorted(self.dependents.get(obj["metadata"]["uid"], ()))
        going = [d for d in below if ((self._object(d) or {}).get("metadata") or {}).get("deletionTimestamp")]
        if not any(FOREGROUND in self._finalizers(d) for d in going) or not any(r.get("blockOwnerDeletion") for r in refs):
            return
        resource, _, key = node.partition("|")
        namespace, name = split_key(key)
        free = [{"uid": r["uid"], "blockOwnerDeletion": False} for r in refs if r.get("blockOwnerDeletion")]
        patch = {"metadata": {"ownerReferences": free, "uid": obj["metadata"]["uid"]}}
        self.client.patch(resource, namespace, name, patch, kind="strategic")

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
