"""One served world for each module that asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .harness import Process, Thread


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """`python -m simulator serve`, twenty times as fast as the clock; it must have had nothing to complain of, and end well."""
    process = Process(tmp_path_factory.mktemp("served"), 20)
    yield process
    code = process.stop()
    assert (code, process.complaints()) == (0, "")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Thread]:
    """A served world in our hands, twenty times as fast as the clock."""
    thread = Thread(tmp_path_factory.mktemp("world"), 20)
    yield thread
    thread.stop()
    assert thread.unforeseen == []
