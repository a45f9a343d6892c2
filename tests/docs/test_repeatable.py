"""A run of the tests draws the examples of the run before: no change is refused for one that nobody had seen (docs/simulator.md, "Soak")."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers


def drawn() -> list[Any]:
    """The examples of one run of a property."""
    found = []

    @given(st.text(max_size=9), st.integers(), st.binary(max_size=5))
    def property_(text: str, number: int, data: bytes) -> None:
        found.append((text, number, data))

    property_()
    return found


def test_properties_draw_the_same_examples_whatever_is_loaded(tmp_path: Path) -> None:
    assert settings.default is not None
    assert settings.default.derandomize
    first = drawn()
    assert len(set(first)) > 50
    module = ModuleType("just_loaded")
    module.__file__ = str(tmp_path / "just_loaded.py")
    Path(module.__file__).write_text(f"WORDS = {[f'word{number}' for number in range(99)]}\nNUMBERS = {list(range(700, 999))}\n")
    sys.modules["just_loaded"] = module
    providers.CONSTANTS_CACHE.cache.clear()
    try:
        assert drawn() == first
    finally:
        del sys.modules["just_loaded"]
