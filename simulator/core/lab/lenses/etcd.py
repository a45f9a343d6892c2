"""The etcd lens: members and their logs, the messages of Raft between them, who is cut off, and the revisions of keys."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from ...etcd import member
from ...etcd.member import Disk, EtcdSection
from ...etcd.membership import members_of
from ...etcd.mvcc import KeyValue, Store
from ...kernel import network
from ...kernel.clock import MS
from ...kernel.world import World
from ..etcd_view import cluster_disks, clusters, etcd_view
from .common import choose

Json = dict[str, Any]

#: Entries of a log, messages, revisions and keys that are shown.
ENTRIES = 10
MESSAGES = member.SHOWN
REVISIONS = 14
KEYS = 6
#: A heartbeat's way between machines of one network, and the answer's after it (the middle of transport.py's range).
WAY = 600_000
#: Keys whose changes are heartbeats of other components, and would hide everything else.
QUIET = (b"/registry/leases/", b"/registry/masterleases/", b"/registry/events/")


def lens(world: World, about: str) -> Json:
    """One cluster of members; `about` is the cluster as `choices` call it, "" for the one with the API server's objects."""
    held = member.section(world)
    named = {_called(world, cluster): cluster for cluster in clusters(world)}
    about = choose(list(named), about)
    cluster = named.get(about, 0)
    store, view = etcd_view(world, cluster)
    disks = cluster_disks(world, cluster)
    ids = {disk.member_id: disk for disk in disks}
    members = [_member(world, disk, row) for row in view["members"] for disk in (ids.get(int(row["id"], 16)),)]
    out: Json = {key: view[key] for key in ("state", "term", "leader", "quorum", "revision")} | {"members": members}
    out |= {"messages": [], "next": None, "heartbeat": 0, "asleep": False, "cut": _cut(world, view["members"])}
    if any(disk.raft is not None for disk in disks):
        out |= _messages(world, held, disks)
    if store is not None:
        out["history"] = history(store)
    return {**out, "about": about, "choices": list(named)}


def _called(world: World, cluster: int) -> str:
    """What a cluster is called among others: its members and where they run."""
    running = {r.disk: key.rpartition("/")[0] for key, r in member.section(world).running.items()}
    names = [
        f"{d.name} ({running[d.id]})" if running.get(d.id, d.name) != d.name else d.name for d in cluster_disks(world, cluster)
    ]
    return ", ".join(names)


def _member(world: World, disk: Disk | None, row: Json) -> Json:
    """One member of the view with its log; a member that keeps none (alone from the start) has only the two counters."""
    row = dict(row)
    if disk is None:
        return row
    running = next((r for r in member.section(world).running.values() if r.disk == disk.id), None)
    row["version"] = running.version if running is not None else ""
    row["size"], row["alarms"] = disk.file_size, [alarm.alarm for alarm in disk.alarms]
    raft = disk.raft
    if raft is None:
        row["raft"] = {
            "term": disk.term,
            "first": 1,
            "last": disk.index,
            "commit": disk.index,
            "applied": disk.index,
            "entries": [],
        }
        row["raft"] |= {"vote": "", "leader": f"{disk.member_id:x}" if row["role"] else "", "peers": []}
        return row
    row["raft"] = {
        "term": raft.term,
        "vote": f"{raft.vote:x}" if raft.vote else "",
        "leader": f"{raft.lead:x}" if raft.lead else "",
        "first": raft.snap_index + 1,
        "last": raft.last_index,
        "commit": raft.commit,
        "applied": raft.applied,
        "entries": [{"index": e.index, "term": e.term, "kind": e.kind} for e in raft.log[-ENTRIES:]],
        "peers": [{"id": f"{p:x}", "match": held.match, "next": held.next, "state": held.state} for p, held in sorted(raft.progress.items())],
        "votes": {f"{voter:x}": granted for voter, granted in sorted(raft.votes.items())} if "candidate" in raft.role else {},
    }  # fmt: skip
    return row


def _cut(world: World, members: list[Json]) -> list[list[str]]:
    """Pairs of members (ids) whose machines have no working link."""
    net = network.network(world)
    out = []
    for i, a in enumerate(members):
        for b in members[i + 1 :]:
            gone = net.down.get(a["host"]) or net.down.get(b["host"]) or net.cut.get(network.link_key(a["host"], b["host"]))
            if gone and a["host"] != b["host"]:
                out.append([a["id"], b["id"]])
    return out


# -- messages -----------------------------------------------------------------------------------------------------------


