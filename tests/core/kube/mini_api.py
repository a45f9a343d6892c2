"""A stand-in for the API server in unit tests of components: a dict with verbs, conflicts, generations, finalisers and watches.

It does what the components rely on and nothing else (no defaults, no validation, no authorisation); what must hold against the
real API server is tested in `test_control_plane.py`.
"""

from __future__ import annotations

from typing import Any

from simulator.core.host.process import Process
from simulator.core.kernel import network
from simulator.core.kernel.http import Request, Response
from simulator.core.kernel.world import World
from simulator.core.kube.api import kinds

Obj = dict[str, Any]
MERGE_KEYS = {"conditions": "type", "ownerReferences": "uid"}


def merge(old: Any, patch: Any, name: str = "", *, strategic: bool = True) -> Any:
    """RFC 7386, and strategic merge for the lists of `MERGE_KEYS`."""
    if isinstance(patch, list) and strategic and name in MERGE_KEYS:
        key = MERGE_KEYS[name]
        out = list(old or [])
        for item in patch:
            index = next((i for i, o in enumerate(out) if o.get(key) == item.get(key)), None)
            if item.get("$patch") == "delete":
                if index is not None:
                    del out[index]
            elif index is None:
                out.append(item)
            else:
                out[index] = merge(out[index], item, strategic=strategic)
        return out
    if not isinstance(patch, dict):
        return patch
    result = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value, key, strategic=strategic)
    return result


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


