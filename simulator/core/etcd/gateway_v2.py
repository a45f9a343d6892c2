"""The v2 HTTP API: `/v2/keys/…`, and by `gateway_v2_members.py` what is beside it (server/etcdserver/api/v2http of etcd 3.4)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import orjson

from ..kernel import clock
from ..kernel.http import Request, Response
from ..kernel.world import World
from . import gateway_v2_members, requests
from .client import Call
from .errors import EtcdError
from .member import Disk, Running
from .v2store import Change, V2Error, V2Event, V2Store

_STATUS = {100: 404, 101: 412, 105: 412, 102: 403, 104: 403, 107: 403, 108: 403}
_FLAGS = ("recursive", "sorted", "wait", "stream", "quorum", "dir", "refresh", "prevExist", "noValueOnSuccess")


def topic(disk: Disk) -> str:
    """The bell of the v2 store."""
    return f"etcdv2:{disk.name}"


class Form:
    """Query and form fields of a request."""

    def __init__(self, request: Request, store: V2Store) -> None:
        self.held = {name: list(values) for name, values in request.query.items()}
        if request.method in ("PUT", "POST"):
            for name, values in parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True).items():
                self.held[name] = values + self.held.get(name, [])
        self.store = store
        for name in _FLAGS:
            if self.word(name) not in ("", "true", "false", "1", "0"):
                cause = "invalid value for prevExist" if name == "prevExist" else f'invalid value for "{name}"'
                raise V2Error(209, cause, 0)  # a request that cannot be read has no index

    def word(self, name: str) -> str:
        """The first value."""
        return self.held.get(name, [""])[0]

    def on(self, name: str) -> bool:
        """A flag."""
        return self.word(name) in ("true", "1")

    def number(self, name: str, code: int = 203) -> int:
        """A number; 0 when it is not given."""
        text = self.word(name)
        if text and not text.isdigit():
            raise V2Error(code, f'invalid value for "{name}"', 0)
        return int(text or 0)

    def change(self) -> Change:
        """The conditions of a write."""
        if "prevValue" in self.held and not self.word("prevValue"):
            raise V2Error(201, '"prevValue" cannot be empty', 0)
        return Change(
            value=self.word("value"),
            is_dir=self.on("dir"),
            ttl=self.number("ttl", 202) if self.word("ttl") else None,
            refresh=self.on("refresh"),
            exist=None if not self.word("prevExist") else self.on("prevExist"),
            prev_value=self.word("prevValue"),
            prev_index=self.number("prevIndex"),
        )


def _dates(world: World, node: Any) -> Any:
    """Expiry times as RFC 3339."""
    if not isinstance(node, dict):
        return node
    out = dict(node)
    if "expiration" in out:
        out["expiration"] = clock.rfc3339_micro(world.wall + out["expiration"] - world.now)
    if "nodes" in out:
        out["nodes"] = [_dates(world, one) for one in out["nodes"]]
    return out


def event_json(world: World, event: V2Event) -> dict[str, Any]:
    """An event as the API answers it."""
    out: dict[str, Any] = {"action": event.action, "node": _dates(world, event.node)}
    return {**out, "prevNode": _dates(world, event.prev)} if event.prev is not None else out


class Waiting:
    """A long poll: one event, or one after another with `stream` (see `kernel.http.Stream`)."""

    def __init__(self, world: World, disk: Disk, path: str, form: Form) -> None:
        self.world, self.disk, self.path = world, disk, path
        self.recursive, self.forever = form.on("recursive"), form.on("stream")
        self.index = form.number("waitIndex") or disk.v2.index + 1
        self.topic, self.done = topic(disk), False

    def poll(self) -> list[Any]:
        """What has happened."""
        out: list[Any] = []
        while not self.done:
            event = V2Store(self.disk.v2, self.world.now).since(self.path, self.recursive, self.index)
            if event is None:
                break
            self.index = event.index + 1
            self.done = not self.forever
            out.append(orjson.dumps(event_json(self.world, event)) + b"\n")
        return out

    @property
    def closed(self) -> bool:
        """The event has been delivered."""
        return self.done

    def close(self) -> None:
        """The client has gone."""
        self.done = True


def _answer(disk: Disk, body: Any, status: int = 200) -> Response:
    head = {
        "content-type": "application/json",
        "x-etcd-cluster-id": f"{disk.cluster_id:x}",
        "x-etcd-index": str(disk.v2.index),
        "x-raft-index": str(disk.index),
        "x-raft-term": str(disk.term),
    }
    return Response(status=status, headers=head, body=orjson.dumps(body) + b"\n")


def handle(world: World, disk: Disk, running: Running, request: Request) -> Response:
    """Answer `/v2/…`."""
    path = request.path[len("/v2") :]
    told = gateway_v2_members.handle(world, disk, running, path, request)
    if told is not None:
        return told
    if path != "/keys" and not path.startswith("/keys/"):
        return gateway_v2_members.refused(404, "404 page not found")
    if disk.raft is not None and request.method not in ("GET", "HEAD"):
        kept = {"method": request.method, "path": path, "query": request.query, "body": request.body}
        try:
            agreed: Response = requests.answer(world, disk, running, Call("V2", kept))
        except EtcdError as error:
            return _answer(disk, {"errorCode": 300, "message": "Raft Internal Error", "cause": error.message, "index": 0}, 500)
        return agreed
    return _change(world, disk, path, request)


def replay(world: World, disk: Disk, args: dict[str, Any]) -> Response:
    """A committed write takes effect, on every member."""
    request = Request(method=args["method"], path="/v2" + args["path"], query=args["query"], body=args["body"])
    return _change(world, disk, args["path"], request)


def _change(world: World, disk: Disk, path: str, request: Request) -> Response:
    store = V2Store(disk.v2, world.now)
    before = disk.v2.index
    store.expire()
    try:
        return _keys(world, disk, store, "/" + path[len("/keys") :].strip("/"), request)
    except V2Error as error:
        body = {"errorCode": error.code, "message": str(error), "cause": error.cause, "index": error.index}
        _count(disk, request, None)
        failed = _answer(disk, body, _STATUS.get(error.code, 400))
        for name in ("x-raft-index", "x-raft-term"):
            del failed.headers[name]
        failed.headers["x-etcd-index"] = str(error.index)
        return failed
    finally:
        if disk.v2.index != before:
            disk.index += disk.v2.index - before
            world.ring(topic(disk))


def _count(disk: Disk, request: Request, action: str | None) -> None:
    """Count an operation for `/v2/stats/store`; `action` is None where it failed."""
    fields = {**parse_qs(request.body.decode("utf-8", "replace")), **request.query} if request.method == "PUT" else request.query
    guarded = "prevValue" in fields or "prevIndex" in fields
    if request.method in ("GET", "HEAD"):
        name = "gets"
    elif request.method == "DELETE":
        name = "compareAndDelete" if guarded else "delete"
    elif request.method == "POST":
        name = "create"
    elif guarded:
        name = "compareAndSwap"
    else:
        name = {"true": "update", "false": "create"}.get((fields.get("prevExist") or [""])[0], "sets")
    name += "Success" if action else "Fail"
    disk.v2.counts[name] = disk.v2.counts.get(name, 0) + 1


def _keys(world: World, disk: Disk, store: V2Store, path: str, request: Request) -> Response:
    form = Form(request, store)
    if request.method in ("GET", "HEAD"):
        if form.on("wait"):
            head = _answer(disk, None).headers
            return Response(headers=head, stream=Waiting(world, disk, path, form))
        node = store.json(store.find(path), recursive=form.on("recursive"), ordered=form.on("sorted"))
        _count(disk, request, "get")
        return _answer(disk, {"action": "get", "node": _dates(world, node)})
    if request.method == "PUT":
        event = store.put(path, form.change())
    elif request.method == "POST":
        event = store.create_in_order(path, form.change())
    elif request.method == "DELETE":
        event = store.delete(path, is_dir=form.on("dir"), recursive=form.on("recursive"), change=form.change())
    else:
        return gateway_v2_members.refused(405, "Method Not Allowed", {"allow": "HEAD,GET,PUT,POST,DELETE"})
    _count(disk, request, event.action)
    world.emit("etcd", event.action, path, {"v2": event.index})
    created = event.action == "create" or (event.action == "set" and event.prev is None)
    return _answer(disk, event_json(world, event), 201 if created else 200)


def expire(world: World, disk: Disk) -> int:
    """Drop what has expired and ring; returns when the next node does, 0 for never."""
    store = V2Store(disk.v2, world.now)
    before = disk.v2.index
    store.expire()
    if disk.v2.index != before:
        disk.index += disk.v2.index - before
        world.ring(topic(disk))
    return store.next_expiry()
