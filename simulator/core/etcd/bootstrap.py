"""A member's data directory: opened, made for a new or an existing cluster, put away; and who it asks before it joins.

    <data-dir>/member/snap/db                                     the database: everything that was applied, and the member's identity
    <data-dir>/member/wal/0000000000000000-0000000000000000.wal   of a member of several: the Raft log, term and vote

While a member runs both files only name what it holds; when it stops they hold the content (backup.py).  Without its log a member is new to
etcd; with a damaged one it does not start.  Follows server/etcdserver/bootstrap.go and cluster_util.go.
"""

from __future__ import annotations

import posixpath

import msgspec

from ..host import files
from ..host.machine import hosts
from ..host.process import Process
from ..host.program import Exited
from ..kernel import network
from ..kernel.errors import ConnectError
from ..kernel.world import World
from . import backup, membership, transport
from .applying import storage_version
from .client import split_endpoint
from .logs import log
from .member import DB_HEADER, Disk, MemberInfo, Running, cluster_id, member_id, section, store
from .mvcc import StoreState
from .raft import node
from .raft.state import Node

#: What the schema calls itself before a member has learnt the cluster's version (storage/schema).
OLD_STORAGE = "3.5.0"


def db_path(data_dir: str) -> str:
    """The database's file."""
    return f"{data_dir}/member/snap/db"


def wal_path(data_dir: str, flags: dict[str, str]) -> str:
    """The log's file, in `--wal-dir` where that is given."""
    return f"{flags.get('wal-dir') or data_dir + '/member/wal'}/0000000000000000-0000000000000000.wal"


def refuse(world: World, proc: Process, error: str) -> Exited:
    """The member cannot start: the line it leaves, and its end."""
    log(world, proc, "fatal", "etcdmain/etcd.go:204", "discovery failed", error=error)
    return Exited(1)


def open_disk(world: World, proc: Process, found: dict[str, str], data_dir: str, version: str) -> Disk:
    """The content of a data directory, made when there is none; raises Exited with what etcd logs."""
    fs = files.tree(hosts(world)[proc.host], proc.mnt)
    path = db_path(data_dir)
    if fs.exists(path):
        disk = _reopen(world, proc, fs.read(path), data_dir, found)
        if disk is not None:
            held = section(world)
            held.disks[disk.id] = disk
            log(
                world,
                proc,
                "info",
                "etcdmain/etcd.go:116",
                "server has already been initialized",
                **{"data-dir": data_dir, "dir-type": "member"},
            )
            if found["force-new-cluster"] == "true":
                force_new_cluster(disk)
                log(
                    world,
                    proc,
                    "info",
                    "etcdserver/raft.go",
                    "forcing restart member",
                    **{"local-member-id": f"{disk.member_id:x}"},
                )
            if disk.raft is None:
                disk.name = found["name"]  # name and URLs are published again at every start (server.go: publishV3)
                disk.client_urls = found["advertise-client-urls"].split(",")
                disk.version = storage_version(version)
            return disk
    disk = _new(world, proc, found, version)
    section(world).disks[disk.id] = disk
    store(world, disk)
    wal = wal_path(data_dir, found)
    for directory in (data_dir, f"{data_dir}/member", f"{data_dir}/member/snap", posixpath.dirname(wal)):
        if not fs.exists(directory):
            fs.mkdir(directory, parents=True, mode=0o700, now=world.wall)
    fs.write(path, DB_HEADER + disk.id.encode() + b"\n", mode=0o600, now=world.wall)
    fs.write(wal, b"", mode=0o600, now=world.wall)
    log(
        world,
        proc,
        "info",
        "etcdmain/etcd.go:131",
        "Initialize and start etcd server",
        **{"data-dir": data_dir, "dir-type": "empty"},
    )
    return disk


def _reopen(world: World, proc: Process, content: bytes, data_dir: str, flags: dict[str, str]) -> Disk | None:
    """The disk of an existing directory; None where the log is lost, so that the member is new."""
    fs = files.tree(hosts(world)[proc.host], proc.mnt)
    path = db_path(data_dir)
    disk = backup.read(world, content)
    if disk is None:
        raise refuse(world, proc, f"{path}: invalid database")
    if backup.reference(content):
        return disk
    log_file = wal_path(data_dir, flags)
    if disk.members and not fs.exists(log_file):
        return None
    if disk.members or (fs.exists(log_file) and fs.read(log_file)):
        disk.raft = backup.decode_wal(fs.read(log_file))
        if disk.raft is None:
            log(
                world,
                proc,
                "fatal",
                "etcdserver/storage.go:110",
                "failed to read WAL, cannot be repaired",
                error="walpb: crc mismatch",
            )
            raise Exited(1)
        if disk.raft.applied > disk.index:  # the database is older than the log says: what is missing is applied again
            disk.raft.applied = disk.index
    disk.id = world.rng("etcd").hex(16)
    fs.write(path, DB_HEADER + disk.id.encode() + b"\n", mode=0o600, now=world.wall)
    return disk


def put_away(world: World, proc: Process, running: Running) -> None:
    """Write a stopped member's content into its files, unless they have gone or cannot be reached any more."""
    held = section(world)
    path = db_path(running.data_dir)
    try:
        fs = files.tree(hosts(world)[proc.host], proc.mnt)
        named = backup.reference(fs.read(path)) == running.disk
    except (OSError, KeyError):
        return
    if named and all(other.disk != running.disk for other in held.running.values()):
        disk = held.disks.pop(running.disk)
        world.warm.setdefault("etcd-stopped", {})[disk.id] = disk  # for who has to know what was in it (kube/apiserver/copies.py)
        fs.write(path, backup.encode(msgspec.structs.replace(disk, raft=None)), mode=0o600, now=world.wall)
        if disk.raft is not None and fs.exists(wal_path(running.data_dir, running.flags)):
            fs.write(wal_path(running.data_dir, running.flags), backup.encode_wal(disk.raft), mode=0o600, now=world.wall)


