"""The v3 JSON gateway: requests as JSON on `POST /v3/…`, bytes in base64, 64-bit numbers as texts.

What grpc-gateway makes of api/etcdserverpb/rpc.proto's HTTP rules: names in snake_case or camelCase, unknown ones ignored, zero values
left out of answers; a stream is one `{"result": …}` a line.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import orjson

from ..kernel.errors import SimulatorError
from ..kernel.http import Request, Response
from ..kernel.world import World
from . import service
from .authstore import Permission
from .client import Call
from .errors import EtcdError
from .gateway_json import BadBody, Body, Fields, read_body
from .member import Disk, MemberInfo, Running
from .mvcc import Compare, DeleteResult, KeyValue, Op, PutResult, RangeResult, TxnResult

#: gRPC codes: HTTP status, number (grpc-gateway runtime/errors.go).
CODES = {
    "Canceled": (499, 1), "Unknown": (500, 2), "InvalidArgument": (400, 3), "DeadlineExceeded": (504, 4), "NotFound": (404, 5),
    "PermissionDenied": (403, 7), "ResourceExhausted": (429, 8), "FailedPrecondition": (400, 9), "OutOfRange": (400, 11),
    "Unimplemented": (501, 12), "Unavailable": (503, 14), "Unauthenticated": (401, 16),
}  # fmt: skip
_OPS = {0: "=", 1: ">", 2: "<", 3: "!=", "EQUAL": "=", "GREATER": ">", "LESS": "<", "NOT_EQUAL": "!="}
_TARGETS = {0: "version", 1: "create", 2: "mod", 3: "value", 4: "lease", "VERSION": "version", "CREATE": "create", "MOD": "mod",
            "VALUE": "value", "LEASE": "lease"}  # fmt: skip
_FIELD = {"version": "version", "create": "create_revision", "mod": "mod_revision", "value": "value", "lease": "lease"}
_SORTS = {"VERSION": "version", "CREATE": "create_revision", "MOD": "mod_revision", "VALUE": "value", "KEY": "key",
          1: "version", 2: "create_revision", 3: "mod_revision", 4: "value", 0: "key"}  # fmt: skip
_KINDS = {0: "READ", 1: "WRITE", 2: "READWRITE", "READ": "READ", "WRITE": "WRITE", "READWRITE": "READWRITE"}


# -- answers ----------------------------------------------------------------------------------------------------------------
def b64(data: bytes) -> str:
    """Bytes as JSON has them."""
    return base64.b64encode(data).decode()


def header(disk: Disk, *, revision: bool = True) -> Body:
    """The header of an answer."""
    out = {"cluster_id": str(disk.cluster_id), "member_id": str(disk.member_id)}
    if revision:
        out["revision"] = str(disk.store.revision)
    return {**out, "raft_term": str(disk.term)}


def kv_json(kv: KeyValue) -> Body:
    """A key-value: base64 bytes, numbers as texts, zero values left out."""
    out = {"key": b64(kv.key)}
    for name in ("create_revision", "mod_revision", "version"):
        if getattr(kv, name):
            out[name] = str(getattr(kv, name))
    if kv.value:
        out["value"] = b64(kv.value)
    if kv.lease:
        out["lease"] = str(kv.lease)
    return out


def _range_json(found: RangeResult) -> Body:
    out: Body = {"kvs": [kv_json(kv) for kv in found.kvs]} if found.kvs else {}
    if found.more:
        out["more"] = True
    return {**out, "count": str(found.count)} if found.count else out


def _result_json(found: RangeResult | PutResult | DeleteResult | TxnResult, revision: int) -> Body:
    head = {"header": {"revision": str(revision)}}
    if isinstance(found, RangeResult):
        return {"response_range": {**head, **_range_json(found)}}
    if isinstance(found, PutResult):
        return {"response_put": {**head, **({"prev_kv": kv_json(found.prev)} if found.prev else {})}}
    if isinstance(found, DeleteResult):
        gone: Body = {"deleted": str(found.deleted)} if found.deleted else {}
        return {
            "response_delete_range": {**head, **gone, **({"prev_kvs": [kv_json(k) for k in found.prevs]} if found.prevs else {})}
        }
    return {"response_txn": {**head, **_txn_json(found)}}


def _txn_json(found: TxnResult) -> Body:
    out: Body = {"succeeded": True} if found.succeeded else {}
    if found.responses:
        out["responses"] = [_result_json(one, found.revision) for one in found.responses]
    return out


# -- requests ---------------------------------------------------------------------------------------------------------------
Ask = Callable[..., Any]


def _range_args(f: Fields) -> Body:
    return {
        "key": f.raw("key"), "range_end": f.raw("range_end"), "revision": f.number("revision"), "limit": f.number("limit"),
        "keys_only": f.flag("keys_only"), "count_only": f.flag("count_only"),
    }  # fmt: skip


_BOUNDS = ("min_mod_revision", "max_mod_revision", "min_create_revision", "max_create_revision")


def _bounded(kv: KeyValue, name: str, bound: int) -> bool:
    low, _, field = name.partition("_")
    value: int = getattr(kv, field)
    return value >= bound if low == "min" else value <= bound


def _range(ask: Ask, f: Fields) -> Body:
    args = _range_args(f)
    order, target = f.body.get("sort_order", 0), f.choice("sort_target", _SORTS)
    plain = order in (0, "NONE") and target == "key"
    bounds = {name: f.number(name) for name in _BOUNDS if f.number(name)}
    plain = plain and not bounds
    weak = f.flag("serializable")
    found: RangeResult = ask("KV/Range", **{**args, "limit": args["limit"] if plain else 0}, serializable=weak)
    if bounds:
        found.kvs = [kv for kv in found.kvs if all(_bounded(kv, name, bounds[name]) for name in bounds)]
    if not plain:
        found.kvs.sort(key=lambda kv: getattr(kv, target), reverse=order in (2, "DESCEND"))
        if args["limit"] and len(found.kvs) > args["limit"]:
            found.kvs, found.more = found.kvs[: args["limit"]], True
    return _range_json(found)


def _put(ask: Ask, f: Fields) -> Body:
    if f.flag("ignore_value") or f.flag("ignore_lease"):
        done: TxnResult = ask("KV/Txn", compare=(), success=(_put_op(f),), failure=())
        first = done.responses[0]
        return {"prev_kv": kv_json(first.prev)} if isinstance(first, PutResult) and first.prev else {}
    found: PutResult = ask("KV/Put", key=f.raw("key"), value=f.raw("value"), lease=f.number("lease"), prev_kv=f.flag("prev_kv"))
    return {"prev_kv": kv_json(found.prev)} if found.prev else {}


def _delete(ask: Ask, f: Fields) -> Body:
    gone: DeleteResult = ask("KV/DeleteRange", key=f.raw("key"), range_end=f.raw("range_end"), prev_kv=f.flag("prev_kv"))
    out: Body = {"deleted": str(gone.deleted)} if gone.deleted else {}
    return {**out, "prev_kvs": [kv_json(kv) for kv in gone.prevs]} if gone.prevs else out


def _guard(f: Fields) -> Compare:
    target = f.choice("target", _TARGETS)
    value: int | bytes = f.raw("value") if target == "value" else f.number(_FIELD[target])
    return Compare(f.raw("key"), target, f.choice("result", _OPS), value, f.raw("range_end"))


def _put_op(put: Fields) -> Op:
    return Op(
        kind="put", key=put.raw("key"), value=put.raw("value"), lease=put.number("lease"), prev_kv=put.flag("prev_kv"),
        ignore_value=put.flag("ignore_value"), ignore_lease=put.flag("ignore_lease"),
    )  # fmt: skip


def _op(f: Fields) -> Op:
    if "request_range" in f.body:
        return Op(kind="range", **_range_args(f.message("request_range")))
    if "request_put" in f.body:
        return _put_op(f.message("request_put"))
    if "request_delete_range" in f.body:
        gone = f.message("request_delete_range")
        return Op(kind="delete", key=gone.raw("key"), range_end=gone.raw("range_end"), prev_kv=gone.flag("prev_kv"))
    if "request_txn" in f.body:
        return Op(kind="txn", **_txn_args(f.message("request_txn")))
    raise EtcdError("etcdserver: key not found", "InvalidArgument")


def _txn_args(f: Fields) -> Body:
    return {
        "compare": tuple(_guard(one) for one in f.messages("compare")),
        "success": tuple(_op(one) for one in f.messages("success")),
        "failure": tuple(_op(one) for one in f.messages("failure")),
    }


def _compact(ask: Ask, f: Fields) -> Body:
    ask("KV/Compact", revision=f.number("revision"))
    return {}


def _grant(ask: Ask, f: Fields) -> Body:
    lease = ask("Lease/Grant", ttl=f.number("ttl"), id=f.number("id"))
    return {"ID": str(lease.id), "TTL": str(lease.ttl)}


def _revoke(ask: Ask, f: Fields) -> Body:
    ask("Lease/Revoke", id=f.number("id"))
    return {}


def _time_to_live(ask: Ask, f: Fields) -> Body:
    lease, left = ask("Lease/TimeToLive", id=f.number("id"))
    out: Body = {"ID": str(f.number("id")), **({"TTL": str(left)} if left else {})}
    if lease.ttl:
        out["grantedTTL"] = str(lease.ttl)
    return {**out, "keys": [b64(key) for key in lease.keys]} if f.flag("keys") and lease.keys else out


def _leases(ask: Ask, f: Fields) -> Body:
    found = ask("Lease/Leases")
    return {"leases": [{"ID": str(one)} for one in found]} if found else {}


def _keep_alive(ask: Ask, f: Fields) -> Body:
    lease = ask("Lease/KeepAlive", id=f.number("id"))
    return {"ID": str(f.number("id")), **({"TTL": str(lease.ttl)} if lease.ttl else {})}


def _members_json(found: list[MemberInfo]) -> list[Body]:
    rows = []
    for one in found:
        row = {"ID": str(one.id), "name": one.name, "peerURLs": one.peer_urls, "clientURLs": one.client_urls}
        rows.append({**{k: v for k, v in row.items() if v}, **({"isLearner": True} if one.is_learner else {})})
    return rows


def _members(ask: Ask, f: Fields) -> Body:
    return {"members": _members_json(ask("Cluster/MemberList", serializable=not f.flag("linearizable")))}


def _urls(f: Fields) -> list[str]:
    urls = f.body.get("peer_urls") or []
    if not urls or not all(isinstance(url, str) and "://" in url for url in urls):
        raise EtcdError("etcdserver: given member URLs are invalid", "InvalidArgument")
    return sorted(urls)


def _member_add(ask: Ask, f: Fields) -> Body:
    urls = _urls(f)
    found = _members_json(ask("Cluster/MemberAdd", peer_urls=urls, is_learner=f.flag("is_learner")))
    return {"member": next((row for row in found if row.get("peerURLs") == urls), {}), "members": found}


def _member_change(method: str) -> Callable[[Ask, Fields], Body]:
    def run(ask: Ask, f: Fields) -> Body:
        more = {"peer_urls": _urls(f)} if method == "Cluster/MemberUpdate" else {}
        return {"members": _members_json(ask(method, id=f.number("id") % (1 << 64), **more))}

    return run


def _move_leader(ask: Ask, f: Fields) -> Body:
    ask("Maintenance/MoveLeader", target=f.number("target_id") % (1 << 64))
    return {}


def _status(ask: Ask, f: Fields) -> Body:
    s = ask("Maintenance/Status")
    out = {
        "version": s.version, "dbSize": str(s.db_size), "leader": str(s.leader), "raftIndex": str(s.raft_index),
        "raftTerm": str(s.raft_term), "raftAppliedIndex": str(s.raft_index),
    }  # fmt: skip
    if s.errors:
        out["errors"] = s.errors
    if s.is_learner:
        out["isLearner"] = True
    return {**out, "dbSizeInUse": str(s.db_size_in_use), **({"storageVersion": s.storage_version} if s.storage_version else {}),
            "dbSizeQuota": str(s.quota), "downgradeInfo": {}}  # fmt: skip


def _alarm(ask: Ask, f: Fields) -> Body:
    action = {0: "GET", 1: "ACTIVATE", 2: "DEACTIVATE"}.get(f.body.get("action", 0), f.body.get("action"))
    if action == "ACTIVATE":
        raise EtcdError("raising alarms by hand: not simulated in Slipway yet", "Unimplemented")
    found = ask("Maintenance/Alarm", action=action)
    return {"alarms": [{"memberID": str(one.member_id), "alarm": one.alarm} for one in found]} if found else {}


def _hash(ask: Ask, f: Fields) -> Body:
    value, compacted = ask("Maintenance/HashKV", revision=f.number("revision"))
    return {"hash": value, **({"compact_revision": str(compacted)} if compacted else {})}


def _call(method: str, **names: str) -> Callable[[Ask, Fields], Body]:
    """A request whose fields are strings and whose answer is only the header."""

    def run(ask: Ask, f: Fields) -> Body:
        ask(method, **{ours: f.word(theirs) for ours, theirs in names.items()})
        return {}

    return run


def _listed(method: str, field: str, **names: str) -> Callable[[Ask, Fields], Body]:
    def run(ask: Ask, f: Fields) -> Body:
        found = ask(method, **{ours: f.word(theirs) for ours, theirs in names.items()})
        return {field: found} if found else {}

    return run


def _auth_status(ask: Ask, f: Fields) -> Body:
    found = ask("Auth/AuthStatus")
    return {**({"enabled": True} if found.enabled else {}), "authRevision": str(found.revision)}


def _user_add(ask: Ask, f: Fields) -> Body:
    bare = f.message("options").flag("no_password")
    ask("Auth/UserAdd", name=f.word("name"), password=f.word("password"), no_password=bare)
    return {}


def _role_get(ask: Ask, f: Fields) -> Body:
    rows = []
    for one in ask("Auth/RoleGet", role=f.word("role")):
        kind = {} if one.kind == "READ" else {"permType": one.kind}
        rows.append({**kind, "key": b64(one.key), **({"range_end": b64(one.range_end)} if one.range_end else {})})
    return {"perm": rows} if rows else {}


def _role_grant(ask: Ask, f: Fields) -> Body:
    perm = f.message("perm")
    kind = perm.choice("perm_type", _KINDS)
    ask("Auth/RoleGrantPermission", name=f.word("name"), perm=Permission(kind, perm.raw("key"), perm.raw("range_end")))
    return {}


def _role_revoke(ask: Ask, f: Fields) -> Body:
    ask("Auth/RoleRevokePermission", role=f.word("role"), key=f.raw("key"), range_end=f.raw("range_end"))
    return {}


ROUTES: dict[str, Callable[[Ask, Fields], Body]] = {
    "kv/range": _range,
    "kv/put": _put,
    "kv/deleterange": _delete,
    "kv/txn": lambda ask, f: _txn_json(ask("KV/Txn", **_txn_args(f))),
    "kv/compaction": _compact,
    "lease/grant": _grant,
    "lease/revoke": _revoke,
    "kv/lease/revoke": _revoke,
    "lease/timetolive": _time_to_live,
    "kv/lease/timetolive": _time_to_live,
    "lease/leases": _leases,
    "kv/lease/leases": _leases,
    "lease/keepalive": _keep_alive,
    "cluster/member/list": _members,
    "cluster/member/add": _member_add,
    "cluster/member/remove": _member_change("Cluster/MemberRemove"),
    "cluster/member/update": _member_change("Cluster/MemberUpdate"),
    "cluster/member/promote": _member_change("Cluster/MemberPromote"),
    "maintenance/transfer-leadership": _move_leader,
    "maintenance/status": _status,
    "maintenance/alarm": _alarm,
    "maintenance/hash": _hash,
    "maintenance/hashkv": _hash,
    "maintenance/defragment": _call("Maintenance/Defragment"),
    "auth/enable": _call("Auth/AuthEnable"),
    "auth/disable": _call("Auth/AuthDisable"),
    "auth/status": _auth_status,
    "auth/authenticate": lambda ask, f: {"token": ask("Auth/Authenticate", name=f.word("name"), password=f.word("password"))},
    "auth/user/add": _user_add,
    "auth/user/delete": _call("Auth/UserDelete", name="name"),
    "auth/user/changepw": _call("Auth/UserChangePassword", name="name", password="password"),
    "auth/user/get": _listed("Auth/UserGet", "roles", name="name"),
    "auth/user/list": _listed("Auth/UserList", "users"),
    "auth/user/grant": _call("Auth/UserGrantRole", user="user", role="role"),
    "auth/user/revoke": _call("Auth/UserRevokeRole", name="name", role="role"),
    "auth/role/add": _call("Auth/RoleAdd", name="name"),
    "auth/role/delete": _call("Auth/RoleDelete", role="role"),
    "auth/role/get": _role_get,
    "auth/role/list": _listed("Auth/RoleList", "roles"),
    "auth/role/grant": _role_grant,
    "auth/role/revoke": _role_revoke,
}
#: Routes that exist and are not simulated.
ABSENT = frozenset({"maintenance/snapshot", "maintenance/downgrade"})


def reply(disk: Disk, method: str, body: Body) -> Body:
    """An answer with its header; answers about members carry no revision."""
    return {"header": header(disk, revision=not method.startswith("cluster/")), **body}


def failure(error: EtcdError) -> Response:
    """An error as grpc-gateway prints it."""
    status, code = CODES.get(error.grpc_code, (500, 2))
    return answer({"code": code, "message": error.message}, status)


def answer(body: Body, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(status=status, headers={"content-type": "application/json"}, body=orjson.dumps(body))


def handle(world: World, disk: Disk, running: Running, method: str, request: Request) -> Response:
    """Answer `POST /v3/<method>`."""
    if method in ABSENT:
        return failure(EtcdError(f"/v3/{method}: not simulated in Slipway yet", "Unimplemented"))
    route = ROUTES.get(method)
    if route is None and method != "watch":
        return answer({"code": 5, "message": "Not Found"}, 404)
    if request.method != "POST":
        return answer({"code": 12, "message": "Method Not Allowed"}, 501)
    if not running.ready:
        return failure(EtcdError("etcdserver: no leader", "Unavailable"))
    token = request.headers.get("authorization", "").removeprefix("Bearer ")

    def ask(name: str, /, **args: Any) -> Any:
        return service.handle(world, disk, running, Call(name, args, token), request.client_cert)

    try:
        body = read_body(request.body)
        fields = Fields(body, str(body.pop("\0text")))
        if method == "watch":
            from .gateway_watch import open_watch

            return open_watch(world, disk, fields, ask)
        assert route is not None
        out = reply(disk, method, route(ask, fields))
        return answer({"result": out} if method == "lease/keepalive" else out)
    except BadBody as error:
        return answer({"code": 3, "message": str(error)}, 400)
    except EtcdError as error:
        return failure(error)
    except SimulatorError as error:
        return failure(EtcdError(str(error), "Unimplemented"))
