"""The etcd part of the view (docs/map.md): members and who leads.  Logs and messages are the lens' (lenses/etcd.py)."""

from __future__ import annotations

from typing import Any

from ..etcd import member
from ..etcd.member import Disk, Running
from ..etcd.membership import members_of
from ..etcd.mvcc import Store
from ..kernel.world import World

Json = dict[str, Any]


def _kubernetes(world: World) -> list[Disk]:
    """The data directories that hold objects of an API server."""
    disks = member.section(world).disks.values()
    return [d for d in disks if member.store(world, d).range(b"/registry/", b"/registry0", count_only=True).count]


def clusters(world: World) -> list[int]:
    """The ids of the clusters that run or hold an API server's objects; the one that the map draws comes first.

    That is the one with the objects: an etcd that a learner starts beside it is a cluster of its own.
    """
    held = member.section(world)
    serving = {r.disk for r in held.running.values()}
    return list(dict.fromkeys(d.cluster_id for d in [*_kubernetes(world), *(d for d in held.disks.values() if d.id in serving)]))


def cluster_disks(world: World, cluster: int = 0) -> list[Disk]:
    """The data directories of a cluster's members, 0 for the cluster that the map draws."""
    held, kubernetes = member.section(world), _kubernetes(world)
    serving = {r.disk for r in held.running.values()}
    cluster = cluster or next(iter(clusters(world)), 0)
    return [d for d in held.disks.values() if d.cluster_id == cluster and (d.id in serving or d in kubernetes)]


def etcd_view(world: World, cluster: int = 0) -> tuple[Store | None, Json]:
    """The store that the API server's objects are in (or that of another cluster), and the members."""
    held = member.section(world)
    serving = {r.disk: (key, r) for key, r in held.running.items()}
    kubernetes, disks = _kubernetes(world), cluster_disks(world, cluster)
    members, found, leader, term = [], None, "", 0
    for disk in disks:
        key, running = serving.get(disk.id, ("", None))
        row = _member(disk, key, running)
        members.append(row)
        if row["role"] == "leader" and disk.term >= term:
            leader = disk.name
        if found is None or (disk in kubernetes and disk.index > found[1].index):
            found = (member.store(world, disk), disk)
        term = max(term, disk.term)
    known = [one for disk in disks if disk.raft is not None for one in members_of(disk)]
    members += [_away(one) for one in {m.id: m for m in known}.values() if f"{one.id:x}" not in {m["id"] for m in members}]
    members.sort(key=lambda m: m["name"])  # each keeps its place while it is away
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
    return row


def _away(one: member.MemberInfo) -> Json:
    return {"name": one.name, "host": one.name, "role": "", "state": "stopped", "id": f"{one.id:x}", "learner": one.is_learner}
