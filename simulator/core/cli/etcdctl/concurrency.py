"""lock and elect (lock_command.go, elect_command.go) on the recipes of client/v3/concurrency: a session is a lease kept alive, and the
oldest key of a prefix holds the lock or leads.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, cast

from ...etcd.errors import EtcdError
from ...etcd.mvcc import Compare, KeyValue, Op, RangeResult, TxnResult, prefix_end
from ...host.invocation import Call
from ...host.program import Wait, WaitChild, WaitTopic
from ...kernel.clock import SECOND
from ...kernel.errors import ConnectError
from ..cobra import Command
from ..flags import Flag
from . import kv
from .session import EXIT_BAD_ARGS, EXIT_ERROR, Failed, Session

Run = Generator[Wait, Any, int]
#: Seconds that an election's session lives without being kept alive (concurrency/session.go).
ELECTION_TTL = 60


class Lease:
    """A session: its lease is kept alive whenever the command waits, until a signal or the lease's end."""

    def __init__(self, session: Session, lease: int, ttl: int, topics: tuple[str, ...]) -> None:
        self.session, self.id, self.ttl, self.topics = session, lease, ttl, topics
        self.client = session.client()
        self.world = session.inv.world
        self.alive = self.world.now + ttl * SECOND
        self.due = self.world.now + ttl * SECOND // 3
        self.stopped = False
        cast(Call, session.inv).task.on_signal = self._signal

    def _signal(self, number: int) -> bool:
        if number not in (2, 15):
            return False
        self.stopped = True
        return True

    def close(self) -> None:
        """Let signals end the command again."""
        cast(Call, self.session.inv).task.on_signal = None

    def keep(self) -> bool:
        """Renew the lease when it is time; False when it has ended."""
        if self.world.now >= self.due:
            try:
                if not self.client.call("Lease/KeepAlive", id=self.id).ttl:
                    return False
                self.alive = self.world.now + self.ttl * SECOND
                self.due = self.world.now + self.ttl * SECOND // 3
            except (ConnectError, EtcdError):
                self.due = self.world.now + SECOND // 2
        return self.world.now < self.alive

    def until(self, ready: Callable[[], bool]) -> Generator[Wait, Any, str]:
        """Wait until something is so: `ready`, `stopped` by a signal, or `expired`."""
        while True:
            if self.stopped:
                return "stopped"
            if not self.keep():
                return "expired"
            try:
                if ready():
                    return "ready"
            except (ConnectError, EtcdError):
                pass
            yield WaitTopic(self.topics, deadline=self.due)

    def run(self, argv: list[str], env: dict[str, str]) -> Run:
        """Run a command and keep the lease alive meanwhile."""
        steps = self.session.inv.run(argv, stdin=b"", env=env)
        try:
            wait = next(steps)
            while True:
                if isinstance(wait, WaitChild):
                    self.keep()
                    wait = WaitTopic((f"exit:{self.session.inv.host.name}/{wait.pid}",), deadline=self.due)
                got = yield wait
                wait = steps.send(got)
        except StopIteration as stop:
            return int(stop.value or 0)


def _session(session: Session, ttl: int) -> Generator[Wait, Any, Lease]:
    granted = yield from session.call("Lease/Grant", forever=True, ttl=ttl, id=0)
    members = yield from session.quiet("Cluster/MemberList")
    return Lease(session, granted.id, ttl, tuple(f"etcd:{m.name}" for m in members))


def _enter(session: Session, lease: Lease, prefix: bytes, value: bytes) -> Generator[Wait, Any, tuple[bytes, int]]:
    """Put this session's key below the prefix unless it is there; returns the key and its create revision."""
    key = prefix + f"{lease.id:x}".encode()
    guard = (Compare(key, "create", "=", 0),)
    found: TxnResult = yield from session.call(
        "KV/Txn",
        compare=guard,
        success=(Op(kind="put", key=key, value=value, lease=lease.id),),
        failure=(Op(kind="range", key=key),),
    )
    if found.succeeded:
        return key, found.revision
    answer = found.responses[0]
    assert isinstance(answer, RangeResult)
    return key, answer.kvs[0].create_revision


def _first(lease: Lease, prefix: bytes) -> KeyValue | None:
    kvs = lease.client.range(prefix, prefix_end(prefix)).kvs
    return min(kvs, key=lambda found: found.create_revision, default=None)