def _messages(world: World, held: EtcdSection, disks: list[Disk]) -> Json:
    """The last messages, oldest first, and the next thing that Raft does; `sent` is false for a message that reached nobody."""
    ids = {one.id for disk in disks for one in members_of(disk)}
    rows = [m for m in held.messages if m[3] in ids and m[4] in ids][-MESSAGES:]
    messages = [
        {"at": at, "term": term, "kind": kind, "from": f"{src:x}", "to": f"{dst:x}", "index": index, "entries": n, "sent": bool(ok)}
        for at, term, kind, src, dst, index, n, ok in sorted(rows, key=lambda row: row[0])
    ]  # fmt: skip
    beats = _beats(world, held, disks)
    after = messages[-1]["at"] if messages else -1
    messages += [beat for beat in beats if after < beat["at"] <= world.now]
    return {
        "messages": messages[-MESSAGES:],
        "next": upcoming(world, disks),
        "heartbeat": next((d.raft.heartbeat // MS for d in disks if d.raft is not None), 0),
        "asleep": bool(beats),
    }


def upcoming(world: World, disks: list[Disk]) -> Json | None:
    """What these members do next, and when (`at`, virtual ns): a message arrives, or a member's patience ends."""
    held = member.section(world)
    beats = [beat for beat in _beats(world, held, disks) if beat["at"] > world.now]
    if beats:
        return {key: beats[0][key] for key in ("at", "kind", "from", "to")}
    here = {disk.id for disk in disks if disk.raft is not None}
    arriving: list[Json] = [
        {"at": f.at, "kind": f.message.kind, "from": f"{f.message.src:x}", "to": f"{f.message.dst:x}"}
        for f in held.wire
        if f.target in here
    ]
    due: list[Json] = [
        {"at": timer.at, "kind": "timeout", "from": f"{held.disks[r.disk].member_id:x}"}
        for r in held.running.values()
        if r.disk in here and (timer := world.timers.get(r.raft_timer)) is not None
    ]
    return min([*arriving, *due], key=lambda one: int(one["at"]), default=None)


def _beats(world: World, held: EtcdSection, disks: list[Disk]) -> list[Json]:
    """The heartbeats of a group at rest around now: nobody simulates them, because they would change nothing (docs/etcd.md)."""
    group = next((held.groups[d.cluster_id] for d in disks if d.cluster_id in held.groups), None)
    serving = {r.disk for r in held.running.values()}
    if group is None or not group.asleep or group.leader not in serving:
        return []
    raft, others = held.disks[group.leader].raft, [held.disks[ident] for ident in group.good if ident in serving]
    assert raft is not None
    begun = raft.heartbeat_at + max(0, (world.now - raft.heartbeat_at) // raft.heartbeat) * raft.heartbeat
    out = []
    for at in (begun, begun + raft.heartbeat):
        for n, other in enumerate(others):
            one = {"term": raft.term, "index": raft.commit, "entries": 0, "sent": True, "rest": True}
            out.append({"at": at, "kind": "heartbeat", "from": f"{raft.id:x}", "to": f"{other.member_id:x}", **one})
            back = at + 2 * WAY + n * WAY // 8
            out.append({"at": back, "kind": "heartbeat-resp", "from": f"{other.member_id:x}", "to": f"{raft.id:x}", **one})
    return sorted(out, key=lambda m: (m["at"], m["from"], m["to"]))


# -- revisions ----------------------------------------------------------------------------------------------------------


def history(store: Store) -> Json:
    """The last changes of keys, oldest first: `{"compacted", "revision", "changes": [{"revision", "key", "version", …}]}`.

    Only the last few keys that changed are taken, so that each has a lane of its own; `gap` counts the revisions that were passed
    over between a change and the one before it.
    """
    changes: list[KeyValue] = []
    keys: dict[bytes, None] = {}
    for kv in reversed(store.state.log):
        if kv.key.startswith(QUIET) or (kv.key not in keys and len(keys) >= KEYS):
            continue
        keys[kv.key] = None
        changes.append(kv)
        if len(changes) >= REVISIONS:
            break
    changes.reverse()
    gaps = [0, *(max(0, later.mod_revision - earlier.mod_revision - 1) for earlier, later in pairwise(changes))]
    return {
        "compacted": store.state.compacted,
        "revision": store.state.revision,
        "keys": [key.decode("utf-8", "replace") for key in sorted(keys)],
        "changes": [
            {
                "revision": kv.mod_revision,
                "key": kv.key.decode("utf-8", "replace"),
                "version": kv.version,
                "create": kv.create_revision,
                "lease": kv.lease,
                "size": len(kv.value),
                "gap": gap,
            }
            for kv, gap in zip(changes, gaps, strict=False)
        ],
    }