class Refused(Exception):
    """A Status."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "code": code,
            "reason": reason,
            "message": message,
        }


class MiniApi:
    """The program `kube-apiserver` of unit tests; objects by (plural, namespace, name)."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], Obj] = {}
        self.log: list[tuple[int, str, str, Obj]] = []
        self.changes: list[tuple[str, str]] = []
        self.version = 1
        self.refuse: Any = None

    def start(self, world: World, proc: Process) -> None:
        network.listen(world, proc.netns, 6443, host=proc.host, pid=proc.pid)

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        pass

    def stop(self, world: World, proc: Process, signal: int) -> int:
        return 0

    def http(self, world: World, proc: Process, request: Request) -> Response:
        try:
            return self.answer(world, request)
        except Refused as refused:
            return Response(status=refused.code, obj=refused.status)

    # -- requests --------------------------------------------------------------------------------------------------------
    def answer(self, world: World, request: Request) -> Response:
        parts = request.path.strip("/").split("/")
        parts = parts[2:] if parts[0] == "api" else parts[3:]
        namespace = ""
        if parts[0] == "namespaces" and len(parts) > 2 and parts[2] not in ("status", "finalize"):
            namespace, parts = parts[1], parts[2:]
        plural, name, sub = parts[0], parts[1] if len(parts) > 1 else "", parts[2] if len(parts) > 2 else ""
        if self.refuse is not None:
            self.refuse(request.method, plural, namespace, name)
        if request.method == "GET" and not name:
            return self.collection(plural, namespace, request)
        if request.method == "POST" and not name:
            return Response(status=201, obj=self.create(world, plural, namespace, request.obj))
        old = self.objects.get((plural, namespace, name))
        if old is None:
            raise Refused(404, "NotFound", f'{plural} "{name}" not found')
        if request.method == "GET":
            return Response(obj=old)
        if sub == "binding":
            spec = {**old["spec"], "nodeName": request.obj["target"]["name"]}
            conditions = [{"type": "PodScheduled", "status": "True"}]
            return Response(
                status=201,
                obj=self.store(world, plural, {**old, "spec": spec, "status": {**old["status"], "conditions": conditions}}),
            )
        if request.method == "DELETE":
            return Response(obj=self.delete(world, plural, old, request.obj or {}))
        new = request.obj
        if request.method == "PATCH":
            strategic = "strategic" in request.headers.get("content-type", "")
            new = merge(old, request.obj, strategic=strategic)
        wanted = new["metadata"].get("resourceVersion")
        if wanted and wanted != old["metadata"]["resourceVersion"]:
            raise Refused(
                409, "Conflict", "the object has been modified; please apply your changes to the latest version and try again"
            )
        return Response(obj=self.update(world, plural, old, new, sub))

    def collection(self, plural: str, namespace: str, request: Request) -> Response:
        if "watch" in request.query:
            since = int(request.param("resourceVersion"))
            items = [{"type": k, "object": o} for v, k, p, o in self.log if v > since and p == plural]
            return Response(stream=Stream(items, str(self.version)))
        found = [o for (p, n, _), o in sorted(self.objects.items()) if p == plural and (not namespace or n == namespace)]
        return Response(obj={"metadata": {"resourceVersion": str(self.version)}, "items": found})

    # -- writes ----------------------------------------------------------------------------------------------------------
    def create(self, world: World, plural: str, namespace: str, obj: Obj) -> Obj:
        meta = {**obj["metadata"]}
        if namespace:
            meta["namespace"] = namespace
        if not meta.get("name"):
            meta["name"] = meta["generateName"] + world.rng("names").token(5)
        if (plural, namespace, meta["name"]) in self.objects:
            raise Refused(409, "AlreadyExists", f'{plural} "{meta["name"]}" already exists')
        meta |= {"uid": world.rng("uid").uuid(), "creationTimestamp": world.timestamp(), "generation": 1}
        new = {**obj, "metadata": meta}
        if plural == "pods":
            new["status"] = {"phase": "Pending", **(obj.get("status") or {})}
            new["spec"] = {"schedulerName": "default-scheduler", **new["spec"]}
        if plural == "namespaces":
            new.setdefault("spec", {"finalizers": ["kubernetes"]})
        return self.store(world, plural, new, "ADDED")

    def update(self, world: World, plural: str, old: Obj, new: Obj, sub: str) -> Obj:
        if sub == "status":
            meta = {**old["metadata"], "annotations": new["metadata"].get("annotations")}
            new = {**old, "metadata": meta, "status": new.get("status")}
        elif sub == "finalize":
            new = {**old, "spec": new["spec"]}
        elif "status" in old:
            new = {**new, "status": old["status"]}
        meta = {**new["metadata"]}
        if new.get("spec") != old.get("spec") and plural not in ("nodes", "namespaces"):
            meta["generation"] = (old["metadata"].get("generation") or 0) + 1
        new = {**new, "metadata": meta}
        gone = meta.get("deletionTimestamp") and not meta.get("finalizers") and plural != "pods"
        if plural == "namespaces" and meta.get("deletionTimestamp"):
            gone = not new["spec"].get("finalizers")
        return self.drop(world, plural, new) if gone else self.store(world, plural, new)

    def delete(self, world: World, plural: str, old: Obj, options: Obj) -> Obj:
        meta = {**old["metadata"]}
        uid = (options.get("preconditions") or {}).get("uid")
        if uid and uid != meta["uid"]:
            raise Refused(409, "Conflict", "the UID in the precondition does not match")
        policy = {"Orphan": "orphan", "Foreground": "foregroundDeletion"}.get(options.get("propagationPolicy", ""))
        if policy:
            meta["finalizers"] = [*(meta.get("finalizers") or []), policy]
        graceful = plural == "pods" and old["spec"].get("nodeName") and options.get("gracePeriodSeconds") != 0
        graceful = graceful and old["status"].get("phase") not in ("Succeeded", "Failed")
        if not graceful and not meta.get("finalizers") and plural != "namespaces":
            return self.drop(world, plural, old)
        meta["deletionTimestamp"] = meta.get("deletionTimestamp") or world.timestamp()
        if plural == "pods":
            meta["deletionGracePeriodSeconds"] = 30
        new = {**old, "metadata": meta}
        if plural == "namespaces":
            new["status"] = {"phase": "Terminating"}
        return self.store(world, plural, new)

    def store(self, world: World, plural: str, obj: Obj, kind: str = "MODIFIED") -> Obj:
        self.version += 1
        new = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.version)}}
        if new["metadata"].get("annotations") is None:
            new["metadata"].pop("annotations", None)
        meta = new["metadata"]
        self.objects[plural, meta.get("namespace", ""), meta["name"]] = new
        return self.note(world, plural, new, kind)

    def drop(self, world: World, plural: str, obj: Obj) -> Obj:
        meta = obj["metadata"]
        self.objects.pop((plural, meta.get("namespace", ""), meta["name"]), None)
        self.version += 1
        return self.note(world, plural, {**obj, "metadata": {**meta, "resourceVersion": str(self.version)}}, "DELETED")

    def note(self, world: World, plural: str, obj: Obj, kind: str) -> Obj:
        self.log.append((self.version, kind, plural, obj))
        self.changes.append((kind, f"{plural}/{obj['metadata']['name']}"))
        world.ring(kinds.by_resource("events" if plural == "events" else plural).topic)
        return obj
