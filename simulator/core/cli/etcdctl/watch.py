"""watch (watch_command.go): events as they come, until Ctrl-C."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...etcd.errors import Compacted
from ...etcd.mvcc import Event, prefix_end
from ...host.program import Wait, WaitTopic
from ..cobra import Command
from ..flags import Flag
from . import kv, render
from .session import EXIT_BAD_ARGS, EXIT_ERROR, EXIT_INTERRUPTED, Failed, Session


def watch(session: Session) -> Generator[Wait, Any, int]:
    """`etcdctl watch key [range_end] [-- command]`."""
    values = session.values
    if values.on("interactive"):
        raise Failed(EXIT_ERROR, "watch -i: not simulated in Slipway yet")
    args, command = values.args, []
    if values.dash_at >= 0:
        args, command = args[: values.dash_at], args[values.dash_at :]
    key_env = session.inv.env.get("ETCDCTL_WATCH_KEY", "")
    if not args and key_env:
        args = [a for a in (key_env, session.inv.env.get("ETCDCTL_WATCH_RANGE_END", "")) if a]
    if not args or len(args) > 2:
        raise Failed(EXIT_BAD_ARGS, "bad number of arguments")
    key = args[0].encode()
    end = prefix_end(key) if values.on("prefix") else (args[1].encode() if len(args) > 1 else b"")
    header = yield from session.header()
    members = yield from session.call("Cluster/MemberList")
    topics = tuple(f"etcd:{m.name}" for m in members)
    since = values.number("rev") - 1 if values.number("rev") else header["revision"]
    client = session.client()
    while True:
        try:
            reached = client.call("Header").revision
            events: list[Event] = client.call("Watch/Events", prefix=key, since=since, range_end=end)
        except Compacted as error:
            session.inv.err(f"watch was canceled ({error.message})\n")
            raise Failed(EXIT_INTERRUPTED, "watch is canceled by the server") from None
        # A watcher that has caught up is not held to the revision of its last event: compaction passes it by.
        since = max(since, reached, events[-1].kv.mod_revision if events else 0)
        if events:
            yield from _print(session, events, values.on("prev-kv"))
            for event in events if command else ():
                yield from _run(session, command, event)
        yield WaitTopic(topics)


def _print(session: Session, events: list[Event], prev: bool) -> Generator[Wait, Any, None]:
    if session.form == "json":
        header = yield from session.header()
        rows = []
        for event in events:
            row: dict[str, Any] = {} if event.type == "PUT" else {"type": 1}
            row["kv"] = render.kv_json(event.kv)
            if prev and event.prev:
                row["prev_kv"] = render.kv_json(event.prev)
            rows.append(row)
        session.inv.out(
            render.dumps({"Header": header, "Events": rows, "CompactRevision": 0, "Canceled": False, "Created": False})
        )
        return
    kv.unsupported(session.form)
    for event in events:
        session.inv.out(f"{event.type}\n")
        if prev and event.prev is not None:
            kv.write_kv(session, event.prev)
        kv.write_kv(session, event.kv)


def _run(session: Session, command: list[str], event: Event) -> Generator[Wait, Any, None]:
    env = dict(session.inv.env)
    env["ETCD_WATCH_REVISION"] = str(event.kv.mod_revision)
    env["ETCD_WATCH_EVENT_TYPE"] = render.quoted(event.type.encode())
    env["ETCD_WATCH_KEY"] = render.quoted(event.kv.key)
    env["ETCD_WATCH_VALUE"] = render.quoted(event.kv.value)
    yield from session.inv.run(command, env=env)


COMMANDS = (
    Command(
        "watch [options] [key or prefix] [range_end] [--] [exec-command arg1 arg2 ...]",
        short="Watches events stream on keys or prefixes",
        run=watch,
        flags=(
            Flag(name="interactive", short="i", kind="bool", usage="Interactive mode", no_opt="true"),
            Flag(name="prefix", kind="bool", usage="Watch on a prefix if prefix is set", no_opt="true"),
            Flag(name="rev", kind="int64", usage="Revision to start watching"),
            Flag(name="prev-kv", kind="bool", usage="get the previous key-value pair before the event happens", no_opt="true"),
            Flag(
                name="progress-notify", kind="bool", usage="get periodic watch progress notification from server", no_opt="true"
            ),
        ),
    ),
)
