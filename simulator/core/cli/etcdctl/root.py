"""The command tree of etcdctl and how a run begins and ends (etcdctl/ctlv3/ctl.go)."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

from ...etcd.errors import EtcdError
from ...host.program import Invocation, Wait
from ...kernel import clock
from ..cobra import Command, FlagError, HelpRequested, UsageError
from ..cobra_help import etcd_usage
from ..flags import Flag, Values, format_duration
from . import auth, cluster, concurrency, downgrade, kv, lease, maintenance, members, txn, watch
from .session import EXIT_BAD_CONNECTION, EXIT_ERROR, Failed, Session

DEFAULT_VERSION = "3.6.8"
#: Variables that etcdctl knows besides one for each flag.
KNOWN_ENV = frozenset({"ETCDCTL_WATCH_KEY", "ETCDCTL_WATCH_RANGE_END"})

_GLOBAL = (
    Flag(name="endpoints", kind="strings", default=["127.0.0.1:2379"], usage="gRPC endpoints"),
    Flag(name="debug", kind="bool", usage="enable client-side debug logging", no_opt="true"),
    Flag(name="write-out", short="w", default="simple", usage="set the output format (fields, json, protobuf, simple, table)"),
    Flag(name="hex", kind="bool", usage="print byte strings as hex encoded strings", no_opt="true"),
    Flag(name="dial-timeout", kind="duration", default=2_000_000_000, usage="dial timeout for client connections"),
    Flag(
        name="command-timeout",
        kind="duration",
        default=5_000_000_000,
        usage="timeout for short running command (excluding dial timeout)",
    ),
    Flag(name="keepalive-time", kind="duration", default=2_000_000_000, usage="keepalive time for client connections"),
    Flag(name="keepalive-timeout", kind="duration", default=6_000_000_000, usage="keepalive timeout for client connections"),
    Flag(
        name="max-request-bytes",
        kind="int",
        usage="client-side request send limit in bytes (if 0, it defaults to 2.0 MiB (2 * 1024 * 1024).)",
    ),
    Flag(
        name="max-recv-bytes",
        kind="int",
        usage='client-side response receive limit in bytes (if 0, it defaults to "math.MaxInt32")',
    ),
    Flag(
        name="insecure-transport",
        kind="bool",
        default=True,
        usage="disable transport security for client connections",
        no_opt="true",
    ),
    Flag(
        name="insecure-discovery",
        kind="bool",
        default=True,
        usage="accept insecure SRV records describing cluster endpoints",
        no_opt="true",
    ),
    Flag(
        name="insecure-skip-tls-verify",
        kind="bool",
        usage="skip server certificate verification (CAUTION: this option should be enabled only for testing purposes)",
        no_opt="true",
    ),
    Flag(name="cert", usage="identify secure client using this TLS certificate file"),
    Flag(name="key", usage="identify secure client using this TLS key file"),
    Flag(name="cacert", usage="verify certificates of TLS-enabled secure servers using this CA bundle"),
    Flag(
        name="auth-jwt-token",
        hidden=True,
        usage="JWT token used for authentication (if this option is used, --user and --password should not be set)",
    ),
    Flag(name="user", usage="username[:password] for authentication (prompt if password is not supplied)"),
    Flag(
        name="password",
        usage="password for authentication (if this option is used, --user option shouldn't include password)",
    ),
    Flag(name="discovery-srv", short="d", usage="domain name to query for SRV records describing cluster endpoints"),
    Flag(name="discovery-srv-name", usage="service name to query when using DNS discovery"),
)


class Root(Command):
    """The top of a tree: cobra sorts commands when it shows them, and suggests them in the order in which they were added."""

    def suggestions(self, word: str) -> list[str]:
        """See `Command.suggestions`."""
        self.sorted_commands = False
        try:
            return super().suggestions(word)
        finally:
            self.sorted_commands = True


ROOT = Root(
    "etcdctl",
    prefix_matching=True,
    short="A simple command line client for etcd3.",
    persistent=_GLOBAL,
    commands=(
        *kv.COMMANDS,
        *txn.COMMANDS,
        *watch.COMMANDS,
        *lease.COMMANDS,
        *cluster.COMMANDS,
        *downgrade.COMMANDS,
        Command("help [command]", short="Help about any command", run=lambda session: 0),
        *members.COMMANDS,
        *maintenance.COMMANDS,
        *concurrency.COMMANDS,
        *auth.COMMANDS,
    ),
)


def version_of(inv: Invocation) -> str:
    """The release of the binary that runs: `etcdctl:3.6.13` → `3.6.13`."""
    return inv.proc.program.partition(":")[2] or DEFAULT_VERSION


def main(inv: Invocation) -> Generator[Wait, Any, int]:
    """Run one etcdctl command line."""
    version = version_of(inv)
    if _speaks_v2(inv, version):
        from . import v2

        return (yield from v2.main(inv, version))
    tree: Command = ROOT
    old = _release(version) < (3, 6)
    if old:
        from .old import tree_of

        tree = tree_of(ROOT)
    api = ".".join(version.split(".")[:2])
    try:
        command, rest = tree.find(inv.argv[1:])
        if command.name == "help" and command.parent is ROOT:  # releases before 3.6 share it
            return _help(inv, tree, rest, version)
    except UsageError as error:
        if error.command is tree:
            again = f"Error: {error}\n" if old else ""  # those releases print it themselves once more
            inv.err(f"Error: {error}\nRun 'etcdctl --help' for usage.\n{again}")
            return 1
        command, rest = error.command, []  # cobra checks the names of the root's commands only
    try:
        values = command.parse(rest)
    except HelpRequested:
        inv.out(etcd_usage(command, version, api, old=_release(version) < (3, 5)))
        return 0
    except FlagError as error:
        inv.out(etcd_usage(command, version, api, old=_release(version) < (3, 5)))
        inv.err(f"Error: {error}\n\n" + (f"Error: {error}\n" if old else ""))
        return 1
    if command.run is None:
        inv.out(etcd_usage(command, version, api, old=_release(version) < (3, 5)))
        return 0
    if not _environment(inv, values, version):
        return 1
    _from_environment(inv, values)
    if values.has("debug") and values.on("debug"):
        told = sorted(tree.persistent, key=lambda flag: flag.name)
        inv.err("".join(f"ETCDCTL_{flag.name.upper().replace('-', '_')}={_shown(values, flag)}\n" for flag in told))
    return (yield from _run(inv, command, values, version))


def _help(inv: Invocation, tree: Command, words: list[str], version: str) -> int:
    """`etcdctl help [command]` (cobra's own command)."""
    topics = [word for word in words if not word.startswith("-")]
    try:
        command, rest = tree.find(topics)
    except UsageError:
        command, rest = tree, topics
    if rest and command is tree:
        inv.err(f"Unknown help topic [{' '.join(f'`{word}`' for word in topics)}]\n")
    inv.out(etcd_usage(command, version, ".".join(version.split(".")[:2]), old=_release(version) < (3, 5)))
    return 0


def _run(inv: Invocation, command: Command, values: Values, version: str) -> Generator[Wait, Any, int]:
    form = values.text("write-out") if values.has("write-out") else "simple"
    if form not in ("simple", "json", "fields", "table", "protobuf"):
        inv.err("Error: unsupported output format\n")
        return 4
    try:
        session = Session(inv, values, version)
        if not session.endpoints and command.run is not cluster.version:
            raise Failed(EXIT_BAD_CONNECTION, "etcdclient: no available endpoints")
        yield from session.authenticate()
        code: int = yield from command.run(session)
        return code
    except Failed as error:
        inv.err(f"Error: {error}\n" if str(error) else "")
        return error.code
    except EtcdError as error:
        inv.err(f"Error: {error.message}\n")
        return EXIT_ERROR


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def _speaks_v2(inv: Invocation, version: str) -> bool:
    """Whether this release would speak API v2 now: on request up to 3.5, before 3.4 unless told otherwise (etcdctl/main.go)."""
    release, wanted = _release(version), inv.env.get("ETCDCTL_API", "")
    return release < (3, 6) and (wanted == "2" or (release < (3, 4) and wanted != "3"))


def _shown(values: Values, flag: Flag) -> str:
    """A flag's value as `--debug` tells it: the texts of Go's flag values."""
    if flag.kind == "duration":
        return format_duration(values.number(flag.name))
    if flag.kind == "strings":
        return f"[{','.join(values.items(flag.name))}]"
    return str(values.on(flag.name)).lower() if flag.kind == "bool" else values.text(flag.name)


def _from_environment(inv: Invocation, values: Values) -> None:
    """Set the global flags that were not given from their variables; a text that a flag refuses is left aside, as the tool does."""
    for flag in ROOT.persistent:
        text = inv.env.get("ETCDCTL_" + flag.name.upper().replace("-", "_"))
        if text and values.has(flag.name) and flag.name not in values.changed:
            try:
                values.put(flag, text)
            except FlagError:
                continue


SHADOWED = "conflicting environment variable is shadowed by corresponding command-line flag (either unset environment variable or disable flag))"


def _environment(inv: Invocation, values: Values, version: str) -> bool:
    """What the flag library says of `ETCDCTL_*` variables (pkg/flags/flag.go: verifyEnv): one whose flag was given too ends the command,
    one that names no flag is warned of (ETCDCTL_API is one since 3.6).  False when the command ends.
    """
    release = _release(version)
    known = KNOWN_ENV | ({"ETCDCTL_API"} if release < (3, 6) else frozenset())
    # the lines of the two messages in the releases' source
    fatal, warn = (86, 94) if release >= (3, 6) else (85, 93)
    for name in sorted(inv.env):
        if not name.startswith("ETCDCTL_"):
            continue
        flag = name[8:].lower().replace("_", "-")
        shadowed = flag in ROOT.persistent.by_name and flag in values.changed
        if not shadowed and (name in known or flag in ROOT.persistent.by_name):
            continue
        if release < (3, 5):
            when = clock.to_datetime(inv.world.wall).strftime("%Y-%m-%d %H:%M:%S.%f")
            text = (
                f'C | pkg/flags: conflicting environment variable "{name}" is shadowed by corresponding command-line flag '
                "(either unset environment variable or disable flag)"
                if shadowed
                else f"W | pkg/flags: unrecognized environment variable {name}={inv.env[name]}"
            )
            inv.err(f"{when} {text}\n")
        else:
            line = {
                "level": "fatal" if shadowed else "warn",
                "ts": clock.rfc3339_micro(inv.world.wall),
                "caller": f"flags/flag.go:{fatal if shadowed else warn}",
                "msg": SHADOWED if shadowed else "unrecognized environment variable",
                "environment-variable": name if shadowed else f"{name}={inv.env[name]}",
            }
            inv.err(json.dumps(line, separators=(",", ":")) + "\n")
        if shadowed:
            return False
    return True
