"""What the v2 HTTP API tells of a cluster: `/v2/members`, `/v2/machines`, `/v2/stats/…` (etcdserver/api/v2http/client.go of etcd 3.4)."""

from __future__ import annotations

from typing import Any

import orjson

from ..kernel import clock
from ..kernel.http import Request, Response
from ..kernel.world import World
from . import membership, requests
from .client import Call
from .errors import EtcdError
from .member import Disk, Running

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
#: Names of the v2 store's counters, in the order in which they are answered (v2store/stats.go).
COUNTERS = (
    "getsSuccess", "getsFail", "setsSuccess", "setsFail", "deleteSuccess", "deleteFail", "updateSuccess", "updateFail", "createSuccess",
    "createFail", "compareAndSwapSuccess", "compareAndSwapFail", "compareAndDeleteSuccess", "compareAndDeleteFail", "expireCount", "watchers",
)  # fmt: skip


def refused(status: int, text: str, more: dict[str, str] | None = None) -> Response:
    """An error of Go's `http.Error`: a line of plain text."""
    head = {"content-type": TEXT, "x-content-type-options": "nosniff", **(more or {})}
    return Response(status=status, headers=head, body=f"{text}\n".encode())


def _message(status: int, text: str, head: dict[str, str]) -> Response:
    """An error of the members' API (httptypes.HTTPError)."""
    return Response(status=status, headers={"content-type": JSON, **head}, body=orjson.dumps({"message": text}))


def _row(one: Any) -> dict[str, Any]:
    return {"id": f"{one.id:x}", "name": one.name, "peerURLs": list(one.peer_urls), "clientURLs": list(one.client_urls)}


def leader_of(disk: Disk) -> int:
    """The member that leads, as this one knows; 0 for none."""
    return disk.member_id if disk.raft is None else disk.raft.lead


def handle(world: World, disk: Disk, running: Running, path: str, request: Request) -> Response | None:
    """Answer `/members…`, `/machines`, `/stats/…`; None for other paths.  `path` comes without `/v2`."""
    if path == "/members" or path.startswith("/members/"):
        return _members(world, disk, running, path.removeprefix("/members").strip("/"), request)
    if path == "/machines":
        urls = [url for one in membership.members_of(disk) for url in one.client_urls]
        return Response(headers={"content-type": TEXT}, body=", ".join(urls).encode())
    if path in ("/stats/self", "/stats/store", "/stats/leader"):
        if request.method not in ("GET", "HEAD"):
            return refused(405, "Method Not Allowed", {"allow": "GET"})
        return _stats(world, disk, running, path.removeprefix("/stats/"))
    return None


def _members(world: World, disk: Disk, running: Running, ident: str, request: Request) -> Response:
    head = {"x-etcd-cluster-id": f"{disk.cluster_id:x}"}
    rows = [_row(one) for one in sorted(membership.members_of(disk), key=lambda one: one.id)]
    if request.method in ("GET", "HEAD"):
        if not ident:
            return Response(headers={"content-type": JSON, **head}, body=orjson.dumps({"members": rows}) + b"\n")
        if ident != "leader":
            return _message(404, "Not found", head)
        found = next((row for row in rows if row["id"] == f"{leader_of(disk):x}"), None)
        if found is None:
            return _message(503, "During election", head)
        return Response(headers={"content-type": JSON, **head}, body=orjson.dumps(found) + b"\n")
    if request.method not in ("POST", "PUT", "DELETE") or (request.method == "POST") == bool(ident):
        allow = {"allow": "GET, POST, DELETE, PUT"} if request.method not in ("POST", "PUT", "DELETE") else {}
        return refused(405, "Method Not Allowed", {**allow, **head})
    number, args = 0, dict[str, Any]()
    if ident:
        try:
            number = int(ident, 16)
        except ValueError:
            return _message(404, f"No such member: {ident}", head)
    if request.method == "DELETE":
        method, args = "Cluster/MemberRemove", {"id": number}
    else:
        urls = _peer_urls(request)
        if isinstance(urls, tuple):
            return _message(*urls, head)
        method, args = "Cluster/MemberAdd", {"peer_urls": urls, "is_learner": False}
        if request.method == "PUT":
            method, args = "Cluster/MemberUpdate", {"id": number, "peer_urls": urls}
    known = {row["id"] for row in rows}
    try:
        changed = requests.answer(world, disk, running, Call(method, args))
    except EtcdError as error:
        if "member not found" in error.message:
            return _message(404, f"No such member: {ident}", head)
        if "Peer URLs already exists" in error.message:
            return _message(409, "membership: peerURL exists", head)
        return _message(500, "Internal Server Error", head)
    if request.method != "POST":
        return Response(status=204, headers=head)
    made = next(_row(one) for one in changed if f"{one.id:x}" not in known)
    return Response(status=201, headers={"content-type": JSON, **head}, body=orjson.dumps(made) + b"\n")


