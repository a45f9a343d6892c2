"""A node's life: time passing, messages, elections with pre-vote, proposals and reads.

    follower ──election timeout──▶ pre-candidate ──quorum of pre-votes──▶ candidate ──quorum of votes──▶ leader
        ▲                                                                                                  │
        └──────────── a message of a later term, a leader heard of, or no quorum for an election timeout ──┘

A node that hears of its leader refuses votes for one election timeout (the lease), so a member that was cut off cannot disturb the rest
when it comes back; a leader that hears no quorum steps down.  `Rng` draws the election timeouts.  Follows raft.go of etcd's library with
PreVote and CheckQuorum, as etcd runs it.
"""

from __future__ import annotations

from typing import Protocol

from . import leader, log
from .confchange import ADD, ConfChange, encode, find_pending, quorum
from .state import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE, REPLICATE, Entry, Message, Node, Progress, Snapshot

_VOTES = ("vote", "pre-vote")
_FROM_LEADER = ("app", "heartbeat", "snap")
#: A vote that the leader itself asked for breaks the lease.
FORCED = 1


class Rng(Protocol):
    """Where randomness comes from."""

    def below(self, n: int, /) -> int:
        """An integer in [0, n)."""
        ...


def restart(node: Node, now: int, rng: Rng) -> None:
    """Begin (again) as a follower with what is on disk."""
    node.out, node.reads, node.installed = [], [], None
    node.heard_at = 0
    _become_follower(node, node.term, 0, now, rng)
    node.pending_conf = find_pending(node)


def bootstrap(node: Node, members: dict[int, bytes]) -> None:
    """Give a new group its first log: one committed change a member, so that whoever joins later finds them in the log (bootstrap.go)."""
    changes = [encode(ConfChange(ADD, one, members[one])) for one in sorted(members)]
    node.term, node.voters = 1, sorted(members)
    node.log = [Entry(1, at + 1, "conf", change) for at, change in enumerate(changes)]
    node.commit = len(node.log)


def promotable(node: Node) -> bool:
    """Whether the node may campaign: it votes, and no snapshot waits to be loaded."""
    return node.id in node.voters and node.installed is None


def next_due(node: Node) -> int:
    """When `tick` has something to do, in the node's time."""
    if node.role == LEADER:
        due = min(node.heartbeat_at, node.quorum_at) if node.progress else node.quorum_at
        return min(due, node.transfer_at) if node.transferee else due
    return node.election_at


def tick(node: Node, now: int, rng: Rng) -> None:
    """Do what is due: campaign, send heartbeats, check the quorum, give up handing over."""
    if node.role != LEADER:
        if now >= node.election_at:
            _draw_timeout(node, now, rng)
            campaign(node, now, rng)
        return
    if node.transferee and now >= node.transfer_at:
        node.transferee = 0
    if now >= node.quorum_at:
        node.quorum_at = now + node.election
        heard = sum(1 for v in node.voters if v == node.id or (v in node.progress and node.progress[v].active))
        for held in node.progress.values():
            held.active = False
        if heard < quorum(node):
            _become_follower(node, node.term, 0, now, rng)
            return
    if now >= node.heartbeat_at:
        node.heartbeat_at = now + node.heartbeat
        leader.heartbeats(node, node.waiting_reads[-1].context if node.waiting_reads else 0)


