"""The etcd part of the view (docs/map.md): members, who leads, what each log holds, and the messages between them."""

from __future__ import annotations

from typing import Any

from ..etcd import member
from ..etcd.member import Disk, EtcdSection, Running
from ..etcd.membership import members_of
from ..etcd.mvcc import Store
from ..kernel.world import World

Json = dict[str, Any]


def etcd_view(world: World) -> tuple[Store | None, Json]:
    """The store that the API server's objects are in, and the members."""
    held = member.section(world)
    serving = {r.disk: (key, r) for key, r in held.running.items()}
    views = {disk.id: member.store(world, disk) for disk in held.disks.values()}
    kubernetes = [d for d in held.disks.values() if views[d.id].range(b"/registry/", b"/registry0", count_only=True).count]
    # the cluster that holds the API server's objects; an etcd that a learner starts beside it is not one of its members
    cluster = next((d.cluster_id for d in [*kubernetes, *(d for d in held.disks.values() if d.id in serving)]), 0)
    disks = [d for d in held.disks.values() if d.cluster_id == cluster and (d.id in serving or d in kubernetes)]
    members, found, leader, term = [], None, "", 0
    for disk in disks:
        key, running = serving.get(disk.id, ("", None))
        row = _member(disk, key, running)
        members.append(row)
        if row["role"] == "leader" and disk.term >= term:
            leader = disk.name
        if found is None or (disk in kubernetes and disk.index > found[1].index):
            found = (views[disk.id], disk)
        term = max(term, disk.term)
    known = [one for disk in disks if disk.raft is not None for one in members_of(disk)]
    members += [_away(one) for one in {m.id: m for m in known}.values() if f"{one.id:x}" not in {m["id"] for m in members}]
    voters = [m for m in members if not m["learner"]]
    quorum = len(voters) // 2 + 1 if voters else 1
    out = {
        "state": _state([m["state"] for m in members], sum(m["state"] == "healthy" for m in voters), quorum),
        "term": term,
        "leader": leader,
        "quorum": quorum,
        "revision": 0,
        "members": members,
    }
    if out["state"] != "stopped" and found is not None:
        out["revision"] = found[0].state.revision
    group = held.groups.get(cluster)
    if group is not None:
        out["messages"] = _messages(held, disks)
        out["heartbeat"] = next((d.raft.heartbeat // 1_000_000 for d in disks if d.raft is not None), 0)
    return (found[0] if found is not None else None), out


def _state(states: list[str], healthy: int, quorum: int) -> str:
    if states and set(states) == {"healthy"}:
        return "healthy"
    if not states or set(states) == {"stopped"}:
        return "stopped"
    return "pending" if healthy >= quorum or len(states) == 1 else "failing"


def _member(disk: Disk, key: str, running: Running | None) -> Json:
    ready = running is not None and running.ready
    state = "healthy" if ready else "pending" if running is not None else "stopped"
    row: Json = {
        "name": disk.name,
        "host": key.rpartition("/")[0] if key else disk.name,
        "role": "leader" if ready else "",
        "state": state,
    }
    row["id"], row["learner"] = f"{disk.member_id:x}", False
    raft = disk.raft
    if raft is None:
        return row
    row["learner"] = raft.id in raft.learners
    if ready and not raft.lead:
        row["state"] = "pending"
    if running is not None:
        row["role"] = "learner" if row["learner"] else raft.role
    row["raft"] = {
        "term": raft.term,
        "vote": f"{raft.vote:x}" if raft.vote else "",
        "leader": f"{raft.lead:x}" if raft.lead else "",
        "first": raft.snap_index + 1,
        "last": raft.last_index,
        "commit": raft.commit,
        "applied": raft.applied,
        "entries": [{"index": e.index, "term": e.term, "kind": e.kind} for e in raft.log[-8:]],
        "peers": [{"id": f"{p:x}", "match": held.match, "next": held.next, "state": held.state} for p, held in sorted(raft.progress.items())],
    }  # fmt: skip
    return row


def _away(one: member.MemberInfo) -> Json:
    return {"name": one.name, "host": one.name, "role": "", "state": "stopped", "id": f"{one.id:x}", "learner": one.is_learner}


def _messages(held: EtcdSection, disks: list[Disk]) -> list[Json]:
    """The last messages of this cluster, oldest first; `sent` is false for one that could not be."""
    ids = {one.id for disk in disks for one in members_of(disk)}
    rows = [m for m in held.messages if m[3] in ids and m[4] in ids]
    return [
        {"at": at, "term": term, "kind": kind, "from": f"{src:x}", "to": f"{dst:x}", "index": index, "entries": count, "sent": bool(sent)}
        for at, term, kind, src, dst, index, count, sent in rows[-member.SHOWN :]
    ]  # fmt: skip
