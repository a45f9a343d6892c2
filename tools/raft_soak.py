"""Raft under fire: random groups, delays, losses, duplicates, reorderings, partitions, crashes, clock skew and membership changes, by seed.

Asserted at every step: election safety (one leader a term), one vote a term, leader append-only, log matching, leader completeness, state
machine safety, terms and commit never going back.  At the end faults stop, a leader must be there and a write must commit within a bound, all
members must hold the same, and the clients' histories must be linearizable.

Duplicates are made of every message but forwarded proposals: etcd's transport is a stream, and a proposal that arrives twice is proposed twice.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from simulator.core.etcd.raft import confchange, leader, log, node
from simulator.core.etcd.raft.confchange import ConfChange
from simulator.core.etcd.raft.state import LEADER, Entry, Message, Node, Snapshot
from tools.linear import NEVER, Op, check

MS = 1_000_000
SECOND = 1000 * MS
#: How long, after the last fault, until a leader serves: detection, a few split elections, catching up.
HEAL_BOUND = 12 * SECOND


class Violation(AssertionError):
    """An invariant of Raft does not hold."""


class Dice:
    """`node.Rng` over Python's generator."""

    def __init__(self, rng: random.Random) -> None:
        self.below = rng.randrange


@dataclass
class Machine:
    """A member with its disk, its clock and its state machine."""

    raft: Node
    rate: float = 1.0
    up: bool = True
    state: dict[str, str] = field(default_factory=dict)
    timer: int = 0
    results: dict[int, object] = field(default_factory=dict)

    def local(self, now: int) -> int:
        """This member's clock."""
        return int(now * self.rate)


class Observer:
    """The invariants over all members of a group; feed it each node after every change."""

    def __init__(self) -> None:
        self.leaders: dict[int, int] = {}
        self.votes: dict[tuple[int, int], int] = {}
        self.terms: dict[int, int] = {}
        self.commits: dict[int, int] = {}
        self.known: dict[int, tuple[int, int]] = {}
        self.appended: dict[tuple[int, int], tuple[int, Entry]] = {}
        self.applied: dict[int, Entry] = {}
        self.since: dict[int, int] = {}
        self.tails: dict[int, tuple[int, int, int]] = {}

    def look(self, one: Node) -> None:
        """Check a node against all that was seen."""
        if one.term < self.terms.get(one.id, 0):
            raise Violation(f"term of {one.id} went back to {one.term}")
        self.terms[one.id] = one.term
        if one.commit < self.commits.get(one.id, 0):
            raise Violation(f"commit of {one.id} went back to {one.commit}")
        self.commits[one.id] = one.commit
        if one.vote and self.votes.setdefault((one.id, one.term), one.vote) != one.vote:
            raise Violation(f"{one.id} voted twice in term {one.term}")
        if one.role == LEADER:
            if one.term not in self.leaders:
                self.leaders[one.term] = one.id
                self._complete(one)
            elif self.leaders[one.term] != one.id:
                raise Violation(f"two leaders in term {one.term}: {self.leaders[one.term]} and {one.id}")
            term, last, at_last = self.tails.get(one.id, (0, 0, 0))
            if term == one.term and (one.last_index < last or (last > one.snap_index and log.term_at(one, last) != at_last)):
                raise Violation(f"leader {one.id} changed its own log")
            self.tails[one.id] = (one.term, one.last_index, log.last_term(one))
        self._matching(one)

    def _complete(self, one: Node) -> None:
        for index, entry in self.applied.items():
            # what was committed in an earlier term; a delayed election may be won after a later leader has committed
            if self.since[index] < one.term and index > one.snap_index and log.term_at(one, index) != entry.term:
                raise Violation(f"leader {one.id} of term {one.term} lacks the committed entry {index}")

    def _matching(self, one: Node) -> None:
        """An entry of one index and term is the same everywhere, and so is the one before it."""
        last, term = self.known.get(one.id, (0, 0))
        if last == one.last_index and term == log.last_term(one):
            return
        for at in range(len(one.log) - 1, -1, -1):
            entry = one.log[at]
            before = one.log[at - 1].term if at else one.snap_term
            key = (entry.index, entry.term)
            seen = self.appended.get(key)
            if seen is None:
                self.appended[key] = (before, entry)
            elif seen[1] != entry or seen[0] != before:
                raise Violation(f"logs differ before or at entry {key}")
            elif entry.index <= last:
                break
        self.known[one.id] = (one.last_index, log.last_term(one))

    def apply(self, one: Node, entry: Entry) -> None:
        """An entry is being applied."""
        self.since.setdefault(entry.index, one.term)
        if self.applied.setdefault(entry.index, entry) != entry:
            raise Violation(f"{one.id} applies another entry at {entry.index}")


