"""Command lines as github.com/urfave/cli v2 reads them (`ctr`, `crictl`): Go's `flag` package below, its help texts and errors.

Flags stand before positional arguments; the first word that is no flag ends them.  An unknown flag prints `Incorrect Usage` with the
help on standard output, and the error is the tool's to print.  An unknown command is `No help topic for 'x'`, exit status 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from .flags import parse_duration, quote


class Flag(msgspec.Struct, frozen=True):
    """A flag: its names (the first is the long one), kind (`bool`, `string`, `slice`, `int`, `duration`), help text and default."""

    names: tuple[str, ...]
    kind: str = "bool"
    usage: str = ""
    default: Any = None
    env: str = ""
    required: bool = False


def flag(names: str, kind: str = "bool", usage: str = "", default: Any = None, *, env: str = "", required: bool = False) -> Flag:
    """A flag from `"namespace, n"`."""
    return Flag(tuple(part.strip() for part in names.split(",")), kind, usage, default, env, required)


class Command(msgspec.Struct):
    """A command or a group of commands; `run(invocation, context)` is the tool's."""

    name: str
    usage: str = ""
    run: Callable[..., Any] | None = None
    flags: tuple[Flag, ...] = ()
    commands: tuple[Command, ...] = ()
    aliases: tuple[str, ...] = ()
    args_usage: str = ""
    description: str = ""
    short_options: bool = False
    #: Further sections of its help, before the options.
    more: str = ""


class App(msgspec.Struct):
    """The tool: its name, version, help texts, global flags and commands."""

    name: str
    version: str
    usage: str
    commands: tuple[Command, ...]
    flags: tuple[Flag, ...] = ()
    description: str = ""
    help_usage: str = "show help"
    version_usage: str = "print the version"


class Context(msgspec.Struct):
    """A parsed command line: global values, the command with its values, the positional arguments."""

    app: App
    path: str
    command: Command
    globals: dict[str, Any]
    values: dict[str, Any]
    args: list[str]
    given: set[str] = set()

    def get(self, name: str) -> Any:
        """The value of a flag of the command, or of the tool."""
        return self.values[name] if name in self.values else self.globals[name]


class Stop(Exception):
    """The command line ends the tool: what to print, and the exit status; `error` is left to the tool's way of printing errors."""

    def __init__(self, code: int, out: str = "", err: str = "", error: str = "") -> None:
        super().__init__(error or err or out)
        self.code, self.out, self.err, self.error = code, out, err, error


class UsageError(Exception):
    """Go's flag package refuses a flag."""


_DEFAULTS: dict[str, Any] = {"bool": False, "string": "", "slice": [], "int": 0, "duration": 0, "float": 0.0}
_HELP = ("help", "h")


def parse(app: App, argv: list[str], env: dict[str, str]) -> Context:
    """Read a command line; raises Stop for help, version and errors."""
    root_flags = (*app.flags,)
    try:
        values, rest, given = _flags(root_flags, argv[1:], env, False, extra=("version", "v"))
    except UsageError as error:
        raise Stop(1, f"Incorrect Usage: {error}\n\n{app_help(app)}", error=str(error)) from None
    if values.pop("help", False):
        raise Stop(0, app_help(app))
    if values.pop("version", False):
        raise Stop(
            0,
            f"{app.name} version {app.version}\n"
            if app.name != "ctr"
            else f"ctr github.com/containerd/containerd/v2 {app.version}\n",
        )
    if not rest:
        raise Stop(0, app_help(app))
    commands, path, inherited = app.commands, app.name, values
    seen: list[Command] = []
    while True:
        word = rest[0]
        if word in _HELP:
            raise Stop(0, _topic(app, commands, path, seen, rest[1:]))
        found = next((c for c in commands if word == c.name or word in c.aliases), None)
        if found is None:
            raise Stop(3, err=f"No help topic for '{word}'\n")
        path += " " + found.name
        seen.append(found)
        try:
            local, rest, more = _flags(found.flags, rest[1:], env, found.short_options)
        except UsageError as error:
            text = command_help(found, path, app.help_usage, refused=True)
            raise Stop(1, f"Incorrect Usage: {error}\n\n{text}", error=str(error)) from None
        given |= more
        if local.pop("help", False):
            raise Stop(0, command_help(found, path, app.help_usage))
        if found.commands:
            inherited = {**inherited, **local}
            if not rest and found.run is None:
                raise Stop(0, command_help(found, path, app.help_usage))
            if rest and (found.run is None or any(rest[0] == c.name or rest[0] in c.aliases for c in found.commands)):
                commands = found.commands
                continue
        missing = [f for f in found.flags if f.required and f.names[0] not in more]
        if missing:
            names = '", "'.join(f.names[0] for f in missing)
            plural = "s" if len(missing) > 1 else ""
            error_text = f'Required flag{plural} "{names}" not set'
            raise Stop(1, "" if rest else command_help(found, path, app.help_usage), error=error_text)
        return Context(app, path, found, inherited, local, rest, given)


def _topic(app: App, commands: tuple[Command, ...], path: str, seen: list[Command], words: list[str]) -> str:
    if not words:
        return command_help(seen[-1], path, app.help_usage) if seen else app_help(app)
    found = next((c for c in commands if words[0] == c.name or words[0] in c.aliases), None)
    if found is None:
        raise Stop(3, err=f"No help topic for '{words[0]}'\n")
    return command_help(found, f"{path} {found.name}", app.help_usage)


