"""The gRPC services of one member: unary methods through the JSON gateway's routes, and the three streams."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent import futures
from functools import partial
from typing import Any

import grpc

from simulator.core.etcd import bolt, gateway_v3
from simulator.core.etcd.errors import Compacted, EtcdError
from simulator.core.etcd.gateway_json import BadBody, Fields, normal
from simulator.core.etcd.mvcc import Event
from simulator.core.etcd.protobuf import BadMessage, Body, decode, encode

from .world import Cluster, Unreachable

#: gRPC methods: name of the messages, route of the JSON gateway.
UNARY: dict[str, tuple[str, str]] = {
    "KV/Range": ("Range", "kv/range"),
    "KV/Put": ("Put", "kv/put"),
    "KV/DeleteRange": ("DeleteRange", "kv/deleterange"),
    "KV/Txn": ("Txn", "kv/txn"),
    "KV/Compact": ("Compaction", "kv/compaction"),
    "Lease/LeaseGrant": ("LeaseGrant", "lease/grant"),
    "Lease/LeaseRevoke": ("LeaseRevoke", "lease/revoke"),
    "Lease/LeaseTimeToLive": ("LeaseTimeToLive", "lease/timetolive"),
    "Lease/LeaseLeases": ("LeaseLeases", "lease/leases"),
    "Cluster/MemberAdd": ("MemberAdd", "cluster/member/add"),
    "Cluster/MemberRemove": ("MemberRemove", "cluster/member/remove"),
    "Cluster/MemberUpdate": ("MemberUpdate", "cluster/member/update"),
    "Cluster/MemberList": ("MemberList", "cluster/member/list"),
    "Cluster/MemberPromote": ("MemberPromote", "cluster/member/promote"),
    "Maintenance/Alarm": ("Alarm", "maintenance/alarm"),
    "Maintenance/Status": ("Status", "maintenance/status"),
    "Maintenance/Defragment": ("Defragment", "maintenance/defragment"),
    "Maintenance/Hash": ("Hash", "maintenance/hash"),
    "Maintenance/HashKV": ("HashKV", "maintenance/hashkv"),
    "Maintenance/MoveLeader": ("MoveLeader", "maintenance/transfer-leadership"),
    "Auth/AuthEnable": ("AuthEnable", "auth/enable"),
    "Auth/AuthDisable": ("AuthDisable", "auth/disable"),
    "Auth/AuthStatus": ("AuthStatus", "auth/status"),
    "Auth/Authenticate": ("Authenticate", "auth/authenticate"),
    "Auth/UserAdd": ("AuthUserAdd", "auth/user/add"),
    "Auth/UserGet": ("AuthUserGet", "auth/user/get"),
    "Auth/UserList": ("AuthUserList", "auth/user/list"),
    "Auth/UserDelete": ("AuthUserDelete", "auth/user/delete"),
    "Auth/UserChangePassword": ("AuthUserChangePassword", "auth/user/changepw"),
    "Auth/UserGrantRole": ("AuthUserGrantRole", "auth/user/grant"),
    "Auth/UserRevokeRole": ("AuthUserRevokeRole", "auth/user/revoke"),
    "Auth/RoleAdd": ("AuthRoleAdd", "auth/role/add"),
    "Auth/RoleGet": ("AuthRoleGet", "auth/role/get"),
    "Auth/RoleList": ("AuthRoleList", "auth/role/list"),
    "Auth/RoleDelete": ("AuthRoleDelete", "auth/role/delete"),
    "Auth/RoleGrantPermission": ("AuthRoleGrantPermission", "auth/role/grant"),
    "Auth/RoleRevokePermission": ("AuthRoleRevokePermission", "auth/role/revoke"),
}
#: Bytes of a snapshot in one message (api/v3rpc/maintenance.go).
CHUNK = 32 * 1024
THREADS = 64


def _code(name: str) -> grpc.StatusCode:
    """`InvalidArgument` → StatusCode.INVALID_ARGUMENT."""
    words = "".join("_" + c if c.isupper() else c.upper() for c in name).lstrip("_")
    found: grpc.StatusCode = getattr(grpc.StatusCode, words, grpc.StatusCode.UNKNOWN)
    return found


def _token(context: grpc.ServicerContext) -> str:
    return next((str(value) for key, value in context.invocation_metadata() or () if key in ("token", "authorization")), "")


class Services(grpc.GenericRpcHandler):  # type: ignore[misc]
    """All services of one member."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster, self.name = cluster, name

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """The handler of a method, None for one that etcd does not have."""
        method = details.method.removeprefix("/etcdserverpb.")
        if method == "Watch/Watch":
            return grpc.stream_stream_rpc_method_handler(self.watch)
        if method == "Lease/LeaseKeepAlive":
            return grpc.stream_stream_rpc_method_handler(self.keep_alive)
        if method == "Maintenance/Snapshot":
            return grpc.unary_stream_rpc_method_handler(self.snapshot)
        if method == "/grpc.health.v1.Health/Check":
            return grpc.unary_unary_rpc_method_handler(lambda _request, _context: b"\x08\x01")
        return grpc.unary_unary_rpc_method_handler(self._unary(method)) if method in UNARY else None

    def _guard(self, context: grpc.ServicerContext, run: Callable[[], Any]) -> Any:
        try:
            return run()
        except EtcdError as error:
            context.abort(_code(error.grpc_code), error.message)
        except Unreachable:
            context.abort(grpc.StatusCode.UNAVAILABLE, "etcdserver: server stopped")
        except (BadBody, BadMessage) as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))

    def _unary(self, method: str) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        message, route = UNARY[method]

        def run(request: bytes, context: grpc.ServicerContext) -> bytes:
            token = _token(context)
            body = self._guard(
                context, lambda: self.cluster.invoke(self.name, route, decode(message + "Request", request), token)
            )
            return encode(message + "Response", body)

        return run

    def snapshot(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        """Maintenance/Snapshot: the database in bbolt's format with its SHA-256."""
        del request
        cluster = self.cluster
        self._guard(context, lambda: cluster.ask(self.name, "Maintenance/Snapshot", _token(context), {}))  # permission
        with cluster.lock:
            disk, _ = self._guard(context, lambda: cluster.member(self.name))
            data, header, version = bolt.snapshot(disk), gateway_v3.header(disk), disk.version
        body, digest = data[:-32], data[-32:]
        parts = [body[at : at + CHUNK] for at in range(0, len(body), CHUNK)]
        left = len(body)
        for part in [*parts, digest]:
            left -= len(part)
            yield encode(
                "SnapshotResponse", {"header": header, "remaining_bytes": max(left, 0), "blob": part, "version": version}
            )

    def keep_alive(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        """Lease/LeaseKeepAlive: one answer a request."""
        token = _token(context)
        for request in requests:
            renew = partial(self.cluster.invoke, self.name, "lease/keepalive", decode("LeaseKeepAliveRequest", request), token)
            yield encode("LeaseKeepAliveResponse", self._guard(context, renew))

    def watch(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        """Watch/Watch: any number of watches over one stream."""
        stream = WatchStream(self.cluster, self.name, _token(context))
        reader = threading.Thread(target=stream.read, args=(requests,), daemon=True)
        reader.start()
        context.add_callback(stream.end)
        while True:
            for body in stream.wait():
                yield encode("WatchResponse", body)
            if stream.ended:
                return


class WatchStream:
    """The watches of one stream: the reader thread takes requests in, the writer asks the member for what is new."""

    def __init__(self, cluster: Cluster, name: str, token: str) -> None:
        self.cluster, self.name, self.token = cluster, name, token
        self.watches: dict[int, dict[str, Any]] = {}
        self.out: deque[Body] = deque()
        self.next = 0
        self.ended = False

    def end(self) -> None:
        """The client has gone."""
        with self.cluster.changed:
            self.ended = True
            self.cluster.changed.notify_all()

    def _header(self) -> Body:
        disk, _ = self.cluster.member(self.name)
        return gateway_v3.header(disk)

    def read(self, requests: Iterator[bytes]) -> None:
        """Take requests in until the client ends them."""
        try:
            for request in requests:
                body = decode("WatchRequest", request)
                with self.cluster.changed:
                    self.cluster.move()
                    self._request(body)
                    self.cluster.changed.notify_all()
        except (grpc.RpcError, Unreachable, BadMessage):
            self.end()
        except Exception:
            self.end()
            raise

    def _request(self, body: Body) -> None:
        if "create_request" in body:
            self._create(Fields(normal(body["create_request"]), ""))
        elif "cancel_request" in body:
            ident = int(body["cancel_request"].get("watch_id", 0))
            if self.watches.pop(ident, None) is not None:
                self.out.append({"header": self._header(), "watch_id": ident, "canceled": True})
        elif "progress_request" in body:
            self.out.append({"header": self._header(), "watch_id": -1})

    def _create(self, f: Fields) -> None:
        wanted = f.number("watch_id")
        if wanted and wanted in self.watches:
            reason = "mvcc: duplicate watch ID provided on the WatchStream"
            self.out.append(
                {"header": self._header(), "watch_id": -1, "canceled": True, "created": True, "cancel_reason": reason}
            )
            return
        if not wanted:
            wanted, self.next = self.next, self.next + 1
        disk, _ = self.cluster.member(self.name)
        key, end = f.raw("key"), f.raw("range_end")
        start = f.number("start_revision") or disk.store.revision + 1
        skip = {"PUT" if one == 0 else "DELETE" for one in f.body.get("filters") or []}
        self.watches[wanted] = {
            "key": key or b"\0", "end": end, "since": start - 1, "prev": f.flag("prev_kv"), "skip": skip,
        }  # fmt: skip
        self.out.append({"header": self._header(), "watch_id": wanted, "created": True})

    def wait(self) -> list[Body]:
        """What is to be sent, after waiting a moment for it."""
        with self.cluster.changed:
            if not self.out and not self.ended:
                self.cluster.changed.wait(0.05)
            found = list(self.out)
            self.out.clear()
            if self.ended:
                return found
            try:
                for ident in list(self.watches):
                    found += self._new(ident)
            except Unreachable:
                self.ended = True
            return found

    def _new(self, ident: int) -> list[Body]:
        watch = self.watches[ident]
        disk, _ = self.cluster.member(self.name)
        reached = disk.store.revision
        if reached <= watch["since"]:
            return []
        args = {"prefix": watch["key"], "since": watch["since"], "range_end": watch["end"]}
        try:
            events: list[Event] = self.cluster.ask(self.name, "Watch/Events", self.token, args)
        except Compacted as error:
            del self.watches[ident]
            return [{"header": self._header(), "watch_id": ident, "canceled": True, "compact_revision": error.compact_revision}]
        except EtcdError as error:
            del self.watches[ident]
            return [{"header": self._header(), "watch_id": ident, "canceled": True, "cancel_reason": error.message}]
        watch["since"] = max(watch["since"], reached)
        rows = []
        for event in events:
            if event.type in watch["skip"]:
                continue
            prev = {"prev_kv": gateway_v3.kv_json(event.prev)} if watch["prev"] and event.prev else {}
            rows.append({"type": event.type, "kv": gateway_v3.kv_json(event.kv), **prev})
        return [{"header": self._header(), "watch_id": ident, "events": rows}] if rows else []


def start(cluster: Cluster, name: str, address: str) -> tuple[grpc.Server, int]:
    """A gRPC server of one member on an address (port 0: a free one); returns it and its port."""
    options = [("grpc.max_receive_message_length", 4 * 1024 * 1024), ("grpc.so_reuseport", 0)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=THREADS), options=options)
    server.add_generic_rpc_handlers((Services(cluster, name),))
    port = server.add_insecure_port(address)
    server.start()
    return server, port
