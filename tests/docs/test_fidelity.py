"""docs/fidelity.md carries the table that kubectl's declarations give now, and the table tells the truth about them."""

from __future__ import annotations

from simulator.core.cli.kubectl.registry import ROOT
from simulator.headless import fidelity


def test_the_table_is_current() -> None:
    text = fidelity.DOCUMENT.read_text(encoding="utf-8")
    assert text == fidelity.replaced(text), "run: python -m simulator fidelity --write"
    assert text.count(fidelity.BEGIN) == text.count(fidelity.END) == 1


def test_every_command_that_is_not_simulated_is_named() -> None:
    rows = fidelity.table().splitlines()
    for command in ROOT.walk():
        if not command.simulated:
            assert any(row.startswith(f"| `{command.path}` |") and "the whole command" in row for row in rows)


def test_a_flag_is_in_the_column_of_its_support() -> None:
    rows = {row.split(" | ")[0]: row.strip("| ").split(" | ") for row in fidelity.table().splitlines()}
    for command in ROOT.walk():
        if command.simulated and not command.commands:
            columns = rows[f"| `{command.path}`"][1:]
            for flag in command.local_flags():
                place = ("", "inert", "no").index(flag.support)
                assert [f"`--{flag.name}`" in column.split() for column in columns].index(True) == place
