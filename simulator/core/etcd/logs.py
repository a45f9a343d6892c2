"""The log lines of a member that concern Raft and the cluster, as etcd writes them (zap JSON; callers of v3.6)."""

from __future__ import annotations

from typing import Any

import orjson

from ..host import processes
from ..host.process import Process
from ..kernel import clock
from ..kernel.world import World
from .client import split_endpoint
from .member import Disk, Running
from .raft.confchange import REMOVE, ConfChange
from .raft.state import LEADER, Snapshot

_RAFT = "etcdserver/zap_raft.go:77"


def log(world: World, proc: Process, level: str, caller: str, msg: str, **fields: Any) -> None:
    """One line as etcd's zap logger writes it."""
    line = {"level": level, "ts": clock.rfc3339_micro(world.wall), "caller": caller, "msg": msg, **fields}
    processes.log(world, proc, orjson.dumps(line).decode())


def raft_line(world: World, proc: Process, msg: str, level: str = "info") -> None:
    """A line of the Raft library."""
    line = {"level": level, "ts": clock.rfc3339_micro(world.wall), "logger": "raft", "caller": _RAFT, "msg": msg}
    processes.log(world, proc, orjson.dumps(line).decode())


def raft(world: World, proc: Process, disk: Disk, role: str, lead: int, at: int) -> None:
    """Role, term or leader have changed; `role` and `lead` are what they were."""
    now, me = disk.raft, f"{disk.member_id:x}"
    assert now is not None
    if now.role != role or now.term != disk.term:
        if now.role == "pre-candidate":
            raft_line(world, proc, f"{me} is starting a new election at term {now.term}")
        if now.role == "follower" and now.term > disk.term:
            raft_line(world, proc, f"{me} [term: {disk.term}] received a message with higher term [term: {now.term}]")
        if role == LEADER and now.role == "follower" and now.term == disk.term:
            raft_line(world, proc, f"{me} stepped down to follower since quorum is not active")
        raft_line(world, proc, f"{me} became {now.role} at term {now.term}")
    if now.lead != lead:
        if now.lead and not lead:
            raft_line(world, proc, f"raft.node: {me} elected leader {now.lead:x} at term {now.term}")
        elif now.lead:
            raft_line(world, proc, f"raft.node: {me} changed leader from {lead:x} to {now.lead:x} at term {now.term}")
        else:
            raft_line(world, proc, f"raft.node: {me} lost leader {lead:x} at term {now.term}")


def starting(world: World, proc: Process, disk: Disk, running: Running) -> None:
    """The summary of the configuration."""
    flags = running.flags
    beat, election = int(flags["heartbeat-interval"]), int(flags["election-timeout"])
    shown: dict[str, Any] = {
        "etcd-version": running.version, "go-os": "linux", "go-arch": "amd64", "member-initialized": disk.index > 3, "name": flags["name"],
        "data-dir": flags["data-dir"], "member-dir": flags["data-dir"] + "/member", "force-new-cluster": flags["force-new-cluster"] == "true",
        "heartbeat-interval": f"{beat}ms", "election-timeout": f"{election // 1000}s" if election % 1000 == 0 else f"{election}ms",
        "snapshot-count": int(flags["snapshot-count"]), "initial-cluster": flags["initial-cluster"],
        "initial-cluster-state": flags["initial-cluster-state"], "initial-cluster-token": flags["initial-cluster-token"],
        "quota-backend-bytes": running.quota,
    }  # fmt: skip
    for name in ("initial-advertise-peer-urls", "listen-peer-urls", "advertise-client-urls", "listen-client-urls"):
        shown[name] = flags[name].split(",")
    log(world, proc, "info", "embed/etcd.go:323", "starting an etcd server", **shown)
    ids = {"local-member-id": f"{disk.member_id:x}", "cluster-id": f"{disk.cluster_id:x}"}
    log(
        world,
        proc,
        "info",
        "etcdserver/raft.go:298",
        "restarting local member" if disk.index > 3 else "starting local member",
        **ids,
    )
    raft_line(world, proc, f"{disk.member_id:x} became follower at term {disk.term}")


def serving(world: World, proc: Process, disk: Disk, running: Running) -> None:
    """The member is in the cluster and serves clients."""
    me = f"{disk.member_id:x}"
    published = {"local-member-id": me, "local-member-attributes": f"{{Name:{disk.name} ClientURLs:[{' '.join(disk.client_urls)}]}}",
                 "cluster-id": f"{disk.cluster_id:x}", "publish-timeout": "7s"}  # fmt: skip
    log(world, proc, "info", "etcdserver/server.go:1804", "published local member to cluster through raft", **published)
    for url in running.flags["listen-client-urls"].split(","):
        _, host, port = split_endpoint(url)
        secure = "securely" if running.tls else "insecurely, this is strongly discouraged!"
        log(world, proc, "info", "embed/serve.go:210", f"serving client traffic {secure}", address=f"{host}:{port}")
    log(world, proc, "info", "embed/serve.go:44", "ready to serve client requests")


def changed(world: World, proc: Process, disk: Disk, change: ConfChange) -> None:
    """A change of the members was applied."""
    where = {"cluster-id": f"{disk.cluster_id:x}", "local-member-id": f"{disk.member_id:x}"}
    if change.op == REMOVE:
        log(
            world,
            proc,
            "info",
            "membership/cluster.go:472",
            "removed member",
            **where,
            **{"removed-remote-peer-id": f"{change.id:x}"},
        )
        return
    one = next((m for m in disk.members if m.id == change.id), None)
    if one is not None:
        text = {"added-peer-id": f"{one.id:x}", "added-peer-peer-urls": one.peer_urls, "added-peer-is-learner": one.is_learner}
        log(world, proc, "info", "membership/cluster.go:433", "added member", **where, **text)


def snapshot_applied(world: World, proc: Process, snapshot: Snapshot) -> None:
    """A leader's snapshot was loaded."""
    text = {"incoming-leader-snapshot-index": snapshot.index, "incoming-leader-snapshot-term": snapshot.term}
    log(world, proc, "info", "etcdserver/server.go:1102", "applied snapshot", **text)


def compacted(world: World, proc: Process, disk: Disk, to: int) -> None:
    """The older part of the log was dropped."""
    me = f"{disk.member_id:x}"
    log(
        world,
        proc,
        "info",
        "etcdserver/server.go:2178",
        "triggering snapshot",
        **{"local-member-id": me, "local-member-applied-index": disk.index},
    )
    log(world, proc, "info", "etcdserver/server.go:2254", "compacted Raft logs", **{"compact-index": to})


def handing_over(world: World, proc: Process, disk: Disk, to: int) -> None:
    """A leader that stops hands over."""
    text = {
        "local-member-id": f"{disk.member_id:x}",
        "current-leader-member-id": f"{disk.member_id:x}",
        "transferee-member-id": f"{to:x}",
    }
    log(world, proc, "info", "etcdserver/server.go:1501", "leadership transfer starting", **text)
