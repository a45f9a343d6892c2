"""One call of a controller's `sync` over given objects: what it reads never changes meanwhile, what it writes is kept.

The world has no processes and no API server; caches are what a case says, requests are remembered.
"""

from __future__ import annotations

from typing import Any

from simulator.core.kernel.world import World
from simulator.core.kube.api.objects import Obj, controller_of, key_of
from simulator.core.kube.client import ApiError
from simulator.core.kube.controllers.base import Controller, ManagerState


def refused(message: str, code: int = 500, reason: str = "InternalError") -> ApiError:
    """An answer that is an error."""
    return ApiError({"kind": "Status", "code": code, "reason": reason, "message": message})


Found = list[Obj]


class Cache:
    """An informer that holds what it was given."""

    def __init__(self, objects: list[Obj]) -> None:
        self.held = {key_of(o): o for o in objects}

    def get(self, namespace: str, name: str) -> Obj | None:
        """One object."""
        return self.held.get(f"{namespace}/{name}" if namespace else name)

    def list(self, namespace: str | None = None) -> Found:
        """All objects, or those of a namespace."""
        return [o for o in self.held.values() if namespace in (None, o["metadata"].get("namespace"))]

    def objects(self) -> dict[str, Obj]:
        """Objects by key."""
        return self.held

    def by_owner(self, uid: str) -> Found:
        """The objects that an owner controls."""
        return [o for o in self.held.values() if (controller_of(o) or {}).get("uid") == uid]


class Requests:
    """A client that remembers what was asked; `limit` objects may be made, then it refuses, and with `broken` it refuses everything that is about pods."""

    def __init__(self, world: World, *, limit: int | None = None, broken: bool = False) -> None:
        self.world, self.limit, self.broken = world, limit, broken
        self.created: list[Obj] = []
        self.deleted: list[str] = []
        self.updated: list[Obj] = []
        self.patched: list[str] = []
        self.events: list[Obj] = []
        self.there: dict[str, dict[str, Obj]] = {}
        self.tried = 0

    def create(self, resource: str, namespace: str | None, obj: Obj, **_: Any) -> Obj:
        """Keep it, with a name."""
        if resource == "events":
            self.events.append(obj)
            return obj
        self.tried += 1
        if self.limit is not None and len(self.created) >= self.limit:
            raise refused("not more")
        meta = obj["metadata"]
        name = meta.get("name") or f"{meta.get('generateName', '')}{len(self.created):05d}"
        made = {
            **obj,
            "kind": obj.get("kind", resource),
            "metadata": {**meta, "name": name, "namespace": namespace, "uid": f"new-{name}"},
        }
        self.created.append(made)
        if self.broken:
            raise refused("broken")
        return made

    def get(self, resource: str, namespace: str | None, name: str, **_: Any) -> Obj:
        """An object of the case."""
        key = f"{namespace}/{name}" if namespace else name
        if key not in self.there.get(resource, {}):
            raise refused(f'{resource} "{name}" not found', 404, "NotFound")
        return self.there[resource][key]

    def update(self, resource: str, obj: Obj, **_: Any) -> Obj:
        """Keep it."""
        self.updated.append(obj)
        return obj

    def patch(self, resource: str, namespace: str | None, name: str, patch: Any, **_: Any) -> Obj:
        """Remember whom it was for."""
        if resource == "events":
            return {"metadata": {"name": name}}
        self.patched.append(name)
        if self.broken:
            raise refused("broken")
        known = self.there.get(resource, {}).get(f"{namespace}/{name}" if namespace else name)
        return known or {"metadata": {"namespace": namespace, "name": name, "uid": name}}

    def delete(self, resource: str, namespace: str | None, name: str, **_: Any) -> Obj:
        """Remember who went."""
        self.deleted.append(name)
        return {}


class Still:
    """What a controller calls its runtime."""

    def __init__(self, world: World, client: Requests, objects: dict[str, list[Obj]], resources: tuple[str, ...]) -> None:
        self.world, self.client, self.state = world, client, ManagerState()
        self.informers = {name: Cache(objects.get(name, [])) for name in resources}

    def client_of(self, name: str) -> Requests:
        """The one client."""
        return self.client

    def orphans(self, namespace: str) -> list[Obj]:
        """The pods that nobody controls."""
        return [p for p in self.informers["pods"].list(namespace) if controller_of(p) is None]


def controller(
    kind: type[Controller], objects: dict[str, list[Obj]], *, limit: int | None = None, broken: bool = False, at: int = 10**12
) -> tuple[Any, Requests]:
    """A controller over objects by resource, and what it asks for; `at` is the virtual time."""
    world = World(seed=1)
    world.now = at
    client = Requests(world, limit=limit, broken=broken)
    client.there = {resource: {key_of(o): o for o in held} for resource, held in objects.items()}
    return kind(Still(world, client, objects, kind.resources)), client  # type: ignore[arg-type]
