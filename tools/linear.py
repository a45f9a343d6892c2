"""Is a history of concurrent operations on one register linearizable?  Wing and Gong's search with Lowe's memory of visited states.

An operation has the time at which it was called and at which it returned; one that never returned may take effect at any later time, or never.
The search picks, in every way that real time allows, which pending operation took effect next, and remembers (set done, value).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Op:
    """`kind` is put (value), get (result) or cas (old, value, result: whether it was swapped)."""

    kind: str
    key: str
    called: int
    returned: int
    value: Any = None
    old: Any = None
    result: Any = None


def step(op: Op, state: Any) -> tuple[bool, Any]:
    """Whether the operation fits the register's value, and the value after it; a result that nobody saw fits always."""
    unseen = op.returned == NEVER
    if op.kind == "put":
        return True, op.value
    if op.kind == "get":
        return unseen or op.result == state, state
    swapped = state == op.old
    return unseen or swapped == op.result, op.value if swapped else state


def check(history: list[Op]) -> bool:
    """Whether every key's part of the history is linearizable (registers are independent)."""
    keys: dict[str, list[Op]] = {}
    for op in history:
        keys.setdefault(op.key, []).append(op)
    return all(_register(ops) for ops in keys.values())


def _register(ops: list[Op]) -> bool:
    ops = [op for op in ops if op.kind != "get" or op.returned != NEVER]
    ops.sort(key=lambda op: op.called)
    count = len(ops)
    must = sum(1 << i for i, op in enumerate(ops) if op.returned != NEVER)
    seen: set[tuple[int, Any]] = set()
    stack: list[tuple[int, Any]] = [(0, None)]
    while stack:
        done, state = stack.pop()
        if done & must == must:
            return True
        if (done, state) in seen:
            continue
        seen.add((done, state))
        # what may come next began before the first end among those that are not done
        first = NEVER
        low = _lowest_missing(done)
        for at in range(low, count):
            op = ops[at]
            if op.called > first:
                break
            if not done >> at & 1 and op.returned < first:
                first = op.returned
        for at in range(low, count):
            op = ops[at]
            if op.called > first:
                break
            if done >> at & 1:
                continue
            fits, after = step(op, state)
            if fits:
                stack.append((done | 1 << at, after))
    return False


def _lowest_missing(done: int) -> int:
    return (~done & (done + 1)).bit_length() - 1
