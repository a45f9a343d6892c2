"""What a member does with a request message: the KV, Watch, Lease, Cluster and Maintenance services.

Every write rings the doorbells of its keys (`registry:<prefix>` for `/registry/<prefix>/…`, `etcd:<member name>` for any) and
leaves a trace event, unless it is a heartbeat.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from ..kernel.clock import SECOND
from ..kernel.errors import SimulatorError
from ..kernel.world import World
from . import auth, lessor, maintenance, requests
from .client import WRITES, Call
from .errors import EtcdError, empty_key, lease_not_found
from .member import Disk, MemberInfo, Running, store
from .membership import members_of
from .mvcc import DeleteResult, Event, KeyValue, Lease, PutResult, RangeResult, Store, TxnResult

#: Prefixes whose writes are heartbeats or their echo, left out of the trace.
QUIET = (b"/registry/leases/", b"/registry/events/", b"/registry/masterleases/", b"compact_rev_key")


class Header(msgspec.Struct):
    """The header that every answer carries."""

    cluster_id: int
    member_id: int
    revision: int
    raft_term: int


def topic_of(key: bytes) -> str:
    """The doorbell of a key: `/registry/pods/default/web` → `registry:pods`."""
    if not key.startswith(b"/registry/"):
        return ""
    parts = key[10:].split(b"/")
    name = parts[0].decode(errors="replace")
    if name == "services" and len(parts) > 1:
        return f"registry:services/{parts[1].decode(errors='replace')}"
    if "." in name and len(parts) > 2:
        return f"registry:{name}/{parts[1].decode(errors='replace')}"
    return f"registry:{name}"


#: Pods have doorbells by node as well, `registry:pods@<node>`: a kubelet hears of its own pods only, not of everybody's.
PODS = b"/registry/pods/"
_NODE = re.compile(rb'"nodeName"\s*:\s*"([^"]{1,253})"')


def _nodes(world: World, disk: Disk, kv: KeyValue) -> list[str]:
    """The nodes that a written or deleted pod names or named; too many do no harm."""
    if kv.value and not kv.value.startswith(b"{"):  # no JSON that could be read: everybody's
        return [topic.partition("@")[2] for topic in sorted(world.subscriptions) if topic.startswith("registry:pods@")]
    found = set(_NODE.findall(kv.value))
    before = store(world, disk).before(kv)
    if before is not None:
        found.update(_NODE.findall(before.value))
    return sorted(name.decode(errors="replace") for name in found)


def announce(world: World, disk: Disk, before: int, *, traced: bool = True) -> None:
    """Ring and trace what changed after log position `before`; of several members only the one that was asked traces it."""
    topics: dict[str, None] = {}
    for kv in disk.store.log[before:]:
        topics[topic_of(kv.key)] = None
        if kv.key.startswith(PODS):
            for name in _nodes(world, disk, kv):
                topics[f"registry:pods@{name}"] = None
        if traced and not kv.key.startswith(QUIET):
            world.cause = world.emit(
                "etcd", "put" if kv.version else "delete", kv.key.decode(errors="replace"), {"revision": kv.mod_revision}
            )
    for topic in topics:
        if topic:
            world.ring(topic)
    if topics:
        world.ring(f"etcd:{disk.name}")


def announce_restored(world: World, disk: Disk) -> None:
    """A member serves data of which everything up to now is compacted (`etcdutl snapshot restore --mark-compacted`): ring for all.

    Whoever watched the data that was there before learns at the next look that its revision is gone, and lists again.
    """
    if disk.store.compacted and disk.store.compacted >= disk.store.revision:
        for topic in sorted(world.subscriptions):
            if topic.startswith("registry:"):
                world.ring(topic)


def _write(world: World, disk: Disk, running: Running, change: Callable[[Store], Any]) -> Any:
    view = store(world, disk)
    before = len(disk.store.log)
    cause = world.cause
    try:
        result = change(view)
        maintenance.grow(view, disk)
        announce(world, disk, before, traced=running.applying < 2)
    finally:
        world.cause = cause
    return result


def put(world: World, disk: Disk, running: Running, args: dict[str, Any]) -> PutResult:
    """KV/Put."""
    maintenance.charge(world, disk, running, maintenance.PUT_COST + len(args["key"]) + len(args["value"]))
    if args.get("lease") and args["lease"] not in disk.store.leases:
        raise lease_not_found()
    result: PutResult = _write(
        world,
        disk,
        running,
        lambda s: s.put(args["key"], args["value"], lease=args.get("lease", 0), prev_kv=args.get("prev_kv", False)),
    )
    return result


def delete(world: World, disk: Disk, running: Running, args: dict[str, Any]) -> DeleteResult:
    """KV/DeleteRange."""
    if not args["key"]:
        raise empty_key()
    result: DeleteResult = _write(
        world, disk, running, lambda s: s.delete(args["key"], args.get("range_end", b""), prev_kv=args.get("prev_kv", False))
    )
    return result


def txn(world: World, disk: Disk, running: Running, args: dict[str, Any]) -> TxnResult:
    """KV/Txn."""
    maintenance.charge(world, disk, running, maintenance.txn_cost(args["success"], args["failure"]))
    result: TxnResult = _write(world, disk, running, lambda s: s.txn(args["compare"], args["success"], args["failure"]))
    return result


def range_(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> RangeResult:
    """KV/Range."""
    if not args["key"]:
        raise empty_key()
    args.pop("serializable", None)
    return store(world, disk).range(**args)


def compact(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> None:
    """KV/Compact."""
    store(world, disk).compact(args["revision"])


def events(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> list[Event]:
    """What a watch would have delivered since a revision."""
    return store(world, disk).events(args["prefix"], args["since"], range_end=args.get("range_end"))


def named(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> tuple[list[Event], int] | None:
    """The same for a watch of those changes that name a value (named.py)."""
    return store(world, disk).named_events(args["prefix"], args["since"], args["member"], args["value"])


def grant(world: World, disk: Disk, running: Running, args: dict[str, Any]) -> Lease:
    """Lease/Grant; id 0 lets the server choose."""
    maintenance.charge(world, disk, running, maintenance.LEASE_COST)
    ttl = int(args["ttl"])
    if ttl <= 0 or ttl > 9_000_000_000:
        raise EtcdError("etcdserver: too large lease TTL" if ttl > 0 else "etcdserver: lease TTL must be positive", "OutOfRange")
    lease_id = args.get("id") or (world.rng("etcd-lease").bits64() >> 1)
    return store(world, disk).grant(lease_id, ttl, world.now + max(ttl, 2) * SECOND)


def revoke(world: World, disk: Disk, running: Running, args: dict[str, Any]) -> int:
    """Lease/Revoke."""
    result: int = _write(world, disk, running, lambda s: s.revoke(args["id"]))
    return result


def keep_alive(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> Lease:
    """Lease/KeepAlive once; a lease that is gone answers TTL 0."""
    lease = disk.store.leases.get(args["id"])
    if lease is None:
        return Lease(args["id"], 0, 0)
    lease.expires = world.now + max(lease.ttl, 2) * SECOND
    return lease


def time_to_live(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> tuple[Lease, int]:
    """Lease/TimeToLive: the lease and the seconds that remain; -1 when it is gone."""
    lease = disk.store.leases.get(args["id"])
    if lease is None:
        return Lease(args["id"], 0, 0), -1
    return lease, max(0, (lease.expires - world.now) // SECOND)


def leases(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> list[int]:
    """Lease/LeaseLeases: every lease's id."""
    return sorted(disk.store.leases)