def _peer_urls(request: Request) -> list[str] | tuple[int, str]:
    """The addresses in the body of a request, or the status and text of what is wrong (unmarshalRequest)."""
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip() != JSON:
        return 415, f"Bad Content-Type {kind}, accept application/json"
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        return 400, _go_complaint(request.body)
    urls = body.get("peerURLs") if isinstance(body, dict) else None
    if not isinstance(urls, list) or not urls:
        return 400, "no valid URLs given"
    for url in urls:
        scheme, found, rest = str(url).partition("://")
        if not found or scheme not in ("http", "https", "unix", "unixs"):
            return 400, f"URL scheme must be http, https, unix, or unixs: {url}"
        if "/" in rest:
            return 400, f"URL must not contain a path: {url}"
        if scheme.startswith("http") and not rest.rpartition(":")[2].isdigit():
            return 400, f'URL address does not have the form "host:port": {url}'
    return [str(url) for url in sorted(urls)]


def _go_complaint(data: bytes) -> str:
    """What encoding/json says of a body that is none."""
    text = data.decode("utf-8", "replace").strip()
    if not text:
        return "unexpected end of JSON input"
    if text[0] != "{":
        return f"invalid character '{text[0]}' looking for beginning of value"
    rest = text[1:].lstrip()
    if rest and rest[0] not in '"}':
        return f"invalid character '{rest[0]}' looking for beginning of object key string"
    return "unexpected end of JSON input"


def _stats(world: World, disk: Disk, running: Running, kind: str) -> Response:
    leader = leader_of(disk)
    if kind == "store":
        held = {name: disk.v2.counts.get(name, 0) for name in COUNTERS}
        return Response(headers={"content-type": JSON}, body=orjson.dumps(held))
    if kind == "leader":
        if leader != disk.member_id:
            return _message(403, "not current leader", {})
        if disk.raft is not None:
            return _not_counted()
        return Response(headers={"content-type": JSON}, body=orjson.dumps({"leader": f"{leader:x}", "followers": {}}))
    if disk.raft is not None:
        return _not_counted()
    began = clock.rfc3339_micro(world.wall - world.now + running.started)
    body = {
        "name": disk.name, "id": f"{disk.member_id:x}", "state": "StateLeader" if leader == disk.member_id else "StateFollower",
        "startTime": began,
        "leaderInfo": {"leader": f"{leader:x}", "uptime": _duration(world.now - running.started), "startTime": began},
        "recvAppendRequestCnt": 0, "sendAppendRequestCnt": 0,
    }  # fmt: skip
    return Response(headers={"content-type": JSON}, body=orjson.dumps(body))


def _not_counted() -> Response:
    """A member alone sends no messages; among several they are not counted by size and delay, and no figures are made up for them."""
    return refused(501, "statistics of messages between members: not simulated in Slipway yet")


def _duration(ns: int) -> str:
    """A Go duration of seconds and more: `1m2.5s`."""
    seconds, rest = divmod(ns, 10**9)
    hours, minutes = seconds // 3600, seconds // 60 % 60
    head = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    tail = f"{rest:09d}".rstrip("0")
    return f"{head}{seconds % 60}{'.' + tail if tail else ''}s"
