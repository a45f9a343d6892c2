"""Help and usage texts in the three layouts that our tools have.

* `kubectl_help`: kubectl's own templates (`kubectl/pkg/util/templates/templates.go`);
* `stock_help`: cobra's default template (kubeadm, nerdctl, …);
* `etcd_help`: etcdctl's and etcdutl's (`etcd/pkg/cobrautl/help.go`).
"""

from __future__ import annotations

import re

from .cobra import Command
from .flag_kinds import KINDS
from .flags import Flag, FlagSet, quote
from .tabwriter import align

NAME_PADDING = 11


def _with_help(command: Command) -> FlagSet:
    """The local flags and the `--help` that cobra adds to every command."""
    return command.local_flags().merged(FlagSet([Flag(name="help", short="h", kind="bool", usage=f"help for {command.name}")]))


def _sorted(flags: FlagSet) -> list[Flag]:
    return sorted(flags, key=lambda flag: flag.name)


# -- kubectl ----------------------------------------------------------------------------------------------------------------


def _kubectl_flag(flag: Flag) -> str:
    value = f"'{flag.default_text()}'" if flag.kind == "string" and not flag.type_name else flag.default_text()
    head = f"    -{flag.short}, " if flag.short else "    "
    return f"{head}--{flag.name}={value}:\n\t{flag.usage}\n\n"


def kubectl_flags(flags: FlagSet) -> str:
    """The flags as kubectl lists them (name, default, and the text on the next line), sorted, without `--help` and deprecated ones."""
    return "".join(
        _kubectl_flag(flag) for flag in _sorted(flags) if not flag.hidden and not flag.deprecated and flag.name != "help"
    )


def indent_example(text: str) -> str:
    """Examples two columns in, blank lines too, as `templates.Examples` has it."""
    return "\n".join("  " + line.strip() for line in text.strip().split("\n"))


def kubectl_usage(command: Command, groups: tuple[tuple[str, tuple[str, ...]], ...] = (), tail: str = "") -> str:
    """What follows the description in `kubectl COMMAND --help`.  `groups` are the root's headings, `tail` is put after them."""
    parts = []
    if command.aliases:
        parts.append("Aliases:\n" + ", ".join((command.name, *command.aliases)))
    if command.example:
        parts.append("Examples:\n" + indent_example(command.example).rstrip())
    listed = [child for child in command.children() if child.available]
    if listed:
        parts.append(_kubectl_commands(command, listed, groups))
    local = FlagSet(flag for flag in command.flags if flag.name not in command.persistent.by_name)
    options = kubectl_flags(local)
    if options:
        parts.append("Options:\n" + options.rstrip())
    has_options = bool(command.flags) or bool(command.persistent) or bool(command.inherited_flags())
    if command.run is not None or command.parent is None:
        line = command.path if command.parent is None else f"{command.parent.path} {command.use}"
        line += " [flags]" if command.parent is None else ""
        parts.append("Usage:\n  " + line + (" [options]" if has_options and "[options]" not in line else ""))
    tips = []
    if command.commands:
        tips.append(f'Use "{command.path} <command> --help" for more information about a given command.\n')
    tips.append(f'Use "{command.root.name} options" for a list of global command-line options (applies to all commands).\n')
    return "\n\n" + "\n\n".join([*parts, "".join(tips)])


