"""What a member keeps on its disk and while it runs, and how its identities are computed.

A *disk* is the content of a data directory.  While a member runs, the simulated file `<data-dir>/member/snap/db` holds the disk's id;
when it stops, the file holds the content itself (backup.py).  So moving, copying or deleting the directory has its real consequence.
"""

from __future__ import annotations

import hashlib

import msgspec

from ..kernel.world import World
from .authstore import AuthState
from .mvcc import Store, StoreState
from .v2store import V2State

DB_HEADER = b"slipway etcd backend "


class Disk(msgspec.Struct):
    """A data directory: the store and the member's identity.  `index` counts Raft entries, `term` elections.

    `file_size` is that of the database file: it grows with writes and only a defragmentation makes it smaller.  `version` is the
    storage version, "" before etcd 3.6.
    """

    id: str
    name: str
    cluster_id: int
    member_id: int
    peer_urls: list[str]
    client_urls: list[str]
    store: StoreState
    term: int = 1
    index: int = 3
    alarms: list[str] = []
    file_size: int = 20480
    version: str = ""
    auth: AuthState = msgspec.field(default_factory=AuthState)
    v2: V2State = msgspec.field(default_factory=V2State)


class Running(msgspec.Struct):
    """A running member process: which disk, its flags, whether it serves yet, its quota in bytes (0: none), and the
    tokens of users with the time at which each ends.
    """

    disk: str
    flags: dict[str, str]
    version: str
    data_dir: str
    ready: bool = False
    lease_timer: int = 0
    lease_due: int = 0
    v2_timer: int = 0
    tls: bool = False
    quota: int = 2147483648
    tokens: dict[str, tuple[str, int]] = {}


class EtcdSection(msgspec.Struct):
    """All data directories by id and running members by process key."""

    disks: dict[str, Disk] = {}
    running: dict[str, Running] = {}


def section(world: World) -> EtcdSection:
    """The world's etcd section."""
    return world.section("etcd", EtcdSection)


def store(world: World, disk: Disk) -> Store:
    """The warm view on a disk's store, rebuilt when the world has been restored."""
    views: dict[str, Store] = world.warm.setdefault("etcd-stores", {})
    view = views.get(disk.id)
    if view is None or view.state is not disk.store:
        view = views[disk.id] = Store(disk.store)
    return view


def member_id(peer_urls: list[str], token: str) -> int:
    """SHA-1 of the sorted peer URLs and the cluster token (server/etcdserver/api/membership/member.go)."""
    digest = hashlib.sha1("".join(sorted(peer_urls)).encode() + token.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "big")


def cluster_id(members: list[int]) -> int:
    """SHA-1 of the sorted member ids (membership/cluster.go: genID)."""
    raw = b"".join(m.to_bytes(8, "big") for m in sorted(members))
    return int.from_bytes(hashlib.sha1(raw, usedforsecurity=False).digest()[:8], "big")