def _draw_timeout(node: Node, now: int, rng: Rng) -> None:
    node.timeout = node.election + rng.below(max(1, node.election // node.heartbeat)) * node.heartbeat
    node.election_at = now + node.timeout


def _become_follower(node: Node, term: int, lead: int, now: int, rng: Rng) -> None:
    if term != node.term:
        node.term, node.vote = term, 0
    node.role, node.lead, node.votes, node.progress = FOLLOWER, lead, {}, {}
    node.transferee, node.waiting_reads, node.early_reads = 0, [], []
    node.pending_conf = 0
    _draw_timeout(node, now, rng)


def campaign(node: Node, now: int, rng: Rng, *, forced: bool = False) -> None:
    """Ask for votes: pre-votes first, which change nobody's term, unless the leader told this node to take over."""
    if node.role == LEADER or not promotable(node):
        return
    if any(e.kind == "conf" for e in node.log[node.applied - node.snap_index : node.commit - node.snap_index]):
        return  # a committed change of the members must be applied first
    if forced:
        _stand(node, now, rng, context=FORCED)
        return
    node.role, node.lead, node.votes = PRE_CANDIDATE, 0, {node.id: True}
    if quorum(node) == 1:
        _stand(node, now, rng)
        return
    _ask(node, "pre-vote", node.term + 1, 0)


def _stand(node: Node, now: int, rng: Rng, context: int = 0) -> None:
    node.term, node.vote, node.role, node.lead = node.term + 1, node.id, CANDIDATE, 0
    node.votes = {node.id: True}
    node.transferee, node.waiting_reads, node.early_reads, node.progress = 0, [], [], {}
    _draw_timeout(node, now, rng)
    if quorum(node) == 1:
        leader.begin(node, now)
    else:
        _ask(node, "vote", node.term, context)


def _ask(node: Node, kind: str, term: int, context: int) -> None:
    index, last = node.last_index, log.last_term(node)
    for peer in node.voters:
        if peer != node.id:
            node.out.append(Message(kind, node.id, peer, term, index, last, context=context))


def step(node: Node, m: Message, now: int, rng: Rng) -> None:
    """Take in one message."""
    if m.term > node.term:
        if m.kind in _VOTES:
            in_lease = node.lead != 0 and now - node.heard_at < node.election and m.context != FORCED
            if in_lease or (node.role == LEADER and m.context != FORCED):
                return
        if m.kind == "pre-vote" or (m.kind == "pre-vote-resp" and not m.reject):
            pass  # a pre-vote changes no term
        else:
            _become_follower(node, m.term, m.src if m.kind in _FROM_LEADER else 0, now, rng)
    elif m.term and m.term < node.term:
        if m.kind in ("app", "heartbeat"):
            # a deposed leader, or one whose peer went ahead while it was cut off: tell it of the later term
            node.out.append(Message("app-resp", node.id, m.src, node.term))
        elif m.kind == "pre-vote":
            node.out.append(Message("pre-vote-resp", node.id, m.src, node.term, reject=True))
        return
    if m.kind in _VOTES:
        _on_vote(node, m, now)
    elif m.kind in ("vote-resp", "pre-vote-resp"):
        _on_ballot(node, m, now, rng)
    elif m.kind in _FROM_LEADER:
        _on_leader(node, m, now, rng)
    elif node.role == LEADER:
        _as_leader(node, m, now, rng)
    else:
        _as_follower(node, m, now, rng)


def _on_vote(node: Node, m: Message, now: int) -> None:
    free = node.vote == m.src or (node.vote == 0 and node.lead == 0) or (m.kind == "pre-vote" and m.term > node.term)
    if free and log.up_to_date(node, m.index, m.log_term):
        node.out.append(Message(m.kind + "-resp", node.id, m.src, m.term))
        if m.kind == "vote":
            node.vote = m.src
            node.election_at = max(node.election_at, now + node.election)
    else:
        node.out.append(Message(m.kind + "-resp", node.id, m.src, node.term, reject=True))


def _on_ballot(node: Node, m: Message, now: int, rng: Rng) -> None:
    wanted = PRE_CANDIDATE if m.kind == "pre-vote-resp" else CANDIDATE
    if node.role != wanted or (m.kind == "pre-vote-resp" and not m.reject and m.term != node.term + 1):
        return
    node.votes.setdefault(m.src, not m.reject)
    counted = [node.votes[v] for v in node.voters if v in node.votes]
    if sum(counted) >= quorum(node):
        if node.role == PRE_CANDIDATE:
            _stand(node, now, rng)
        else:
            leader.begin(node, now)
    elif len(counted) - sum(counted) >= quorum(node):
        _become_follower(node, node.term, 0, now, rng)


def _on_leader(node: Node, m: Message, now: int, rng: Rng) -> None:
    if node.role != FOLLOWER:
        _become_follower(node, m.term, m.src, now, rng)
    node.lead, node.heard_at, node.election_at = m.src, now, now + node.timeout
    if m.kind == "app":
        _on_append(node, m)
    elif m.kind == "heartbeat":
        log.commit_to(node, m.commit)
        node.out.append(Message("heartbeat-resp", node.id, m.src, node.term, context=m.context))
    elif m.snapshot is not None:
        _on_snapshot(node, m, m.snapshot)


def _on_append(node: Node, m: Message) -> None:
    if m.index < node.commit:
        node.out.append(Message("app-resp", node.id, m.src, node.term, index=node.commit))
        return
    last = log.maybe_append(node, m.index, m.log_term, m.commit, m.entries)
    if last or (m.index == 0 and not m.entries):
        node.out.append(Message("app-resp", node.id, m.src, node.term, index=last))
        return
    hint, term = log.conflict(node, m.index, m.log_term)
    node.out.append(Message("app-resp", node.id, m.src, node.term, index=m.index, log_term=term, reject=True, hint=hint))


def _on_snapshot(node: Node, m: Message, snap: Snapshot) -> None:
    if snap.index <= node.commit:
        node.out.append(Message("app-resp", node.id, m.src, node.term, index=node.commit))
        return
    if log.term_at(node, snap.index) == snap.term:  # the log reaches that far already
        log.commit_to(node, snap.index)
        node.out.append(Message("app-resp", node.id, m.src, node.term, index=node.commit))
        return
    node.log, node.snap_index, node.snap_term = [], snap.index, snap.term
    node.commit = node.applied = snap.index
    node.voters, node.learners = list(snap.voters), list(snap.learners)
    node.installed = snap
    node.out.append(Message("app-resp", node.id, m.src, node.term, index=snap.index))


def _as_leader(node: Node, m: Message, now: int, rng: Rng) -> None:
    if m.kind == "app-resp":
        leader.on_append_answer(node, m, now)
    elif m.kind == "heartbeat-resp":
        leader.on_heartbeat_answer(node, m)
    elif m.kind == "prop":
        for entry in m.entries:
            propose(node, entry.kind, entry.data, entry.id)
    elif m.kind == "read-index":
        leader.read_index(node, m.context, m.src)
    elif m.kind == "transfer":
        leader.hand_over(node, m.index, now)


def _as_follower(node: Node, m: Message, now: int, rng: Rng) -> None:
    if m.kind == "read-index-resp":
        node.reads.append((m.context, m.index))
    elif m.kind == "timeout-now" and node.id in node.voters:
        campaign(node, now, rng, forced=True)
    elif m.kind in ("prop", "read-index", "transfer") and node.lead and node.role == FOLLOWER and m.src != node.lead:
        node.out.append(Message(m.kind, m.src, node.lead, 0, m.index, entries=m.entries, context=m.context))


def propose(node: Node, kind: str, data: bytes, proposal: int) -> bool:
    """Ask that an entry be appended: at once on the leader, by a message to it elsewhere.  False when there is no leader, or it hands over."""
    if node.role == LEADER:
        if node.transferee or (node.id not in node.voters):
            return False
        leader.append(node, kind, data, proposal)
        leader.broadcast(node)
        return True
    if not node.lead or node.role != FOLLOWER:
        return False
    node.out.append(Message("prop", node.id, node.lead, 0, entries=(Entry(0, 0, kind, data, proposal),)))
    return True


def read(node: Node, context: int) -> bool:
    """Begin a linearizable read; its index comes in `reads`.  False when there is no leader."""
    if node.role == LEADER:
        leader.read_index(node, context, node.id)
        return True
    if not node.lead or node.role != FOLLOWER:
        return False
    node.out.append(Message("read-index", node.id, node.lead, 0, context=context))
    return True


def transfer(node: Node, to: int, now: int) -> None:
    """Ask the leader to hand over to `to`."""
    if node.role == LEADER:
        leader.hand_over(node, to, now)
    elif node.lead:
        node.out.append(Message("transfer", node.id, node.lead, 0, index=to))


def take_committed(node: Node) -> list[Entry]:
    """Entries that are committed and not applied yet; the application moves `applied` as it takes them in."""
    if node.applied >= node.commit:
        return []
    return node.log[node.applied - node.snap_index : node.commit - node.snap_index]


__all__ = [
    "FORCED", "REPLICATE", "Progress", "Rng", "campaign", "next_due", "promotable", "propose", "read", "restart", "step", "take_committed",
    "tick", "transfer",
]  # fmt: skip