class Soak:
    """One run of a seed."""

    def __init__(self, seed: int, *, chaos: int = 14 * SECOND) -> None:
        self.random = random.Random(seed)
        self.dice = Dice(self.random)
        self.chaos_end = chaos
        self.now = 0
        self.queue: list[tuple[int, int, Callable[..., None], tuple[object, ...]]] = []
        self.sequence = 0
        self.observer = Observer()
        self.history: list[Op] = []
        self.count = {"messages": 0, "elections": 0, "crashes": 0, "snapshots": 0, "conf": 0, "ops": 0}
        size = self.random.choice((1, 3, 3, 3, 5))
        ids = list(range(1, size + 1))
        self.machines: dict[int, Machine] = {}
        for one in ids:
            self._join(one, ids)
        self.spare = size + 1
        self.gone: set[int] = set()
        self.groups: dict[int, int] = {}
        self.loss = self.random.choice((0.0, 0.02, 0.1, 0.25))
        self.slow = self.random.choice((2, 10, 60, 300))
        self.duplicate = self.random.choice((0.0, 0.05, 0.2))
        self.keep = self.random.choice((3, 10, 1000))
        self.next_op = 0
        self.waiting: dict[int, tuple[str, str, object, object, int]] = {}

    # -- running --------------------------------------------------------------------------------------------------------
    def after(self, delay: int, call: Callable[..., None], *args: object) -> None:
        """Something that happens later."""
        self.sequence += 1
        heapq.heappush(self.queue, (self.now + max(1, delay), self.sequence, call, args))

    def run(self) -> dict[str, int]:
        """Chaos, healing, checks; raises Violation."""
        for one in list(self.machines.values()):
            self._arm(one)
        self.after(self.random.randrange(800 * MS), self._fault)
        for client in range(3):
            self.after(self.random.randrange(SECOND), self._client, client)
        self._until(self.chaos_end)
        self._heal()
        self._settle()
        for number, (kind, key, value, old, called) in self.waiting.items():
            del number
            self.history.append(Op(kind, key, called, NEVER, value, old))
        if not check(self.history):
            raise Violation("the clients' history is not linearizable")
        return self.count

    def _until(self, end: int) -> None:
        queue = self.queue
        while queue and queue[0][0] <= end:
            self.now, _, call, args = heapq.heappop(queue)
            call(*args)
        self.now = end

    def _join(self, ident: int, voters: list[int]) -> None:
        raft = Node(ident, [])
        if voters:
            node.bootstrap(raft, dict.fromkeys(voters, b""))
        one = Machine(raft, rate=self.random.uniform(0.85, 1.2))
        self.machines[ident] = one
        node.restart(raft, one.local(self.now), self.dice)

    # -- a member -------------------------------------------------------------------------------------------------------
    def _arm(self, one: Machine) -> None:
        due = int(node.next_due(one.raft) / one.rate) + 1
        one.timer += 1
        self.after(due - self.now, self._tick, one, one.timer)

    def _tick(self, one: Machine, number: int) -> None:
        if one.up and one.timer == number:
            node.tick(one.raft, one.local(self.now), self.dice)
            self._ready(one)

    def _deliver(self, m: Message) -> None:
        one = self.machines.get(m.dst)
        if one is None or not one.up or m.dst in self.gone or self._cut(m.src, m.dst):
            self._lost(m)
            return
        self.count["messages"] += 1
        if m.kind == "snap":
            self._report(m, True)
        node.step(one.raft, m, one.local(self.now), self.dice)
        self._ready(one)

    def _ready(self, one: Machine) -> None:
        """What changed is on disk now: load, apply, send, answer."""
        raft = one.raft
        if raft.installed is not None:
            pairs = (pair.partition("=") for pair in raft.installed.data.decode().split("\n") if pair)
            one.state = {key: value for key, _, value in pairs}
            raft.installed = None
            self.count["snapshots"] += 1
        terms = len(self.observer.leaders)
        self.observer.look(raft)
        self.count["elections"] += len(self.observer.leaders) - terms
        while raft.applied < raft.commit:
            for entry in node.take_committed(raft):
                raft.applied = entry.index
                self.observer.apply(raft, entry)
                self._apply(one, entry)
        while raft.reads and raft.reads[0][1] <= raft.applied:
            context, _ = raft.reads.pop(0)
            self._answer_read(one, context)
        out, raft.out = raft.out, []
        for m in out:
            self._send(one, m)
        if raft.applied - raft.snap_index > self.keep * 2:
            log.compact(raft, raft.applied - self.keep)
        self._arm(one)

    def _apply(self, one: Machine, entry: Entry) -> None:
        if entry.kind == "conf":
            self.count["conf"] += 1
            change = confchange.decode(entry.data)
            confchange.apply(one.raft, change)
            if change.op == confchange.REMOVE and change.id == one.raft.id:
                self.after(SECOND, self.gone.add, change.id)
        elif entry.kind == "normal":
            kind, key, value, old = entry.data.decode().split(",")
            swapped = True
            if kind == "cas":
                swapped = one.state.get(key) == (old or None)
            if swapped:
                one.state[key] = value
            one.results[entry.id] = swapped
            if entry.id in self.waiting and entry.id % 100 == one.raft.id:
                self._done(entry.id, swapped)

    # -- the network ----------------------------------------------------------------------------------------------------
    def _cut(self, a: int, b: int) -> bool:
        return self.groups.get(a, 0) != self.groups.get(b, 0)

    def _send(self, one: Machine, m: Message) -> None:
        if m.kind == "snap":
            assert m.snapshot is not None
            data = "\n".join(f"{k}={v}" for k, v in sorted(one.state.items())).encode()
            s = m.snapshot
            m = Message("snap", m.src, m.dst, m.term, snapshot=Snapshot(s.index, s.term, s.voters, s.learners, data))
        chaos = self.now < self.chaos_end
        if chaos and self.random.random() < self.loss:
            self._lost(m)
            return
        delay = self.random.randrange(1, self.slow if chaos else 3) * MS
        self.after(delay, self._deliver, m)
        if chaos and m.kind != "prop" and self.random.random() < self.duplicate:
            self.after(delay + self.random.randrange(1, 3 * self.slow) * MS, self._deliver, m)

    def _lost(self, m: Message) -> None:
        if m.kind == "snap":
            self.after(50 * MS, self._report, m, False)

    def _report(self, m: Message, ok: bool) -> None:
        one = self.machines.get(m.src)
        if one is not None and one.up and one.raft.role == LEADER:
            leader.on_snapshot_sent(one.raft, m.dst, ok)

    # -- clients --------------------------------------------------------------------------------------------------------
    def _client(self, client: int) -> None:
        if self.now >= self.chaos_end:
            return
        ups = [i for i, one in self.machines.items() if one.up and i not in self.gone]
        if ups:
            self._operate(self.random.choice(ups))
        self.after(self.random.randrange(50, 900) * MS, self._client, client)

    def _operate(self, target: int) -> None:
        self.next_op += 1
        number = self.next_op * 100 + target
        kind, key = self.random.choice(("put", "put", "get", "get", "cas")), self.random.choice("xyz")
        raft = self.machines[target].raft
        value, old = str(number), ""
        if kind == "get":
            begun = node.read(raft, number)
        else:
            if kind == "cas":
                old = self.machines[target].state.get(key, "")
            begun = node.propose(raft, "normal", f"{kind},{key},{value},{old}".encode(), number)
        if begun:
            self.count["ops"] += 1
            self.waiting[number] = (kind, key, value, old or None, self.now)
        self._ready(self.machines[target])

    def _answer_read(self, one: Machine, number: int) -> None:
        if number in self.waiting and number % 100 == one.raft.id:
            self._done(number, one.state.get(self.waiting[number][1]))

    def _done(self, number: int, result: object) -> None:
        kind, key, value, old, called = self.waiting.pop(number)
        self.history.append(Op(kind, key, called, self.now, value, old, result))

    # -- faults ---------------------------------------------------------------------------------------------------------
    def _fault(self) -> None:
        if self.now >= self.chaos_end:
            return
        self.random.choice(
            (
                self._crash,
                self._crash,
                self._partition,
                self._partition,
                self._mend,
                self._transfer,
                self._change,
                self._change,
                self._pace,
            )
        )()
        self.after(self.random.randrange(100, 1800) * MS, self._fault)

    def _crash(self) -> None:
        one = self.random.choice(list(self.machines.values()))
        if one.up:
            self.count["crashes"] += 1
            one.up = False
            for number in [n for n in self.waiting if n % 100 == one.raft.id]:
                kind, key, value, old, called = self.waiting.pop(number)
                self.history.append(Op(kind, key, called, NEVER, value, old))
            self.after(self.random.randrange(50, 4000) * MS, self._restart, one)

    def _restart(self, one: Machine) -> None:
        if not one.up:
            one.up = True
            node.restart(one.raft, one.local(self.now), self.dice)
            self._ready(one)

    def _partition(self) -> None:
        self.groups = {i: self.random.randrange(2) for i in self.machines}

    def _mend(self) -> None:
        self.groups = {}

    def _pace(self) -> None:
        """The network or its losses change."""
        self.loss = self.random.choice((0.0, 0.02, 0.1, 0.4))
        self.slow = self.random.choice((2, 10, 60, 300))

    def _leader(self) -> Machine | None:
        found = [m for m in self.machines.values() if m.up and m.raft.role == LEADER and m.raft.id not in self.gone]
        return max(found, key=lambda m: m.raft.term) if found else None

    def _transfer(self) -> None:
        one = self._leader()
        if one is not None and len(one.raft.voters) > 1:
            node.transfer(one.raft, self.random.choice(one.raft.voters), one.local(self.now))
            self._ready(one)

    def _change(self) -> None:
        one = self._leader()
        if one is None or confchange.pending(one.raft):
            return
        raft = one.raft
        choice = self.random.randrange(3)
        if raft.learners and choice == 0:
            change = ConfChange(confchange.ADD, self.random.choice(raft.learners))
        elif choice == 1 and len(raft.voters) > 2:
            change = ConfChange(confchange.REMOVE, self.random.choice(raft.voters))
        elif len(raft.voters) + len(raft.learners) < 6 and self.spare < 90:
            change = ConfChange(self.random.choice((confchange.ADD, confchange.ADD_LEARNER)), self.spare)
            self._join(self.spare, [])
            self.spare += 1
            self._arm(self.machines[change.id])
        else:
            return
        node.propose(raft, "conf", confchange.encode(change), 0)
        self._ready(one)

    # -- the end --------------------------------------------------------------------------------------------------------
    def _heal(self) -> None:
        self.groups, self.loss, self.duplicate, self.slow = {}, 0.0, 0.0, 3
        for one in list(self.machines.values()):
            self._restart(one)

    def _settle(self) -> None:
        """A leader must serve, and everybody must come to hold the same."""
        end = self.chaos_end + HEAL_BOUND
        proposed = 0
        while self.now < end:
            self._until(self.now + 250 * MS)
            one = self._leader()
            if one is None:
                continue
            if not proposed or (proposed not in one.results and self.random.random() < 0.3):
                self.next_op += 1
                proposed = self.next_op * 100 + 99
                node.propose(one.raft, "normal", b"put,end,1,", proposed)
                self._ready(one)
            members = [self.machines[i] for i in (*one.raft.voters, *one.raft.learners) if i not in self.gone]
            if proposed in one.results and all(m.raft.applied == one.raft.applied for m in members):
                if any(m.state != one.state for m in members):
                    raise Violation("members hold different states at the same index")
                return
        raise Violation(f"no progress within {HEAL_BOUND // SECOND} s after the last fault")


def run(first: int, count: int) -> dict[str, int]:
    """Run seeds; returns totals; raises Violation that names the seed."""
    total: dict[str, int] = {}
    for seed in range(first, first + count):
        try:
            found = Soak(seed).run()
        except Exception as error:
            raise Violation(f"seed {seed}: {type(error).__name__}: {error}") from error
        for name, value in found.items():
            total[name] = total.get(name, 0) + value
    return total
