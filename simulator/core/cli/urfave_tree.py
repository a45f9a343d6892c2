"""Commands of a urfave/cli tool declared by a text, as their help shows them.

# images pull ~ aliases, of, it ~ [flags] <ref>
Pull an image from a remote
| a line of the description
bool skip-verify, k: Skip SSL certificate validation
string! exec-id =none $VARIABLE: What a required string with a default does\\nand its second line
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .flag_kinds import parse_duration
from .urfave import Command, Flag

_FLAG = re.compile(r"(bool|string|slice|int|float|duration)(!?) ([\w-]+(?:, [\w-]+)*)(?: =(.*?))?(?: \$(\w+))?: (.*)")


def _flag(line: str) -> Flag:
    match = _FLAG.fullmatch(line)
    if match is None:
        raise ValueError(f"flag: {line!r}")
    kind, required, names, default, env, usage = match.groups()
    value: Any = default
    if default is not None:
        value = (
            parse_duration(default) if kind == "duration" else int(default) if kind == "int"
            else default == "true" if kind == "bool" else default
        )  # fmt: skip
    return Flag(tuple(names.split(", ")), kind, usage.replace("\\n", "\n"), value, env or "", bool(required))


def tree(text: str, runs: Mapping[str, Callable[..., Any]], otherwise: Callable[..., Any]) -> tuple[Command, ...]:
    """The commands of a text, each run by its path's entry in `runs` (a group without one has only its commands), else by `otherwise`."""
    found: dict[str, Command] = {}
    children: dict[str, list[str]] = {}
    for block in re.split(r"^# ", text, flags=re.MULTILINE)[1:]:
        head, short, *lines = block.rstrip("\n").split("\n")
        path, aliases, args = (part.strip() for part in head.split(" ~", 2))
        parent, _, name = path.rpartition(" ")
        children.setdefault(parent, []).append(path)
        found[path] = Command(
            name, "" if short == "." else short, runs.get(path), tuple(_flag(line) for line in lines if not line.startswith("|")),
            aliases=tuple(word for word in aliases.split(", ") if word), args_usage=args,
            description="\n".join(line[2:] for line in lines if line.startswith("|")),
        )  # fmt: skip
    for path in reversed(list(found)):
        command = found[path]
        command.commands = tuple(found[child] for child in children.get(path, ()))
        if command.run is None and not command.commands:
            command.run = otherwise
    return tuple(found[path] for path in children[""])
