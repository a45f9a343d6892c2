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
from .raft.state import Message, Node
from .ticket import Ticket
from .v2store import V2State

DB_HEADER = b"slipway etcd backend "
#: How many messages of Raft are kept and shown for the map.
SHOWN = 48


class MemberInfo(msgspec.Struct, array_like=True):
    """One member of a cluster; one that was added and has not started yet has no name."""

    id: int
    name: str
    peer_urls: list[str]
    client_urls: list[str]
    is_learner: bool = False


class Alarm(msgspec.Struct, array_like=True, frozen=True):
    """One alarm of one member; `str` is protobuf's text."""

    member_id: int
    alarm: str

    def __str__(self) -> str:
        return f"memberID:{self.member_id} alarm:{self.alarm} "


class Disk(msgspec.Struct, omit_defaults=True):
    """A data directory: the store and the member's identity.  `index` counts Raft entries, `term` elections.

    `file_size` is that of the database file: it grows with writes and only a defragmentation makes it smaller.  `version` is the
    storage version, "" before etcd 3.6.  `kv_index` is the index of the last write that a member of 3.4 stored with it, 0 of later ones.

    A cluster that never had a second member keeps no log and no list of members: its one voter commits whatever it appends, so only
    the two counters show.  `raft` and `members` appear with the second member (membership.py).
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
    alarms: list[Alarm] = []
    file_size: int = 20480
    version: str = ""
    auth: AuthState = msgspec.field(default_factory=AuthState)
    v2: V2State = msgspec.field(default_factory=V2State)
    raft: Node | None = None
    members: list[MemberInfo] = []
    removed: list[int] = []
    cluster_version: str = ""
    kv_index: int = 0


class Running(msgspec.Struct, omit_defaults=True):
    """A running member process: which disk, its flags, whether it serves yet, its quota in bytes (0: none), and the
    tokens of users with the time at which each ends.

    Of a member of several: the leader and role it was in when last looked at, the world's timer for its next deadline, when it tries
    again to publish itself, whether it is applying (1: what it proposed itself, 2: what others did).
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
    lead: int = 0
    lead_since: int = 0
    role: str = ""
    raft_timer: int = 0
    raft_due: int = 0
    publish_at: int = 0
    applying: int = 0
    started: int = 0
    agreed: int = 0


class Flight(msgspec.Struct, array_like=True):
    """A message of Raft on its way: when it arrives, in which order, between which data directories."""

    at: int
    seq: int
    source: str
    target: str
    message: Message


class Group(msgspec.Struct):
    """A cluster of several members.

    While nothing happens, heartbeats change nothing but each other's deadlines: the group is `asleep`, no timer runs, and what the
    deadlines would be is computed when something does happen (replication.py).  `leader` and `good` are the data directories of the
    leader and of those that answer it.
    """

    asleep: bool = False
    leader: str = ""
    good: list[str] = []


class EtcdSection(msgspec.Struct, omit_defaults=True):
    """All data directories by id and running members by process key; messages and requests under way, and the last messages for those
    who look on."""

    disks: dict[str, Disk] = {}
    running: dict[str, Running] = {}
    groups: dict[int, Group] = {}
    wire: list[Flight] = []
    wire_seq: int = 0
    wire_timer: int = 0
    requests: int = 0
    messages: list[tuple[int, int, str, int, int, int, int, int]] = []
    tickets: dict[int, Ticket] = {}


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