def _kubectl_commands(command: Command, listed: list[Command], groups: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    width = max([NAME_PADDING, *(len(child.name) for child in command.commands)])
    if not groups:
        return "Available Commands:\n" + "\n".join(
            f"  {child.name:<{width}}   {child.short}" for child in listed if child.name != "options"
        )
    blocks, seen = [], {"options"}
    by_name = {child.name: child for child in listed}
    for heading, names in groups:
        rows = [f"  {name:<{width}}   {by_name[name].short}" for name in names if name in by_name]
        blocks.append("\n".join([heading, *rows]))
        seen.update(names)
    rest = [f"  {child.name:<{width}}   {child.short}" for child in listed if child.name not in seen]
    return "\n\n".join([*blocks, "\n".join(["Other Commands:", *rest])])


def kubectl_help(command: Command, groups: tuple[tuple[str, tuple[str, ...]], ...] = ()) -> str:
    """`kubectl COMMAND --help`."""
    return long_text(command.long or command.short) + kubectl_usage(command, groups)


def long_text(text: str) -> str:
    """A description as `templates.LongDesc` prints it: paragraphs on one line each, those after the first one column in."""
    out = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = block.strip("\n").split("\n")
        listed = any(line.lstrip().startswith("*") for line in lines)
        out.append("\n".join(lines) if listed else " ".join([lines[0], *(line.strip() for line in lines[1:])]))
    return "\n\n".join(out)


# -- cobra's default --------------------------------------------------------------------------------------------------------


def _wrap_once(size: int, text: str) -> tuple[str, str]:
    if size + 5 > len(text):
        return text, ""
    at = max(text.rfind(char, 0, size) for char in " \t\n")
    if at <= 0:
        return text, ""
    line = text.rfind("\n", 0, size)
    return (text[:line], text[line + 1 :]) if 0 < line < at else (text[:at], text[at + 1 :])


def _wrapped(indent: int, width: int, text: str) -> str:
    """A flag's description broken at `width` columns and continued at `indent` (pflag `wrap`); width 0 breaks at its own newlines only."""
    lead = "\n" + " " * indent
    if not width:
        return text.replace("\n", lead)
    out = ""
    if width - indent < 24:
        indent = 16
        lead = out = "\n" + " " * indent
    size = width - indent - 5
    part, text = _wrap_once(size, text)
    out += part.replace("\n", lead)
    while text:
        part, text = _wrap_once(size, text)
        out += lead + part.replace("\n", lead)
    return out


def stock_flags(flags: FlagSet, columns: int = 0) -> str:
    """`FlagSet.FlagUsagesWrapped`: one aligned line a flag, broken at `columns` when that is not 0."""
    rows = []
    for flag in _sorted(flags):
        if flag.hidden or flag.deprecated:
            continue
        match = re.search(r"`([^`]*)`", flag.usage)
        kind = flag.type_name or KINDS[flag.kind].name
        name = match[1] if match else "" if kind == "bool" else kind
        usage = flag.usage.replace("`", "", 2) if match else flag.usage
        head = f"  -{flag.short}, --{flag.name}" if flag.short else f"      --{flag.name}"
        head += f" {name}" if name else ""
        if flag.no_opt and flag.kind not in ("bool", "count"):
            head += f'[="{flag.no_opt}"]' if flag.kind == "string" else f"[={flag.no_opt}]"
        zero = (
            flag.kind == "string" and flag.type_name and flag.initial() == "0"
        )  # pflag: "0" of a type of one's own is no default
        if flag.shown or (flag.initial() not in (0, False, "", [], {}, None) and not zero):
            usage += f" (default {quote(flag.default_text()) if flag.kind == 'string' else flag.default_text()})"
        rows.append((head, usage))
    width = max((len(head) for head, _ in rows), default=0)
    return "".join(f"{head:<{width}}   {_wrapped(width + 3, columns, usage)}".rstrip() + "\n" for head, usage in rows)


def stock_usage(command: Command) -> str:
    """Cobra's default usage template."""
    line = f"{command.parent.path} {command.use}" if command.parent else command.use
    parts = ["Usage:"]
    if command.run is not None:
        parts[0] += "\n  " + line + ("" if "[flags]" in line or not command.flags_in_use_line else " [flags]")
    listed = [child for child in command.children() if child.available or child.name == "help"]
    if listed:
        parts[0] += f"\n  {command.path} [command]"
    if command.aliases:
        parts.append("Aliases:\n  " + ", ".join((command.name, *command.aliases)))
    if command.example:
        parts.append("Examples:\n" + command.example)
    if listed:
        width = max([NAME_PADDING, *(len(child.name) for child in command.commands)])
        parts.append("Available Commands:\n" + "\n".join(f"  {child.name:<{width}} {child.short}" for child in listed))
    local, above = stock_flags(_with_help(command)), stock_flags(command.inherited_flags())
    if local:
        parts.append("Flags:\n" + local.rstrip())
    if above:
        parts.append("Global Flags:\n" + above.rstrip())
    topics = [
        child
        for child in command.children()
        if child.run is None and not child.available and not child.hidden and not child.deprecated
    ]
    if topics:
        width = max([NAME_PADDING, *(len(child.path) for child in command.commands)])
        parts.append("Additional help topics:\n" + "\n".join(f"  {child.path:<{width}} {child.short}" for child in topics))
    if listed:
        parts.append(f'Use "{command.path} [command] --help" for more information about a command.')
    return "\n\n".join(parts) + "\n"


def stock_help(command: Command) -> str:
    """Cobra's default help: the description, then the usage."""
    text = (command.long or command.short).rstrip()
    usage = stock_usage(command) if command.run is not None or command.commands else ""
    return (text + "\n\n" if text else "") + usage


# -- etcdctl, etcdutl -------------------------------------------------------------------------------------------------------


def _etcd_flags(flags: FlagSet) -> str:
    rows = []
    for flag in _sorted(flags):
        if flag.deprecated or flag.hidden:
            continue
        head = f"  -{flag.short}, --{flag.name}" if flag.short else f"      --{flag.name}"
        value = quote(flag.default_text()) if flag.kind == "string" else flag.default_text()
        rows.append(f"{head}[={value}]\t{flag.usage}\n" if flag.no_opt else f"{head}={value}\t{flag.usage}\n")
    return "".join(rows)


def etcd_usage(command: Command, version: str, api_version: str, *, old: bool = False) -> str:
    """The text that etcdctl prints for `--help` and, before the error, for a flag it does not know; `old` before 3.5."""
    lead, gap = ("\t", "\n") if old else ("  ", "")
    name = command.name if command.parent is None else command.path.split(" ", 1)[1]
    line = f"{command.parent.path} {command.use}" if command.parent else command.use
    line += "" if "[flags]" in line else " [flags]"
    out = [f"NAME:\n{lead}{name} - {command.short}\n", f"\nUSAGE:\n{lead}{line}\n"]
    if command.parent is None:
        out.append(f"\nVERSION:\n{lead}{version}\n")
    if command.commands:
        out.append(f"\nAPI VERSION:\n{lead}{api_version}\n{gap}")
    if command.example:
        out.append(f"\nExamples:\n{command.example}\n")
    if command.commands:
        below = len(command.path) + 1
        rows = [f"{lead}{child.path[below:]}\t{child.short}\n" for child in _below(command) if child.run is not None]
        out.append("\nCOMMANDS:\n" + "".join(rows))
    if command.long:
        out.append("\nDESCRIPTION:\n" + "".join(f"{lead}{text}\n" for text in command.long.strip("\n\t ").split("\n")))
    local, above = _etcd_flags(_with_help(command)), _etcd_flags(command.inherited_flags())
    out.append(f"\nOPTIONS:\n{local}" if local else "")
    out.append(f"\nGLOBAL OPTIONS:\n{above}" if above else "")
    return align("".join(out) + "\n", tabwidth=8, padding=1, padchar="\t")


def _below(command: Command) -> list[Command]:
    out = []
    for child in command.children():
        out.append(child)
        out += _below(child)
    return out
