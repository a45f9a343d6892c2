"""nerdctl's main: cobra's command tree, errors as fatal logrus lines (`cmd/nerdctl/main.go`)."""

from __future__ import annotations

from collections.abc import Generator
from types import GeneratorType
from typing import Any

from ...host.program import Invocation
from ...kernel.errors import NotSimulated
from ...runtime.engine.core import EngineError
from ...runtime.engine.creation import BadSpec
from .. import human
from ..cobra import Command, UsageError
from ..cobra_help import stock_flags
from ..engine.flagspec import refused
from ..engine.session import CliError
from ..flags import FlagError, HelpRequested, Values
from .session import NerdctlError, Session


def usage(command: Command) -> str:
    """The usage text (`func usage` of main.go)."""
    if command.commands:
        text = f"Usage: {command.path} [command]\n\n"
    else:
        line = f"{command.parent.path} {command.use}" if command.parent else command.use
        text = f"Usage: {line if '[flags]' in line else line + ' [flags]'}\n\n"
    if command.aliases:
        text += f"Aliases: {', '.join((command.name, *command.aliases))}\n\n"
    for title, listed in (("Management commands", True), ("Commands", False)):
        rows = [c for c in command.children() if not c.hidden and (c.group == "management") == listed]
        if rows:
            width = max(len(c.name) for c in rows)
            text += f"{title}:\n" + "".join(f"  {c.name.ljust(width)}  {c.short}\n" for c in rows) + "\n"
    flags = stock_flags(command.local_flags())
    text += f"Flags:\n{flags}\n"
    if command.parent is None:
        return text + f"Run '{command.path} COMMAND --help' for more information on a command.\n\n"
    return (
        text
        + f"See also '{command.root.path} --help' for the global flags such as '--namespace', '--snapshotter', and '--cgroup-manager'.\n"
    )


def main(inv: Invocation) -> Generator[Any, Any, int]:
    """The command `nerdctl`."""
    from .session import VERSION
    from .tree import ROOT

    command: Command = ROOT
    try:
        leading, words = _leading(inv.argv[1:])
        command, rest = _find(words)
        if command.raw and "--help" in rest:
            raise HelpRequested
        values = command.parse(rest)
        for name in leading.changed:
            if name not in values.changed and values.has(name):
                values.assign(
                    name,
                    leading.items(name)
                    if name == "hosts-dir"
                    else leading.on(name)
                    if name.startswith("debug")
                    else leading.text(name),
                )
        if command is ROOT and values.on("version"):
            inv.out(f"nerdctl version {VERSION}\n")
            return 0
        if command.run is None:
            if values.args:
                raise NerdctlError(
                    f'unknown subcommand "{values.args[0]}" for "{command.name}"{command.suggestions_text(values.args[0])}'
                )
            inv.out((command.long or command.short) + "\n\n" + usage(command))
            return 0
        command.validate(values)
        if what := refused(command, values):
            raise NotSimulated(what)
        result = command.run(Session(inv, values))
        if isinstance(result, GeneratorType):
            result = yield from result
        return int(result or 0)
    except HelpRequested:
        inv.out(f"{command.long or command.short}\n\n" + usage(command))
        return 0
    except NerdctlError as failed:
        human.logrus(inv, "fatal", str(failed))
        return failed.code
    except CliError as failed:
        human.logrus(inv, "fatal", str(failed))
        return failed.code
    except (FlagError, UsageError, EngineError, BadSpec) as failed:
        human.logrus(inv, "fatal", str(failed))
        return 1


#: Short names of global flags; they count before the command only (`TraverseChildren`, `AddPersistentStringFlag`).
_SHORT = {"-n": "--namespace", "-a": "--address", "-H": "--address"}


def _leading(args: list[str]) -> tuple[Values, list[str]]:
    """The global flags before the command, and the words from the command on."""
    from .tree import ROOT

    words, at = list(args), 0
    while at < len(words) and words[at].startswith("-") and words[at] != "-":
        name, equals, value = words[at].partition("=")
        if name[:2] in _SHORT and not name.startswith("--"):
            joined = name[2:] or (value if equals else "")
            words[at : at + 1] = [_SHORT[name[:2]] + ("=" + joined if joined else "")]
            name, equals = words[at].partition("=")[:2]
        flag = ROOT.persistent.lookup(name[2:]) if name.startswith("--") else None
        if flag is None:
            break
        at += 1 if equals or flag.no_opt else 2
    return ROOT.persistent.parse(words[:at]), words[at:]


def _find(args: list[str]) -> tuple[Command, list[str]]:
    from .tree import ROOT

    try:
        return ROOT.find(args)
    except UsageError as failed:
        words = [a for a in args if not a.startswith("-")]
        word = words[0] if words else ""
        raise NerdctlError(f'unknown subcommand "{word}" for "nerdctl"{ROOT.suggestions_text(word)}') from failed


def unsupported(what: str) -> Any:
    """The body of a command that the simulator does not have."""

    def run(session: Session) -> int:
        raise NotSimulated(f"nerdctl {what}")

    return run
