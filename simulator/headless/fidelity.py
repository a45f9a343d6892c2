"""`python -m simulator fidelity`: what the simulated kubectl does and does not do, from its own declarations.

The table goes into docs/fidelity.md between two comments; a test compares them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from simulator.core.cli.cobra import Command
from simulator.core.cli.kubectl.registry import ROOT

BEGIN, END = "<!-- fidelity: begin -->", "<!-- fidelity: end -->"
DOCUMENT = Path(__file__).parents[2] / "docs" / "fidelity.md"


def main(write: bool) -> int:
    """Print the table, or put it into docs/fidelity.md."""
    if not write:
        print(table(), end="")
        return 0
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(replaced(text), encoding="utf-8")
    return 0


def replaced(text: str) -> str:
    """The document with the table as it is now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}{END}{after}"


def table() -> str:
    """One row a command that runs, by name; then the flags that every command has."""
    rows = ["| Command | Flags that work | Accepted without effect | Refused as not simulated |", "|---|---|---|---|"]
    rows += [_row(command) for command in _commands(ROOT)]
    flags = [(flag.name, flag.support) for flag in ROOT.persistent if not flag.hidden]
    rows.append("| (all commands) | " + " | ".join(_names(flags, support) for support in ("", "inert", "no")) + " |")
    return "\n".join(rows) + "\n"


def _commands(command: Command) -> Iterator[Command]:
    """The commands that do something themselves: leaves, and groups with flags of their own."""
    if command is not ROOT and (not command.commands or len(command.flags)):
        yield command
    for child in sorted(command.commands, key=lambda item: item.name):
        yield from _commands(child)


def _row(command: Command) -> str:
    name = f"`{command.path}`"
    if not command.simulated:
        return f"| {name} | – | – | the whole command |"
    flags = [(flag.name, flag.support) for flag in command.local_flags() if not flag.hidden]
    return f"| {name} | " + " | ".join(_names(flags, support) for support in ("", "inert", "no")) + " |"


def _names(flags: list[tuple[str, str]], support: str) -> str:
    return " ".join(f"`--{name}`" for name, how in sorted(flags) if how == support) or "–"