def _oldest(lease: Lease, prefix: bytes, revision: int) -> Callable[[], bool]:
    def ready() -> bool:
        first = _first(lease, prefix)
        return first is None or first.create_revision >= revision

    return ready


def _leave(session: Session, key: bytes, revision: int) -> Generator[Wait, Any, None]:
    yield from session.call(
        "KV/Txn", compare=(Compare(key, "create", "=", revision),), success=(Op(kind="delete", key=key),), failure=()
    )


def lock(session: Session) -> Run:
    """`etcdctl lock name [command]`."""
    args = session.values.args
    if not args:
        raise Failed(EXIT_BAD_ARGS, "lock takes a lock name argument and an optional command to execute")
    lease = yield from _session(session, session.values.number("ttl"))
    try:
        key, revision = yield from _enter(session, lease, args[0].encode() + b"/", b"")
        outcome = yield from lease.until(_oldest(lease, args[0].encode() + b"/", revision))
        if outcome != "ready":
            yield from _leave(session, key, revision)
            raise Failed(EXIT_ERROR, "context canceled" if outcome == "stopped" else "mutex: session is expired")
        if len(args) > 1:
            env = {**session.inv.env, "ETCD_LOCK_KEY": key.decode(errors="replace"), "ETCD_LOCK_REV": str(revision)}
            code = yield from lease.run(args[1:], env)
            yield from _leave(session, key, revision)
            if code:
                raise Failed(code, f"exit status {code}")
            return 0
        found: RangeResult = yield from session.call("KV/Range", key=key)
        if not found.kvs:
            raise Failed(EXIT_ERROR, "lock lost on init")
        yield from kv.print_range(session, found)
        if (yield from lease.until(lambda: False)) == "expired":
            raise Failed(EXIT_ERROR, "session expired")
        yield from _leave(session, key, revision)
        return 0
    finally:
        lease.close()


def elect(session: Session) -> Run:
    """`etcdctl elect name proposal`, `etcdctl elect -l name`."""
    args, listen = session.values.args, session.values.on("listen")
    if len(args) not in (1, 2):
        raise Failed(EXIT_BAD_ARGS, "elect takes one election name argument and an optional proposal argument")
    if len(args) == 1 and not listen:
        raise Failed(EXIT_BAD_ARGS, "no proposal argument but -l not set")
    if len(args) == 2 and listen:
        raise Failed(EXIT_BAD_ARGS, "proposal given but -l is set")
    lease = yield from _session(session, ELECTION_TTL)
    prefix = args[0].encode() + b"/"
    try:
        return (yield from (_observe(session, lease, prefix) if listen else _campaign(session, lease, prefix, args[1].encode())))
    finally:
        lease.close()


def _campaign(session: Session, lease: Lease, prefix: bytes, proposal: bytes) -> Run:
    key, revision = yield from _enter(session, lease, prefix, proposal)
    outcome = yield from lease.until(_oldest(lease, prefix, revision))
    if outcome == "ready":
        found: RangeResult = yield from session.call("KV/Range", key=key)
        yield from kv.print_range(session, found)
        if (yield from lease.until(lambda: False)) == "expired":
            raise Failed(EXIT_ERROR, "elect: session expired")
        yield from _leave(session, key, revision)
        return 0
    yield from _leave(session, key, revision)
    raise Failed(EXIT_ERROR, "context canceled" if outcome == "stopped" else "elect: session expired")


def _observe(session: Session, lease: Lease, prefix: bytes) -> Run:
    seen: tuple[bytes, int] | None = None

    def changed() -> bool:
        first = _first(lease, prefix)
        return first is not None and (first.key, first.mod_revision) != seen

    while True:
        outcome = yield from lease.until(changed)
        if outcome == "stopped":
            return 0
        if outcome == "expired":
            raise Failed(EXIT_ERROR, "elect: observer lost")
        first = _first(lease, prefix)
        if first is not None:
            seen = (first.key, first.mod_revision)
            yield from kv.print_range(session, RangeResult([first], 1, False, first.mod_revision))


COMMANDS = (
    Command(
        "lock <lockname> [exec-command arg1 arg2 ...]",
        short="Acquires a named lock",
        run=lock,
        flags=(Flag(name="ttl", kind="int", default=10, usage="timeout for session"),),
    ),
    Command(
        "elect <election-name> [proposal]",
        short="Observes and participates in leader election",
        run=elect,
        flags=(Flag(name="listen", short="l", kind="bool", usage="observation mode", no_opt="true"),),
    ),
)
