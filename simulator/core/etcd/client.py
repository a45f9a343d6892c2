"""A client of etcd over the simulated network: tries its endpoints in turn, as clientv3's balancer does.

Calls carry decoded messages (`Request.obj`), the fast path between processes of one world; the JSON gateway and the gRPC
server for real clients translate to the same messages.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..host import dns
from ..kernel import network
from ..kernel.errors import ConnectError
from ..kernel.http import Request
from ..kernel.world import World
from .errors import EtcdError
from .mvcc import Compare, DeleteResult, Event, Op, PutResult, RangeResult, TxnResult

#: Methods that go through Raft.
WRITES = frozenset({"KV/Put", "KV/DeleteRange", "KV/Txn", "KV/Compact", "Lease/Grant", "Lease/Revoke"})


class TlsFiles(msgspec.Struct, frozen=True):
    """What a client presents and trusts, as PEM."""

    cert: bytes = b""
    key: bytes = b""
    ca: bytes = b""


class Call(msgspec.Struct, frozen=True):
    """One request message: `method` as `KV/Range`, `args` its fields, `token` that of an authenticated user.

    `sync` says that the caller cannot wait in virtual time: what an election would answer in a moment is answered at once, with the
    latency that it takes.
    """

    method: str
    args: dict[str, Any]
    token: str = ""
    sync: bool = True


def split_endpoint(endpoint: str) -> tuple[str, str, int]:
    """Scheme, host and port of `https://127.0.0.1:2379`, `127.0.0.1:2379` or `127.0.0.1`."""
    scheme, rest = endpoint.split("://", 1) if "://" in endpoint else ("http", endpoint)
    host, _, port = rest.partition("/")[0].rpartition(":")
    if not host:
        return scheme, port, 2379
    return scheme, host, int(port) if port.isdigit() else 2379


class EtcdClient:
    """One client; `latency` sums the modelled time of its calls in nanoseconds, `write_latency` that of writes alone."""

    def __init__(self, world: World, netns: str, endpoints: list[str], credentials: TlsFiles | None = None) -> None:
        self.world = world
        self.netns = netns
        self.endpoints = [split_endpoint(e) for e in endpoints]
        self.credentials = credentials or TlsFiles()
        self.latency = 0
        self.write_latency = 0
        self._cert = self.credentials.cert
        self.token = ""
        self.sync = True

    def call(self, method: str, **args: Any) -> Any:
        """Send one message to the first endpoint that answers; raises ConnectError or EtcdError."""
        failed: ConnectError | None = None
        for scheme, host, port in self.endpoints:
            request = Request(
                method="POST",
                path="/etcd",
                obj=Call(method, args, self.token, self.sync),
                client_cert=self._cert,
                source=self.netns,
                scheme=scheme,
            )
            try:
                answer = network.http(self.world, self.netns, self._address(host), port, request)
            except ConnectError as error:
                failed = error
                continue
            self.latency += answer.latency
            if method in WRITES:
                self.write_latency += answer.latency
            if isinstance(answer.obj, EtcdError):
                raise answer.obj
            return answer.obj
        raise failed or ConnectError("refused", "no endpoints available")

    def _address(self, host: str) -> str:
        """The address of an endpoint's host; raises ConnectError when a name is not known."""
        if host[:1].isdigit() or ":" in host:
            return host
        found = "127.0.0.1" if host == "localhost" else dns.lookup(self.world, self.netns, host)
        if not found:
            raise ConnectError("dns", host)
        return found

    def take_latency(self) -> int:
        """The latency so far, which is forgotten."""
        taken, self.latency = self.latency, 0
        return taken

    def range(
        self,
        key: bytes,
        range_end: bytes = b"",
        *,
        revision: int = 0,
        limit: int = 0,
        keys_only: bool = False,
        count_only: bool = False,
        serializable: bool = False,
    ) -> RangeResult:
        """Read a key or a range; `serializable` asks the member alone, without a word to the others."""
        weak = {"serializable": True} if serializable else {}
        answer: RangeResult = self.call(
            "KV/Range",
            key=key,
            range_end=range_end,
            revision=revision,
            limit=limit,
            keys_only=keys_only,
            count_only=count_only,
            **weak,
        )
        return answer

    def put(self, key: bytes, value: bytes, lease: int = 0) -> int:
        """Write one key; returns its revision."""
        answer: PutResult = self.call("KV/Put", key=key, value=value, lease=lease)
        return answer.revision

    def delete(self, key: bytes, range_end: bytes = b"") -> tuple[int, int]:
        """Delete; returns (how many, revision)."""
        answer: DeleteResult = self.call("KV/DeleteRange", key=key, range_end=range_end)
        return answer.deleted, answer.revision

    def txn(self, compare: list[Compare], success: list[Op], failure: list[Op]) -> TxnResult:
        """Compare, then run one of two lists of operations."""
        answer: TxnResult = self.call("KV/Txn", compare=tuple(compare), success=tuple(success), failure=tuple(failure))
        return answer

    def events(self, key_prefix: bytes, since_revision: int) -> list[Event]:
        """What a watch on the prefix would have delivered after `since_revision`; raises Compacted."""
        answer: list[Event] = self.call("Watch/Events", prefix=key_prefix, since=since_revision)
        return answer

    def named_events(self, prefix: bytes, since: int, member: bytes, value: bytes) -> tuple[list[Event], int] | None:
        """Those of the `events` of a kind that name `value` in a JSON member, and the revision of its last change; None where the store
        cannot tell.  Raises Compacted."""
        answer: tuple[list[Event], int] | None = self.call("Watch/Named", prefix=prefix, since=since, member=member, value=value)
        return answer

    def compact(self, revision: int) -> None:
        """Compact the history up to a revision."""
        self.call("KV/Compact", revision=revision)

    def lease_grant(self, ttl_seconds: int) -> int:
        """Grant a lease; returns its id."""
        return int(self.call("Lease/Grant", ttl=ttl_seconds, id=0).id)

    def lease_revoke(self, lease_id: int) -> None:
        """Revoke a lease and delete its keys."""
        self.call("Lease/Revoke", id=lease_id)

    def current_revision(self) -> int:
        """The store's revision."""
        return self.range(b"\0", count_only=True).revision
