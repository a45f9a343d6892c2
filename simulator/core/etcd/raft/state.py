"""The data of one Raft node: entries, messages, progress of peers, and the node itself.

Everything here is plain data.  What survives a crash is `term`, `vote`, `commit`, the log, the snapshot's position and the
configuration; the rest is made anew by `node.restart`.  Times are nanoseconds of the node's own clock; nothing reads a clock, callers pass
`now`.  Follows the papers' names and etcd's library (raft.go, tracker/progress.go, read_only.go).
"""

from __future__ import annotations

import msgspec

from ...kernel.clock import MS

#: One tick of etcd: `--heartbeat-interval`.  An election timeout is ten of them, drawn anew between ten and nineteen.
HEARTBEAT = 100 * MS
ELECTION = 1000 * MS
#: Entries and messages on their way to one peer before the leader waits for an answer (etcd: maxInflightMsgs, maxSizePerMsg).
MAX_INFLIGHT = 512
MAX_BATCH = 64

FOLLOWER, PRE_CANDIDATE, CANDIDATE, LEADER = "follower", "pre-candidate", "candidate", "leader"
PROBE, REPLICATE, SNAPSHOT = "probe", "replicate", "snapshot"


class Entry(msgspec.Struct, array_like=True, frozen=True):
    """One entry of the log: `kind` is `normal`, `conf` or `empty` (a new leader's first); `id` names the proposal."""

    term: int
    index: int
    kind: str = "empty"
    data: bytes = b""
    id: int = 0


class Snapshot(msgspec.Struct, array_like=True, frozen=True):
    """State up to an entry: its position, who were members then, and the application's data."""

    index: int
    term: int
    voters: list[int]
    learners: list[int]
    data: bytes = b""


class Message(msgspec.Struct, array_like=True, frozen=True):
    """One message between nodes.

    `kind`: `vote`, `vote-resp`, `pre-vote`, `pre-vote-resp`, `app`, `app-resp`, `heartbeat`, `heartbeat-resp`, `snap`, `timeout-now`,
    and without a term `prop`, `read-index`, `read-index-resp`, `transfer`.  `context` names a read, or 1 marks a vote that a leader
    asked for when it hands over.
    """

    kind: str
    src: int
    dst: int
    term: int = 0
    index: int = 0
    log_term: int = 0
    commit: int = 0
    entries: tuple[Entry, ...] = ()
    reject: bool = False
    hint: int = 0
    context: int = 0
    snapshot: Snapshot | None = None


class Progress(msgspec.Struct):
    """What a leader knows of a peer: `match` is replicated there, `next` is sent next.

    `active` says that it was heard of since the last check of the quorum; `paused` that a probe is out; `pending` is the index of a
    snapshot under way; `inflight` the last index of each batch that is not answered yet.
    """

    next: int
    match: int = 0
    state: str = PROBE
    active: bool = False
    paused: bool = False
    pending: int = 0
    inflight: list[int] = []


class Read(msgspec.Struct):
    """A linearizable read that waits for a quorum to confirm the leader: who asked, the commit index then, who has answered."""

    context: int
    src: int
    index: int
    acks: list[int] = []


class Node(msgspec.Struct):
    """One member of a group.

    `log` begins after `snap_index`.  `out` are messages to send (after what changed is on disk), `reads` the reads that may be answered
    once `applied` has reached their index, `installed` a snapshot that the application must load before anything else.
    """

    id: int
    voters: list[int]
    learners: list[int] = []
    term: int = 0
    vote: int = 0
    commit: int = 0
    applied: int = 0
    snap_index: int = 0
    snap_term: int = 0
    log: list[Entry] = []
    role: str = FOLLOWER
    lead: int = 0
    votes: dict[int, bool] = {}
    progress: dict[int, Progress] = {}
    heard_at: int = 0
    timeout: int = ELECTION
    election_at: int = 0
    heartbeat_at: int = 0
    quorum_at: int = 0
    transferee: int = 0
    transfer_at: int = 0
    pending_conf: int = 0
    waiting_reads: list[Read] = []
    early_reads: list[tuple[int, int]] = []
    out: list[Message] = []
    reads: list[tuple[int, int]] = []
    installed: Snapshot | None = None
    heartbeat: int = HEARTBEAT
    election: int = ELECTION

    @property
    def last_index(self) -> int:
        """The index of the last entry."""
        return self.snap_index + len(self.log)
