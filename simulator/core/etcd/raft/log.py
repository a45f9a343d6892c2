"""The log of a node: terms by index, matching, appending with truncation of what conflicts, compaction.

Log matching: two logs that hold an entry of the same index and term are equal up to it.  A committed entry is never truncated; to try is a
defect and raises (raft/log.go).
"""

from __future__ import annotations

from collections.abc import Sequence

from ...kernel.errors import SimulatorError
from .state import Entry, Node


class LostLog(SimulatorError):
    """The leader knows of entries that this node has held and has no more: its disk was lost or put back."""


def term_at(node: Node, index: int) -> int:
    """The term of an entry, 0 when it is not there (compacted, or not yet)."""
    at = index - node.snap_index - 1
    if at >= 0:
        return node.log[at].term if at < len(node.log) else 0
    return node.snap_term if at == -1 else 0


def last_term(node: Node) -> int:
    """The term of the last entry."""
    return node.log[-1].term if node.log else node.snap_term


def up_to_date(node: Node, index: int, term: int) -> bool:
    """Whether a candidate's log is at least as complete as ours: the later term wins, then the longer log."""
    mine = last_term(node)
    return term > mine or (term == mine and index >= node.last_index)


def entries(node: Node, start: int, limit: int) -> tuple[Entry, ...]:
    """Up to `limit` entries from index `start`."""
    at = start - node.snap_index - 1
    return tuple(node.log[at : at + limit])


def append(node: Node, new: Sequence[Entry]) -> None:
    """Append, dropping what conflicts."""
    if not new:
        return
    at = new[0].index - node.snap_index - 1
    if new[0].index <= node.commit:
        raise SimulatorError(f"raft: entry {new[0].index} would replace a committed one (commit {node.commit})")
    if at < len(node.log):
        del node.log[at:]
    elif at > len(node.log):
        raise SimulatorError(f"raft: a gap before entry {new[0].index}")
    node.log.extend(new)


def maybe_append(node: Node, index: int, term: int, commit: int, new: Sequence[Entry]) -> int:
    """Append what follows (index, term) when that entry matches; returns the last new index, or 0 for a mismatch."""
    if term_at(node, index) != term or index > node.last_index:
        return 0
    for at, entry in enumerate(new):
        if entry.index <= node.snap_index:
            continue
        if term_at(node, entry.index) != entry.term:
            append(node, new[at:])
            break
    last = index + len(new)
    commit_to(node, min(commit, last))
    return last or node.snap_index


def commit_to(node: Node, index: int) -> None:
    """Move the commit index forward."""
    if index > node.commit:
        if index > node.last_index:
            raise LostLog(
                f"tocommit({index}) is out of range [lastIndex({node.last_index})]. Was the raft log corrupted, truncated, or lost?"
            )
        node.commit = index


def conflict(node: Node, index: int, term: int) -> tuple[int, int]:
    """The last index not after `index` whose term is not after `term`, and its term: where a mismatch may end."""
    index = min(index, node.last_index)
    while index > node.snap_index and term_at(node, index) > term:
        index -= 1
    return index, term_at(node, index)


def compact(node: Node, index: int) -> None:
    """Forget entries up to `index`, which is applied."""
    if index <= node.snap_index:
        return
    if index > node.applied:
        raise SimulatorError(f"raft: compaction at {index} beyond what is applied ({node.applied})")
    node.snap_term = term_at(node, index)
    del node.log[: index - node.snap_index]
    node.snap_index = index