def force_new_cluster(disk: Disk) -> None:
    """`--force-new-cluster`: a cluster of this member alone, with everything that it has committed."""
    me = membership.find(disk, disk.member_id) or MemberInfo(disk.member_id, disk.name, disk.peer_urls, disk.client_urls)
    raft = disk.raft
    if raft is None:
        return
    del raft.log[raft.commit - raft.snap_index :]  # what was not committed is discarded
    disk.removed = sorted({*disk.removed, *(one.id for one in disk.members if one.id != me.id)})
    disk.members = [msgspec.structs.replace(me, is_learner=False)]
    raft.voters, raft.learners = [me.id], []


def _new(world: World, proc: Process, found: dict[str, str], version: str) -> Disk:
    """A new member: of a new cluster, or of one that it was added to."""
    wanted = backup.clusters(found["initial-cluster"])
    name, advertised = found["name"], found["initial-advertise-peer-urls"].split(",")
    if name not in wanted:
        raise refuse(world, proc, f'couldn\'t find local name "{name}" in the initial cluster configuration')
    if sorted(wanted[name]) != sorted(advertised):
        raise refuse(
            world, proc,
            f"--initial-cluster has {','.join(f'{name}={url}' for url in wanted[name])} but missing from --initial-advertise-peer-urls="
            f"{','.join(advertised)} (len([{' '.join(sorted(wanted[name]))}]) != len([{' '.join(sorted(advertised))}]))",
        )  # fmt: skip
    token = found["initial-cluster-token"]
    existing = found["initial-cluster-state"] == "existing"
    ids = {one: member_id(urls, token) for one, urls in wanted.items()}
    peers = [url for one, urls in wanted.items() if one != name for url in urls]
    remote = ask_peers(world, proc, peers) if len(wanted) > 1 or existing else None
    disk = Disk(
        id=world.rng("etcd").hex(16), name=name, cluster_id=cluster_id(list(ids.values())), member_id=ids[name], peer_urls=advertised,
        client_urls=found["advertise-client-urls"].split(","), store=StoreState(), version=storage_version(version),
    )  # fmt: skip
    if existing:
        return _join(world, proc, disk, remote, wanted)
    if remote is not None and any(one.id == disk.member_id and one.client_urls for one in remote.members):
        raise refuse(world, proc, f"member {disk.member_id:x} has already been bootstrapped")
    if len(wanted) > 1:
        disk.members = sorted((MemberInfo(ids[one], one, urls, []) for one, urls in wanted.items()), key=lambda one: one.id)
        disk.raft = Node(disk.member_id, [])
        plain = {one.id: one for one in disk.members}
        node.bootstrap(disk.raft, {ident: _context(plain[ident]) for ident in plain})
        disk.raft.applied = disk.index = disk.raft.commit
        if disk.version:
            disk.version = OLD_STORAGE
    return disk


def _context(member: MemberInfo) -> bytes:
    return msgspec.msgpack.encode(membership.Context(member))


def _join(world: World, proc: Process, disk: Disk, remote: Disk | None, wanted: dict[str, list[str]]) -> Disk:
    """The member takes its identity from the cluster that knows its peer URLs."""
    if remote is None:
        raise refuse(
            world, proc, "cannot fetch cluster info from peer urls: could not retrieve cluster information from the given URLs"
        )
    known = membership.members_of(remote)
    error = ""
    if len(known) != len(wanted):
        error = "member count is unequal"
    elif sorted(sorted(one.peer_urls) for one in known) != sorted(sorted(urls) for urls in wanted.values()):
        error = "unmatched member while checking PeerURLs"
    if error:
        shown = " ".join(
            f"{{ID:{one.id:x} RaftAttributes:{{PeerURLs:[{' '.join(one.peer_urls)}] IsLearner:{str(one.is_learner).lower()}}} "
            f"Attributes:{{Name:{one.name} ClientURLs:[{' '.join(one.client_urls)}]}}}}"
            for one in known
        )
        gone = " ".join(f"{one:x}" for one in remote.removed)
        cluster = f"{{ClusterID:{remote.cluster_id:x} Members:[{shown}] RemovedMemberIDs:[{gone}]}}"
        raise refuse(world, proc, f"error validating peerURLs {cluster}: {error}")
    me = next(one for one in known if sorted(one.peer_urls) == sorted(disk.peer_urls))
    disk.member_id, disk.cluster_id, disk.cluster_version = me.id, remote.cluster_id, remote.cluster_version
    disk.raft = Node(me.id, [])  # who the members are stands in the log that the leader will send
    disk.term = disk.index = 0
    if disk.version:
        disk.version = OLD_STORAGE
    return disk


def ask_peers(world: World, proc: Process, urls: list[str]) -> Disk | None:
    """The first running member of a cluster that answers at one of these peer URLs (GetClusterFromRemotePeers)."""
    held = section(world)
    for url in urls:
        _, host, port = split_endpoint(url)
        try:
            item = network.connect(world, proc.netns, transport.address(world, proc, host), port)
        except ConnectError:
            continue
        running = held.running.get(f"{item.host}/{item.pid}")
        if running is not None and held.disks[running.disk].members:
            return held.disks[running.disk]
    return None
