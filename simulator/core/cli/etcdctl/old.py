"""What etcdctl had before 3.6 and has no more: `snapshot status` and `restore` (etcdctl/ctlv3/command/snapshot_command.go of 3.4)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...host.program import Sleep, Wait
from ...kernel import clock
from ..cobra import Command
from ..etcdutl import files as util
from . import maintenance
from .session import EXIT_BAD_ARGS, Failed, Session

Run = Generator[Wait, Any, int]


def snapshot_status(session: Session) -> Run:
    """`snapshot status` of releases before 3.6; etcdutl's since 3.5."""
    yield Sleep(clock.MS)
    if len(session.values.args) != 1:
        raise Failed(EXIT_BAD_ARGS, "snapshot status requires exactly one argument")
    _deprecated(session, "status")
    try:
        util.status(session.inv, session.values.args[0], session.form, session.version)
    except util.Stop as error:
        raise Failed(error.code, str(error)) from None
    return 0


def snapshot_restore(session: Session) -> Run:
    """`snapshot restore` of releases before 3.6."""
    yield Sleep(clock.MS)
    _deprecated(session, "restore")
    try:
        util.restore(session.inv, session.values)
    except util.Stop as error:
        raise Failed(error.code, str(error)) from None
    return 0


def _deprecated(session: Session, verb: str) -> None:
    if session.release == (3, 5):
        session.inv.err(f"Deprecated: Use `etcdutl snapshot {verb}` instead.\n\n")


#: Global flags that came later.
NEW_FLAGS = frozenset({"max-request-bytes", "max-recv-bytes", "auth-jwt-token"})


def _absent(session: Session) -> Run:
    """Commands that exist and are not simulated."""
    yield Sleep(0)
    raise Failed(1, f"{session.inv.argv[1] if len(session.inv.argv) > 1 else ''}: not simulated in Slipway yet")


def tree_of(root: Command) -> Command:
    """The command tree of releases before 3.6, made of that of now."""
    flags = tuple(flag for flag in root.persistent if flag.name not in NEW_FLAGS)
    tree = type(root)(root.use, short=root.short, persistent=flags, prefix_matching=True)
    tree.commands = []
    for command in root.commands:
        if command.name == "auth":
            kept = tuple(sub for sub in command.commands if sub.name != "status")
            tree.add(Command(command.use, short=command.short, commands=kept))
        elif command.name not in ("snapshot", "downgrade", "completion"):
            tree.commands.append(command)
    shells = ("bash", "fish", "powershell", "zsh")
    tree.add(
        Command(
            "completion",
            short="Generate the autocompletion script for the specified shell",
            commands=tuple(
                Command(shell, short=f"Generate the autocompletion script for {shell}", run=_absent, raw=True) for shell in shells
            ),
        )
    )
    tree.add(Command("migrate", short="Migrates keys in a v2 store to a mvcc store", run=_absent, raw=True))
    tree.add(
        Command(
            "snapshot <subcommand>",
            short="Manages etcd node snapshots",
            commands=(
                Command(
                    "save <filename>", short="Stores an etcd node backend snapshot to a given file", run=maintenance.snapshot_save
                ),
                Command("status <filename>", short="Gets backend snapshot status of a given file", run=snapshot_status),
                Command(
                    "restore <filename> [options]",
                    short="Restores an etcd member snapshot to an etcd directory",
                    run=snapshot_restore,
                    flags=util.RESTORE_FLAGS,
                ),
            ),
        )
    )
    return tree
