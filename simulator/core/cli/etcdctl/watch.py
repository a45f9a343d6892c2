"""watch (watch_command.go): events as they come, until Ctrl-C."""

from __future__ import annotations

import shlex
from collections.abc import Generator
from typing import Any, cast

from ...etcd.errors import EtcdError
from ...etcd.mvcc import Event, prefix_end
from ...host.invocation import Call
from ...host.program import Wait, WaitTopic
from ..cobra import Command
from ..flags import Flag, FlagError, Values
from . import answers, render
from .session import EXIT_BAD_ARGS, EXIT_ERROR, EXIT_INTERRUPTED, EXIT_INVALID_INPUT, Failed, Session


class Watcher:
    """One watch: the range, where it stands, and the command that runs for each event."""

    def __init__(self, session: Session, values: Values, args: list[str], command: list[str], reached: int) -> None:
        key = args[0].encode()
        if len(args) > 1 and values.on("prefix"):
            raise Failed(EXIT_BAD_ARGS, "`range_end` and `--prefix` are mutually exclusive")
        self.session, self.command, self.prev = session, command, values.on("prev-kv")
        self.key, self.end = key, prefix_end(key) if values.on("prefix") else (args[1].encode() if len(args) == 2 else b"")
        self.since = values.number("rev") - 1 if values.number("rev") else reached
        self.client = session.client()

    def pump(self) -> Generator[Wait, Any, bool]:
        """Print what is new; False when the server has cancelled the watch."""
        try:
            reached = self.client.call("Header").revision
            events: list[Event] = self.client.call("Watch/Events", prefix=self.key, since=self.since, range_end=self.end)
        except EtcdError as error:
            # what the server cancels by itself comes with the whole text of the RPC's error (watch.go: isWatchPermitted)
            why = error.message
            if error.grpc_code in ("PermissionDenied", "InvalidArgument", "Unauthenticated"):
                why = f"rpc error: code = {error.grpc_code} desc = {why}"
            self.session.inv.err(f"watch was canceled ({why})\n")
            return False
        # A watcher that has caught up is not held to the revision of its last event: compaction passes it by.
        self.since = max(self.since, reached, events[-1].kv.mod_revision if events else 0)
        if events:
            yield from answers.show_events(self.session, events, self.prev)
            for event in events if self.command else ():
                code = yield from _run(self.session, self.command, event)
                if code:
                    words = " ".join(render.quoted(word.encode()) for word in self.command)
                    self.session.inv.err(f"command [{words}] error (exit status {code})\n")
                    raise Failed(EXIT_ERROR, "")
        return True


def _words(session: Session, values: Values) -> tuple[list[str], list[str]]:
    """Key and range end, and the command after `--`."""
    args, command = values.args, []
    if values.dash_at >= 0:
        args, command = args[: values.dash_at], args[values.dash_at :]
        if not command:
            raise Failed(EXIT_BAD_ARGS, "bad number of arguments (found separator --, but no commands)")
    key = session.inv.env.get("ETCDCTL_WATCH_KEY", "")
    if key and args:
        raise Failed(EXIT_BAD_ARGS, "bad number of arguments (found conflicting environment key)")
    if key:
        args = [a for a in (key, session.inv.env.get("ETCDCTL_WATCH_RANGE_END", "")) if a]
    elif session.inv.env.get("ETCDCTL_WATCH_RANGE_END"):
        end = render.quoted(session.inv.env["ETCDCTL_WATCH_RANGE_END"].encode())
        raise Failed(EXIT_BAD_ARGS, f"ETCDCTL_WATCH_KEY is empty but got ETCDCTL_WATCH_RANGE_END={end}")
    if not args:
        raise Failed(EXIT_BAD_ARGS, "bad number of arguments")
    return args, command


def watch(session: Session) -> Generator[Wait, Any, int]:
    """`etcdctl watch key [range_end] [-- command]`."""
    if session.values.on("interactive"):
        return (yield from _interactive(session))
    args, command = _words(session, session.values)
    header = yield from session.header(forever=True)
    members = yield from session.quiet("Cluster/MemberList")
    topics = tuple(f"etcd:{m.name}" for m in members)
    watcher = Watcher(session, session.values, args, command, header["revision"])
    while (yield from watcher.pump()):
        yield WaitTopic(topics)
    raise Failed(EXIT_INTERRUPTED, "watch is canceled by the server")


def _interactive(session: Session) -> Generator[Wait, Any, int]:
    """`etcdctl watch -i`: lines `watch …` and `progress`; events of all watches come in between."""
    members = yield from session.quiet("Cluster/MemberList")
    call = cast(Call, session.inv)
    bell = f"watch-input:{call.proc.key}"
    topics = (*(f"etcd:{m.name}" for m in members), bell)
    watchers: list[Watcher] = []
    armed = False

    def ring() -> None:
        nonlocal armed
        armed = False
        call.world.ring(bell)

    while True:
        line = call.fds[0].take_line()
        if line is not None:  # the lines that are there are read before anything arrives
            if not line:
                raise Failed(EXIT_INVALID_INPUT, "error reading watch request line: EOF")
            yield from _request(session, watchers, line.decode("utf-8", "replace").rstrip("\n"))
            continue
        still = []
        for watcher in watchers:
            if (yield from watcher.pump()):
                still.append(watcher)
        watchers[:] = still
        if not armed:
            armed = True
            call.fds[0].watch(ring)
        yield WaitTopic(topics)


def _request(session: Session, watchers: list[Watcher], line: str) -> Generator[Wait, Any, None]:
    """One line of `watch -i`."""
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    if not words:
        session.inv.err(f"Invalid command: {line} (watch and progress supported)\n")
    elif words[0] == "progress":
        header = yield from session.header()
        session.inv.out(f"progress notify: {header['revision']}\n" * len(watchers))
    elif words[0] != "watch":
        session.inv.err(f"Invalid command {line} (only support watch)\n")
    elif len(words) < 2 and not session.inv.env.get("ETCDCTL_WATCH_KEY"):
        session.inv.err(f"Invalid command {line} (command type or key is not provided)\n")
    else:
        try:
            values = COMMANDS[0].parse(words[1:])
        except FlagError as error:
            raise Failed(EXIT_BAD_ARGS, str(error)) from None
        args, command = _words(session, values)
        header = yield from session.header()
        watchers.append(Watcher(session, values, args, command, header["revision"]))


def _run(session: Session, command: list[str], event: Event) -> Generator[Wait, Any, int]:
    env = dict(session.inv.env)
    env["ETCD_WATCH_REVISION"] = str(event.kv.mod_revision)
    env["ETCD_WATCH_EVENT_TYPE"] = render.quoted(event.type.encode())
    env["ETCD_WATCH_KEY"] = render.quoted(event.kv.key)
    env["ETCD_WATCH_VALUE"] = render.quoted(event.kv.value)
    return (yield from session.inv.run(command, env=env))


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
