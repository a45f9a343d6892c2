"""docker's main: the command tree, its errors and their exit statuses (docker/cli `cmd/docker/docker.go`, `cli/cobra.go`)."""

from __future__ import annotations

from collections.abc import Generator
from types import GeneratorType
from typing import Any

from ...host.program import Invocation
from ...kernel.errors import NotSimulated
from ...runtime.engine import dockerd
from ...runtime.engine.core import EngineError
from ...runtime.engine.creation import BadSpec
from ..cobra import Command, UsageError
from ..engine.flagspec import refused
from ..engine.session import CliError
from ..flags import FlagError, HelpRequested, Values
from .session import Session
from .usage import help_text, use_line

#: Commands whose failures from the engine carry the hint on `--help` and statuses of their own.
_RUNNERS = ("docker run", "docker create", "docker container run", "docker container create")


def main(inv: Invocation) -> Generator[Any, Any, int]:
    """The command `docker`."""
    from .tree import ALIASES, PLUGINS, ROOT, TOP

    command: Command = ROOT
    try:
        leading = ROOT.persistent.parse(inv.argv[1:], interspersed=False)
        words = leading.args
        if leading.on("version"):
            inv.out(f"Docker version {dockerd.VERSION}, build e180ab8\n")
            return 0
        if not words:
            inv.out(help_text(ROOT, inv.columns, plugins=PLUGINS, top=TOP))
            return 0
        if words[0] == "help":
            if words[1:] and ROOT.child(words[1]) is None:
                inv.err(f"unknown help topic: {words[1]}\n")
                return 1
            words = [*words[1:], "--help"]
        command, rest = find_command(ROOT, words, leading)
        if command is ROOT and rest and "--help" not in rest:
            inv.err(f"docker: unknown command: docker {rest[0]}\n\nRun 'docker --help' for more information\n")
            return 1
        if command.raw and "--help" in rest:
            raise HelpRequested
        values = command.parse(rest)
        for name in leading.changed:
            if values.has(name) and name not in values.changed and (command.flags.lookup(name) is None):
                values.assign(name, leading._values[name])
        if command.run is None:
            if values.args and command.path == "docker compose":
                inv.out(help_text(command, inv.columns))
                inv.err(f'unknown docker command: "compose {values.args[0]}"\n')
                return 16
            if values.args:
                inv.err(
                    f"docker: unknown command: {command.path} {values.args[0]}\n\nUsage:  {command.path}\n\nRun '{command.path} --help' for more information\n"
                )
                return 1
            (inv.out if command.path == "docker compose" else inv.err)(help_text(command, inv.columns))
            return 0
        command.validate(values)
        if what := refused(command, values):
            raise NotSimulated(what)
        for warning in values.warnings:
            inv.err(warning + "\n")
        result = command.run(Session(inv, values, _api(command)))
        if isinstance(result, GeneratorType):
            result = yield from result
        return int(result or 0)
    except HelpRequested:
        inv.out(
            help_text(
                command,
                inv.columns,
                aliases=ALIASES.get(command.path, ""),
                plugins=PLUGINS if command is ROOT else (),
                top=TOP if command is ROOT else (),
            )
        )
        return 0
    except FlagError as failed:
        return _refused_flag(inv, command, str(failed))
    except UsageError as failed:
        inv.err(f"{failed}\n")
        return 1
    except CliError as failed:
        text = str(failed)
        if command.path in _RUNNERS and text.startswith(("Cannot connect", "permission denied while")):
            inv.err(f"docker: {text}\n\nRun 'docker run --help' for more information\n")
            return 125
        inv.err(text + "\n")
        return failed.code
    except BadSpec as failed:
        if str(failed).startswith('invalid argument "'):
            return _refused_flag(inv, command, str(failed))
        if command.path in _RUNNERS:
            inv.err(f"docker: {failed}\n\nRun 'docker {command.name} --help' for more information\n")
            return 127 if "container ID file" in str(failed) and "no such file" in str(failed) else 125
        inv.err(f"{failed}\n")
        return 1
    except EngineError as failed:
        text = f"Error response from daemon: {failed}"
        if command.path in _RUNNERS:
            inv.err(f"docker: {text}\n\nRun 'docker run --help' for more information\n" if command.name == "run" else f"{text}\n")
            low = text.lower()
            if command.name != "run":
                return 1
            return (
                127
                if "executable file not found" in low or "no such file or directory" in low
                else 126
                if "permission denied" in low or "is a directory" in low
                else 125
            )
        inv.err(text + "\n")
        return 1


def _refused_flag(inv: Invocation, command: Command, text: str) -> int:
    line = use_line(command) + (" [ARG...]" if command.parent is None else "")
    inv.err(f"{text}\n\nUsage:  {line}\n\nRun '{command.path} --help' for more information\n")
    return 125


def find_command(root: Command, words: list[str], leading: Values) -> tuple[Command, list[str]]:
    """The command that the words name; what is left are its arguments.  Unlike cobra's own search it stops at the first word that is none.

    Flags of a group before its command (`docker compose -f x up`) are added to `leading`.
    """
    command, rest = root, list(words)
    while rest:
        if rest[0].startswith("-"):
            if command is root or not command.commands or rest[0] in ("-h", "--help"):
                break
            values = command.persistent.parse(rest, interspersed=False)
            for name in values.changed:
                leading.assign(name, values._get(name))
            rest = values.args
            continue
        following = command.child(rest[0])
        if following is None:
            break
        command, rest = following, rest[1:]
    return command, rest


def _api(command: Command) -> str:
    """The API path that a command asks first, for the message of a socket that may not be used."""
    return {
        "images": "images/json", "ls": "containers/json", "ps": "containers/json", "pull": "images/create", "build": "build", "info": "info", "version": "version",
        "run": "containers/create", "create": "containers/create",
    }.get(command.name, "containers/json")  # fmt: skip
