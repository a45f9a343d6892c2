"""The command tree of etcdutl (etcdutl/ctl.go); help and usage are cobra's own."""

from __future__ import annotations

from ...host.program import Invocation
from ..cobra import Command, FlagError, HelpRequested, UsageError, Values
from ..cobra_help import stock_help, stock_usage
from ..flags import Flag
from . import files
from .files import EXIT_BAD_ARGS, EXIT_ERROR, Stop

DEFAULT_VERSION = "3.6.8"


def _version(inv: Invocation, values: Values, version: str) -> None:
    inv.out(f"etcdutl version: {version}\nAPI version: {'.'.join(version.split('.')[:2])}\n")


def _status(inv: Invocation, values: Values, version: str) -> None:
    if len(values.args) != 1:
        raise Stop(EXIT_BAD_ARGS, "snapshot status requires exactly one argument")
    files.status(inv, values.args[0], values.text("write-out"), version)


def _restore(inv: Invocation, values: Values, version: str) -> None:
    files.restore(inv, values)


def _hash_kv(inv: Invocation, values: Values, version: str) -> None:
    files.hash_kv(inv, values.args[0], values.text("write-out"), values.number("rev"))


def _defrag(inv: Invocation, values: Values, version: str) -> None:
    files.defragment(inv, values.text("data-dir"))


def _refuse(inv: Invocation, values: Values, version: str) -> None:
    raise Stop(EXIT_ERROR, f"{inv.argv[1]}: not simulated in Slipway yet")


def _one(command: Command, args: list[str]) -> str:
    return "" if len(args) == 1 else f"accepts 1 arg(s), received {len(args)}"


ROOT = Command(
    "etcdutl",
    short="An administrative command line tool for etcd3.",
    persistent=(Flag(name="write-out", short="w", default="simple", usage="set the output format (fields, json, protobuf, simple, table)"),),
    commands=(
        Command("completion", short="Generate completion script", run=_refuse),
        Command(
            "defrag",
            short="Defragments the storage of the etcd",
            run=_defrag,
            flags=(Flag(name="data-dir", usage="Required. Defragments a data directory not in use by etcd.", required=True),),
        ),
        Command(
            "hashkv <filename>",
            short="Prints the KV history hash of a given file",
            run=_hash_kv,
            args=_one,
            flags=(Flag(name="rev", kind="int64", usage="maximum revision to hash (default: latest revision)"),),
        ),
        Command("help [command]", short="Help about any command", run=_refuse),
        Command(
            "migrate",
            short="Migrates schema of etcd data dir files to make them compatible with different etcd version",
            run=_refuse,
            flags=(
                Flag(name="data-dir", usage="Path to the etcd data dir"),
                Flag(name="target-version", usage='Target etcd version to migrate contents of data dir. Minimal value 3.5. Format "X.Y" for example 3.6.'),
                Flag(name="force", kind="bool", no_opt="true",
                     usage="Ignore migration failure and forcefully override storage version. Not recommended."),
            ),
        ),
        Command(
            "snapshot <subcommand>",
            short="Manages etcd node snapshots",
            commands=(
                Command(
                    "restore <filename> --data-dir {output dir} [options]",
                    short="Restores an etcd member snapshot to an etcd directory",
                    run=_restore,
                    flags=files.NEW_RESTORE_FLAGS,
                ),
                Command(
                    "status <filename>",
                    short="Gets backend snapshot status of a given file",
                    long="When --write-out is set to simple, this command prints out comma-separated status lists for each endpoint.\n"
                    "The items in the lists are hash, revision, total keys, total size.\n",
                    run=_status,
                ),
            ),
        ),
        Command("version", short="Prints the version of etcdutl", run=_version),
    ),
)  # fmt: skip


def main(inv: Invocation) -> int:
    """Run one etcdutl command line."""
    version = inv.proc.program.partition(":")[2] or DEFAULT_VERSION
    argv = inv.argv[1:]
    if argv[:1] == ["help"]:
        argv = [*argv[1:], "--help"]
    try:
        command, rest = ROOT.find(argv)
    except UsageError as error:
        inv.err(f"Error: {error}\nRun 'etcdutl --help' for usage.\n")
        return EXIT_ERROR
    try:
        values = command.parse(rest)
        if command.run is None:
            inv.out(stock_help(command) if command.parent else stock_usage(command))
            return 0
        command.validate(values)
        command.run(inv, values, version)
        return 0
    except HelpRequested:
        inv.out(stock_help(command))
        return 0
    except (FlagError, UsageError) as error:
        inv.err(f"Error: {error}\n{stock_usage(command)}\n")
        return EXIT_ERROR
    except Stop as error:
        inv.err(f"Error: {error}\n")
        return error.code
