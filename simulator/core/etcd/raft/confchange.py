"""Membership: one change at a time, each an entry of the log that takes effect when it is applied (confchange/confchange.go, simple changes)."""

from __future__ import annotations

import msgspec

from . import log
from .state import LEADER, Node, Progress

ADD, ADD_LEARNER, REMOVE, UPDATE = "add", "add-learner", "remove", "update"


class ConfChange(msgspec.Struct, array_like=True, frozen=True):
    """The content of a `conf` entry: what is done to which node; `context` is the application's (a member's name and URLs)."""

    op: str
    id: int
    context: bytes = b""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(ConfChange)


def encode(change: ConfChange) -> bytes:
    """As it stands in an entry."""
    return _encoder.encode(change)


def decode(data: bytes) -> ConfChange:
    """The change in an entry."""
    return _decoder.decode(data)


def quorum(node: Node) -> int:
    """How many voters decide."""
    return len(node.voters) // 2 + 1


def apply(node: Node, change: ConfChange) -> None:
    """Take a committed change into effect; the leader begins or stops to replicate to the node."""
    from .leader import advance_commit, send_append

    voters, learners = set(node.voters), set(node.learners)
    if change.op == ADD:
        voters.add(change.id)
        learners.discard(change.id)
    elif change.op == ADD_LEARNER:
        if change.id not in voters:
            learners.add(change.id)
    elif change.op == REMOVE:
        voters.discard(change.id)
        learners.discard(change.id)
    node.voters, node.learners = sorted(voters), sorted(learners)
    if node.role != LEADER:
        return
    if change.op == REMOVE:
        node.progress.pop(change.id, None)
        if node.transferee == change.id:
            node.transferee = 0
        if node.voters and advance_commit(node):
            for peer in sorted(node.progress):
                send_append(node, peer)
    elif change.id not in node.progress and change.id != node.id:
        node.progress[change.id] = Progress(next=node.last_index + 1, active=True)
        send_append(node, change.id)


def pending(node: Node) -> bool:
    """Whether a change is in the log that has not been applied."""
    return node.pending_conf > node.applied


def find_pending(node: Node) -> int:
    """The index of the last conf entry that is not applied, 0 when there is none."""
    start = node.applied - node.snap_index
    return next((e.index for e in reversed(node.log[max(0, start) :]) if e.kind == "conf"), 0)


__all__ = [
    "ADD",
    "ADD_LEARNER",
    "REMOVE",
    "UPDATE",
    "ConfChange",
    "apply",
    "decode",
    "encode",
    "find_pending",
    "log",
    "pending",
    "quorum",
]
