"""The tests of one file must stay in one process: pytest-xdist says so by the test's id."""

from __future__ import annotations

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one process runs everything")
def test_a_file_is_a_group(request: pytest.FixtureRequest) -> None:
    assert request.node.nodeid.endswith("@test_grouping.py")
