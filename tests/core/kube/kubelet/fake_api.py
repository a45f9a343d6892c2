"""A small stand-in for the API server, for the kubelet's own tests: objects in a dict, list, watch, patch and delete."""

from __future__ import annotations

from typing import Any

from simulator.core.host.process import Process
from simulator.core.kernel import network
from simulator.core.kernel.http import Request, Response
from simulator.core.kernel.world import World
from simulator.core.kube.api.objects import clone

Obj = dict[str, Any]


def merge(old: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    out = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merge(out.get(key), value)
    return out


class Stream:
    """A watch that is polled at once."""

    topic = ""
    closed = False

    def __init__(self, items: list[Obj], version: str) -> None:
        self.items, self.resource_version = items, version

    def poll(self) -> list[Obj]:
        items, self.items = self.items, []
        return items

    def close(self) -> None:
        pass


class FakeApi:
    """The program `fake-api`; its store is on the object, so it serves one world."""

    def __init__(self) -> None:
        self.objects: dict[str, Obj] = {}
        self.log: list[tuple[int, str, str, Obj]] = []
        self.requests: list[tuple[str, str]] = []
        #: When each version was written, in virtual ns.
        self.times: dict[int, int] = {}
        self.version = 1

    def start(self, world: World, proc: Process) -> None:
        network.listen(world, proc.netns, 6443, host=proc.host, pid=proc.pid)

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        pass

    def stop(self, world: World, proc: Process, signal: int) -> int:
        return 0

    # -- store ------------------------------------------------------------------------------------------------------
    def put(self, world: World, path: str, obj: Obj, kind: str = "MODIFIED") -> Obj:
        obj = clone(obj)
        self.version += 1
        meta = obj.setdefault("metadata", {})
        meta["resourceVersion"] = str(self.version)
        meta.setdefault("uid", world.rng("uid").uuid())
        meta.setdefault("creationTimestamp", world.timestamp())
        parts = path.split("/")
        if "namespaces" in parts[:-1]:
            meta.setdefault("namespace", parts[parts.index("namespaces") + 1])
        self.objects[path] = obj
        self.log.append((self.version, kind, path, obj))
        self.times[self.version] = world.now
        self._ring(world, path, obj)
        return obj

    @staticmethod
    def _ring(world: World, path: str, obj: Obj) -> None:
        """The doorbells that etcd rings: the kind's, and for pods their node's."""
        topic = "registry:" + path.split("/")[-2]
        world.ring(topic)
        if topic == "registry:pods" and (obj.get("spec") or {}).get("nodeName"):
            world.ring(f"{topic}@{obj['spec']['nodeName']}")

    def http(self, world: World, proc: Process, request: Request) -> Response:
        self.requests.append((request.method, request.path))
        try:
            answer = self._answer(world, request)
        except KeyError as missing:
            status = {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404, "message": f"{missing} not found"}
            return Response(status=404, obj=status)
        return answer

    def _answer(self, world: World, request: Request) -> Response:
        path, method = request.path, request.method
        parts = path.strip("/").split("/")
        for sub in ("status", "token", "binding"):
            if parts[-1] == sub:
                path = "/" + "/".join(parts[:-1])
                if sub == "token":
                    return Response(obj={"status": {"token": "e30.e30.sig"}})
        if method == "GET" and "watch" in request.query:
            since = int(request.param("resourceVersion"))
            items = [
                {"type": kind, "object": obj}
                for v, kind, p, obj in self.log
                if v > since and self._in(p, path) and self._selected(obj, request)
            ]
            return Response(obj=None, stream=Stream(items, str(self.version)))
        if method == "GET" and path in self.objects:
            return Response(obj=self.objects[path])
        if method == "GET":
            plural = path.rsplit("/", 1)[1]
            if plural not in ("pods", "services", "nodes", "events", "leases"):
                raise KeyError(path)
            items = [obj for p, obj in sorted(self.objects.items()) if self._in(p, path) and self._selected(obj, request)]
            return Response(obj={"metadata": {"resourceVersion": str(self.version)}, "items": items})
        if method == "POST":
            where = f"{path}/{request.obj['metadata']['name']}"
            if where in self.objects:
                return Response(status=409, obj={"kind": "Status", "reason": "AlreadyExists", "code": 409, "message": "exists"})
            return Response(status=201, obj=self.put(world, where, request.obj, "ADDED"))
        if method == "PUT":
            return Response(obj=self.put(world, path, {**self.objects[path], **request.obj}))
        if method == "PATCH":
            return Response(obj=self.put(world, path, merge(self.objects[path], request.obj)))
        return self._delete(world, path, request)

    def _delete(self, world: World, path: str, request: Request) -> Response:
        obj = clone(self.objects[path])
        grace = (request.obj or {}).get("gracePeriodSeconds")
        if grace == 0 or "/pods/" not in path:
            del self.objects[path]
            self.version += 1
            self.log.append((self.version, "DELETED", path, obj))
            self._ring(world, path, obj)
            return Response(obj=obj)
        obj["metadata"]["deletionTimestamp"] = world.timestamp()
        obj["metadata"]["deletionGracePeriodSeconds"] = 30 if grace is None else grace
        return Response(obj=self.put(world, path, obj))

    @staticmethod
    def _in(path: str, collection: str) -> bool:
        if path.startswith(collection + "/"):
            return True
        plural = collection.rsplit("/", 1)[1]
        root = collection.rsplit("/", 1)[0]
        return path.startswith(root + "/namespaces/") and f"/{plural}/" in path

    @staticmethod
    def _selected(obj: Obj, request: Request) -> bool:
        selector = request.param("fieldSelector")
        return not selector or obj.get("spec", {}).get("nodeName") == selector.partition("=")[2]