def _flags(
    flags: tuple[Flag, ...], words: list[str], env: dict[str, str], short: bool, extra: tuple[str, ...] = ()
) -> tuple[dict[str, Any], list[str], set[str]]:
    by_name = {name: f for f in flags for name in f.names}
    by_name.update(dict.fromkeys(_HELP, Flag(_HELP)))
    for name in extra:
        by_name.setdefault(name, Flag(extra))
    values: dict[str, Any] = {}
    given: set[str] = set()
    for one in flags:
        default = _DEFAULTS[one.kind] if one.default is None else one.default
        if one.env and env.get(one.env):
            default = _value(one, one.names[0], env[one.env])
        values[one.names[0]] = list(default) if isinstance(default, list) else default
    rest = list(words)
    while rest:
        word = rest[0]
        if len(word) < 2 or not word.startswith("-"):
            break
        rest.pop(0)
        if word == "--":
            break
        if word.startswith(("---", "-=")) or word == "--=":
            raise UsageError(f"bad flag syntax: {word}")
        name, equals, text = word.lstrip("-").partition("=")
        if short and name not in by_name and not word.startswith("--") and not equals and all(ch in by_name for ch in name):
            rest[:0] = ["-" + ch for ch in name]
            continue
        found = by_name.get(name)
        if found is None:
            raise UsageError(f"flag provided but not defined: -{name}")
        key = found.names[0]
        given.add(key)
        if found.kind == "bool":
            if equals and text not in ("1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False"):
                raise UsageError(f"invalid boolean value {quote(text)} for -{name}: parse error")
            values[key] = not equals or text[:1] in "1tT"
            continue
        if not equals:
            if not rest:
                raise UsageError(f"flag needs an argument: -{name}")
            text = rest.pop(0)
        value = _value(found, name, text)
        if found.kind == "slice":
            values[key] = [*(values[key] if len(given) and isinstance(values.get(key), list) else []), value]
        else:
            values[key] = value
    return values, rest, given


def _value(found: Flag, name: str, text: str) -> Any:
    try:
        if found.kind == "int":
            return int(text, 0)
        if found.kind == "float":
            return float(text)
        if found.kind == "duration":
            return parse_duration(text)
        if found.kind == "bool":
            return text[:1] in "1tT"
    except ValueError:
        raise UsageError(f"invalid value {quote(text)} for flag -{name}: parse error") from None
    return text


# -- help texts ---------------------------------------------------------------------------------------------------------
def _flag_line(one: Flag) -> tuple[str, str]:
    hint = "" if one.kind == "bool" else " value"
    usage, name_hint = one.usage, hint
    if "`" in usage and one.kind != "bool":
        before, inner, after = usage.split("`", 2)
        usage, name_hint = before + inner + after, f" {inner}"
    names = ", ".join(("--" if len(n) > 1 else "-") + n + name_hint for n in one.names)
    if one.kind == "slice":
        names = (
            ", ".join(("--" if len(n) > 1 else "-") + n + name_hint for n in one.names)
            + f" [ {', '.join(('--' if len(n) > 1 else '-') + n + name_hint for n in one.names)} ]"
        )
    note = ""
    if one.kind == "bool" and one.names[0] not in ("help", "version"):
        note = " (default: false)" if not one.default else " (default: true)"
    elif one.kind == "string" and one.default:
        note = f" (default: {quote(str(one.default))})"
    elif one.kind in ("int", "float"):
        note = f" (default: {one.default or 0})"
    elif one.kind == "duration":
        from .flags import format_duration

        note = f" (default: {format_duration(int(one.default or 0))})"
    if one.env:
        note += f" [${one.env}]"
    return names, (usage + note).strip()


def _columns(rows: list[tuple[str, str]]) -> str:
    """Aligned as Go's tabwriter does: a text of several lines ends the column that it stands in."""
    out, block = "", []
    for number, row in enumerate(rows, 1):
        block.append(row)
        if "\n" in row[1] or number == len(rows):
            width = max(len(name) for name, _ in block) + 2
            out += "".join(f"   {name.ljust(width)}{text}".rstrip() + "\n" for name, text in block)
            block = []
    return out


def _indent(text: str) -> str:
    return "\n".join(("   " + line).rstrip() if line else "" for line in text.strip("\n").splitlines())


def app_help(app: App) -> str:
    """The tool's help."""
    text = f"NAME:\n   {app.name} - {app.usage}\n\nUSAGE:\n   {app.name} [global options] command [command options]\n\nVERSION:\n   {app.version}\n"
    if app.description:
        text += f"\nDESCRIPTION:\n{_indent(app.description)}\n"
    rows = [(", ".join((c.name, *c.aliases)), c.usage) for c in app.commands] + [
        ("help, h", "Shows a list of commands or help for one command")
    ]
    text += "\nCOMMANDS:\n" + _columns(rows)
    flags = [*app.flags, Flag(("help", "h"), usage=app.help_usage), Flag(("version", "v"), usage=app.version_usage)]
    return text + "\nGLOBAL OPTIONS:\n" + _columns([_flag_line(f) for f in flags])


def command_help(command: Command, path: str, help_usage: str = "show help", *, refused: bool = False) -> str:
    """The help of a command or group; after a `refused` command line it names the command `help`, which every command then has."""
    text = f"NAME:\n   {path}" + (f" - {command.usage}" if command.usage else "") + f"\n\nUSAGE:\n   {path} "
    text += f"[command options] {command.args_usage}".rstrip() + "\n"
    if command.description:
        text += f"\nDESCRIPTION:\n{_indent(command.description)}\n"
    if command.commands or refused:
        rows = [(", ".join((c.name, *c.aliases)), c.usage) for c in command.commands]
        text += "\nCOMMANDS:\n" + _columns([*rows, ("help, h", "Shows a list of commands or help for one command")])
    text += command.more
    flags = [*command.flags, Flag(("help", "h"), usage=help_usage)]
    return text + "\nOPTIONS:\n" + _columns([_flag_line(f) for f in flags])
