"""make-mirror (make_mirror_command.go): copy a prefix to another cluster, then every change of it, until interrupted."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...etcd.client import EtcdClient, TlsFiles
from ...etcd.errors import Compacted, EtcdError
from ...etcd.mvcc import Event, Op, RangeResult, prefix_end
from ...host.program import Sleep, Wait, WaitTopic
from ...kernel.clock import SECOND
from ...kernel.errors import ConnectError
from ..cobra import Command
from ..flags import Flag
from .session import EXIT_BAD_ARGS, EXIT_ERROR, Failed, Session

Run = Generator[Wait, Any, int]
#: The number of keys copied is printed this often.
REPORT = 30 * SECOND


class Mirror:
    """The destination and how keys are renamed on their way."""

    def __init__(self, session: Session) -> None:
        values = session.values
        self.session, self.world = session, session.inv.world
        self.prefix, self.to = values.text("prefix").encode(), values.text("dest-prefix").encode()
        if values.on("no-dest-prefix") and self.to:
            text = "`--dest-prefix` and `--no-dest-prefix` cannot be set at the same time, choose one"
            raise Failed(EXIT_BAD_ARGS, text)
        if not values.on("no-dest-prefix") and not self.to:
            self.to = self.prefix
        tls = TlsFiles(cert=self._file("dest-cert"), key=self._file("dest-key"), ca=self._file("dest-cacert"))
        address = values.args[0]
        if tls.ca or tls.cert:
            address = "https://" + address.split("://")[-1]
        self.target = EtcdClient(self.world, session.inv.proc.netns, [address], tls)
        self.limit = values.number("max-txn-ops") or 128
        self.total = 0

    def _file(self, flag: str) -> bytes:
        path = self.session.values.text(flag)
        try:
            return self.session.inv.read_file(path) if path else b""
        except OSError as error:
            raise Failed(EXIT_ERROR, f"open {path}: {(error.strerror or '').lower()}") from None

    def key(self, key: bytes) -> bytes:
        """A key as it is called there."""
        return key.replace(self.prefix, self.to, 1) if self.prefix else self.to + key

    def write(self, ops: list[Op]) -> None:
        """One transaction at the destination."""
        if ops:
            self.target.txn([], ops, [])
            self.total += len(ops)


def make_mirror(session: Session) -> Run:
    """`etcdctl make-mirror`."""
    if len(session.values.args) != 1:
        yield Sleep(0)
        raise Failed(EXIT_BAD_ARGS, "make-mirror takes one destination argument")
    mirror = Mirror(session)
    try:
        since = max(0, session.values.number("rev") - 1)
        if not since:
            since = yield from _base(session, mirror)
        yield from _follow(session, mirror, since)
    except Compacted as error:
        raise Failed(EXIT_ERROR, error.message) from None
    except EtcdError as error:
        raise Failed(EXIT_ERROR, error.message) from None
    except ConnectError:
        raise Failed(EXIT_ERROR, "context deadline exceeded") from None
    return 0


def _base(session: Session, mirror: Mirror) -> Generator[Wait, Any, int]:
    """Everything that is there now; returns the revision that was copied."""
    key, end = (mirror.prefix, prefix_end(mirror.prefix)) if mirror.prefix else (b"\0", b"\0")
    found: RangeResult = yield from session.call("KV/Range", key=key, range_end=end)
    for kv in found.kvs:
        mirror.target.put(mirror.key(kv.key), kv.value)
        mirror.total += 1
    yield Sleep(mirror.target.take_latency())
    return found.revision


def _follow(session: Session, mirror: Mirror, since: int) -> Generator[Wait, Any, None]:
    """Changes from a revision on, one transaction a revision."""
    source, world = session.client(), session.inv.world
    members = yield from session.call("Cluster/MemberList")
    topics = tuple(f"etcd:{member.name}" for member in members)
    report = world.now + REPORT
    while True:
        try:
            events: list[Event] = source.call("Watch/Events", prefix=mirror.prefix, since=since, range_end=None)
        except ConnectError:
            events = []  # the client dials again
        ops: list[Op] = []
        for event in events:
            if (event.kv.mod_revision > since and ops and since) or len(ops) == mirror.limit:
                mirror.write(ops)
                ops = []
            since = event.kv.mod_revision
            key = mirror.key(event.kv.key)
            ops.append(Op(kind="put", key=key, value=event.kv.value) if event.type == "PUT" else Op(kind="delete", key=key))
        mirror.write(ops)
        while world.now >= report:
            session.inv.out(f"{mirror.total}\n")
            report += REPORT
        yield WaitTopic(topics, deadline=report)


COMMAND = Command(
    "make-mirror [options] <destination>",
    short="Makes a mirror at the destination etcd cluster",
    run=make_mirror,
    flags=(
        Flag(name="prefix", usage="Key-value prefix to mirror"),
        Flag(name="rev", kind="int64", usage="Specify the kv revision to start to mirror"),
        Flag(
            name="max-txn-ops", kind="uint64", default=128,
            usage="Maximum number of operations permitted in a transaction during syncing updates.",
        ),
        Flag(name="dest-prefix", usage="destination prefix to mirror a prefix to a different prefix in the destination cluster"),
        Flag(name="no-dest-prefix", kind="bool", no_opt="true", usage="mirror key-values to the root of the destination cluster"),
        Flag(name="dest-cert", usage="Identify secure client using this TLS certificate file for the destination cluster"),
        Flag(name="dest-key", usage="Identify secure client using this TLS key file"),
        Flag(name="dest-cacert", usage="Verify certificates of TLS enabled secure servers using this CA bundle"),
        Flag(
            name="dest-insecure-transport", kind="bool", default=True, no_opt="true",
            usage="Disable transport security for client connections",
        ),
        Flag(name="dest-user", usage="Destination username[:password] for authentication (prompt if password is not supplied)"),
        Flag(
            name="dest-password",
            usage="Destination password for authentication (if this option is used, --user option shouldn't include password)",
        ),
    ),
)  # fmt: skip
