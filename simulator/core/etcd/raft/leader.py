"""A leader's part: append proposals, replicate, commit, confirm reads, send snapshots, hand over (raft.go: stepLeader and its helpers)."""

from __future__ import annotations

from . import log
from .confchange import pending, quorum
from .state import (
    LEADER,
    MAX_BATCH,
    MAX_INFLIGHT,
    PROBE,
    REPLICATE,
    SNAPSHOT,
    Entry,
    Message,
    Node,
    Progress,
    Read,
    Snapshot,
)


def peers(node: Node) -> list[int]:
    """Everybody but this node, voters and learners."""
    return [peer for peer in sorted({*node.voters, *node.learners}) if peer != node.id]


def begin(node: Node, now: int) -> None:
    """Become leader: nothing is known of the peers, and an empty entry of this term is the first proposal."""
    node.role, node.lead, node.votes = LEADER, node.id, {}
    node.progress = {peer: Progress(next=node.last_index + 1) for peer in peers(node)}
    node.transferee = 0
    node.waiting_reads = []
    node.heartbeat_at = now + node.heartbeat
    node.quorum_at = now + node.election
    node.pending_conf = node.last_index  # whatever is not applied yet may hold a change
    append(node, "empty", b"", 0)
    broadcast(node)


def append(node: Node, kind: str, data: bytes, proposal: int) -> Entry:
    """Put a proposal at the end of the log; a second pending change of the members becomes an empty entry."""
    if kind == "conf":
        if pending(node):
            kind, data = "empty", b""
        else:
            node.pending_conf = node.last_index + 1
    entry = Entry(node.term, node.last_index + 1, kind, data, proposal)
    node.log.append(entry)
    if node.voters == [node.id]:
        advance_commit(node)
    return entry


def broadcast(node: Node) -> None:
    """Send every peer what it lacks."""
    for peer in node.progress:
        send_append(node, peer)


def send_append(node: Node, peer: int, *, empty: bool = True) -> bool:
    """Send the next entries (or with `empty` also none: the commit index); a snapshot where they are compacted away.

    Returns whether something was sent.
    """
    held = node.progress[peer]
    if held.state == SNAPSHOT or (held.state == PROBE and held.paused):
        return False
    if held.state == REPLICATE and len(held.inflight) >= MAX_INFLIGHT:
        return False
    before = held.next - 1
    if before < node.snap_index:
        if not held.active:
            return False
        held.state, held.pending, held.paused = SNAPSHOT, node.applied, False
        position = Snapshot(node.applied, log.term_at(node, node.applied), list(node.voters), list(node.learners))
        node.out.append(Message("snap", node.id, peer, node.term, snapshot=position))
        return True
    batch = log.entries(node, held.next, MAX_BATCH)
    if not batch and not empty:
        return False
    term = log.term_at(node, before)
    node.out.append(Message("app", node.id, peer, node.term, before, term, node.commit, batch))
    if held.state == REPLICATE:
        if batch:
            held.next = batch[-1].index + 1
            held.inflight.append(batch[-1].index)
    else:
        held.paused = True
    return True


def heartbeats(node: Node, context: int = 0) -> None:
    """A heartbeat to everybody, each with what that peer may commit."""
    for peer, held in node.progress.items():
        commit = held.match if held.match < node.commit else node.commit
        node.out.append(Message("heartbeat", node.id, peer, node.term, commit=commit, context=context))


def advance_commit(node: Node) -> bool:
    """Commit what a quorum holds, when it is of this term; returns whether the index moved."""
    matches = sorted(
        (node.last_index if v == node.id else node.progress[v].match if v in node.progress else 0) for v in node.voters
    )
    index = matches[len(matches) - quorum(node)]
    if index > node.commit and log.term_at(node, index) == node.term:
        node.commit = index
        return True
    return False


def committed_here(node: Node) -> bool:
    """Whether the leader has committed an entry of its own term, before which it cannot serve reads."""
    return log.term_at(node, node.commit) == node.term


def read_index(node: Node, context: int, src: int) -> None:
    """Begin a linearizable read: remember the commit index and ask a quorum whether this is still the leader."""
    if node.voters == [node.id]:
        _answer(node, Read(context, src, node.commit))
    elif not committed_here(node):
        node.early_reads.append((context, src))
    else:
        node.waiting_reads.append(Read(context, src, node.commit, [node.id]))
        heartbeats(node, context)


def release_reads(node: Node) -> None:
    """Begin the reads that waited for the first commit of the term."""
    if node.early_reads and committed_here(node):
        early, node.early_reads = node.early_reads, []
        for context, src in early:
            read_index(node, context, src)


