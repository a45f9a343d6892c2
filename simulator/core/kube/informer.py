"""Informers: a component's warm copy of a resource, kept level by list and watch (`client-go/tools/cache/reflector.go`).

The persistent part is `InformerState` in the component's own section; the copy lives in `world.warm["informers"][key]` and
is rebuilt after a restore as it was at exactly the state's resourceVersion (`world.tables["copies"]`), so that a restored world goes
on as the unbroken one does, also when the API server is away by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from .api import kinds
from .api.errors import ApiError
from .api.selectors import LabelSelector

if TYPE_CHECKING:
    from .client import KubeClient, WatchEvent

Obj = dict[str, Any]
Objects = list[Obj]


class InformerState(msgspec.Struct):
    """What an informer watches and how far it has got; `synced` is True once the first list is in."""

    resource: str
    namespace: str = ""
    field_selector: str = ""
    resource_version: str = ""
    synced: bool = False
    label_selector: str = ""


class Store:
    """The warm copy: objects by key, and by the uid of their owners."""

    __slots__ = ("by_owner", "objects", "version")

    def __init__(self) -> None:
        self.objects: dict[str, Obj] = {}
        self.by_owner: dict[str, dict[str, Obj]] = {}
        self.version = ""

    def put(self, key: str, obj: Obj) -> Obj | None:
        """Add or replace; returns what was there."""
        old = self.objects.get(key)
        if old is not None:
            self._unindex(key, old)
        self.objects[key] = obj
        for ref in obj["metadata"].get("ownerReferences") or ():
            self.by_owner.setdefault(ref["uid"], {})[key] = obj
        return old

    def drop(self, key: str) -> Obj | None:
        """Remove; returns what was there."""
        old = self.objects.pop(key, None)
        if old is not None:
            self._unindex(key, old)
        return old

    def _unindex(self, key: str, old: Obj) -> None:
        for ref in old["metadata"].get("ownerReferences") or ():
            held = self.by_owner.get(ref["uid"])
            if held is not None:
                held.pop(key, None)
                if not held:
                    del self.by_owner[ref["uid"]]


def _key(obj: Obj) -> str:
    meta = obj["metadata"]
    namespace = meta.get("namespace")
    return f"{namespace}/{meta['name']}" if namespace else str(meta["name"])


class Informer:
    """Lists once, then follows; `sync` is cheap when nothing changed.  Objects are frozen by convention."""

    def __init__(self, client: KubeClient, state: InformerState, key: str) -> None:
        self.client = client
        self.state = state
        self.key = key
        self.info = kinds.by_resource(state.resource)
        self._path = self.info.path(state.namespace)

    @property
    def topic(self) -> str:
        """The doorbell of this resource: `registry:<prefix>`."""
        return self.info.topic

    @property
    def store(self) -> Store:
        """The warm copy; rebuilt at the state's resourceVersion when this world was restored."""
        warm: dict[str, Store] = self.client.world.warm.setdefault("informers", {})
        found = warm.get(self.key)
        if found is None or found.version != self.state.resource_version:
            found = Store()
            if self.state.resource_version:
                self._rebuild(found)
            found.version = self.state.resource_version
            warm[self.key] = found
        return found

    def _query(self) -> dict[str, list[str]]:
        query: dict[str, list[str]] = {}
        if self.state.field_selector:
            query["fieldSelector"] = [self.state.field_selector]
        if self.state.label_selector:
            query["labelSelector"] = [self.state.label_selector]
        return query

    def _rebuild(self, store: Store) -> None:
        copies = self.client.world.tables.get("copies")
        if copies is None:  # a world without an etcd of its own (tests of single components) answers by its API
            query = self._query() | {"resourceVersion": [self.state.resource_version], "resourceVersionMatch": ["Exact"]}
            items = self.client.call("GET", self._path, query)["items"]
        else:
            items = copies(self.client.world, self._path, self._query(), self.state.resource_version)
        if items is None:
            self.state.resource_version = ""
            return
        for obj in items:
            store.put(_key(obj), obj)

    def prime(self) -> bool:
        """Rebuild the copy now; False when that is not possible (etcd's data is gone): then `forget`."""
        if not self.state.resource_version:
            return False
        self.store  # noqa: B018  reading it rebuilds it
        return bool(self.state.resource_version)

    def forget(self) -> None:
        """Begin anew: the next `sync` lists and gives everything as ADDED."""
        self.state.resource_version = ""
        self.client.world.warm.setdefault("informers", {}).pop(self.key, None)

    def sync(self) -> list[WatchEvent]:
        """What is new since the last call, relative to the copy; the first call lists.

        Raises ConnectError or ApiError when the server is away; nothing is lost, call again later.
        """
        store = self.store
        if not self.state.resource_version:
            return self._relist(store)
        query = self._query()
        query["watch"] = ["true"]
        query["resourceVersion"] = [self.state.resource_version]
        stream = self.client.call("GET", self._path, query)
        try:
            items = stream.poll()
            seen = str(stream.resource_version)
        finally:
            stream.close()
        if items and items[-1]["type"] == "ERROR":
            if items[-1]["object"].get("code") != 410:
                raise ApiError(items[-1]["object"])
            return self._relist(store)
        out = [event for item in items if (event := self._take(store, item["type"], item["object"])) is not None]
        self._advance(store, seen)
        return out

    def _advance(self, store: Store, version: str) -> None:
        self.state.resource_version = store.version = version

    def _take(self, store: Store, kind: str, obj: Obj) -> WatchEvent | None:
        from .client import WatchEvent

        if kind == "BOOKMARK":
            return None
        key = _key(obj)
        if kind == "DELETED":
            return WatchEvent("DELETED", obj) if store.drop(key) is not None else None
        return WatchEvent("ADDED" if store.put(key, obj) is None else "MODIFIED", obj)

    def _relist(self, store: Store) -> list[WatchEvent]:
        from .client import WatchEvent

        answer = self.client.call("GET", self._path, self._query())
        out: list[WatchEvent] = []
        listed: dict[str, Obj] = {_key(obj): obj for obj in answer["items"]}
        for key in sorted(set(store.objects) - set(listed)):
            old = store.drop(key)
            if old is not None:
                out.append(WatchEvent("DELETED", old))
        for key, obj in listed.items():
            old = store.put(key, obj)
            if old is None:
                out.append(WatchEvent("ADDED", obj))
            elif old["metadata"]["resourceVersion"] != obj["metadata"]["resourceVersion"]:
                out.append(WatchEvent("MODIFIED", obj))
        self._advance(store, answer["metadata"]["resourceVersion"])
        self.state.synced = True
        return out

    # -- the lister -----------------------------------------------------------------------------------------------------
    def get(self, namespace: str | None, name: str) -> Obj | None:
        """One object of the copy."""
        return self.store.objects.get(f"{namespace}/{name}" if namespace else name)

    def list(self, namespace: str | None = None) -> list[Obj]:
        """The objects of the copy, sorted by key."""
        objects = self.store.objects
        if namespace:
            prefix = namespace + "/"
            return [objects[key] for key in sorted(key for key in objects if key.startswith(prefix))]
        return [objects[key] for key in sorted(objects)]

    def by_owner(self, uid: str) -> Objects:
        """Objects that name `uid` as an owner, sorted by key."""
        found = self.store.by_owner.get(uid)
        return [found[key] for key in sorted(found)] if found else []

    def by_label(self, selector: LabelSelector, namespace: str | None = None) -> Objects:
        """Objects whose labels satisfy a selector."""
        return [obj for obj in self.list(namespace) if selector.matches(obj["metadata"].get("labels"))]

    def keys(self) -> Iterable[str]:
        """The keys of the copy, sorted."""
        return sorted(self.store.objects)

    def objects(self) -> Mapping[str, Obj]:
        """The copy itself, by key; read only."""
        return self.store.objects
