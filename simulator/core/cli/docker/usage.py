"""Docker's help texts (docker/cli `cli/cobra.go: usageTemplate`) and what its argument checks say (`cli/required.go`)."""

from __future__ import annotations

from ..cobra import ArgsCheck, Command
from ..cobra_help import stock_flags
from ..flags import FlagSet


def use_line(command: Command) -> str:
    """`docker run [OPTIONS] IMAGE [COMMAND] [ARG...]`."""
    return f"{command.parent.path} {command.use}" if command.parent else "docker [OPTIONS] COMMAND"


def _error(command: Command, text: str, verb: str = "Run") -> str:
    return (
        f"docker: '{command.path}' {text}\n\nUsage:  {use_line(command)}\n\n{verb} '{command.path} --help' for more information"
    )


def no_args(command: Command, args: list[str]) -> str:
    """`cli.NoArgs`."""
    if not args:
        return ""
    if command.commands:
        return f"docker: unknown command: {command.path} {args[0]}\n\nUsage:  {use_line(command)}\n\nRun '{command.path} --help' for more information"
    return _error(command, "accepts no arguments")


def _plural(count: int) -> str:
    return f"{count} argument" + ("" if count == 1 else "s")


def exact(count: int) -> ArgsCheck:
    """`cli.ExactArgs`."""
    return lambda command, args: "" if len(args) == count else _error(command, f"requires {_plural(count)}")


def at_least(count: int) -> ArgsCheck:
    """`cli.RequiresMinArgs`."""
    return lambda command, args: "" if len(args) >= count else _error(command, f"requires at least {_plural(count)}", "See")


def at_most(count: int) -> ArgsCheck:
    """`cli.RequiresMaxArgs`."""
    return lambda command, args: "" if len(args) <= count else _error(command, f"requires at most {_plural(count)}")


def between(low: int, high: int) -> ArgsCheck:
    """`cli.RequiresRangeArgs`."""
    return lambda command, args: (
        at_least(low)(command, args)
        if len(args) < low and command.name == "import"
        else ""
        if low <= len(args) <= high
        else _error(command, f"requires at least {low} and at most {_plural(high)}")
    )


def _flags(flags: FlagSet, columns: int) -> str:
    return stock_flags(flags, columns - 1).rstrip("\n")


def help_text(
    command: Command, columns: int, *, aliases: str = "", plugins: tuple[str, ...] = (), top: tuple[str, ...] = ()
) -> str:
    """The whole help of a command."""
    shown = FlagSet(
        flag for flag in command.local_flags() if (flag.name != "help" or flag.usage == "Print usage") and not flag.hidden
    )
    options = " [OPTIONS]" if len(shown) else ""
    line = f"{command.path}{options} COMMAND" if command.commands else use_line(command)
    out = f"Usage:  {line}\n\n{(command.long or command.short).strip()}\n"
    if aliases:
        out += f"\nAliases:\n  {aliases}\n"
    if command.example:
        out += f"\nExamples:\n{command.example}\n"
    if command.parent is not None and len(shown):
        out += f"\nOptions:\n{_flags(shown, columns)}\n"
    children = [c for c in command.children() if not c.hidden]
    width = max([11, *(len(c.name) for c in children)])
    if top:
        known = {c.name: c for c in children}
        out += "\nCommon Commands:\n" + "".join(f"  {name.ljust(width)} {known[name].short}\n" for name in top if name in known)
    groups = [c for c in children if c.commands or c.name in plugins]
    swarm = [c for c in groups if c.group == "swarm"]
    groups = [c for c in groups if c.group != "swarm"]
    if groups:
        out += "\nManagement Commands:\n" + "".join(
            f"  {(c.name + ('*' if c.name in plugins else ' ')).ljust(width + 1)}{c.short}\n" for c in groups
        )
    if swarm:
        out += "\nSwarm Commands:\n" + "".join(f"  {c.name.ljust(width)} {c.short}\n" for c in swarm)
    plain = [c for c in children if not c.commands and c.name not in top and c.name not in plugins]
    if plain:
        out += "\nCommands:\n" + "".join(f"  {c.name.ljust(width)} {c.short}\n" for c in plain)
    if command.parent is None:
        out += f"\nGlobal Options:\n{_flags(shown, columns)}\n"
    if command.commands:
        out += f"\nRun '{command.path} COMMAND --help' for more information on a command.\n"
    if command.parent is None:
        out += "\nFor more help on how to use Docker, head to https://docs.docker.com/go/guides/\n"
    return out