def _answer(node: Node, read: Read) -> None:
    if read.src == node.id:
        node.reads.append((read.context, read.index))
    else:
        node.out.append(Message("read-index-resp", node.id, read.src, node.term, index=read.index, context=read.context))


def on_append_answer(node: Node, m: Message, now: int) -> None:
    """A peer has taken entries, or refused them because its log differs."""
    held = node.progress.get(m.src)
    if held is None:
        return
    held.active = True
    if m.reject:
        hint = m.hint
        if m.log_term > 0:
            hint, _ = log.conflict(node, m.hint, m.log_term)
        if _step_back(held, m.index, hint):
            if held.state == REPLICATE:
                _probe(held)
            send_append(node, m.src)
        return
    was_paused = held.paused or held.state == SNAPSHOT
    if m.index > held.match:
        held.match = m.index
        held.next = max(held.next, m.index + 1)
        held.paused = False
        if held.state == PROBE:
            held.state, held.next, held.inflight = REPLICATE, held.match + 1, []
        elif held.state == SNAPSHOT and held.match + 1 > node.snap_index:
            _probe(held)
            held.state, held.next = REPLICATE, held.match + 1
        elif held.inflight:
            held.inflight = [i for i in held.inflight if i > m.index]
        if m.src in node.voters and advance_commit(node):
            release_reads(node)
            broadcast(node)
        elif was_paused:
            send_append(node, m.src)
        while send_append(node, m.src, empty=False):
            pass
        if m.src == node.transferee and held.match == node.last_index:
            node.out.append(Message("timeout-now", node.id, m.src, node.term))
    elif held.state == PROBE and held.match == m.index:
        held.paused = False  # an empty probe came back: it matches where we thought
        held.state, held.next, held.inflight = REPLICATE, held.match + 1, []
        while send_append(node, m.src, empty=False):
            pass


def _step_back(held: Progress, rejected: int, hint: int) -> bool:
    """Take a refusal into account; False for one that is out of date."""
    if held.state == REPLICATE:
        if rejected <= held.match:
            return False
        held.next = held.match + 1
        return True
    if held.next - 1 != rejected:
        return False
    held.next = max(min(rejected, hint + 1), held.match + 1)
    held.paused = False
    return True


def _probe(held: Progress) -> None:
    """Send one batch at a time until the peer answers."""
    if held.state == SNAPSHOT:
        held.next = max(held.match + 1, held.pending + 1)
    else:
        held.next = held.match + 1
    held.state, held.pending, held.paused, held.inflight = PROBE, 0, False, []


def on_heartbeat_answer(node: Node, m: Message) -> None:
    """A peer is alive: go on sending, and count it for the read that the heartbeat carried."""
    held = node.progress.get(m.src)
    if held is None:
        return
    held.active, held.paused = True, False
    if held.state == REPLICATE and len(held.inflight) >= MAX_INFLIGHT:
        del held.inflight[0]
    if held.match < node.last_index or held.state == PROBE:
        send_append(node, m.src)
    if not m.context or m.src not in node.voters:
        return
    at = next((i for i, read in enumerate(node.waiting_reads) if read.context == m.context), -1)
    if at < 0:
        return
    read = node.waiting_reads[at]
    if m.src not in read.acks:
        read.acks.append(m.src)
    if len([v for v in read.acks if v in node.voters]) >= quorum(node):
        for done in node.waiting_reads[: at + 1]:  # older reads are answered by a newer confirmation
            _answer(node, done)
        del node.waiting_reads[: at + 1]


def on_snapshot_sent(node: Node, peer: int, ok: bool) -> None:
    """The transport reports how a snapshot fared: probe from there, after the next sign of life."""
    held = node.progress.get(peer)
    if held is None or held.state != SNAPSHOT:
        return
    if not ok:
        held.pending = 0
    _probe(held)
    held.paused = True


def on_unreachable(node: Node, peer: int) -> None:
    """The transport could not send: do not stream ahead."""
    held = node.progress.get(peer)
    if held is not None and held.state == REPLICATE:
        _probe(held)


def hand_over(node: Node, to: int, now: int) -> None:
    """Transfer leadership: bring the peer up to date, then tell it to campaign at once."""
    held = node.progress.get(to)
    if held is None or to in node.learners or node.transferee == to:
        return
    node.transferee, node.transfer_at = to, now + node.election
    if held.match == node.last_index:
        node.out.append(Message("timeout-now", node.id, to, node.term))
    else:
        held.paused = False
        send_append(node, to)