def expire_leases(world: World, disk: Disk, running: Running) -> None:
    """Revoke what has expired, oldest first (the leader's lessor does)."""
    if not lessor.leads(disk):
        return
    for lease in sorted((x for x in disk.store.leases.values() if x.expires <= world.now), key=lambda x: (x.expires, x.id)):
        call = Call("Lease/Revoke", {"id": lease.id})
        if disk.raft is None:
            disk.index += 1
            revoke(world, disk, running, call.args)
        else:
            requests.submit(world, disk, running, call)


def header(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> Header:
    """The response header as it stands now."""
    return Header(disk.cluster_id, disk.member_id, disk.store.revision, disk.term)


def member_list(world: World, disk: Disk, running: Running, args: dict[str, Any]) -> list[MemberInfo]:
    """Cluster/MemberList."""
    return members_of(disk)


#: What becomes an entry of the log although it only reads, or also when it is then refused (v3_server.go: raftRequest).
PROPOSED = WRITES | {"Maintenance/Alarm"} | set(auth.HANDLERS)


def _proposed(disk: Disk, running: Running, call: Call, error: EtcdError | None = None) -> None:
    """Count the entry of a request to a cluster of one; requests that are refused before they are proposed make none."""
    if call.method not in PROPOSED or (call.method == "KV/Txn" and _reads_only(call.args)):
        return
    if error is not None and error.grpc_code in ("InvalidArgument", "Unauthenticated"):
        return
    disk.index += 1
    if call.method in WRITES and running.version.startswith("3.4."):
        disk.kv_index = disk.index


def _reads_only(args: dict[str, Any]) -> bool:
    return all(op.kind == "range" for branch in ("success", "failure") for op in args[branch])


HANDLERS: dict[str, Callable[[World, Disk, Running, dict[str, Any]], Any]] = {
    "KV/Range": range_,
    "KV/Put": put,
    "KV/DeleteRange": delete,
    "KV/Txn": txn,
    "KV/Compact": compact,
    "Watch/Events": events,
    "Watch/Named": named,
    "Lease/Grant": grant,
    "Lease/Revoke": revoke,
    "Lease/KeepAlive": keep_alive,
    "Lease/TimeToLive": time_to_live,
    "Lease/Leases": leases,
    "Cluster/MemberList": member_list,
    "Maintenance/Status": maintenance.status,
    "Maintenance/HashKV": maintenance.hash_kv,
    "Maintenance/Defragment": maintenance.defragment,
    "Maintenance/Alarm": maintenance.alarm,
    "Maintenance/Downgrade": maintenance.downgrade,
    "Maintenance/Snapshot": maintenance.snapshot,
    "Header": header,
    **auth.HANDLERS,
}


def handle(world: World, disk: Disk, running: Running, call: Call, cert: bytes = b"") -> Any:
    """Answer one message of a client with that certificate; raises EtcdError."""
    return timed(world, disk, running, call, cert)[0]


def timed(world: World, disk: Disk, running: Running, call: Call, cert: bytes = b"") -> tuple[Any, int]:
    """The answer, and how long the members needed to agree on it, in ns."""
    handler = HANDLERS.get(call.method)
    if handler is None and call.method not in requests.GROUP:
        raise SimulatorError(f"etcd has no method {call.method}")
    alone = disk.raft is None and call.method not in requests.GROUP
    try:
        if disk.auth.enabled:
            auth.check(world, disk, running, call, cert)
        if not alone:
            return requests.timed(world, disk, running, call)
        assert handler is not None
        result = handler(world, disk, running, call.args)
    except EtcdError as error:
        if alone:
            _proposed(disk, running, call, error)
        raise
    _proposed(disk, running, call)
    return result, 0
