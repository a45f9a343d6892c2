"""docs/simulator.md names every subcommand, option, fault and scenario tool of `python -m simulator`, and nothing else."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from simulator.core.lab import faults
from simulator.headless.main import parser

TEXT = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


def subparsers() -> dict[str, argparse.ArgumentParser]:
    """Each subcommand's parser."""
    action = next(a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    return dict(action.choices)


def section(name: str) -> str:
    """The text under a subcommand's heading."""
    found = re.search(rf"^## `{name}\b.*?(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, f"no section for {name}"
    return found[0]


def test_every_subcommand_and_option_is_documented() -> None:
    for name, sub in subparsers().items():
        text = section(name)
        for action in sub._actions:
            for option in action.option_strings:
                assert option in ("-h", "--help") or option in text, f"{name}: {option} is not documented"


def test_every_documented_option_exists() -> None:
    for name, sub in subparsers().items():
        known = {option for action in sub._actions for option in action.option_strings}
        heading = section(name).splitlines()[0]
        assert set(re.findall(r"--[a-z-]+", heading)) <= known


def test_faults_are_documented_with_their_arguments() -> None:
    rows = re.findall(r"^\| `([a-z-]+)[^`]*` \|", section("run"), re.MULTILINE)
    assert sorted(rows) == sorted(faults.FAULTS)
